"""Stopping from outside: Ctrl+C, a service manager, a terminal that is closed."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_STEP_S = 0.1
_IDLE_SHARE = 5


def pause_after(looked_s: float, *, least_s: float) -> float:
    """How long to wait after a look that took so long, in seconds: looking takes at most about a sixth of the time."""
    return max(least_s, _IDLE_SHARE * looked_s)


class StopSignals:
    """Turns the signals that ask a program to end into a question, as long as it is entered.

    Signals that were ignored before stay ignored (`nohup`, a background job of a script). Enter it on the main thread;
    ask from any.
    """

    def __init__(self) -> None:
        # A plain attribute, no Event: a handler that takes an Event's lock can meet itself holding it.
        self._stopping = False
        self._before: list[tuple[int, Any]] = []

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._stopping

    def set(self) -> None:
        """Stop, as if a signal had come. Any thread."""
        self._stopping = True

    def pause(self, seconds: float) -> bool:
        """Wait on the calling thread; False at once if it is time to stop."""
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_S))
        return not self._stopping

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before.append((number, signal.signal(number, self._handle)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._before:
            number, handler = self._before.pop()
            signal.signal(number, handler)

    def _handle(self, *_: object) -> None:
        self._stopping = True
