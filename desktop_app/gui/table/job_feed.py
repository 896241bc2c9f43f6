"""What has changed in the database, as signals: the changes themselves, and the jobs counted by status and by group."""

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
"""How often the change feed is asked."""


class JobFeed(QObject):
    """The store's change feed as a signal. The question is cheap, so it needs nobody to tell it when to ask.

    Signals:
        changed(Changes): What other threads and other programs have written since the last time.
        problem(KnownError): The database can't be read; emitted once, until it was read again or the text is another.
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
        """Begin with what is written from now on. Who loads the list afterwards misses nothing.

        Raises:
            StoreError: If the database can't be read.
        """
        self._cursor = self._changes.cursor()
        self._timer.start()

    def stop(self) -> None:
        """Ask no more."""
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Ask now."""
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
    """Counts on the pool, and tells when the count is another.

    Signals:
        changed(Counted): The newest count, when it is another than before.

    Args:
        first: What is taken for the count before it was counted.
        read: Counts; runs on the pool.
        tasks: The pool.
        parent: Qt's owner.
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
        """The newest count."""
        return self._newest

    @Slot()
    def count(self) -> None:
        """Count now, or as soon as may be."""
        self._task.request()

    @Slot(object)
    def _take(self, counts: Counted) -> None:
        if counts != self._newest:
            self._newest = counts
            self.changed.emit(counts)

    @Slot(object)
    def _try_again(self, _error: KnownError) -> None:  # the change feed reads the same database and says why
        self._task.request(_AFTER_TROUBLE_MS)


class Totals(Recount[StatusCounts]):
    """How many jobs have each status."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(StatusCounts(), self._count, tasks, parent)
        self._reader = reader

    def _count(self) -> StatusCounts:
        return self._reader.counts()


@dataclass(frozen=True, slots=True)
class Groups:
    """What the list can be filtered by, besides the statuses."""

    problems: tuple[Problem, ...] = ()
    batches: tuple[Batch, ...] = ()


class GroupTotals(Recount[Groups]):
    """How many jobs have failed for each reason, and how many came with each Add."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(Groups(), self._count, tasks, parent)
        self._reader = reader
        self._also: frozenset[int] = frozenset()

    def keep(self, batches: frozenset[int]) -> None:
        """Count these batches too, even if they are old: they are being looked at."""
        self._also = batches

    def _count(self) -> Groups:
        return Groups(tuple(self._reader.problems()), tuple(self._reader.batches(self._also)))
