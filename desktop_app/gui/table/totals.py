"""Counts the jobs whenever something has changed, beside the main thread: by status, by problem, by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from desktop_app.domain.job import Batch, StatusCounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.query import Problem
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks


_REST = 9
"""A list that takes long to count is counted less often: it rests so many times as long as it took."""

_AFTER_TROUBLE_MS = 1_000

Counted = TypeVar("Counted")


class Recount(QObject, Generic[Counted]):
    """Never counts twice at a time; what changes meanwhile is counted afterwards.

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
        self._read = read
        self._tasks = tasks
        self._again = False
        self._running = False
        self._took = QElapsedTimer()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._after_rest)

    @property
    def counts(self) -> Counted:
        """The newest count."""
        return self._newest

    @Slot()
    def count(self) -> None:
        """Count now, or as soon as may be."""
        if self._running or self._rest.isActive():
            self._again = True
            return
        self._running = True
        self._again = False
        self._took.start()
        self._tasks.run(self._read, self._take, self._give_up)

    def _take(self, counts: Counted) -> None:
        self._running = False
        self._rest.start(_REST * self._took.elapsed())
        if counts != self._newest:
            self._newest = counts
            self.changed.emit(counts)

    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._running = False
        self._again = True
        self._rest.start(_AFTER_TROUBLE_MS)

    @Slot()
    def _after_rest(self) -> None:
        if self._again:
            self.count()


class Totals(Recount[StatusCounts]):
    """How many jobs have each status."""

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(StatusCounts(), self._count, tasks, parent)
        self._reader = reader

    def _count(self) -> StatusCounts:
        return self._reader.counts()


@dataclass(frozen=True, slots=True)
class Groups:
    """What the list can be narrowed to, besides the statuses."""

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
