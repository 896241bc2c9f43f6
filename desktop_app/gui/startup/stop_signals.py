"""SIGINT, SIGTERM and SIGHUP: noticed from the program's first moment on, and while Qt's event loop waits.

Without this, Python raises KeyboardInterrupt wherever it happens to be; in the middle of Qt nobody hears of that.
Importing this module does not import Qt, which takes a while.
"""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from PySide6.QtCore import QSocketNotifier


class StopSignals:
    """Handles the signals that ask a program to end, until `close`. Main thread.

    A signal that was ignored before stays ignored, as under nohup.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._slots: list[Callable[[], object]] = []
        self._notifier: QSocketNotifier | None = None
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._old_descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        # A terminal that is closed sends SIGHUP; Windows has no such signal.
        numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
        self._old_handlers = {
            number: signal.signal(number, _do_nothing)
            for number in numbers
            if signal.getsignal(number) is not signal.SIG_IGN
        }

    def is_set(self) -> bool:
        """Return whether one of the signals has come."""
        try:
            received = set(self._reader.recv(4096))
        except BlockingIOError:
            received = set()
        # The bytes are the numbers of all signals that Python has handlers for, not only of these.
        self._is_set = self._is_set or bool(received & {int(number) for number in self._old_handlers})
        return self._is_set

    def connect(self, slot: Callable[[], object]) -> None:
        """Call the slot from Qt's event loop when a signal comes, or at once in the first loop if one came before.

        Python's own handlers would wait until Qt runs Python code again.
        """
        from PySide6.QtCore import QSocketNotifier

        self._slots.append(slot)
        if self._notifier is None:
            self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._activate)

    def _activate(self) -> None:
        if self.is_set():
            for slot in self._slots:
                slot()

    def close(self) -> None:
        """Restore the handlers that were there before."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier = None
        signal.set_wakeup_fd(self._old_descriptor)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Stand in for the system's own handler, which would end the process."""
