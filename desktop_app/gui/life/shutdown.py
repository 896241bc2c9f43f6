"""Ends what runs beside the main thread, one after the other and within a bounded time, with the event loop alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QThread

DEADLINE_MS = 12_000
_EVERY_MS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to end: how it is told to, and whether it has. `name` is for the log."""

    name: str
    begin: Callable[[], None]
    has_ended: Callable[[], bool]


def thread_step(thread: QThread) -> Step:
    """Asks a thread to end; never forces it."""
    return Step(thread.objectName(), thread.requestInterruption, lambda: not thread.isRunning())


class Shutdown(QObject):
    """Goes through steps; a second `begin` changes nothing.

    Signals:
        finished(list): All is over; the names of what still runs after the deadline.
    """

    finished = Signal(list)

    def __init__(self, steps: Sequence[Step], *, deadline_ms: int = DEADLINE_MS, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps = steps
        self._at = -1
        self._deadline_ms = deadline_ms
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @property
    def has_begun(self) -> bool:
        """Whether it is under way or over."""
        return self._at >= 0

    @Slot()
    def begin(self) -> None:
        """Begin with the first step; the others follow."""
        if self.has_begun:
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
        late = self._since.hasExpired(self._deadline_ms)
        if self._at < len(self._steps) and not late:
            return
        self._timer.stop()
        # What comes after the step that hangs is told to end all the same.
        for step in self._steps[self._at + 1 :]:
            step.begin()
        self.finished.emit([step.name for step in self._steps[self._at :] if not step.has_ended()])
