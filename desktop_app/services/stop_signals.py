"""Signals that ask the program to stop: Ctrl+C, a service manager, a closed terminal."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Some systems do not have all of them."""
_IDLE_SHARE = 5


def pause_after(looked_s: float, *, least_s: float) -> float:
    """Return the seconds to wait after a look of this duration: looking takes at most a sixth of the time."""
    return max(least_s, _IDLE_SHARE * looked_s)


class StopSignals:
    """Records the signals that ask a program to end, until `close`, instead of letting them raise or kill.

    Signals that were ignored stay ignored (`nohup`, a background job of a script). Create and close it on the main
    thread; on another thread it handles no signals. Query it from any thread.

    Attributes:
        reader: Becomes readable when it is time to stop, for event loops that wait for sockets; see `drain`.
    """

    def __init__(self) -> None:
        # A plain attribute, not an Event: a handler could deadlock on an Event's lock that it already holds.
        self._is_set = False
        self.reader, self._writer = socket.socketpair()
        for end in (self.reader, self._writer):
            end.setblocking(False)
        self._before: list[tuple[int, Any]] = []
        self._descriptor_before: int | None = None
        if threading.current_thread() is threading.main_thread():
            # Python's handlers run when Python code does: what waits in C has to be woken by the socket.
            self._descriptor_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            for name in _NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before.append((number, signal.signal(number, self._handle)))

    def is_set(self) -> bool:
        """Return whether to stop."""
        return self._is_set

    def set(self) -> None:
        """Request a stop, as a signal does. Any thread."""
        self._is_set = True
        with contextlib.suppress(OSError):  # full, so it is readable anyway; or closed meanwhile
            self._writer.send(b"\0")

    def drain(self) -> bool:
        """Read what is in `reader`, which other signals write to as well; return whether to stop."""
        with contextlib.suppress(BlockingIOError):
            self.reader.recv(4096)
        return self._is_set

    def pause(self, seconds: float) -> bool:
        """Wait on the calling thread; return False as soon as it is time to stop."""
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _handle(self, *_: object) -> None:
        self._is_set = True
