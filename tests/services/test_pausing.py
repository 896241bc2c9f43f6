"""A consumer that a person pauses: what is in work ends, nothing new begins, nothing is lost or done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Job, Status
from desktop_app.services.consuming.in_flight import Outcome
from desktop_app.services.control import ProcessingControl, RunMode
from tests.helpers import wait_until
from tests.services.running_consumer import Plant, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.conftest import Bench


@pytest.fixture
def control() -> ProcessingControl:
    return ProcessingControl()


@pytest.fixture
def plant(bench: Bench, control: ProcessingControl) -> Iterator[Plant]:
    with Plant(bench, concurrency=1, control=control) as plant:
        yield plant


def statuses(plant: Plant, *jobs: Job) -> list[tuple[Status, int]]:
    return [(job.status, job.attempts) for job in map(plant.bench.job, jobs)]


@pytest.mark.parametrize("turn", [ProcessingControl.pause, ProcessingControl.finish])
@pytest.mark.parametrize("group", ["", "one group"])
def test_what_is_in_work_ends_and_what_waits_goes_back(
    plant: Plant, control: ProcessingControl, turn: object, group: str
) -> None:
    assert callable(turn)
    first, second, third = plant.bench.add("a.txt", "b.txt", "c.txt")
    has_begun, may_end = plant.hold("a.txt")
    plant.deliver(*(message(job, group=group) for job in (first, second, third)))
    plant.start()
    assert has_begun.wait(5)
    turn(control)
    wait_until(lambda: plant.count(Outcome.RELEASED) == 2)
    assert statuses(plant, first, second, third) == [
        (Status.PROCESSING, 1),
        (Status.PENDING, 0),
        (Status.PENDING, 0),
    ]
    may_end.set()
    wait_until(lambda: plant.observer.in_flight == 0)
    assert statuses(plant, first, second, third) == [(Status.PROCESSED, 1), (Status.PENDING, 0), (Status.PENDING, 0)]
    assert [change for batch in plant.client.made("change_visibility") for change in batch] == [
        ("b.txt", 0),
        ("c.txt", 0),
    ]
    assert plant.registry.began == ["a.txt"]
    wait_until(lambda: control.mode is RunMode.PAUSED)
    control.resume()
    plant.deliver(*(message(job, group=group, handle=f"{job.name} again") for job in (second, third)))
    plant.settled(5)
    assert statuses(plant, first, second, third) == [(Status.PROCESSED, 1)] * 3
    assert plant.registry.began == ["a.txt", "b.txt", "c.txt"], "each once, and in order"


def test_paused_it_asks_for_nothing_and_resumed_it_does(plant: Plant, control: ProcessingControl) -> None:
    control.pause()
    (job,) = plant.bench.add("a.txt")
    plant.deliver(message(job))
    plant.start()
    wait_until(lambda: plant.told)
    plant.consumer._turn(0)  # a round of its own, so that it had the time
    assert plant.client.made("receive") == []
    control.resume()
    plant.settled(1)
    assert plant.bench.job(job).status is Status.PROCESSED


def test_what_a_poll_under_way_still_brings_is_given_back_untouched(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.client.on_receive = lambda: control.pause() if plant.client.polls else plant._idle()
    plant.deliver(message(job))
    plant.start()
    wait_until(lambda: plant.count(Outcome.RELEASED) == 1)
    wait_until(lambda: plant.client.made("change_visibility") == [[("a.txt", 0)]])
    assert statuses(plant, job) == [(Status.PENDING, 0)]
    assert plant.registry.began == []


def test_finishing_is_told_when_it_is_reached(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    has_begun, may_end = plant.hold("a.txt")
    plant.deliver(message(job))
    plant.start()
    assert has_begun.wait(5)
    told: list[tuple[RunMode, Status]] = []
    control.add_listener(lambda mode: told.append((mode, plant.bench.job(job).status)))
    control.finish()
    may_end.set()
    wait_until(lambda: len(told) == 2)
    assert told == [(RunMode.FINISHING, Status.PROCESSING), (RunMode.PAUSED, Status.PROCESSED)]


def test_paused_consumer_stops_in_order(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    has_begun, may_end = plant.hold("a.txt")
    plant.deliver(message(job))
    plant.start()
    assert has_begun.wait(5)
    control.finish()
    plant.stop()
    may_end.set()
    assert control.mode is RunMode.PAUSED
    assert statuses(plant, job) == [(Status.PENDING, 1)]
