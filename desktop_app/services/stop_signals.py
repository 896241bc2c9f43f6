"""Handle the signals that ask the program to stop, such as SIGINT after Ctrl+C."""

from __future__ import annotations

import contextlib
import math
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS: list[int] = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
]
"""The stop signals that exist on this system."""
REPEAT_SECONDS = 1.0
_IDLE_SHARE = 5


def pause_after(took_s: float, *, least_s: float) -> float:
    """Return the time to wait before polling again, so that polling takes at most a sixth of the total time.

    Args:
        took_s: The duration of the last poll in seconds.
        least_s: The minimum time to return, in seconds.
    """
    return max(least_s, _IDLE_SHARE * took_s)


def ignore_stop_signals() -> None:
    """Ignore stop signals from now on, because the process is ending. Main thread only."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def raising_stop_signals() -> Iterator[None]:
    """Make stop signals raise `KeyboardInterrupt`, so that clean-up code runs. Main thread only.

    Signals that follow within `REPEAT_SECONDS` are ignored, since they would interrupt the clean-up: `timeout` sends
    its signal twice, and a user may press Ctrl+C twice. A later signal ends a clean-up that hangs. Signals that were
    ignored before stay ignored.
    """
    raised_at = -math.inf

    def handle(*_: object) -> None:
        nonlocal raised_at
        now = time.monotonic()
        if now - raised_at > REPEAT_SECONDS:
            raised_at = now
            raise KeyboardInterrupt

    defaults = {signal.SIG_DFL, signal.default_int_handler}
    before = {number: signal.signal(number, handle) for number in _NUMBERS if signal.getsignal(number) in defaults}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class StopSignals:
    """Records stop signals until `close` is called, instead of letting them raise an exception or end the process.

    Signals that were ignored before, for example by `nohup`, stay ignored. Create and close the object on the main
    thread; on another thread it handles no signals. The other methods can be called from any thread.

    Attributes:
        reader: A socket that becomes readable after a signal, for event loops that wait for sockets; see `drain`.
    """

    def __init__(self) -> None:
        # Not an Event: a signal handler could deadlock on the Event's lock if the interrupted code holds it.
        self._is_set = False
        self.reader, self._writer = socket.socketpair()
        for end in (self.reader, self._writer):
            end.setblocking(False)
        self._before: list[tuple[int, Any]] = []
        self._descriptor_before: int | None = None
        if threading.current_thread() is threading.main_thread():
            # Python runs signal handlers only between bytecode instructions; the socket interrupts waits in C code.
            self._descriptor_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            for number in _NUMBERS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before.append((number, signal.signal(number, self._handle)))

    def is_set(self) -> bool:
        """Return whether a stop was requested."""
        return self._is_set

    def set(self) -> None:
        """Request a stop, as a signal does. Any thread."""
        self._is_set = True
        with contextlib.suppress(OSError):  # the socket is full, and therefore readable, or already closed
            self._writer.send(b"\0")

    def drain(self) -> bool:
        """Empty `reader`, which becomes readable after any signal; return whether a stop was requested."""
        with contextlib.suppress(BlockingIOError):
            self.reader.recv(4096)
        return self._is_set

    def pause(self, seconds: float) -> bool:
        """Wait for a number of seconds; return False immediately if a stop is requested, otherwise True."""
        end = time.monotonic() + seconds
        while not self._is_set and (left := end - time.monotonic()) > 0:
            select.select([self.reader], [], [], left)
            self.drain()
        return not self._is_set

    def close(self) -> None:
        """Restore the previous signal handlers."""
        while self._before:
            number, handler = self._before.pop()
            signal.signal(number, handler)
        if self._descriptor_before is not None:
            signal.set_wakeup_fd(self._descriptor_before)
            self._descriptor_before = None
        self.reader.close()
        self._writer.close()

    def _handle(self, *_: object) -> None:
        self._is_set = True
