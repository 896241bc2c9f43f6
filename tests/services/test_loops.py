"""What all loops share: waiting, reporting the state, restarting, and the clock."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreBusyError
from desktop_app.services.loops import AwakeClock, Backoff, LoopState, Phase, StateReporter, SupervisedLoop, wait_for
from tests.helpers import wait_until
from tests.helpers.fakes import OFFLINE, Countdown, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


# Waiting and reporting the state


def test_wait_ends_at_the_event_and_clears_it() -> None:
    wake = threading.Event()
    wake.set()
    assert wait_for(wake, 60, lambda: False)
    assert not wake.is_set()


def test_wait_ends_at_the_stop() -> None:
    assert not wait_for(threading.Event(), 60, Countdown(2))


def test_wait_ends_when_the_time_is_over() -> None:
    assert not wait_for(threading.Event(), 0.01, lambda: False)


def states() -> tuple[StateReporter, list[LoopState]]:
    told: list[LoopState] = []
    return StateReporter("loop", told.append, FakeClock(100.0)), told


def test_each_change_is_reported_once() -> None:
    reporter, told = states()
    reporter.starting()
    reporter.running()
    reporter.running()
    reporter.stopped()
    assert [state.phase for state in told] == [Phase.STARTING, Phase.RUNNING, Phase.STOPPED]


def test_error_is_reported_with_its_kind_and_the_next_attempt() -> None:
    reporter, told = states()
    seconds = reporter.waiting(OFFLINE, Backoff(uniform=lambda _low, high: high))
    assert seconds == 1
    assert told == [LoopState(Phase.WAITING, "Can't reach it.", QueueTrouble.OFFLINE, 101_000, 1)]


def test_error_of_the_database_has_no_kind_of_the_queue() -> None:
    reporter, told = states()
    reporter.waiting(StoreBusyError("locked"), Backoff())
    assert told[0].trouble is None


def test_error_and_its_end_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reporter, _ = states()
    backoff = Backoff()
    for _ in range(3):
        reporter.waiting(OFFLINE, backoff)
    reporter.waiting(QueueError("Other.", trouble=QueueTrouble.SETUP), backoff)
    reporter.running()
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 3
    assert "Can't reach it." in texts[0]
    assert "Other." in texts[1]
    assert texts[2] == "loop: running again"


# Restarting a loop that ends or hangs


class ScriptedLoops:
    """Builds loops that perform the script of a test."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.runs = 0
        self.questions = 0
        self.let_go = threading.Event()
        self.left: list[bool] = []
        self.act: Callable[[Callable[[], bool]], None] = self.live

    def run(self, should_stop: Callable[[], bool]) -> None:
        self.runs += 1
        self.act(should_stop)
        self.left.append(True)

    def live(self, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            self.questions += 1
            threading.Event().wait(0.001)

    def hang(self, should_stop: Callable[[], bool]) -> None:
        should_stop()
        self.let_go.wait(10)
        self.live(should_stop)


@pytest.fixture
def loops() -> ScriptedLoops:
    return ScriptedLoops()


def supervised(loops: ScriptedLoops) -> SupervisedLoop:
    return SupervisedLoop("loop", loops.run, patience_s=60, clock=loops.clock)


def test_running_loop_is_left_alone(loops: ScriptedLoops) -> None:
    loop = supervised(loops)
    loop.start()
    wait_until(lambda: loops.runs == 1)
    for _ in range(5):
        loops.clock.advance(50)
        answered = loops.questions + 2  # the first run may have begun before the clock was moved
        wait_until(lambda answered=answered: loops.questions >= answered)  # type: ignore[misc]
        loop.check()
    assert loops.runs == 1
    loop.stop()
    loop.join(5)
    assert loops.left == [True]


@pytest.mark.expected_log("ended with an unexpected error", level="ERROR")
def test_loop_that_ends_with_a_bug_is_restarted_after_a_pause(loops: ScriptedLoops) -> None:
    loop = supervised(loops)

    def bug(_: Callable[[], bool]) -> None:
        raise ZeroDivisionError("a mistake")

    loops.act = bug
    loop.start()
    loop.join(5)
    loop.check()
    assert loops.runs == 1, "not at once"
    loops.act = loops.live
    loops.clock.advance(1.5)
    loop.check()
    wait_until(lambda: loops.runs == 2)
    loop.stop()
    loop.join(5)


@pytest.mark.expected_log("does not respond", level="ERROR")
def test_hung_loop_is_replaced_and_ends_when_it_continues(loops: ScriptedLoops) -> None:
    loop = supervised(loops)
    loops.act = loops.hang
    loop.start()
    wait_until(lambda: loops.runs == 1)
    loops.act = loops.live
    loops.clock.advance(61)
    loop.check()
    wait_until(lambda: loops.runs == 2)
    loops.let_go.set()
    wait_until(lambda: loops.left == [True])
    loop.stop()
    loop.join(5)
    assert loops.left == [True, True]


def test_nothing_is_restarted_after_the_stop(loops: ScriptedLoops) -> None:
    loop = supervised(loops)
    loop.start()
    loop.stop()
    loop.join(5)
    loops.clock.advance(1000)
    loop.check()
    assert loops.runs == 1


def test_nothing_is_checked_before_the_start(loops: ScriptedLoops) -> None:
    loop = supervised(loops)
    loop.check()
    loop.join(1)
    assert loops.runs == 0


# Backoff after an error


def highest(low: float, high: float) -> float:
    return high


def lowest(low: float, high: float) -> float:
    return low


def test_upper_limit_doubles_up_to_the_longest_wait() -> None:
    backoff = Backoff(first=1, longest=60, uniform=highest)
    assert [backoff.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_waits_cover_the_whole_range() -> None:
    spans: list[tuple[float, float]] = []

    def note(low: float, high: float) -> float:
        spans.append((low, high))
        return high

    backoff = Backoff(uniform=note)
    backoff.next()
    backoff.next()
    assert spans == [(0, 1), (0, 2)]


def test_wait_is_never_so_short_that_a_loop_spins() -> None:
    assert Backoff(uniform=lowest).next() == 0.2
    assert Backoff(first=0.05, uniform=lowest).next() == 0.05


def test_success_resets_the_backoff() -> None:
    backoff = Backoff(uniform=highest)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert (backoff.tries, backoff.next()) == (0, 1)


def test_thousands_of_attempts_do_not_overflow() -> None:
    backoff = Backoff(uniform=highest)
    backoff.tries = 100_000
    assert backoff.next() == 60


# The clock that does not count the computer's sleep


def test_observed_time_counts() -> None:
    clock = FakeClock()
    awake = AwakeClock(clock)
    start = awake.steady()
    for _ in range(100):
        clock.advance(0.5)
        awake.steady()
    assert awake.steady() - start == 50
    assert awake.now_ms() == clock.now_ms()


def test_long_gap_between_readings_is_sleep_and_does_not_count() -> None:
    clock = FakeClock()
    awake = AwakeClock(clock)
    start = awake.steady()
    clock.advance(8 * 3600)
    assert awake.steady() - start == 5
