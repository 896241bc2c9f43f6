"""What all loops share: waiting, reporting the state, restarting, and the clock."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreBusyError
from desktop_app.services.loops import AwakeClock, Backoff, LoopState, Phase, StateReporter, StopRequest, SupervisedLoop
from tests.helpers import wait_until
from tests.helpers.fakes import OFFLINE, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


# Waiting and reporting the state


def test_wait_ends_at_the_event_and_clears_it() -> None:
    wake = threading.Event()
    wake.set()
    assert StopRequest().wait(60, wake)
    assert not wake.is_set()


class NotedEvent(threading.Event):
    """An event that notes that a thread is about to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_awaited = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.is_awaited.set()
        return super().wait(timeout)


@pytest.mark.parametrize("has_event", [True, False])
def test_request_wakes_all_who_wait(has_event: bool) -> None:
    stop, answers = StopRequest(), list[bool]()
    events = [NotedEvent() for _ in range(3)]

    def wait(event: threading.Event | None) -> None:
        answers.append(stop.wait(threading.TIMEOUT_MAX, event))

    threads = [threading.Thread(target=wait, args=(event if has_event else None,)) for event in events]
    for thread in threads:
        thread.start()
    assert not has_event or all(event.is_awaited.wait(20) for event in events)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert answers == [False] * len(threads)


def test_wait_after_the_request_ends_at_once_and_leaves_the_event_set() -> None:
    stop, wake = StopRequest(), threading.Event()
    wake.set()
    stop.set()
    assert not stop.wait(threading.TIMEOUT_MAX, wake)
    assert wake.is_set()
    assert not stop.wait(threading.TIMEOUT_MAX)


def test_wait_ends_when_the_time_is_over() -> None:
    assert not StopRequest().wait(0.01, threading.Event())


def test_function_is_called_at_the_request_only_within_its_context() -> None:
    stop, called = StopRequest(), list[str]()
    with stop.waking(lambda: called.append("earlier")):
        pass
    with stop.waking(lambda: called.append("at the request")):
        stop.set()
    with stop.waking(lambda: called.append("after the request")):
        assert called == ["at the request", "after the request"]


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


def test_state_that_is_reported_last_is_the_current_one_when_two_threads_report() -> None:
    told: list[Phase] = []

    def report(state: LoopState) -> None:
        if state.phase is Phase.WAITING:
            other.start()
            other.join(0.2)
        told.append(state.phase)

    reporter = StateReporter("loop", report, FakeClock(100.0))
    other = threading.Thread(target=reporter.running)
    reporter.waiting(OFFLINE, Backoff())
    other.join(20)
    assert told == [Phase.WAITING, Phase.RUNNING]


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
        self.event = NotedEvent()
        self.left: list[bool] = []
        self.act: Callable[[StopRequest], None] = self.live

    def run(self, stop: StopRequest) -> None:
        self.runs += 1
        self.act(stop)
        self.left.append(True)

    def live(self, stop: StopRequest) -> None:
        while not stop.is_set():
            self.questions += 1
            threading.Event().wait(0.001)

    def wait(self, stop: StopRequest) -> None:
        stop.wait(threading.TIMEOUT_MAX, self.event)

    def hang(self, stop: StopRequest) -> None:
        stop.is_set()
        self.let_go.wait(10)
        self.live(stop)


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


def test_loop_that_waits_for_long_is_left_alone_and_stops_at_once(loops: ScriptedLoops) -> None:
    loop = supervised(loops)
    loops.act = loops.wait
    loop.start()
    assert loops.event.is_awaited.wait(20)
    for _ in range(5):
        loops.clock.advance(1000)
        loop.check()
    assert loops.runs == 1
    loop.stop()
    loop.join(20)
    assert loops.left == [True]


@pytest.mark.expected_log("ended with an unexpected error", level="ERROR")
def test_loop_that_ends_with_a_bug_is_restarted_after_a_pause(loops: ScriptedLoops) -> None:
    loop = supervised(loops)

    def bug(_: StopRequest) -> None:
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
