"""Rows of the list as other programs take them from the clipboard: a table, a page, files."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QUrl

from desktop_app.domain.job import display_text

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

    from desktop_app.domain.job import Job
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.columns import Column
    from desktop_app.gui.wording import Wording


MOST_RICH_ROWS = 10_000
"""More rows are given as plain text only: no program wants as many files, or as long a page, from the clipboard."""

_PAGE = 500

_FORMULA_STARTS = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Clip:
    """What is copied.

    Attributes:
        rows: How many there are of whatever it is.
        text: For a spreadsheet or a text.
        page: The same as HTML; empty = none.
        addresses: The files themselves, as `file:` addresses.
    """

    rows: int
    text: str
    page: str = ""
    addresses: tuple[str, ...] = ()

    def mime_data(self) -> QMimeData:
        """For the clipboard; main thread."""
        data = QMimeData()
        data.setText(self.text)
        if self.page:
            data.setHtml(self.page)
        if self.addresses:
            data.setUrls([QUrl.fromEncoded(address.encode()) for address in self.addresses])
            # Setting files replaces the text by their addresses.
            data.setText(self.text)
        return data


def clip_of_rows(reader: JobReader, ids: array[int], columns: Sequence[Column], wording: Wording) -> Clip:
    """A line a file, tabs between exact values, the titles first.

    Raises:
        StoreError: If the database can't be read.
    """
    titles = [column.heading for column in columns]
    rows: list[list[str]] = []
    addresses: list[str] = []
    for job in _jobs(reader, ids):
        rows.append([_cell(column.plain(wording, job)) for column in columns])
        if len(ids) <= MOST_RICH_ROWS:
            addresses.append(Path(job.file_path).as_uri())
    text = "".join("\t".join(row) + "\n" for row in [titles, *rows])
    page = _page(titles, rows) if len(ids) <= MOST_RICH_ROWS else ""
    return Clip(len(rows), text, page, tuple(addresses))


def clip_of_paths(reader: JobReader, ids: array[int]) -> Clip:
    """A path a line, and the files themselves. A line break in a name is an escape, so that no shell obeys it.

    Raises:
        StoreError: If the database can't be read.
    """
    jobs = list(_jobs(reader, ids))
    addresses = [Path(job.file_path).as_uri() for job in jobs] if len(jobs) <= MOST_RICH_ROWS else []
    return Clip(len(jobs), "\n".join(display_text(job.file_path) for job in jobs), addresses=tuple(addresses))


def _jobs(reader: JobReader, ids: array[int]) -> Iterator[Job]:
    for start in range(0, len(ids), _PAGE):
        keys = ids[start : start + _PAGE]
        jobs = reader.page(keys)
        yield from (jobs[key] for key in keys if key in jobs)


def _cell(text: str) -> str:
    """A spreadsheet would run a file's name that looks like a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _page(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
