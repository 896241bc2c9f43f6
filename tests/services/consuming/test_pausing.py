"""Pausing a consumer: current files are finished, none are started, nothing is lost or processed twice."""

from __future__ import annotations

import pytest

from desktop_app.domain.job import Job, Status
from desktop_app.services.consuming.in_flight import Outcome
from desktop_app.services.control import ProcessingControl, RunMode
from tests.helpers import wait_until
from tests.services.consuming.running_consumer import RunningConsumer, message


@pytest.fixture
def concurrency() -> int:
    return 1


def statuses(running: RunningConsumer, *jobs: Job) -> list[tuple[Status, int]]:
    return [(job.status, job.attempts) for job in map(running.services.job, jobs)]


@pytest.mark.parametrize("turn", [ProcessingControl.pause, ProcessingControl.finish])
@pytest.mark.parametrize("group", ["", "one group"])
def test_current_files_are_finished_and_waiting_messages_released(
    running: RunningConsumer, control: ProcessingControl, turn: object, group: str
) -> None:
    assert callable(turn)
    first, second, third = running.services.add("a.txt", "b.txt", "c.txt")
    has_begun, may_end = running.hold("a.txt")
    running.deliver(*(message(job, group=group) for job in (first, second, third)))
    running.start()
    assert has_begun.wait(5)
    turn(control)
    wait_until(lambda: running.count(Outcome.RELEASED) == 2)
    assert statuses(running, first, second, third) == [
        (Status.PROCESSING, 1),
        (Status.PENDING, 0),
        (Status.PENDING, 0),
    ]
    may_end.set()
    wait_until(lambda: running.observer.in_flight == 0)
    assert statuses(running, first, second, third) == [(Status.PROCESSED, 1), (Status.PENDING, 0), (Status.PENDING, 0)]
    assert [change for batch in running.client.made("change_visibility") for change in batch] == [
        ("b.txt", 0),
        ("c.txt", 0),
    ]
    assert running.registry.began == ["a.txt"]
    wait_until(lambda: control.mode is RunMode.PAUSED)
    control.resume()
    running.deliver(*(message(job, group=group, handle=f"{job.name} again") for job in (second, third)))
    running.settled(5)
    assert statuses(running, first, second, third) == [(Status.PROCESSED, 1)] * 3
    assert running.registry.began == ["a.txt", "b.txt", "c.txt"], "each once, and in order"


def test_paused_it_asks_for_nothing_and_resumed_it_does(running: RunningConsumer, control: ProcessingControl) -> None:
    control.pause()
    (job,) = running.services.add("a.txt")
    running.deliver(message(job))
    running.start()
    wait_until(lambda: running.told)
    running.consumer._turn(0)  # one more round, so that it had the time to start it
    assert running.client.made("receive") == []
    control.resume()
    running.settled(1)
    assert running.services.job(job).status is Status.PROCESSED


def test_messages_of_the_current_poll_are_released_unprocessed(
    running: RunningConsumer, control: ProcessingControl
) -> None:
    (job,) = running.services.add("a.txt")
    running.client.on_receive = lambda: control.pause() if running.client.polls else running.idle()
    running.deliver(message(job))
    running.start()
    wait_until(lambda: running.count(Outcome.RELEASED) == 1)
    wait_until(lambda: running.client.made("change_visibility") == [[("a.txt", 0)]])
    assert statuses(running, job) == [(Status.PENDING, 0)]
    assert running.registry.began == []


def test_finishing_is_reported_when_it_is_reached(running: RunningConsumer, control: ProcessingControl) -> None:
    (job,) = running.services.add("a.txt")
    has_begun, may_end = running.hold("a.txt")
    running.deliver(message(job))
    running.start()
    assert has_begun.wait(5)
    told: list[tuple[RunMode, Status]] = []
    control.add_listener(lambda mode: told.append((mode, running.services.job(job).status)))
    control.finish()
    may_end.set()
    wait_until(lambda: len(told) == 2)
    assert told == [(RunMode.FINISHING, Status.PROCESSING), (RunMode.PAUSED, Status.PROCESSED)]


def test_paused_consumer_stops_in_order(running: RunningConsumer, control: ProcessingControl) -> None:
    (job,) = running.services.add("a.txt")
    has_begun, may_end = running.hold("a.txt")
    running.deliver(message(job))
    running.start()
    assert has_begun.wait(5)
    control.finish()
    running.stop()
    may_end.set()
    assert control.mode is RunMode.PAUSED
    assert statuses(running, job) == [(Status.PENDING, 1)]
