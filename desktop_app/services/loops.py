"""Stop requests, state reports, supervision and backoff for the loops of the sender and the consumer."""

from __future__ import annotations

import logging
import random
import sys
import threading
import traceback
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.errors import Cause, KnownError, QueueError, QueueTrouble, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.domain.clock import Clock


log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0
"""The minimum time between two starts of a loop, so that it does not restart continuously because of a bug."""
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
LONGEST_LOCAL_SECONDS = 2.0
"""The longest wait after an error of the database or the embedded queue: a look at the disk costs nothing."""
_ON_THIS_COMPUTER = {Cause.LOCAL_QUEUE, Cause.DATABASE_GONE, Cause.DISK_FULL}
_SHORTEST_SECONDS = 0.2
LONGEST_GAP_SECONDS = 5.0
SLOW_SECONDS = 0.005
LEAST_RESPONSES = 3
MOST_RESPONSES = 10


class Phase(StrEnum):
    """The phase of a sender or a consumer."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """A known error occurred; the loop will retry at `LoopState.next_try_at`, or is trying all the time."""
    OFF = "off"
    """The loop is waiting for the user's permission."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LoopState:
    """The state of a sender or consumer, for the status bar.

    Attributes:
        phase: The phase.
        text: For WAITING, what is wrong and what to do; for OFF, an explanation.
        trouble: For WAITING after a queue error, the kind of error.
        next_try_at: For WAITING, the time of the next attempt, in milliseconds since the Unix epoch; None if the loop
            is trying all the time.
        tries: The number of failed attempts in a row.
        error: For WAITING, the error.
    """

    phase: Phase
    text: str = ""
    trouble: QueueTrouble | None = None
    next_try_at: int | None = None
    tries: int = 0
    error: KnownError | None = field(default=None, compare=False)


class Loop(Protocol):
    """A loop that runs on its own thread, in the window or in `filemill worker`."""

    def run(self, stop: StopRequest) -> None:
        """Run until a stop is requested. Each wait ends at the request, instead of looking for it from time to time.

        Before returning, close the database connections of the loop's threads, including those of the calling thread.
        """
        ...


class StopRequest:
    """A request to stop, which wakes the threads that wait. Any thread, but not a signal handler."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._wakes: list[Callable[[], object]] = []

    def is_set(self) -> bool:
        """Return whether a stop was requested."""
        return self._is_set

    def set(self) -> None:
        """Request the stop, and return immediately."""
        with self._lock:
            self._is_set = True
            wakes = list(self._wakes)
        for wake in wakes:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Enter a context in which a function is called at the request, or immediately if there was one.

        Args:
            wake: The function, which must return quickly. It is called on the thread that requests the stop.
        """
        with self._lock:
            self._wakes.append(wake)
            is_set = self._is_set
        try:
            if is_set:
                wake()
            yield
        finally:
            with self._lock:
                self._wakes.remove(wake)

    def wait(self, seconds: float, event: threading.Event | None = None) -> bool:
        """Wait until an event is set, the time is up or a stop is requested.

        Args:
            seconds: The maximum time to wait, in seconds.
            event: The event, which is cleared afterwards; None to wait for a stop only.

        Returns:
            Whether the event was set, and no stop was requested.
        """
        event = event or threading.Event()
        with self.waking(event.set):
            is_woken = event.wait(seconds)
        if not is_woken or self._is_set:
            return False
        event.clear()
        return True

    def wait_for(self, condition: threading.Condition) -> None:
        """Wait until a condition is notified. The caller holds its lock, and notifies it when a stop is requested."""
        condition.wait()


class StateReporter:
    """Reports changes in a loop's state. Any thread.

    Args:
        name: The name of the loop in the log.
        report: Called with each new state, on the thread that reports it; must return quickly, and report nothing.
        clock: The clock.
    """

    def __init__(self, name: str, report: Callable[[LoopState], None], clock: Clock) -> None:
        self._name = name
        self._report = report
        self._clock = clock
        self._state: LoopState | None = None
        self._hindrance: KnownError | None = None
        self._lock = threading.Lock()

    def starting(self) -> None:
        """Report that the loop is starting."""
        self._change_to(LoopState(Phase.STARTING))

    def running(self) -> None:
        """Report that the loop is working: normally, or as far as the error set by `hinder` allows."""
        if (error := self._hindrance) is not None:
            self._change_to(LoopState(Phase.WAITING, error.text, error=error))
            return
        if self._state is not None and self._state.phase is Phase.WAITING:
            log.info("%s: running again", self._name)
        self._change_to(LoopState(Phase.RUNNING))

    @property
    def is_hindered(self) -> bool:
        """Whether an error set by `hinder` is not over yet."""
        return self._hindrance is not None

    def hinder(self, error: KnownError | None) -> None:
        """Report a known error that keeps the loop from making progress but does not stop it; None if it is over."""
        if error is not None:
            log.info("%s: %s", self._name, error.text)
        self._hindrance = error
        self.running()

    def stopped(self) -> None:
        """Report that the loop has stopped."""
        self._change_to(LoopState(Phase.STOPPED))

    def waiting(self, error: KnownError, backoff: Backoff) -> float:
        """Report a known error and return the time to wait before the next attempt, in seconds."""
        seconds = backoff.next()
        if isinstance(error, StoreError) or error.cause in _ON_THIS_COMPUTER:
            seconds = min(seconds, LONGEST_LOCAL_SECONDS)
        trouble = error.trouble if isinstance(error, QueueError) else None
        if self._state is None or self._state.text != error.text:
            log.info("%s: %s%s", self._name, error.text, f" ({error.detail})" if error.detail else "")
        next_try = self._clock.now_ms() + int(seconds * 1000)
        self._change_to(LoopState(Phase.WAITING, error.text, trouble, next_try, backoff.tries, error))
        return seconds

    def _change_to(self, state: LoopState) -> None:
        with self._lock:  # also while reporting, since the last state that is reported is the one that is shown
            if state != self._state:
                self._state = state
                self._report(state)


class _ObservedStop(StopRequest):
    """A stop request that shows whether its loop responds.

    Attributes:
        responded_at: When the loop last asked for it, or its last wait ended, in seconds of the steady clock.
        is_waiting: Whether the loop is waiting.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.responded_at = clock.steady()
        self.is_waiting = False

    def is_set(self) -> bool:
        self.responded_at = self._clock.steady()
        return super().is_set()

    def wait(self, seconds: float, event: threading.Event | None = None) -> bool:
        with self._waiting():
            return super().wait(seconds, event)

    def wait_for(self, condition: threading.Condition) -> None:
        with self._waiting():
            super().wait_for(condition)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self.is_waiting = True
        try:
            yield
        finally:
            self.responded_at = self._clock.steady()
            self.is_waiting = False


class SupervisedLoop:
    """Runs a loop on a thread, and restarts it if it fails or hangs. Use it on one thread.

    Args:
        name: The name of the thread.
        run: The function that runs the loop until a stop is requested.
        patience_s: The maximum time in seconds in which the loop neither waits with its `StopRequest` nor asks it;
            after a longer time, the loop is regarded as hung.
        clock: The clock; only `steady` is used.
    """

    def __init__(self, name: str, run: Callable[[StopRequest], None], *, patience_s: float, clock: Clock) -> None:
        self.name = name
        self._run = run
        self._patience_s = patience_s
        self._clock = clock
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._stop = _ObservedStop(clock)
        self._started_at = 0.0

    def start(self) -> None:
        """Run the loop on a new thread, and abandon the previous thread if it is still running."""
        self._stop.set()
        self._stop = _ObservedStop(self._clock)
        self._started_at = self._clock.steady()
        self._thread = threading.Thread(target=self._guarded, args=(self._stop,), name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to stop, and return immediately."""
        self._is_stopping = True
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the loop to end, with a timeout in seconds."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def check(self) -> None:
        """Restart the loop if it has failed or hung; call this regularly."""
        thread, now = self._thread, self._clock.steady()
        if thread is None or self._is_stopping or now - self._started_at < RESTART_SECONDS:
            return
        if thread.is_alive():
            if self._stop.is_waiting or now - self._stop.responded_at <= self._patience_s:
                return
            log.error("%s does not respond and is restarted. Its stack:\n%s", self.name, _stack_of(thread))
        self.start()

    def _guarded(self, stop: StopRequest) -> None:
        try:
            self._run(stop)
        except Exception:
            log.exception("%s ended with an unexpected error and is restarted", self.name)


def _stack_of(thread: threading.Thread) -> str:
    """Return the stack trace of a thread."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented, for debugging
    return "".join(traceback.format_stack(frame)) if frame is not None else "(unknown)"


class Backoff:
    """Calculates wait times with exponential backoff and jitter. One thread.

    Args:
        first: The upper bound of the first wait time, in seconds.
        longest: The upper bound of all wait times, in seconds.
        uniform: A function that returns a random number in a range, such as `random.uniform`.

    Attributes:
        tries: The number of wait times since the last reset.
    """

    def __init__(
        self,
        *,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first = first
        self._longest = longest
        self._uniform = uniform
        self.tries = 0

    def next(self) -> float:
        """Return the next wait time in seconds. It is never 0, so that a loop that always fails does not spin."""
        ceiling = min(self._longest, self._first * float(1 << min(self.tries, 30)))
        self.tries += 1
        return max(min(_SHORTEST_SECONDS, ceiling), self._uniform(0, ceiling))

    def reset(self) -> None:
        """Start again with the shortest wait time, after a success."""
        self.tries = 0


class AwakeClock:
    """A clock whose steady time excludes system sleep, so that a loop is not regarded as hung after sleep.

    The monotonic clocks of the operating systems differ in whether they include sleep. This clock assumes that it is
    read often, and counts at most `LONGEST_GAP_SECONDS` between two reads. Any thread.

    Args:
        clock: The underlying clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = clock.steady()
        self._awake = 0.0

    def now_ms(self) -> int:
        """Return the current time in milliseconds since the Unix epoch."""
        return self._clock.now_ms()

    def steady(self) -> float:
        """Return the monotonic time in seconds, excluding system sleep."""
        with self._lock:
            now = self._clock.steady()
            self._awake += min(now - self._read_at, LONGEST_GAP_SECONDS)
            self._read_at = now
            return self._awake


class ResponseTimes:
    """Decides from the times of its last responses whether several requests at once are worthwhile. Any thread.

    With a fast server, boto3 itself takes most of the time, and further threads would make it slower (measured). The
    fastest response counts, since all take long while the computer is busy.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=MOST_RESPONSES)

    def note(self, seconds: float) -> None:
        """Record the time that a request took, in seconds."""
        self._seconds.append(seconds)

    @property
    def are_long(self) -> bool:
        """Whether responses take so long that several requests should be made at once."""
        return len(self._seconds) >= LEAST_RESPONSES and min(self._seconds) > SLOW_SECONDS

    @property
    def are_short(self) -> bool:
        """Whether responses take so little time that two threads would mainly wait for each other."""
        return len(self._seconds) >= LEAST_RESPONSES and min(self._seconds) <= SLOW_SECONDS
