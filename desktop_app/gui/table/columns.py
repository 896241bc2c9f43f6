"""The table's columns: title, text, sort key, export fields and default width of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_app.config.settings import LOCAL_QUEUE
from desktop_app.domain.job import Job, display_text, iso_utc
from desktop_app.domain.query import ADDED
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import Wording, progress_of

if TYPE_CHECKING:
    from desktop_app.domain.query import Sort, SortTerm


_NS_PER_MS = 1_000_000


Text = Callable[["Wording", Job], str]


def _nothing(_wording: Wording, _job: Job) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    To add one, add it to `COLUMNS`, and its values to the tests in `tests/gui/test_wording.py` that list all columns:
    `test_plain_values_are_exact`, and `test_cell_without_a_value_is_empty` if its cells can be empty.

    Attributes:
        id: The stable name in saved layouts. Never rename one.
        title: The title in English; see `heading`.
        text: Returns the cell's text; may be empty.
        hint: Returns the tool tip; may be empty.
        plain: Returns the exact value for other programs, without separators; None for `text`.
        sort_key: The sort key (`SortTerm.key`); None if the column can't be sorted.
        export_fields: The fields to export, named in `services/support/export.py`.
        width: The default width in average characters.
        numeric: Whether it is right-aligned.
        shown: Whether it is shown by default.
        is_path: Whether it is elided in the middle.
        is_code: Whether it uses a monospaced font.
    """

    id: str
    title: str
    text: Text
    width: int
    hint: Text = _nothing
    plain: Text | None = None
    sort_key: str | None = None
    export_fields: tuple[str, ...] = ()
    numeric: bool = False
    shown: bool = True
    is_path: bool = False
    is_code: bool = False

    @property
    def heading(self) -> str:
        """Return the translated title."""
        return translated(self.title)

    def plain_text(self, wording: Wording, job: Job) -> str:
        """Return the value for other programs."""
        return (self.plain or self.text)(wording, job)


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


def _moment_column(name: str, title: str, of: Callable[[Job], int | None], *, sort_key: str, field: str) -> Column:
    """Return a column of times in milliseconds since 1970; None for not yet."""

    def text(wording: Wording, job: Job) -> str:
        moment = of(job)
        return "" if moment is None else wording.moment(moment)

    def hint(wording: Wording, job: Job) -> str:
        moment = of(job)
        return "" if moment is None else wording.full_moment(moment)

    def plain(_wording: Wording, job: Job) -> str:
        return iso_utc(of(job)) or ""

    return Column(
        id=name,
        title=title,
        text=text,
        hint=hint,
        plain=plain,
        sort_key=sort_key,
        export_fields=(field,),
        width=16,
        numeric=True,
        shown=name == "added",
    )


def _code_column(name: str, title: str, of: Callable[[Job], str | None], *, field: str) -> Column:
    """Return a column of identifiers."""

    def text(_wording: Wording, job: Job) -> str:
        return display_text(of(job) or "")

    return Column(
        id=name,
        title=title,
        text=text,
        hint=text,
        sort_key=field,
        export_fields=(field,),
        width=46,
        shown=False,
        is_code=True,
    )


def _modified(job: Job) -> int | None:
    return None if job.modified_ns is None else job.modified_ns // _NS_PER_MS


COLUMNS: tuple[Column, ...] = (
    Column(id="name", title=mark("Name"), text=_name, hint=_path, sort_key="name", export_fields=("name",), width=22),
    Column(
        id="status",
        title=mark("Status"),
        text=Wording.status,
        hint=Wording.status,
        sort_key="status",
        export_fields=("status", "reason"),
        width=40,
    ),
    Column(
        id="progress",
        title=mark("Progress"),
        text=_progress,
        sort_key="progress",
        export_fields=("bytes_done",),
        width=16,
    ),
    Column(
        id="lines",
        title=mark("Lines"),
        text=_lines,
        plain=lambda _, job: _exact(job.lines_count),
        sort_key="lines_count",
        export_fields=("lines_count",),
        width=10,
        numeric=True,
    ),
    Column(
        id="size",
        title=mark("Size"),
        text=_size,
        hint=_bytes,
        plain=lambda _, job: _exact(job.file_size),
        sort_key="file_size",
        export_fields=("file_size",),
        width=10,
        numeric=True,
    ),
    _moment_column("added", mark("Added"), lambda job: job.created_at, sort_key=ADDED, field="created_at"),
    Column(
        id="took",
        title=mark("Took"),
        text=_took,
        hint=_took_exactly,
        plain=_took_seconds,
        sort_key="took_ms",
        export_fields=("took_ms",),
        width=10,
        numeric=True,
    ),
    Column(
        id="reason",
        title=mark("Reason"),
        text=Wording.reason,
        hint=Wording.reason,
        sort_key="reason",
        export_fields=("reason",),
        width=40,
        shown=False,
    ),
    Column(
        id="folder",
        title=mark("Folder"),
        text=_folder,
        hint=_folder,
        sort_key="folder",
        export_fields=("file_path",),
        width=30,
        shown=False,
        is_path=True,
    ),
    Column(
        id="type", title=mark("Type"), text=_type, sort_key="type", export_fields=("file_path",), width=8, shown=False
    ),
    _moment_column(
        "finished", mark("Finished"), lambda job: job.finished_at, sort_key="finished_at", field="finished_at"
    ),
    _moment_column("modified", mark("Modified"), _modified, sort_key="modified_ns", field="modified_at"),
    Column(
        id="attempts",
        title=mark("Attempts"),
        text=_attempts,
        plain=lambda _, job: _exact(job.attempts),
        sort_key="attempts",
        export_fields=("attempts",),
        width=11,
        numeric=True,
        shown=False,
    ),
    Column(
        id="batch",
        title=mark("Batch"),
        text=_batch,
        hint=_batch,
        sort_key="batch_name",
        export_fields=("batch",),
        width=20,
        shown=False,
    ),
    Column(
        id="queue",
        title=mark("Queue"),
        text=_queue,
        hint=_queue,
        plain=lambda _, job: job.queue,
        sort_key="queue",
        export_fields=("queue",),
        width=22,
        shown=False,
    ),
    _code_column("messageId", mark("Message ID"), lambda job: job.message_id, field="message_id"),
    _code_column("jobId", mark("Job ID"), lambda job: job.id, field="id"),
)

FIRST_ORDER = ("name", "status", "reason")
"""The columns that come first on the screen; the others follow in the order of `COLUMNS`."""

COLUMN_OF_ID = {column.id: number for number, column in enumerate(COLUMNS)}

NAME, STATUS, PROGRESS, LINES, REASON = (
    COLUMN_OF_ID[name] for name in ("name", "status", "progress", "lines", "reason")
)

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

ALIGNMENTS = tuple(_RIGHT if column.numeric else _LEFT for column in COLUMNS)

COLUMN_OF_SORT = {column.sort_key: number for number, column in enumerate(COLUMNS) if column.sort_key is not None}


def spoken_heading(number: int, order: Sort) -> str:
    """Return a column's title and sort state, for screen readers."""
    column = COLUMNS[number]
    first, *rest = order.terms
    if column.sort_key == first.key:
        text = tr("{column}, sorted in descending order") if first.descending else tr("{column}, sorted")
        return text.format(column=column.heading)
    for term in rest:
        if column.sort_key == term.key:
            text = (
                tr("{column}, sorted second in descending order") if term.descending else tr("{column}, sorted second")
            )
            return text.format(column=column.heading)
    return column.heading


def spoken_order(order: Sort) -> str:
    """Return the sort order, for screen readers."""
    first, *rest = (_directed(term) for term in order.terms)
    if not rest:
        return tr("Sorted by {column}").format(column=first)
    return tr("Sorted by {column}, then by {second}").format(column=first, second=rest[0])


def _directed(term: SortTerm) -> str:
    heading = COLUMNS[COLUMN_OF_SORT[term.key]].heading
    return tr("{column} (descending)").format(column=heading) if term.descending else heading
