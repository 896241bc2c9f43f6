"""Notes SIGINT, SIGTERM and SIGHUP from the first moment on. Imports no Qt, which takes a while to import.

Without this, Python raises KeyboardInterrupt wherever it happens to be; in the middle of Qt nobody hears of that.
"""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def _stop_numbers() -> list[signal.Signals]:
    """A closed terminal stops in order as well; Windows has no signal for that."""
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class SignalLine:
    """Holds the signals until `close`. What was ignored before stays so, as under nohup. Main thread.

    Attributes:
        reader: Has something to read once a signal has come.
    """

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        for end in (self.reader, self._writer):
            end.setblocking(False)
        self._old_descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers = {
            number: signal.signal(number, _ignore)
            for number in _stop_numbers()
            if signal.getsignal(number) is not signal.SIG_IGN
        }

    def take(self) -> bool:
        """Whether one of them has come since the last call."""
        try:
            came = set(self.reader.recv(4096))
        except BlockingIOError:
            return False
        # The bytes are the numbers of all signals that Python has handlers for, not only of ours.
        return bool(came & {int(number) for number in self._old_handlers})

    def close(self) -> None:
        """As it was before."""
        signal.set_wakeup_fd(self._old_descriptor)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self.reader.close()
        self._writer.close()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A handler there must be, or the system's own would end the process."""
