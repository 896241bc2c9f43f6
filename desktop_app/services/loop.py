"""What every loop of ours has in common: it can be stopped, it waits without deafness, it never ends by an error."""

from __future__ import annotations

import logging
import threading
from threading import Event
from typing import TYPE_CHECKING, Protocol

from desktop_app.errors import KnownError, QueueError
from desktop_app.services.state import LoopState, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.clock import Clock
    from desktop_app.services.backoff import Backoff

log = logging.getLogger(__name__)

STOP_CHECK_SECONDS = 0.1


class Loop(Protocol):
    """What runs in a thread of the window or of `filemill worker`."""

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Work until `should_stop` says so; looks at it at least every `STOP_CHECK_SECONDS` while it waits."""
        ...


def wait_for(wake: Event, seconds: float, should_stop: Callable[[], bool], *, clear: bool = True) -> bool:
    """Wait for an event, a time or the stop, whichever comes first; True if the event came.

    Args:
        wake: What ends the wait early.
        seconds: The longest wait.
        should_stop: Looked at every `STOP_CHECK_SECONDS`.
        clear: Whether the event is cleared when it has come.
    """
    left = seconds
    while left > 0 and not should_stop():
        if wake.wait(min(left, STOP_CHECK_SECONDS)):
            if clear:
                wake.clear()
            return True
        left -= STOP_CHECK_SECONDS
    return False


def pause(seconds: float, should_stop: Callable[[], bool]) -> None:
    """Wait for a time or the stop, whichever comes first."""
    wait_for(Event(), seconds, should_stop)


class StateReporter:
    """Tells the outside what a loop is doing, each change once. Any thread.

    Args:
        name: For the log.
        report: Takes the states; called in the loop's thread.
        clock: The time.
    """

    def __init__(self, name: str, report: Callable[[LoopState], None], clock: Clock) -> None:
        self._name = name
        self._report = report
        self._clock = clock
        self._state: LoopState | None = None
        self._lock = threading.Lock()

    def starting(self) -> None:
        """Nothing has succeeded yet."""
        self._tell(LoopState(Phase.STARTING))

    def running(self) -> None:
        """All is well."""
        if self._state is not None and self._state.phase is Phase.WAITING:
            log.info("%s: goes on", self._name)
        self._tell(LoopState(Phase.RUNNING))

    def stopped(self) -> None:
        """The loop has ended."""
        self._tell(LoopState(Phase.STOPPED))

    def waiting(self, error: KnownError, backoff: Backoff) -> float:
        """Something is wrong outside; gives the seconds to wait before the next try."""
        seconds = backoff.next()
        trouble = error.trouble if isinstance(error, QueueError) else None
        if self._state is None or self._state.text != error.text:
            log.info("%s: %s (%s)", self._name, error.text, error.detail)
        next_try = self._clock.now_ms() + int(seconds * 1000)
        self._tell(LoopState(Phase.WAITING, error.text, trouble, next_try, backoff.tries, error))
        return seconds

    def _tell(self, state: LoopState) -> None:
        with self._lock:
            if state == self._state:
                return
            self._state = state
        self._report(state)
