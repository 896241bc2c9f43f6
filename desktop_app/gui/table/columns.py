"""The table's columns: their titles, cell texts, sort keys, exported fields and default widths.

The base columns have fixed numbers. They are followed by the columns of the fields of results, which become known while
the program runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter, ne
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_app.domain.fields import RESULT_PREFIX, ResultField, Value
from desktop_app.domain.job import Job, iso_utc
from desktop_app.domain.query import ADDED, Sort, SortTerm
from desktop_app.domain.sentences import display_text, mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import Wording, progress_of, queue_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NS_PER_MS = 1_000_000

_MANY_LINES = 9_999_999
"""The lines of a file of several hundred megabytes."""

_LONG_NUMBER, _LONG_FRACTION = 999_999, 0.123456
"""Numbers in results whose texts are long."""

_LONG_SIZES = (999, 999_900)
"""Sizes in bytes whose texts are long: `999 bytes` has the longest unit, and `999.9 kB` the longest number."""

_LONG_SPANS_MS = (3_599_000, 23 * 3_600_000 + 59 * 60_000)
"""Durations whose texts are long: `59 min 59 s` and `23 h 59 min`."""


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

_TEXT_WIDTH, _ANSWER_WIDTH = 20, 6
"""The widths of columns with texts, and with Yes or No, in characters."""

Text = Callable[[Wording, Job], str]


def _nothing(_wording: Wording, _job: Job) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the table.

    To add a base column, add it to `COLUMNS` and add its values to the tests in `tests/gui/test_wording.py` that cover
    all columns: `test_plain_values_are_exact`, and `test_cell_without_a_value_is_empty` if a cell can be empty.

    Attributes:
        id: The column's name in saved layouts, which must never change.
        title: The English title; `heading` is the translated one.
        text: A function that returns a cell's text, or an empty string.
        width: The default width in characters of average width, unless the column is numeric.
        samples: A function that returns the widest texts that are likely in a numeric column.
        hint: A function that returns a cell's tool tip, or an empty string.
        plain: A function that returns a cell's exact value for other programs, without group separators; None to use
            `text`.
        sort_key: The key to sort by (`SortTerm.key`); None if the column can't be sorted.
        reads: The fields of `Job` that the cell is made of: it is painted again when one of them changes; None if it is
            painted again after each change.
        export_fields: The fields to export, as defined in `services/support/export.py`.
        numeric: Whether the text is right-aligned.
        shown: Whether the column is visible by default.
        elide: Where a text that does not fit is cut.
        is_code: Whether the text is shown in a monospaced font.
        field: The field of results that the column shows; None for the base columns.
    """

    id: str
    title: str
    text: Text
    width: int
    samples: Callable[[Wording], tuple[str, ...]] = lambda _wording: ()
    hint: Text = _nothing
    plain: Text | None = None
    sort_key: str | None = None
    reads: tuple[str, ...] | None = None
    export_fields: tuple[str, ...] = ()
    numeric: bool = False
    shown: bool = True
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight
    is_code: bool = False
    field: ResultField | None = None

    @property
    def alignment(self) -> Qt.AlignmentFlag:
        """Return the alignment of the cells and the title."""
        return _RIGHT if self.numeric else _LEFT

    @property
    def heading(self) -> str:
        """Return the translated title."""
        return translated(self.title)

    def plain_text(self, wording: Wording, job: Job) -> str:
        """Return a cell's exact value for other programs."""
        return (self.plain or self.text)(wording, job)


def _name(_wording: Wording, job: Job) -> str:
    return job.name


def _path(_wording: Wording, job: Job) -> str:
    return display_text(job.file_path)


def _folder(_wording: Wording, job: Job) -> str:
    return display_text(os.path.dirname(job.file_path))  # noqa: PTH120 - keep surrogates


def _type(_wording: Wording, job: Job) -> str:
    return os.path.splitext(job.name)[1][1:].lower()  # noqa: PTH122 - keep surrogates


def _status(wording: Wording, job: Job) -> str:
    word, done = wording.word(job.status), progress_of(job)
    return f"{word}, {wording.percent(done)}" if done else word


def _progress(wording: Wording, job: Job) -> str:
    done = progress_of(job)
    return "" if done is None else wording.percent(done)


def _batch(wording: Wording, job: Job) -> str:
    return display_text(job.batch_name) or wording.day_and_time(job.created_at)


def _queue(_wording: Wording, job: Job) -> str:
    return queue_text(job)


def _number_column(
    name: str,
    title: str,
    of: Callable[[Job], int | None],
    text: Callable[[Wording, int], str],
    *,
    field: str,
    reads: tuple[str, ...] = (),
    samples: Callable[[Wording], tuple[str, ...]],
    hint: Callable[[Wording, int], str] = lambda _wording, _value: "",
    plain: Callable[[int], str | None] = str,
    sort_key: str = "",
    shown: bool = True,
) -> Column:
    """Return a right-aligned column whose cells are empty for jobs without a value.

    Args:
        name: The `id` of the column.
        title: See `Column`.
        of: A function that returns a job's value, or None.
        text: A function that formats a value.
        field: The field to export.
        reads: The fields of `Job` that `of` reads; empty if it is `field`.
        samples: See `Column`.
        hint: A function that formats a value for the tool tip.
        plain: A function that formats a value for other programs.
        sort_key: The key to sort by; empty if it equals `field`.
        shown: See `Column`.
    """

    def of_value(form: Callable[[Wording, int], str]) -> Text:
        def of_job(wording: Wording, job: Job) -> str:
            value = of(job)
            return "" if value is None else form(wording, value)

        return of_job

    return Column(
        id=name,
        title=title,
        text=of_value(text),
        hint=of_value(hint),
        plain=of_value(lambda _, value: plain(value) or ""),
        sort_key=sort_key or field,
        reads=reads or (field,),
        export_fields=(field,),
        width=0,
        samples=samples,
        numeric=True,
        shown=shown,
    )


_moment_column = partial(
    _number_column,
    text=Wording.moment,
    hint=Wording.full_moment,
    plain=iso_utc,
    # Times of other days are wider, but may not occur; the column grows when they do.
    samples=lambda wording: (wording.widest_clock(),),
    shown=False,
)


def _code_column(name: str, title: str, of: Callable[[Job], str | None], *, field: str) -> Column:
    """Return a column that shows identifiers in a monospaced font."""

    def text(_wording: Wording, job: Job) -> str:
        return display_text(of(job) or "")

    return Column(
        id=name,
        title=title,
        text=text,
        hint=text,
        sort_key=field,
        reads=(field,),
        export_fields=(field,),
        width=46,
        shown=False,
        is_code=True,
    )


def _modified(job: Job) -> int | None:
    return None if job.modified_ns is None else job.modified_ns // _NS_PER_MS


def _result_column(field: ResultField) -> Column:
    """Return the column of a field of results. Each value has the unit of the processor of its job."""
    units, unit = dict(field.units), field.units[0][1]

    def of_value(form: Callable[[Wording, Value, str], str]) -> Text:
        def of_job(wording: Wording, job: Job) -> str:
            value = job.result.get(field.name)
            return "" if value is None else form(wording, value, units.get(job.processor, unit))

        return of_job

    def hint(wording: Wording, value: Value, own_unit: str) -> str:
        if own_unit == "bytes" and type(value) is int:
            return wording.bytes(value)
        return wording.value(value, own_unit) if isinstance(value, str) or own_unit != unit else ""

    def samples(wording: Wording) -> tuple[str, ...]:
        if field.is_size:
            return tuple(map(wording.size, _LONG_SIZES))
        return (wording.value(_LONG_FRACTION if field.kind is float else _LONG_NUMBER, unit),)

    return Column(
        id=field.key,
        title=field.title,
        text=of_value(Wording.value),
        hint=of_value(hint),
        plain=of_value(lambda _wording, value, _unit: str(value).lower() if isinstance(value, bool) else str(value)),
        sort_key=field.key,
        reads=("result_text", "processor"),
        export_fields=(field.key,),
        width=_ANSWER_WIDTH if field.kind is bool else _TEXT_WIDTH,
        samples=samples,
        numeric=field.is_number,
        shown=False,
        field=field,
    )


COLUMNS: tuple[Column, ...] = (
    Column(
        id="name",
        title=mark("Name"),
        text=_name,
        hint=_path,
        sort_key="name",
        reads=("file_path",),
        export_fields=("name",),
        width=20,
        elide=Qt.TextElideMode.ElideMiddle,  # the end of a name tells files apart
    ),
    Column(
        id="status",
        title=mark("Status"),
        text=_status,
        hint=Wording.status,
        plain=lambda wording, job: wording.word(job.status),
        sort_key="status",
        reads=("status", "reason", "file_size", "bytes_done", "queue", "next_try_at"),
        export_fields=("status", "reason"),
        width=0,
    ),
    Column(
        id="progress",
        title=mark("Progress"),
        text=_progress,
        sort_key="progress",
        reads=("status", "file_size", "bytes_done"),
        export_fields=("bytes_done",),
        width=16,
        shown=False,
    ),
    _number_column(
        "lines",
        mark("Lines"),
        lambda job: job.lines_count,
        Wording.number,
        field="lines_count",
        samples=lambda wording: (wording.number(_MANY_LINES),),
    ),
    _number_column(
        "size",
        mark("Size"),
        lambda job: job.file_size,
        Wording.size,
        hint=Wording.bytes,
        field="file_size",
        samples=lambda wording: tuple(map(wording.size, _LONG_SIZES)),
    ),
    _moment_column("added", mark("Added"), lambda job: job.created_at, field="created_at", sort_key=ADDED, shown=True),
    _number_column(
        "took",
        mark("Duration"),
        lambda job: job.took_ms,
        Wording.span,
        hint=lambda wording, value: tr("{number} ms").format(number=wording.number(value)),
        plain=lambda value: f"{value / 1000:.3f}",
        field="took_ms",
        reads=("started_at", "finished_at"),
        samples=lambda wording: tuple(map(wording.span, _LONG_SPANS_MS)),
    ),
    Column(
        id="reason",
        title=mark("Reason"),
        text=Wording.reason,
        hint=Wording.reason,
        sort_key="reason",
        reads=("status", "reason", "queue", "next_try_at"),
        export_fields=("reason",),
        width=36,
        shown=False,
    ),
    Column(
        id="folder",
        title=mark("Folder"),
        text=_folder,
        hint=_folder,
        sort_key="folder",
        reads=("file_path",),
        export_fields=("file_path",),
        width=30,
        shown=False,
        elide=Qt.TextElideMode.ElideMiddle,
    ),
    Column(
        id="type",
        title=mark("Type"),
        text=_type,
        sort_key="type",
        reads=("file_path",),
        export_fields=("file_path",),
        width=8,
        shown=False,
    ),
    _moment_column("finished", mark("Finished"), lambda job: job.finished_at, field="finished_at"),
    _moment_column(
        "modified", mark("Modified"), _modified, field="modified_at", reads=("modified_ns",), sort_key="modified_ns"
    ),
    _number_column(
        "attempts",
        mark("Attempts"),
        lambda job: job.attempts,
        lambda wording, value: wording.number(value) if value else "",
        field="attempts",
        samples=lambda wording: (wording.number(99),),
        shown=False,
    ),
    Column(
        id="batch",
        title=mark("Batch"),
        text=_batch,
        hint=_batch,
        sort_key="batch_name",
        reads=("batch_name", "created_at"),
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
        reads=("queue",),
        export_fields=("queue",),
        width=22,
        shown=False,
    ),
    _code_column("messageId", mark("Message ID"), lambda job: job.message_id, field="message_id"),
    _code_column("jobId", mark("Job ID"), lambda job: job.id, field="id"),
    Column(
        id="processor",
        title=mark("Processed as"),
        text=lambda wording, job: wording.processor(job.processor),
        plain=lambda _, job: job.processor,
        sort_key="processor",
        reads=("processor",),
        export_fields=("processor",),
        width=18,
        shown=False,
    ),
)
"""The base columns."""

FIRST_ORDER = ("name", "status", "reason")
"""The leading columns in the default layout; the others follow in the order of `COLUMNS`."""

COLUMN_OF_ID = {column.id: number for number, column in enumerate(COLUMNS)}

NAME, STATUS, PROGRESS, LINES, REASON = (
    COLUMN_OF_ID[name] for name in ("name", "status", "progress", "lines", "reason")
)

_COLUMN_OF_SORT = {column.sort_key: number for number, column in enumerate(COLUMNS) if column.sort_key is not None}

_COLUMN_OF_FIELD = {"lines_count": "lines", "file_size": "size"}
"""The base columns that show fields of results."""

_FIELDS = tuple(field.name for field in fields(Job))

_values_of = attrgetter(*_FIELDS)


class Columns:
    """The columns of a table: the base columns, followed by one for each known field of results. Main thread only.

    A column is never removed, and keeps its number.

    Attributes:
        all: The columns by number. The list must not be modified.
    """

    def __init__(self) -> None:
        self.all: list[Column] = list(COLUMNS)
        self._of_id = dict(COLUMN_OF_ID)
        self._of_sort = dict(_COLUMN_OF_SORT)
        self._reading: dict[tuple[bool, ...], frozenset[int]] = {}

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.all)

    def __getitem__(self, number: int) -> Column:
        """Return the column with a number."""
        return self.all[number]

    def __iter__(self) -> Iterator[Column]:
        """Iterate over the columns in the order of their numbers."""
        return iter(self.all)

    def of_id(self, column_id: str) -> int | None:
        """Return the number of the column with a name in saved layouts; None if there is none."""
        return self._of_id.get(column_id)

    def of_sort(self, key: str) -> int | None:
        """Return the number of the column that the list is sorted by with a key; None if there is none."""
        return self._of_sort.get(key)

    def of_field(self, name: str) -> int | None:
        """Return the number of the column that shows a field of results; None if there is none."""
        return self._of_id.get(_COLUMN_OF_FIELD.get(name, f"{RESULT_PREFIX}{name}"))

    def new_fields(self, known: Sequence[ResultField]) -> list[ResultField]:
        """Return the fields that have no column yet."""
        return [field for field in known if field.key not in self._of_id]

    def update(self, known: Sequence[ResultField]) -> frozenset[int]:
        """Add the columns of new fields, and change those of fields that are different now.

        Args:
            known: The fields of results. The columns of missing ones stay.

        Returns:
            The numbers of the columns that were changed.
        """
        changed = set()
        for field in known:
            number = self._of_id.get(field.key)
            if number is None:
                number = self._of_id[field.key] = self._of_sort[field.key] = len(self.all)
                self.all.append(_result_column(field))
            elif field != self.all[number].field:
                self.all[number] = _result_column(field)
                changed.add(number)
        self._reading.clear()
        return frozenset(changed)

    def changed(self, before: Job, after: Job) -> frozenset[int]:
        """Return the columns whose cells must be painted again after a job has changed."""
        changed = tuple(map(ne, _values_of(before), _values_of(after)))
        found = self._reading.get(changed)
        if found is None:
            found = self._reading[changed] = self._columns_reading(changed)
        return found

    def _columns_reading(self, changed: tuple[bool, ...]) -> frozenset[int]:
        names = {name for name, is_changed in zip(_FIELDS, changed, strict=True) if is_changed}
        return frozenset(
            number
            for number, column in enumerate(self.all)
            if column.reads is None or not names.isdisjoint(column.reads)
        )

    def spoken_heading(self, number: int, order: Sort) -> str:
        """Return a column's title for screen readers, including whether and how the list is sorted by it."""
        column = self.all[number]
        place = next((place for place, term in enumerate(order.terms) if term.key == column.sort_key), None)
        if place is None:
            return column.heading
        descending = order.terms[place].descending
        if place == 0:
            text = (
                tr("{column}, sorted in descending order") if descending else tr("{column}, sorted in ascending order")
            )
        else:
            text = (
                tr("{column}, second sort column, descending")
                if descending
                else tr("{column}, second sort column, ascending")
            )
        return text.format(column=column.heading)

    def spoken_order(self, order: Sort) -> str:
        """Return a description of the sort order for screen readers."""
        first, *rest = (self._directed(term) for term in order.terms)
        if not rest:
            return tr("Sorted by {column}").format(column=first)
        return tr("Sorted by {column}, then by {second}").format(column=first, second=rest[0])

    def _directed(self, term: SortTerm) -> str:
        heading = self.all[self._of_sort[term.key]].heading
        return tr("{column} (descending)").format(column=heading) if term.descending else heading


UNREAD = "…"
"""What the Name column shows for a row that can't be shown yet."""
