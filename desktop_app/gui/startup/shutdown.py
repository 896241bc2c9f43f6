"""Stop threads and tasks, each within its deadline, while the event loop is running."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QObject, QThread, QTimer, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


LOOPS_MS = 700
"""The time in which the loops and requests end, so that the whole program quits within a second.

What is left is abandoned with the process, as if it had crashed: nothing is lost, since every status is in the
database, and the leases expire or are released by the next program.
"""
WRITES_MS = 12_000
"""The time in which changes to the list that the user has made are written. They would be lost."""
_EVERY_MS = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a shutdown.

    Attributes:
        name: The name of the thread or task to stop, for the log.
        begin: A function that requests the stop and returns immediately.
        has_ended: A function that returns whether the thread or task has stopped.
        deadline_ms: The time that it has, in milliseconds.
    """

    name: str
    begin: Callable[[], None]
    has_ended: Callable[[], bool]
    deadline_ms: int = LOOPS_MS


def end_process(code: int) -> NoReturn:
    """End the process after the window was closed, without Python's clean-up, which takes longer than anything else.

    Qt's clean-up is needed: among other things, it passes what the user has copied to the clipboard manager.
    """
    if (application := QCoreApplication.instance()) is not None:
        application.shutdown()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):  # a pipe without a reader
                stream.flush()
    os._exit(code)


def thread_step(thread: QThread, deadline_ms: int = LOOPS_MS) -> Step:
    """Return a step that requests a thread's interruption. The thread is never terminated."""
    return Step(thread.objectName(), thread.requestInterruption, lambda: not thread.isRunning(), deadline_ms)


def run_steps(steps: Sequence[Step]) -> list[str]:
    """Run a shutdown without an event loop; return the names of the steps that have not ended in time."""
    begun = time.monotonic()
    for step in steps:
        step.begin()
    while left := [step for step in steps if not step.has_ended()]:
        passed_ms = (time.monotonic() - begun) * 1000
        if all(passed_ms >= step.deadline_ms for step in left):
            break
        time.sleep(_EVERY_MS / 1000)
    return [step.name for step in left]


class Shutdown(QObject):
    """Executes shutdown steps at the same time.

    Signals:
        finished(list): Each step has ended, or its deadline has passed. The argument lists the names of the steps that
            have not ended.

    Args:
        steps: The steps.
        parent: The parent object.
    """

    finished = Signal(list)

    def __init__(self, steps: Sequence[Step], *, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps = steps
        self._since = QElapsedTimer()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @Slot()
    def begin(self) -> None:
        """Begin all steps. Further calls do nothing."""
        if self._since.isValid():
            return
        self._since.start()
        for step in self._steps:
            step.begin()
        self._timer.start()

    @Slot()
    def _look(self) -> None:
        left = [step for step in self._steps if not step.has_ended()]
        if all(self._since.hasExpired(step.deadline_ms) for step in left):
            self._timer.stop()
            self.finished.emit([step.name for step in left])
