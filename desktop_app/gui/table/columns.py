"""The table's columns: what each is called, shows, sorts by and how wide it is at first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_app.config.settings import LOCAL_QUEUE
from desktop_app.domain.job import Job, display_text, iso_utc
from desktop_app.domain.query import SortBy
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import Wording, progress_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.query import ListQuery


_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        id: Its stable name: layouts are remembered by it. Never rename one.
        title: What the header says, in English; see `heading`.
        sort_by: What a click on the header sorts by.
        text: The cell's text; empty where there is nothing to say.
        hint: A longer text, shown when the mouse rests on the cell; empty = none.
        plain: The value for other programs, exact and without separators.
        width: In average characters of the font.
        numeric: Whether it is aligned to the right.
        shown: Whether it is to be seen at first.
        is_path: Whether what does not fit is left out in the middle.
        is_code: Whether it is set in a font whose characters are equally wide.
    """

    id: str
    title: str
    sort_by: SortBy
    text: Callable[[Wording, Job], str]
    hint: Callable[[Wording, Job], str]
    plain: Callable[[Wording, Job], str]
    width: int
    numeric: bool = False
    shown: bool = True
    is_path: bool = False
    is_code: bool = False

    @property
    def heading(self) -> str:
        """What the header says."""
        return translated(self.title)


def _nothing(_wording: Wording, _job: Job) -> str:
    return ""


def _name(_wording: Wording, job: Job) -> str:
    return job.name


def _path(_wording: Wording, job: Job) -> str:
    return display_text(job.file_path)


def _folder(_wording: Wording, job: Job) -> str:
    return display_text(os.path.dirname(job.file_path))  # noqa: PTH120 - keep surrogates


def _type(_wording: Wording, job: Job) -> str:
    return os.path.splitext(job.name)[1][1:].lower()  # noqa: PTH122 - keep surrogates


def _progress(wording: Wording, job: Job) -> str:
    done = progress_of(job)
    return "" if done is None else wording.percent(done)


def _lines(wording: Wording, job: Job) -> str:
    return "" if job.lines_count is None else wording.number(job.lines_count)


def _size(wording: Wording, job: Job) -> str:
    return "" if job.file_size is None else wording.size(job.file_size)


def _bytes(wording: Wording, job: Job) -> str:
    return "" if job.file_size is None else wording.bytes(job.file_size)


def _took(wording: Wording, job: Job) -> str:
    return "" if job.took_ms is None else wording.span(job.took_ms)


def _took_seconds(_wording: Wording, job: Job) -> str:
    return "" if job.took_ms is None else f"{job.took_ms / 1000:.3f}"


def _took_exactly(wording: Wording, job: Job) -> str:
    return "" if job.took_ms is None else tr("{number} ms").format(number=wording.number(job.took_ms))


def _attempts(wording: Wording, job: Job) -> str:
    return wording.number(job.attempts) if job.attempts else ""


def _batch(wording: Wording, job: Job) -> str:
    return display_text(job.batch_name) or wording.day_and_time(job.created_at)


def _queue(_wording: Wording, job: Job) -> str:
    if job.queue == LOCAL_QUEUE:
        return tr("Local queue")
    place, _, name = job.queue.rpartition(" ")
    return f"{name} · {place}" if place else name


def _exact(value: int | None) -> str:
    return "" if value is None else str(value)


def _moment_column(name: str, title: str, sort_by: SortBy, of: Callable[[Job], int | None], *, shown: bool) -> Column:
    """A time of the job, milliseconds since 1970; None where it has not come."""

    def text(wording: Wording, job: Job) -> str:
        moment = of(job)
        return "" if moment is None else wording.moment(moment)

    def hint(wording: Wording, job: Job) -> str:
        moment = of(job)
        return "" if moment is None else wording.full_moment(moment)

    def plain(_wording: Wording, job: Job) -> str:
        return iso_utc(of(job)) or ""

    return Column(name, title, sort_by, text, hint, plain, 16, numeric=True, shown=shown)


def _code_column(name: str, title: str, sort_by: SortBy, of: Callable[[Job], str | None]) -> Column:
    """Something that programs made for programs."""

    def text(_wording: Wording, job: Job) -> str:
        return display_text(of(job) or "")

    return Column(name, title, sort_by, text, text, text, 46, shown=False, is_code=True)


def _modified(job: Job) -> int | None:
    return None if job.modified_ns is None else job.modified_ns // _NS_PER_MS


COLUMNS: tuple[Column, ...] = (
    Column("name", mark("Name"), SortBy.NAME, _name, _path, _name, 22),
    Column("status", mark("Status"), SortBy.STATUS, Wording.status, Wording.status, Wording.status, 40),
    Column("progress", mark("Progress"), SortBy.PROGRESS, _progress, _nothing, _progress, 16),
    Column(
        "lines", mark("Lines"), SortBy.LINES, _lines, _nothing, lambda _, job: _exact(job.lines_count), 10, numeric=True
    ),
    Column("size", mark("Size"), SortBy.SIZE, _size, _bytes, lambda _, job: _exact(job.file_size), 10, numeric=True),
    _moment_column("added", mark("Added"), SortBy.ADDED, lambda job: job.created_at, shown=True),
    Column("took", mark("Took"), SortBy.TOOK, _took, _took_exactly, _took_seconds, 10, numeric=True),
    Column("reason", mark("Reason"), SortBy.REASON, Wording.reason, Wording.reason, Wording.reason, 40, shown=False),
    Column("folder", mark("Folder"), SortBy.FOLDER, _folder, _folder, _folder, 30, shown=False, is_path=True),
    Column("type", mark("Type"), SortBy.TYPE, _type, _nothing, _type, 8, shown=False),
    _moment_column("finished", mark("Finished"), SortBy.FINISHED, lambda job: job.finished_at, shown=False),
    _moment_column("modified", mark("Modified"), SortBy.MODIFIED, _modified, shown=False),
    Column(
        "attempts",
        mark("Attempts"),
        SortBy.ATTEMPTS,
        _attempts,
        _nothing,
        lambda _, job: _exact(job.attempts),
        11,
        numeric=True,
        shown=False,
    ),
    Column("batch", mark("Batch"), SortBy.BATCH, _batch, _batch, _batch, 20, shown=False),
    Column("queue", mark("Queue"), SortBy.QUEUE, _queue, _queue, lambda _, job: job.queue, 22, shown=False),
    _code_column("messageId", mark("Message ID"), SortBy.MESSAGE, lambda job: job.message_id),
    _code_column("jobId", mark("Job ID"), SortBy.ID, lambda job: job.id),
)

FIRST_ORDER = ("name", "status", "reason")
"""The columns that stand first on the screen; the others follow in their own order."""

COLUMN_OF_ID = {column.id: number for number, column in enumerate(COLUMNS)}

NAME, STATUS, PROGRESS, LINES, REASON = (
    COLUMN_OF_ID[name] for name in ("name", "status", "progress", "lines", "reason")
)

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

ALIGNMENTS = tuple(_RIGHT if column.numeric else _LEFT for column in COLUMNS)

COLUMN_OF_SORT = {column.sort_by: number for number, column in enumerate(COLUMNS)}


def spoken_heading(number: int, order: ListQuery) -> str:
    """A column's title, and how the list is sorted by it."""
    column = COLUMNS[number]
    if column.sort_by is order.sort_by:
        text = tr("{column}, sorted in descending order") if order.descending else tr("{column}, sorted")
    elif column.sort_by is order.then_by:
        text = (
            tr("{column}, sorted second in descending order")
            if order.then_descending
            else tr("{column}, sorted second")
        )
    else:
        return column.heading
    return text.format(column=column.heading)


def spoken_order(order: ListQuery) -> str:
    """What the list is sorted by."""
    first = _directed(COLUMNS[COLUMN_OF_SORT[order.sort_by]].heading, descending=order.descending)
    if order.then_by is None:
        return tr("Sorted by {column}").format(column=first)
    second = _directed(COLUMNS[COLUMN_OF_SORT[order.then_by]].heading, descending=order.then_descending)
    return tr("Sorted by {column}, then by {second}").format(column=first, second=second)


def _directed(heading: str, *, descending: bool) -> str:
    return tr("{column} (descending)").format(column=heading) if descending else heading
