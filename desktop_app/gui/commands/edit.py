"""The Edit menu: copying rows and paths to the clipboard, and selecting rows.

Undo and Redo are actions of the stack `ListCommands.undo`. The action Filter is connected in `filtering.list_filter`.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QUrl, Signal, Slot
from PySide6.QtGui import QGuiApplication

from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice
from desktop_app.services.support.export import spreadsheet_text

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.columns import Column
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording


class EditCommands(QObject):
    """The commands Copy Rows, Copy Path, Select All and Select None.

    Signals:
        notice(Notice): A message for the user.

    Args:
        actions: The actions of the window.
        view: The table, which is also the parent.
        reader: The reader for the list.
        reads: The pool for reading the list.
        wording: The formatter for the cells.
    """

    notice = Signal(object)

    def __init__(self, actions: Actions, view: JobsView, reader: JobReader, reads: Tasks, wording: Wording) -> None:
        super().__init__(view)
        self._view = view
        self._reader = reader
        self._reads = reads
        self._wording = wording
        actions.copy.triggered.connect(self.copy_rows)
        actions.copy_path.triggered.connect(self.copy_paths)
        actions.select_all.triggered.connect(view.selectAll)
        actions.select_none.triggered.connect(view.clearSelection)

    @Slot()
    def copy_rows(self) -> None:
        """Copy the visible columns of the selected rows, in the order shown."""
        columns = self._view.header.shown_columns()
        read = partial(clip_of_rows, self._reader, self._view.selected_ids(), columns, self._wording)
        self._copy(read, lambda count: tr("Copied %Ln row(s).", "", count))

    @Slot()
    def copy_paths(self) -> None:
        """Copy the paths of the selected files."""
        read = partial(clip_of_paths, self._reader, self._view.selected_ids())
        self._copy(read, lambda count: tr("Copied %Ln path(s).", "", count))

    def _copy(self, read: Callable[[], Clip], text_of: Callable[[int], str]) -> None:
        """Read the content on the pool, put it on the clipboard and report how many rows were copied."""
        self._reads.run(read, partial(self._finish_copy, text_of), self._report_error)

    def _finish_copy(self, text_of: Callable[[int], str], clip: Clip) -> None:
        QGuiApplication.clipboard().setMimeData(clip.mime_data())
        self.notice.emit(Notice(text_of(clip.rows), passing=True))

    def _report_error(self, error: KnownError) -> None:
        self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))


MOST_RICH_ROWS = 10_000
"""The largest number of rows that are also copied as HTML and as files, because many programs can't handle more."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The content to put on the clipboard.

    Attributes:
        rows: The number of rows or paths.
        text: The plain text.
        page: The rows as HTML; may be empty.
        addresses: The files as `file:` URLs; may be empty.
    """

    rows: int
    text: str
    page: str = ""
    addresses: tuple[str, ...] = ()

    def mime_data(self) -> QMimeData:
        """Return the MIME data for the clipboard. Call this on the main thread."""
        data = QMimeData()
        data.setText(self.text)
        if self.page:
            data.setHtml(self.page)
        if self.addresses:
            data.setUrls([QUrl.fromEncoded(address.encode()) for address in self.addresses])
            # setUrls() has replaced the text with the URLs.
            data.setText(self.text)
        return data


def clip_of_rows(reader: JobReader, ids: array[int], columns: Sequence[Column], wording: Wording) -> Clip:
    """Return jobs for the clipboard: as tab-separated text with a header line, as HTML, and as the URLs of their files.

    Raises:
        StoreError: If the database can't be read.
    """
    titles = [column.heading for column in columns]
    rows: list[list[str]] = []
    addresses: list[str] = []
    for job in reader.listed(ids):
        texts = [(column, column.plain_text(wording, job)) for column in columns]
        rows.append([text if column.numeric else spreadsheet_text(text) for column, text in texts])
        if len(ids) <= MOST_RICH_ROWS:
            addresses.append(Path(job.file_path).as_uri())
    text = "".join("\t".join(row) + "\n" for row in [titles, *rows])
    page = _page(titles, rows) if len(ids) <= MOST_RICH_ROWS else ""
    return Clip(len(rows), text, page, tuple(addresses))


def clip_of_paths(reader: JobReader, ids: array[int]) -> Clip:
    """Return the paths of jobs for the clipboard: as lines of text and as URLs.

    Line breaks in paths are escaped, so that pasting into a terminal does not run the rest of a path as a command.

    Raises:
        StoreError: If the database can't be read.
    """
    jobs = list(reader.listed(ids))
    addresses = [Path(job.file_path).as_uri() for job in jobs] if len(jobs) <= MOST_RICH_ROWS else []
    return Clip(len(jobs), "\n".join(display_text(job.file_path) for job in jobs), addresses=tuple(addresses))


def _page(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
