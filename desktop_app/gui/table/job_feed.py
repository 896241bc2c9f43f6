"""Signals that report changes in the database, and job counts that are kept up to date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.domain.fields import ResultField
from desktop_app.domain.job import BEGINNING, Batch, StatusCounts
from desktop_app.gui.tasks import CoalescedTask, Tasks

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from desktop_app.domain.query import Problem, SelectionSums
    from desktop_app.gui.ports import ChangeFeed, JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView


SPACING_MS = (20, 100)
"""The shortest and the longest time between two looks after writes of this program."""
_SPACING = 3
"""Looking takes at most a quarter of the main thread's time."""
WORKING_MS = 250
"""The interval at which the writes of another program are noticed while it is working."""
COUNT_MS = 100
"""The shortest time between two counts. Each takes a connection, and paints numbers that nobody can follow faster."""
IDLE_MS = 1_000
"""The interval at which they are noticed otherwise."""


class JobFeed(QObject):
    """Emits the changes made by all threads and programs, which it reads from the store's change feed.

    It reads them after each write of this program, and polls for the writes of other programs.

    Signals:
        changed(Changes): The changes since the previous signal.
        problem(KnownError): The database can't be read. The same problem is emitted again only if the database has been
            readable in the meantime.
        recovered(): The database can be read again.
        replaced(): Another database has taken its place, in which the keys of jobs and batches are not valid. It is
            followed by `changed`.
    """

    changed = Signal(object)
    problem = Signal(object)
    recovered = Signal()
    replaced = Signal()
    _written = Signal()

    def __init__(self, changes: ChangeFeed, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._changes = changes
        self._cursor = BEGINNING
        self._problem = ""
        self._is_written = False
        self._written.connect(self._follow_write, Qt.ConnectionType.QueuedConnection)
        self._spacing = QTimer(self, singleShot=True)
        self._spacing.timeout.connect(self._follow_write)
        self._poll = QTimer(self, interval=IDLE_MS)
        self._poll.timeout.connect(self._look_for_others)

    def start(self) -> None:
        """Start following the changes. Load the list after this call, so that no change is missed.

        Raises:
            StoreError: If the database can't be read.
        """
        self._cursor = self._changes.cursor()
        self._changes.add_listener(self._note_write)
        self._poll.start()

    def stop(self) -> None:
        """Stop following the changes."""
        self._changes.remove_listener(self._note_write)
        self._spacing.stop()
        self._poll.stop()

    def _note_write(self) -> None:
        """Make the main thread look. Runs on the thread that has written."""
        if not self._is_written:
            self._is_written = True
            self._written.emit()

    @Slot()
    def _follow_write(self) -> None:
        if self._is_written and not self._spacing.isActive() and self._poll.isActive():
            self._is_written = False  # before reading, so that a later write is noted
            took = QElapsedTimer()
            took.start()
            self.look()
            shortest, longest = SPACING_MS
            self._spacing.start(max(shortest, min(longest, _SPACING * took.elapsed())))

    @Slot()
    def _look_for_others(self) -> None:
        before = self._cursor
        self.look()
        self._poll.setInterval(IDLE_MS if self._cursor == before else WORKING_MS)

    @Slot()
    def look(self) -> None:
        """Read the changes now."""
        try:
            changes = self._changes.since(self._cursor)
        except KnownError as error:
            if error.text != self._problem:
                self._problem = error.text
                self.problem.emit(error)
            return
        if self._problem:
            self._problem = ""
            self.recovered.emit()
        if changes.cursor != self._cursor:
            self._cursor = changes.cursor
            if changes.replaced:
                self.replaced.emit()
            self.changed.emit(changes)


_RETRY_MS = 1_000

Counted = TypeVar("Counted")


class Recount(QObject, Generic[Counted]):
    """Counts jobs on a pool thread whenever `count` is called.

    Signals:
        changed(Counted): The counts have changed, or are known for the first time.

    Args:
        first: The initial counts.
        read: A function that returns the counts; called on the pool.
        tasks: The pool.
        parent: The parent.
        least_rest_ms: The shortest time between two counts.

    Attributes:
        counts: The latest counts.
        is_known: Whether the jobs have been counted.
    """

    changed = Signal(object)

    def __init__(
        self,
        first: Counted,
        read: Callable[[], Counted],
        tasks: Tasks,
        parent: QObject | None = None,
        *,
        least_rest_ms: int = COUNT_MS,
    ) -> None:
        super().__init__(parent)
        self.counts = first
        self.is_known = False
        self._task = CoalescedTask(lambda: read, tasks, self, least_rest_ms=least_rest_ms)
        self._task.result.connect(self._take)
        self._task.failed.connect(self._try_again)

    @Slot()
    def count(self) -> None:
        """Count the jobs as soon as possible."""
        self._task.request()

    @Slot()
    def count_now(self) -> None:
        """Count the jobs now, and discard the result of a count in progress."""
        self._task.restart()

    @Slot(object)
    def _take(self, counts: Counted) -> None:
        if counts != self.counts or not self.is_known:
            self.counts = counts
            self.is_known = True
            self.changed.emit(counts)

    @Slot(object)
    def _try_again(self, _error: KnownError) -> None:  # `JobFeed` reads the same database and reports the error
        self._task.request(_RETRY_MS)


class Totals(Recount[StatusCounts]):
    """Counts the jobs with each status."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(StatusCounts(), reader.counts, tasks, parent)


@dataclass(frozen=True, slots=True)
class Groups:
    """The problems and batches by which the list can be filtered; `has_older` if there are older batches.

    `paused` are the paused batches with waiting files, newest first, however old they are.
    """

    problems: tuple[Problem, ...] = ()
    batches: tuple[Batch, ...] = ()
    has_older: bool = False
    paused: tuple[Batch, ...] = ()


BATCHES, MORE_BATCHES = 20, 50
"""The number of batches shown at first, and the number added by `GroupTotals.show_older`."""


class GroupTotals(Recount[Groups]):
    """Counts the failed jobs by problem, and all jobs by batch."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(Groups(), self._count, tasks, parent)
        self._reader = reader
        self._filtered: frozenset[int] = frozenset()
        self._most = BATCHES

    @Slot()
    def show_older(self) -> None:
        """Count more of the older batches, too."""
        self._most += MORE_BATCHES
        self.count()

    def include(self, batches: frozenset[int]) -> None:
        """Always count these batches, even if they are old, because the list is filtered by them."""
        self._filtered = batches

    def _count(self) -> Groups:
        batches = self._reader.batches(self._filtered, self._most + 1)  # one more, to see whether there are more
        older = batches[self._most :]
        shown = [*batches[: self._most], *(batch for batch in older if batch.id in self._filtered)]
        paused = tuple(self._reader.held_batches())
        return Groups(tuple(self._reader.problems()), tuple(shown), len(shown) < len(batches), paused)


class ResultFields(Recount[tuple[ResultField, ...]]):
    """Looks for new fields of results after changes to the list."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__((), reader.result_fields, tasks, parent, least_rest_ms=IDLE_MS)
        self._reader = reader

    def read(self) -> None:
        """Look for the fields now, so that the columns are known before the list is shown. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        self._take(self._reader.result_fields())


_SUMS_EVERY_MS = 250
"""The shortest time between two calculations of the selection's sums while the list is changing."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The number and the sums of the selected files.

    Attributes:
        count: The number of selected files.
        sums: Their counts by status, and their total size and lines; None until calculated.
        fields: The fields of results with visible columns that were added up.
    """

    count: int = 0
    sums: SelectionSums | None = None
    fields: tuple[ResultField, ...] = ()


class SelectedTotals(QObject):
    """Keeps the sums of the selected files up to date.

    Signals:
        changed(Selected): The selection or its sums have changed. A new selection is first emitted without sums, and
            again once they have been calculated.

    Attributes:
        current: The most recently emitted value.

    Args:
        view: The view with the selection.
        model: The model of the view.
        reader: The job reader.
        tasks: The pool that calculates sums.
        parent: The parent.
    """

    changed = Signal(object)

    def __init__(
        self, view: JobsView, model: JobsModel, reader: JobReader, tasks: Tasks, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.current = Selected()
        self._view = view
        self._reader = reader
        self._task = CoalescedTask(self._prepare, tasks, self)
        self._task.result.connect(self._set_current)
        view.selection_changed.connect(self._follow_selection)
        view.header.shown_changed.connect(self.sum_now)
        model.dataChanged.connect(self._sum_later)
        model.rows_changed.connect(self._sum_later)

    @Slot()
    def _follow_selection(self) -> None:
        self._set_current(Selected(self._view.selected_count()))
        self._task.restart()

    @Slot()
    def sum_now(self) -> None:
        """Calculate the sums now."""
        if self.current.count:
            self._task.restart()

    @Slot()
    def _sum_later(self) -> None:
        if self.current.count != self._view.selected_count():  # selected rows have disappeared
            self._follow_selection()
        elif self.current.count:
            self._task.request(_SUMS_EVERY_MS)

    def _prepare(self) -> Callable[[], Selected] | None:
        count = self._view.selected_count()
        if not count:
            self._set_current(Selected())
            return None
        shown = (column.field for column in self._view.header.shown_columns())
        fields = tuple(field for field in shown if field is not None and field.is_number)
        return partial(self._add_up, count, self._view.selected_ids(), fields)

    def _add_up(self, count: int, ids: array[int], fields: tuple[ResultField, ...]) -> Selected:
        """Return the count together with the sums. Runs on the pool."""
        return Selected(count, self._reader.sums(ids, [field.name for field in fields]), fields)

    @Slot(object)
    def _set_current(self, selected: Selected) -> None:
        if selected != self.current:
            self.current = selected
            self.changed.emit(selected)
