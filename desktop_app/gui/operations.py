"""The long operations that are running: their progress, and how to stop them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from PySide6.QtCore import QObject, QTimer, Signal, Slot

SHOWN_AFTER_MS = 500
"""An operation that takes less time is not shown: it would only flicker."""

Describe = Callable[[int, int], str]
"""Returns the text about an operation, given the number of files done and their total, which is 0 if unknown."""


class Operation(QObject):
    """Work on many files. It belongs to the main thread; only `proceed` can be called on any thread.

    Signals:
        changed(): The text, the progress or the state has changed.

    Attributes:
        done: The number of files done.
        total: The number of files in total; 0 if unknown.
        is_shown: Whether it has been running long enough to be shown.

    Args:
        describe: Returns its text.
        total: The number of files in total; 0 if unknown.
        parent: The parent.
    """

    changed = Signal()
    _progressed = Signal(int, int)

    def __init__(self, describe: Describe, total: int, parent: QObject) -> None:
        super().__init__(parent)
        self.done = 0
        self.total = total
        self.is_shown = False
        self._describe = describe
        self._stop = Event()
        self._progressed.connect(self._take_progress)

    @property
    def text(self) -> str:
        """Return the text to show."""
        return self._describe(self.done, self.total)

    @property
    def is_stopped(self) -> bool:
        """Return whether it was asked to stop. Can be called on any thread."""
        return self._stop.is_set()

    def proceed(self, done: int, total: int = 0) -> bool:
        """Report the number of files done, and the total if it was unknown. Return whether to go on. Any thread."""
        self._progressed.emit(done, total)
        return not self._stop.is_set()

    @Slot()
    def stop(self) -> None:
        """Ask the operation to stop; it ends soon."""
        self._stop.set()
        self.changed.emit()

    @Slot(int, int)
    def _take_progress(self, done: int, total: int) -> None:
        self.done = done
        self.total = total or self.total
        self.changed.emit()


class Operations(QObject):
    """The running operations of the window, oldest first.

    Signals:
        changed(): An operation has changed, or is shown from now on or no longer.

    Args:
        parent: The parent.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: list[Operation] = []

    @property
    def shown(self) -> list[Operation]:
        """Return the operations to show."""
        return [operation for operation in self._running if operation.is_shown]

    @property
    def is_busy(self) -> bool:
        """Return whether any operation is running, shown or not."""
        return bool(self._running)

    def begin(self, describe: Describe, total: int = 0) -> Operation:
        """Begin an operation. It is shown once it has taken `SHOWN_AFTER_MS`. Pass it to `end` when it has ended."""
        operation = Operation(describe, total, self)
        self._running.append(operation)
        delay = QTimer(operation, singleShot=True, interval=SHOWN_AFTER_MS)
        delay.timeout.connect(lambda: self._show(operation))
        delay.start()
        operation.changed.connect(self._tell)
        return operation

    def end(self, operation: Operation) -> None:
        """Forget an operation, which has ended."""
        self._running.remove(operation)
        operation.deleteLater()
        if operation.is_shown:
            self.changed.emit()

    def _show(self, operation: Operation) -> None:
        operation.is_shown = True
        self.changed.emit()

    @Slot()
    def _tell(self) -> None:
        if self.shown:
            self.changed.emit()
