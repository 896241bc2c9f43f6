"""Counts the jobs of each status whenever something has changed, beside the main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from desktop_app.jobs import StatusCounts

if TYPE_CHECKING:
    from desktop_app.errors import KnownError
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks

_REST = 9
"""A list that takes long to count is counted less often: it rests so many times as long as it took."""
_AFTER_TROUBLE_MS = 1_000


class Totals(QObject):
    """Never counts twice at a time; what changes meanwhile is counted afterwards.

    Signals:
        changed(StatusCounts): The newest count.

    Attributes:
        counts: The newest count.
    """

    changed = Signal(object)

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.counts = StatusCounts()
        self._reader = reader
        self._tasks = tasks
        self._again = False
        self._running = False
        self._took = QElapsedTimer()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._after_rest)

    @Slot()
    def count(self) -> None:
        """Count now, or as soon as may be."""
        if self._running or self._rest.isActive():
            self._again = True
            return
        self._running = True
        self._again = False
        self._took.start()
        self._tasks.run(self._reader.counts, self._take, self._give_up)

    def _take(self, counts: StatusCounts) -> None:
        self._running = False
        self._rest.start(_REST * self._took.elapsed())
        if counts != self.counts:
            self.counts = counts
            self.changed.emit(counts)

    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._running = False
        self._again = True
        self._rest.start(_AFTER_TROUBLE_MS)

    @Slot()
    def _after_rest(self) -> None:
        if self._again:
            self.count()
