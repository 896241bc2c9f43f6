"""The table's columns: what each is called, shows, sorts by and how wide it is at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_app.gui.wording import Wording, progress_of
from desktop_app.jobs import Job, SortBy, display_text, iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        id: Its stable name: layouts are remembered by it. Never rename one.
        title: What the header says.
        sort_by: What a click on the header sorts by.
        text: The cell's text; empty where there is nothing to say.
        hint: A longer text, shown when the mouse rests on the cell; empty = none.
        plain: The value for other programs, exact and without separators.
        width: In average characters of the font.
        numeric: Whether it is aligned to the right.
    """

    id: str
    title: str
    sort_by: SortBy
    text: Callable[[Wording, Job], str]
    hint: Callable[[Wording, Job], str]
    plain: Callable[[Wording, Job], str]
    width: int
    numeric: bool = False


def _nothing(_wording: Wording, _job: Job) -> str:
    return ""


def _name(_wording: Wording, job: Job) -> str:
    return job.name


def _path(_wording: Wording, job: Job) -> str:
    return display_text(job.file_path)


def _progress(wording: Wording, job: Job) -> str:
    done = progress_of(job)
    return "" if done is None else wording.percent(done)


def _lines(wording: Wording, job: Job) -> str:
    return "" if job.lines_count is None else wording.number(job.lines_count)


def _size(wording: Wording, job: Job) -> str:
    return "" if job.file_size is None else wording.size(job.file_size)


def _bytes(wording: Wording, job: Job) -> str:
    return "" if job.file_size is None else f"{wording.number(job.file_size)} bytes"


def _took(wording: Wording, job: Job) -> str:
    return "" if job.took_ms is None else wording.span(job.took_ms)


def _exact(value: int | None) -> str:
    return "" if value is None else str(value)


COLUMNS: tuple[Column, ...] = (
    Column("name", "Name", SortBy.NAME, _name, _path, _name, 26),
    Column("status", "Status", SortBy.STATUS, Wording.status, Wording.status, Wording.status, 40),
    Column("progress", "Progress", SortBy.PROGRESS, _progress, _nothing, _progress, 16),
    Column("lines", "Lines", SortBy.LINES, _lines, _nothing, lambda _, job: _exact(job.lines_count), 11, numeric=True),
    Column("size", "Size", SortBy.SIZE, _size, _bytes, lambda _, job: _exact(job.file_size), 11, numeric=True),
    Column(
        "added",
        "Added",
        SortBy.ADDED,
        lambda wording, job: wording.moment(job.created_at),
        lambda wording, job: wording.full_moment(job.created_at),
        lambda _, job: iso_utc(job.created_at) or "",
        16,
        numeric=True,
    ),
    Column(
        "took",
        "Took",
        SortBy.TOOK,
        _took,
        _nothing,
        lambda _, job: "" if job.took_ms is None else f"{job.took_ms / 1000:.3f}",
        11,
        numeric=True,
    ),
)
COLUMN_OF_ID = {column.id: number for number, column in enumerate(COLUMNS)}
NAME, STATUS, PROGRESS = (COLUMN_OF_ID[name] for name in ("name", "status", "progress"))
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
ALIGNMENTS = tuple(_RIGHT if column.numeric else _LEFT for column in COLUMNS)
COLUMN_OF_SORT = {column.sort_by: number for number, column in enumerate(COLUMNS)}
