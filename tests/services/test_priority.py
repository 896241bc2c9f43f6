"""Files that are wanted next are begun without waiting for their messages; each is still done once."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import build_consumer, connect_queue, open_program
from desktop_app.config.settings import Settings
from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import StoreBusyError
from desktop_app.domain.job import PriorityResult, Status
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.consuming.in_flight import Outcome
from desktop_app.services.control import ProcessingControl
from desktop_app.services.sending.sender import LOCAL_WINDOW
from desktop_app.store.claims import Claims
from desktop_app.store.priority import Priority
from tests.crash import witness
from tests.crash.mill import Mill, Place, Running
from tests.helpers import wait_until
from tests.services.conftest import QUEUE
from tests.services.fakes import in_use
from tests.services.running_consumer import Plant, message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.domain.job import Job
    from tests.services.conftest import Bench


@pytest.fixture
def control() -> ProcessingControl:
    return ProcessingControl()


@pytest.fixture
def plant(bench: Bench, control: ProcessingControl) -> Iterator[Plant]:
    with Plant(bench, concurrency=1, control=control) as plant:
        yield plant


def begin(plant: Plant) -> None:
    plant.start()
    assert plant.polling.wait(5)


def is_done(plant: Plant, *jobs: Job) -> bool:
    return all(plant.bench.job(job).status is Status.PROCESSED for job in jobs)


# --- between those who ask and the consumer


def test_what_is_asked_for_last_is_first() -> None:
    control = ProcessingControl()
    with control.consuming(serves_priorities=True):
        assert control.prioritize([1, 2, 3])
        assert control.prioritize([3, 4])
        assert control.take_priorities(2) == [3, 4]
        control.return_priorities([3, 4])
        assert control.take_priorities(9) == [3, 4, 1, 2]
        assert not control.has_priorities


def test_nothing_can_be_asked_for_where_nobody_works() -> None:
    control = ProcessingControl()
    assert not control.prioritize([1])
    with control.consuming(serves_priorities=True):
        assert control.prioritize([1])
    assert not control.has_priorities


def test_asking_moves_the_unsent_and_tells_the_consumer(bench: Bench, control: ProcessingControl) -> None:
    editor = JobEditor(bench.intake, queue=QUEUE, clock=bench.clock, control=control)
    a, b = bench.add("a.txt", "b.txt")
    assert editor.process_next([b.row_id, a.row_id]) == PriorityResult((b.row_id, a.row_id), 2, is_served=False)
    with control.consuming(serves_priorities=True):
        assert editor.process_next([b.row_id]).is_served
        assert control.take_priorities(9) == [b.row_id]
    assert control.wait_to_send(0.1, lambda: False)


# --- the consumer


def test_wanted_file_is_begun_before_what_is_in_the_queue(plant: Plant, control: ProcessingControl) -> None:
    at_work, queued, last = plant.bench.add("a.txt", "b.txt", "c.txt")
    has_begun, may_end = plant.hold("a.txt")
    plant.deliver(message(at_work))
    plant.start()
    assert has_begun.wait(5)
    asked = threading.Event()

    def ask() -> None:
        """In a poll that brings nothing, so that none is under way that was begun before."""
        plant.client.on_receive = plant._idle
        plant.client.polls.append([])
        assert control.prioritize([last.row_id])
        asked.set()

    plant.client.on_receive = ask
    assert asked.wait(5)
    plant.deliver(message(queued))
    may_end.set()
    wait_until(lambda: is_done(plant, at_work, queued, last))
    assert plant.registry.began == ["a.txt", "c.txt", "b.txt"]
    assert plant.bench.job(last).attempts == 1


def test_its_message_that_comes_afterwards_is_deleted(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    begin(plant)
    assert control.prioritize([job.row_id])
    wait_until(lambda: is_done(plant, job))
    wait_until(lambda: plant.observer.in_flight == 0)
    assert plant.client.made("delete") == [], "there is nothing to delete yet"
    plant.deliver(message(job))
    wait_until(lambda: plant.client.made("delete") == [["a.txt"]])
    assert plant.count(Outcome.DUPLICATE) == 1
    assert plant.registry.began == ["a.txt"]


def test_its_message_that_comes_meanwhile_is_kept_and_deleted_with_it(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    has_begun, may_end = plant.hold("a.txt")

    # A poll that was under way when it was asked for.
    def ask_meanwhile() -> None:
        plant.client.on_receive = plant._idle
        assert control.prioritize([job.row_id])
        assert has_begun.wait(5)

    plant.client.on_receive = ask_meanwhile
    plant.deliver(message(job))
    plant.start()
    wait_until(lambda: plant.count(Outcome.DUPLICATE) == 1)
    may_end.set()
    wait_until(lambda: is_done(plant, job))
    wait_until(lambda: plant.client.made("delete") == [["a.txt"]])
    assert plant.registry.began == ["a.txt"]


def test_file_that_is_tried_again_later_can_be_wanted_now(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.registry.acts["a.txt"] = in_use
    plant.deliver(message(job))
    begin(plant)
    wait_until(lambda: plant.bench.job(job).next_try_at is not None)
    del plant.registry.acts["a.txt"]
    wait_until(lambda: plant.observer.in_flight == 0)
    assert control.prioritize([job.row_id])
    wait_until(lambda: is_done(plant, job))
    assert plant.bench.job(job).attempts == 2


def test_wanted_file_that_has_to_be_tried_later_waits_for_its_message(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.registry.acts["a.txt"] = in_use
    begin(plant)
    assert control.prioritize([job.row_id])
    wait_until(lambda: plant.bench.job(job).next_try_at is not None)
    wait_until(lambda: plant.observer.in_flight == 0)
    assert plant.bench.job(job).status is Status.PENDING
    assert plant.client.made("change_visibility") == []


def test_wanted_file_is_given_back_at_a_stop(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    has_begun, may_end = plant.hold("a.txt")
    begin(plant)
    assert control.prioritize([job.row_id])
    assert has_begun.wait(5)
    plant.stop()
    may_end.set()
    assert plant.bench.job(job).status is Status.PENDING
    assert [one.file_id for one in plant.bench.outbox.claim(queue=QUEUE, owner="s", limit=9, now_ms=2**60, claim_ms=1)]


def test_paused_it_begins_no_wanted_file(plant: Plant, control: ProcessingControl) -> None:
    (job,) = plant.bench.add("a.txt")
    begin(plant)
    control.pause()
    assert control.prioritize([job.row_id])
    plant.consumer._supervise()
    assert plant.registry.began == []
    control.resume()
    wait_until(lambda: is_done(plant, job))


def test_what_others_work_on_is_left_to_them(plant: Plant, control: ProcessingControl) -> None:
    mine, theirs = plant.bench.add("a.txt", "b.txt")
    plant.bench.claim(theirs, lease_ms=3_600_000)
    begin(plant)
    assert control.prioritize([theirs.row_id, mine.row_id])
    wait_until(lambda: is_done(plant, mine))
    assert plant.registry.began == ["a.txt"]
    assert plant.bench.job(theirs).status is Status.PROCESSING


def test_what_the_database_did_not_let_begin_stays_wanted(
    plant: Plant, control: ProcessingControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = plant.bench.add("a.txt")
    real = Claims.claim
    refused: list[bool] = []

    def refuse_once(claims: Claims, *arguments: object, **named: object) -> object:
        if not refused:
            refused.append(True)
            raise StoreBusyError("The database is busy.")
        return real(claims, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Claims, "claim", refuse_once)
    begin(plant)
    assert control.prioritize([job.row_id])
    wait_until(lambda: is_done(plant, job))
    assert refused


@pytest.mark.parametrize(("fifo_order", "serves"), [("parallel", True), ("strict", False)])
def test_strict_order_is_not_broken_on_request(filemill_home: Path, fifo_order: str, serves: bool) -> None:
    named = Settings(queue="files.fifo", region="eu-west-1", fifo_order=fifo_order)
    program = open_program({}, settings=named)
    assert isinstance(program.clock, SystemClock)
    consumer = build_consumer(program, connect_queue(program), lambda _: None)
    with program.control.consuming(serves_priorities=not consumer._options.keeps_order):
        assert program.control.prioritize([1]) is serves
    program.close()


def test_what_waits_for_the_embedded_queue_comes_next_in_every_program(tmp_path: Path) -> None:
    """Nobody here consumes, so it is only moved to the front of the outbox: that counts as long as it is not sent."""
    files = [tmp_path / str(number) for number in range(3 * LOCAL_WINDOW)]
    for file in files:
        file.write_bytes(b"text\n")
    with closing(Mill(Place(tmp_path))) as mill:
        mill.add(files)
        mill.sender.send_due()
        last = mill.all()[-1]
        moved = Priority(mill.database).move_to_front([last.row_id], queue=mill.key)
        assert moved == PriorityResult((last.row_id,), 1)
        running = Running(mill.sender, mill.consumer)
        running.until(lambda: mill.is_done, "all is done", 60)
        running.stop()
    assert LOCAL_WINDOW - 10 < witness.ends(mill.place.database).index(last.id) < LOCAL_WINDOW + 10
