"""What all loops share: their reported state, supervision, waiting, and backoff."""

from __future__ import annotations

import logging
import random
import sys
import threading
import traceback
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.errors import KnownError, QueueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.errors import QueueTrouble


log = logging.getLogger(__name__)

STOP_CHECK_SECONDS = 0.1
RESTART_SECONDS = 1.0
"""The time between two starts, so that a loop with a bug does not spin."""
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
_SHORTEST_SECONDS = 0.2
LONGEST_LOOK_SECONDS = 5.0


class Phase(StrEnum):
    """What a sender or a consumer is doing."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """A known error occurred; the loop tries again at `LoopState.next_try_at`."""
    OFF = "off"
    """Waiting for the user's permission."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LoopState:
    """The state of a sender or consumer, for the status bar.

    Attributes:
        phase: What it is doing.
        text: For WAITING: what is wrong and what to do.
        trouble: For WAITING: the kind of a queue error.
        next_try_at: For WAITING: when it tries again, in milliseconds since 1970.
        tries: The number of failed attempts in a row.
        error: For WAITING: the error.
    """

    phase: Phase
    text: str = ""
    trouble: QueueTrouble | None = None
    next_try_at: int | None = None
    tries: int = 0
    error: KnownError | None = field(default=None, compare=False)


class Loop(Protocol):
    """A loop that runs in a thread of the window or of `filemill worker`."""

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Run until `should_stop` returns True; it is checked at least every `STOP_CHECK_SECONDS` while waiting.

        Closes the database connections of its threads, including the calling one.
        """
        ...


def wait_for(wake: Event, seconds: float, should_stop: Callable[[], bool], *, clear: bool = True) -> bool:
    """Wait for an event, a time or a stop, whichever comes first; return True for the event.

    Args:
        wake: The event.
        seconds: The longest wait.
        should_stop: Checked every `STOP_CHECK_SECONDS`.
        clear: Whether to clear the event after it has occurred.
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
    """Wait for a time or a stop, whichever comes first."""
    wait_for(Event(), seconds, should_stop)


class StateReporter:
    """Reports what a loop is doing, each change once. Any thread.

    Args:
        name: The loop's name for the log.
        report: Called with the states, on the loop's thread.
        clock: The clock.
    """

    def __init__(self, name: str, report: Callable[[LoopState], None], clock: Clock) -> None:
        self._name = name
        self._report = report
        self._clock = clock
        self._state: LoopState | None = None
        self._lock = threading.Lock()

    def starting(self) -> None:
        """Report that the loop is starting and nothing has succeeded yet."""
        self._tell(LoopState(Phase.STARTING))

    def running(self) -> None:
        """Report that the loop is working normally."""
        if self._state is not None and self._state.phase is Phase.WAITING:
            log.info("%s: running again", self._name)
        self._tell(LoopState(Phase.RUNNING))

    def stopped(self) -> None:
        """Report that the loop has ended."""
        self._tell(LoopState(Phase.STOPPED))

    def waiting(self, error: KnownError, backoff: Backoff) -> float:
        """Report a known error; return the seconds to wait before the next attempt."""
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


class SupervisedLoop:
    """A loop and the thread it runs on. `start`, `check`, `stop` and `join` from one thread.

    Args:
        name: The thread's name.
        run: The loop; its argument tells whether to stop.
        patience_s: How long it may go without checking for a stop before it counts as hung, in seconds.
        clock: Only `steady` is used.
    """

    def __init__(
        self, name: str, run: Callable[[Callable[[], bool]], None], *, patience_s: float, clock: Clock
    ) -> None:
        self.name = name
        self._run = run
        self._patience_s = patience_s
        self._clock = clock
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked_at = 0.0
        self._started_at = 0.0

    def start(self) -> None:
        """Run the loop on a new thread; a thread that still runs is abandoned."""
        self._asked_at = self._started_at = self._clock.steady()
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end, without waiting."""
        self._is_stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the loop to end, with a time limit."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def check(self) -> None:
        """Restart the loop if it has ended by itself or hangs."""
        thread, now = self._thread, self._clock.steady()
        if thread is None or self._is_stopping.is_set() or now - self._started_at < RESTART_SECONDS:
            return
        if thread.is_alive() and now - self._asked_at <= self._patience_s:
            return
        if thread.is_alive():
            log.error("%s does not respond and is restarted. Its stack:\n%s", self.name, _place_of(thread))
        self.start()

    def _guarded(self) -> None:
        me = threading.current_thread()

        def should_stop() -> bool:
            if self._thread is not me:
                return True
            self._asked_at = self._clock.steady()
            return self._is_stopping.is_set()

        try:
            self._run(should_stop)
        except Exception:
            log.exception("%s ended with an unexpected error and is restarted", self.name)


def _place_of(thread: threading.Thread) -> str:
    """Return the stack of a thread, for the log."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented, for debugging
    return "".join(traceback.format_stack(frame)) if frame is not None else "(unknown)"


class Uniform(Protocol):
    """Draws a random number from a range, as `random.uniform` does."""

    def __call__(self, low: float, high: float, /) -> float:
        """Return a number from low to high."""
        ...


class Backoff:
    """Wait times with exponential backoff and jitter, for one thread.

    Args:
        first: The upper bound of the first wait, in seconds.
        longest: The largest upper bound, in seconds.
        uniform: Draws the wait; tests pass their own.
    """

    def __init__(
        self,
        *,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        uniform: Uniform = random.uniform,
    ) -> None:
        self._first = first
        self._longest = longest
        self._uniform = uniform
        self.tries = 0

    def next(self) -> float:
        """Return the next wait in seconds, never 0, so that a loop that fails at once does not spin."""
        ceiling = min(self._longest, self._first * float(1 << min(self.tries, 30)))
        self.tries += 1
        return max(min(_SHORTEST_SECONDS, ceiling), self._uniform(0, ceiling))

    def reset(self) -> None:
        """Start over after a success."""
        self.tries = 0


class AwakeClock:
    """A clock whose steady seconds exclude sleep, so that a loop does not count as hung after the computer slept.

    It must be read several times within `LONGEST_LOOK_SECONDS`, as the supervising loop does: a longer gap between two
    reads counts as that much. The systems' own clocks differ in whether they include sleep. Any thread.

    Args:
        clock: The underlying clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = clock.steady()
        self._awake = 0.0

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return self._clock.now_ms()

    def steady(self) -> float:
        """Return monotonic seconds without sleep."""
        with self._lock:
            now = self._clock.steady()
            self._awake += min(now - self._looked_at, LONGEST_LOOK_SECONDS)
            self._looked_at = now
            return self._awake
