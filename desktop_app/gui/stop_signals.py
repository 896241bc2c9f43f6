"""SIGINT, SIGTERM and SIGHUP as a Qt signal: Python's own handlers would wait until Qt runs Python code again."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

if TYPE_CHECKING:
    from types import FrameType


def _stop_numbers() -> list[signal.Signals]:
    """A closed terminal stops in order as well; Windows has no signal for that."""
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class StopSignals(QObject):
    """Hears the terminal's Ctrl+C and the system's wish to end us. What was ignored before stays so, as under nohup.

    Signals:
        stop_asked(): One of them came.
    """

    stop_asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._old_descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers = {
            number: signal.signal(number, _ignore)
            for number in _stop_numbers()
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._take)

    def close(self) -> None:
        """As it was before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_descriptor)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    @Slot()
    def _take(self) -> None:
        # The bytes are the numbers of all signals that Python has handlers for, not only of ours.
        if set(self._reader.recv(4096)) & {int(number) for number in self._old_handlers}:
            self.stop_asked.emit()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A handler there must be, or the system's own would end the process."""
