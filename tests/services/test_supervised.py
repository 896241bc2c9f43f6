"""A loop that ends or hangs is started again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.services.loops import SupervisedLoop
from tests.helpers import wait_until
from tests.services.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


class Loops:
    """Runs of a loop that does what a test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.runs = 0
        self.let_go = threading.Event()
        self.left: list[bool] = []
        self.act: Callable[[Callable[[], bool]], None] = self.live

    def run(self, should_stop: Callable[[], bool]) -> None:
        self.runs += 1
        self.act(should_stop)
        self.left.append(True)

    def live(self, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            threading.Event().wait(0.001)

    def hang(self, should_stop: Callable[[], bool]) -> None:
        should_stop()
        self.let_go.wait(10)
        self.live(should_stop)


@pytest.fixture
def loops() -> Loops:
    return Loops()


def supervised(loops: Loops) -> SupervisedLoop:
    return SupervisedLoop("loop", loops.run, patience_s=60, clock=loops.clock)


def test_a_loop_that_lives_is_left_alone(loops: Loops) -> None:
    loop = supervised(loops)
    loop.start()
    wait_until(lambda: loops.runs == 1)
    for _ in range(5):
        loops.clock.advance(50)
        asked = loop._asked_at
        wait_until(lambda asked=asked: loop._asked_at > asked)  # type: ignore[misc]
        loop.check()
    assert loops.runs == 1
    loop.stop()
    loop.join(5)
    assert loops.left == [True]


@pytest.mark.expected_log("ended with an unexpected error", level="ERROR")
def test_a_loop_that_ends_by_a_bug_is_started_again_after_a_pause(loops: Loops) -> None:
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
def test_a_loop_that_hangs_is_replaced_and_ends_when_it_wakes_up(loops: Loops) -> None:
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


def test_after_the_stop_nothing_is_started_again(loops: Loops) -> None:
    loop = supervised(loops)
    loop.start()
    loop.stop()
    loop.join(5)
    loops.clock.advance(1000)
    loop.check()
    assert loops.runs == 1


def test_before_its_start_there_is_nothing_to_check(loops: Loops) -> None:
    loop = supervised(loops)
    loop.check()
    loop.join(1)
    assert loops.runs == 0
