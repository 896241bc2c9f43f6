"""Stop threads and tasks one after another, within a deadline, while the event loop is running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QThread, QTimer, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


DEADLINE_MS = 12_000
"""The time allowed for all steps together."""
_EVERY_MS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a shutdown.

    Attributes:
        name: The name of the thread or task to stop, for the log.
        begin: A function that requests the stop and returns immediately.
        has_ended: A function that returns whether the thread or task has stopped.
    """

    name: str
    begin: Callable[[], None]
    has_ended: Callable[[], bool]


def thread_step(thread: QThread) -> Step:
    """Return a step that requests a thread's interruption. The thread is never terminated."""
    return Step(thread.objectName(), thread.requestInterruption, lambda: not thread.isRunning())


class Shutdown(QObject):
    """Executes shutdown steps in order; each begins when the previous one has ended.

    Signals:
        finished(list): All steps have ended, or the deadline has passed. The argument lists the names of the steps
            that have not ended.

    Args:
        steps: The steps.
        parent: The parent object.
    """

    finished = Signal(list)

    def __init__(self, steps: Sequence[Step], *, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps = steps
        self._at = -1
        self._since = QElapsedTimer()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @Slot()
    def begin(self) -> None:
        """Begin the first step; the others follow. Further calls do nothing."""
        if self._at >= 0:
            return
        self._since.start()
        self._go_to(0)
        self._timer.start()

    def _go_to(self, number: int) -> None:
        self._at = number
        if number < len(self._steps):
            self._steps[number].begin()

    @Slot()
    def _look(self) -> None:
        while self._at < len(self._steps) and self._steps[self._at].has_ended():
            self._go_to(self._at + 1)
        late = self._since.hasExpired(DEADLINE_MS)
        if self._at < len(self._steps) and not late:
            return
        self._timer.stop()
        # If the deadline has passed, begin the remaining steps too: some of them may end at once.
        for step in self._steps[self._at + 1 :]:
            step.begin()
        self.finished.emit([step.name for step in self._steps[self._at :] if not step.has_ended()])
