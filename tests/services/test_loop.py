"""What every loop has in common."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreBusyError
from desktop_app.services.loops import Backoff, LoopState, Phase, StateReporter, wait_for
from tests.services.fakes import OFFLINE, Countdown, FakeClock

if TYPE_CHECKING:
    import pytest


def test_a_wait_ends_at_the_event_and_clears_it() -> None:
    wake = threading.Event()
    wake.set()
    assert wait_for(wake, 60, lambda: False)
    assert not wake.is_set()


def test_a_wait_ends_at_the_stop() -> None:
    assert not wait_for(threading.Event(), 60, Countdown(2))


def test_a_wait_ends_when_the_time_is_over() -> None:
    assert not wait_for(threading.Event(), 0.01, lambda: False)


def states() -> tuple[StateReporter, list[LoopState]]:
    told: list[LoopState] = []
    return StateReporter("loop", told.append, FakeClock(100.0)), told


def test_each_change_is_told_once() -> None:
    reporter, told = states()
    reporter.starting()
    reporter.running()
    reporter.running()
    reporter.stopped()
    assert [state.phase for state in told] == [Phase.STARTING, Phase.RUNNING, Phase.STOPPED]


def test_trouble_is_told_with_its_kind_and_the_next_try() -> None:
    reporter, told = states()
    seconds = reporter.waiting(OFFLINE, Backoff(uniform=lambda _low, high: high))
    assert seconds == 1
    assert told == [LoopState(Phase.WAITING, "Can't reach it.", QueueTrouble.OFFLINE, 101_000, 1)]


def test_trouble_of_the_database_has_no_kind_of_the_queue() -> None:
    reporter, told = states()
    reporter.waiting(StoreBusyError("locked"), Backoff())
    assert told[0].trouble is None


def test_the_log_names_a_trouble_once_and_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
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
