"""What every loop needs: its state for the outside, supervision, waiting, and backoff."""

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
"""Between two starts, so that a loop with a bug in it does not spin."""
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
_SHORTEST_SECONDS = 0.2
LONGEST_LOOK_SECONDS = 5.0


class Phase(StrEnum):
    """What a sender or a consumer is doing."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """Something is wrong outside; it tries again by itself at `LoopState.next_try_at`."""
    OFF = "off"
    """Not allowed yet: it begins when a person says so."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LoopState:
    """A sender's or consumer's state, for a status bar.

    Attributes:
        phase: What it is doing.
        text: For WAITING: the plain sentences that say what is wrong and what to do.
        trouble: For WAITING: the kind, if it is the queue's.
        next_try_at: For WAITING: when it tries again, in milliseconds since 1970.
        tries: How many tries in a row did not succeed.
        error: For WAITING: what `text` is from.
    """

    phase: Phase
    text: str = ""
    trouble: QueueTrouble | None = None
    next_try_at: int | None = None
    tries: int = 0
    error: KnownError | None = field(default=None, compare=False)


class Loop(Protocol):
    """What runs in a thread of the window or of `filemill worker`."""

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Work until `should_stop` says so; looks at it at least every `STOP_CHECK_SECONDS` while it waits.

        Closes the database connections of the threads that it uses, this one included.
        """
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
        """Tell that nothing has succeeded yet."""
        self._tell(LoopState(Phase.STARTING))

    def running(self) -> None:
        """Tell that all is well."""
        if self._state is not None and self._state.phase is Phase.WAITING:
            log.info("%s: running again", self._name)
        self._tell(LoopState(Phase.RUNNING))

    def stopped(self) -> None:
        """Tell that the loop has ended."""
        self._tell(LoopState(Phase.STOPPED))

    def waiting(self, error: KnownError, backoff: Backoff) -> float:
        """Tell that something is wrong outside; return the seconds to wait before the next try."""
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
        run: The loop; it is given what to ask whether it should stop.
        patience_s: So long it may not ask before it is taken for hung, in seconds.
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
        """Run the loop on a new thread; one that still runs is replaced."""
        self._asked_at = self._started_at = self._clock.steady()
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end; does not wait."""
        self._is_stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the loop to end, at most so long."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def check(self) -> None:
        """Start the loop again if it has ended by itself or hangs."""
        thread, now = self._thread, self._clock.steady()
        if thread is None or self._is_stopping.is_set() or now - self._started_at < RESTART_SECONDS:
            return
        if thread.is_alive() and now - self._asked_at <= self._patience_s:
            return
        if thread.is_alive():
            log.error("%s does not respond; it is restarted. It is at:\n%s", self.name, _place_of(thread))
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
            log.exception("%s ended by a bug; it is restarted", self.name)


def _place_of(thread: threading.Thread) -> str:
    """Return where a thread is, for the log."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented, for debugging
    return "".join(traceback.format_stack(frame)) if frame is not None else "(unknown)"


class Uniform(Protocol):
    """Draws a number between two; `random.uniform` is one."""

    def __call__(self, low: float, high: float, /) -> float:
        """Return a number from low to high."""
        ...


class Backoff:
    """Waits for one loop; not for sharing between threads.

    Args:
        first: The ceiling of the first wait, in seconds.
        longest: Where the ceiling stops doubling, in seconds.
        uniform: Draws the wait; tests inject their own.
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
        """Return the next wait, in seconds, never 0: a loop that meets an error at once must not spin."""
        ceiling = min(self._longest, self._first * float(1 << min(self.tries, 30)))
        self.tries += 1
        return max(min(_SHORTEST_SECONDS, ceiling), self._uniform(0, ceiling))

    def reset(self) -> None:
        """Start afresh after a success."""
        self.tries = 0


class AwakeClock:
    """A clock whose steady seconds leave out what nobody was awake to see: sleep is no sign that something hangs.

    Right only while somebody looks several times in `LONGEST_LOOK_SECONDS`, as the loop that supervises does: a longer
    gap between two looks counts as that much. The systems' own clocks do not agree on whether sleep counts. Any thread.

    Args:
        clock: The time; what it says of the time of day is passed on.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = clock.steady()
        self._awake = 0.0

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return self._clock.now_ms()

    def steady(self) -> float:
        """Return the seconds awake."""
        with self._lock:
            now = self._clock.steady()
            self._awake += min(now - self._looked_at, LONGEST_LOOK_SECONDS)
            self._looked_at = now
            return self._awake
