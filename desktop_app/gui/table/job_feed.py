"""Changes of the database as signals: the changes themselves, and counts by status and by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import BEGINNING, Batch, StatusCounts
from desktop_app.gui.tasks import CoalescedTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.query import Problem
    from desktop_app.gui.ports import ChangeFeed, JobReader
    from desktop_app.gui.tasks import Tasks


EVERY_MS = 250
"""The polling interval of the change feed."""


class JobFeed(QObject):
    """Polls the store's change feed, which is cheap, and emits the changes.

    Signals:
        changed(Changes): What was written, by other threads and programs too, since the last time.
        problem(KnownError): The database can't be read; emitted again only after a recovery or with another text.
        recovered(): It can be read again after `problem`.
    """

    changed = Signal(object)
    problem = Signal(object)
    recovered = Signal()

    def __init__(self, changes: ChangeFeed, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._changes = changes
        self._cursor = BEGINNING
        self._problem = ""
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Report changes from now on. Load the list after this call to miss nothing.

        Raises:
            StoreError: If the database can't be read.
        """
        self._cursor = self._changes.cursor()
        self._timer.start()

    def stop(self) -> None:
        """Stop polling."""
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Poll now."""
        try:
            newest = self._changes.cursor()
            changes = self._changes.since(self._cursor) if newest != self._cursor else None
        except KnownError as error:
            self._report(error)
            return
        if self._problem:
            self._problem = ""
            self.recovered.emit()
        if changes is not None:
            self._cursor = changes.cursor
            self.changed.emit(changes)

    def _report(self, error: KnownError) -> None:
        if error.text != self._problem:
            self._problem = error.text
            self.problem.emit(error)


_AFTER_TROUBLE_MS = 1_000

Counted = TypeVar("Counted")


class Recount(QObject, Generic[Counted]):
    """Counts jobs on the pool, and emits the counts when they have changed.

    Signals:
        changed(Counted): The newest count, when it has changed.

    Args:
        first: The initial count.
        read: Returns the counts; called on the pool.
        tasks: The pool.
        parent: The parent.
    """

    changed = Signal(object)

    def __init__(
        self, first: Counted, read: Callable[[], Counted], tasks: Tasks, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._newest = first
        self._task = CoalescedTask(lambda: read, tasks, self)
        self._task.result.connect(self._take)
        self._task.failed.connect(self._try_again)

    @property
    def counts(self) -> Counted:
        """Return the newest count."""
        return self._newest

    @Slot()
    def count(self) -> None:
        """Count now or as soon as possible."""
        self._task.request()

    @Slot(object)
    def _take(self, counts: Counted) -> None:
        if counts != self._newest:
            self._newest = counts
            self.changed.emit(counts)

    @Slot(object)
    def _try_again(self, _error: KnownError) -> None:  # the change feed reads the same database and reports why
        self._task.request(_AFTER_TROUBLE_MS)


class Totals(Recount[StatusCounts]):
    """Return the number of jobs of each status."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(StatusCounts(), self._count, tasks, parent)
        self._reader = reader

    def _count(self) -> StatusCounts:
        return self._reader.counts()


@dataclass(frozen=True, slots=True)
class Groups:
    """The problems and batches that the list can be filtered by."""

    problems: tuple[Problem, ...] = ()
    batches: tuple[Batch, ...] = ()


class GroupTotals(Recount[Groups]):
    """Counts the failed jobs by reason and the jobs of each batch."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(Groups(), self._count, tasks, parent)
        self._reader = reader
        self._also: frozenset[int] = frozenset()

    def keep(self, batches: frozenset[int]) -> None:
        """Count these batches too, even if they are old, because the list is filtered by them."""
        self._also = batches

    def _count(self) -> Groups:
        return Groups(tuple(self._reader.problems()), tuple(self._reader.batches(self._also)))
