"""Work beside the main thread whose results are shown one by one, as they come, and which can be stopped."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from desktop_app.errors import KnownError
    from desktop_app.gui.tasks import Tasks


class Stream(QObject):
    """One piece of work at a time; what an older one still brings is dropped. Must outlive what it works for.

    Signals:
        came(object): One result.
        ended(): There are no more.
        stuck(KnownError): There are no more, for this reason.

    Args:
        tasks: Where it runs.
        parent: Qt's owner.
    """

    came = Signal(object)
    ended = Signal()
    stuck = Signal(object)
    _brought = Signal(int, object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._number = 0
        self._stop: Event | None = None
        self._brought.connect(self._take)

    @property
    def is_running(self) -> bool:
        """Whether results may still come."""
        return self._stop is not None

    def start(self, work: Callable[[Callable[[], bool]], Iterable[object]]) -> None:
        """Begin; what was under way is stopped.

        Args:
            work: Given what to ask whether it should stop; called and iterated on another thread.
        """
        self.stop()
        self._number += 1
        self._stop = stop = Event()
        number, bring = self._number, self._brought.emit

        def run() -> None:
            for one in work(stop.is_set):
                if stop.is_set():
                    return
                bring(number, one)

        self._tasks.run(run, lambda _: self._end(number), lambda error: self._end(number, error))

    def stop(self) -> None:
        """Let nothing more come. The work itself ends as soon as it can."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    @Slot(int, object)
    def _take(self, number: int, one: object) -> None:
        if number == self._number and self._stop is not None:
            self.came.emit(one)

    def _end(self, number: int, error: KnownError | None = None) -> None:
        if number != self._number or self._stop is None:
            return
        self._stop = None
        if error is None:
            self.ended.emit()
        else:
            self.stuck.emit(error)
