"""Prioritized files are started without waiting for their messages, and are still processed only once."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import build_consumer, connect_queue, open_program
from desktop_app.config.settings import update_settings
from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import StoreBusyError
from desktop_app.domain.job import PriorityResult, Status
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.consuming.consumer import MOST_READY
from desktop_app.services.consuming.in_flight import Outcome
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import StopRequest
from desktop_app.services.sending.sender import LOCAL_WINDOW
from desktop_app.store.adding import Intake
from desktop_app.store.claims import Claims
from tests.crash import status_log
from tests.crash.program import Installation, ProgramInstance, Running
from tests.helpers import wait_until
from tests.helpers.fakes import in_use
from tests.services.conftest import QUEUE
from tests.services.consuming.running_consumer import RunningConsumer, message

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.domain.job import Job
    from tests.services.conftest import ServicesSetup


@pytest.fixture
def concurrency() -> int:
    return 1


def begin(running: RunningConsumer) -> None:
    running.start()
    assert running.polling.wait(5)


def is_done(running: RunningConsumer, *jobs: Job) -> bool:
    return all(running.services.job(job).status is Status.PROCESSED for job in jobs)


# --- between the caller and the consumer


def test_newest_request_is_first() -> None:
    control = ProcessingControl()
    with control.consuming(serves_priorities=True):
        assert control.prioritize([1, 2, 3])
        assert control.prioritize([3, 4])
        assert control.take_priorities(2) == [3, 4]
        control.return_priorities([3, 4])
        assert control.take_priorities(9) == [3, 4, 1, 2]
        assert not control.has_priorities


def test_nothing_can_be_prioritized_without_a_consumer() -> None:
    control = ProcessingControl()
    assert not control.prioritize([1])
    with control.consuming(serves_priorities=True):
        assert control.prioritize([1])
    assert not control.has_priorities


def test_prioritizing_moves_unsent_entries_and_notifies_the_consumer(
    services: ServicesSetup, control: ProcessingControl
) -> None:
    editor = JobEditor(services.intake, queue=QUEUE, clock=services.clock, control=control)
    a, b = services.add("a.txt", "b.txt")
    assert editor.process_next([b.row_id, a.row_id]) == PriorityResult((b.row_id, a.row_id), 2, is_served=False)
    with control.consuming(serves_priorities=True):
        assert editor.process_next([b.row_id]).is_served
        assert control.take_priorities(9) == [b.row_id]
    assert control.wait_to_send(0.1, StopRequest())


# --- the consumer


def test_prioritized_file_is_started_before_the_queue(running: RunningConsumer, control: ProcessingControl) -> None:
    at_work, queued, last = running.services.add("a.txt", "b.txt", "c.txt")
    has_begun, may_end = running.hold("a.txt")
    running.deliver(message(at_work))
    running.start()
    assert has_begun.wait(5)
    asked = threading.Event()

    def ask() -> None:
        """Prioritize during a poll that returns nothing, so that no earlier poll is in progress."""
        running.client.on_receive = running.idle
        running.client.polls.append([])
        assert control.prioritize([last.row_id])
        asked.set()

    running.client.on_receive = ask
    assert asked.wait(5)
    running.deliver(message(queued))
    may_end.set()
    wait_until(lambda: is_done(running, at_work, queued, last))
    assert running.registry.began == ["a.txt", "c.txt", "b.txt"]
    assert running.services.job(last).attempts == 1


def test_its_later_message_is_deleted(running: RunningConsumer, control: ProcessingControl) -> None:
    (job,) = running.services.add("a.txt")
    begin(running)
    assert control.prioritize([job.row_id])
    wait_until(lambda: is_done(running, job))
    wait_until(lambda: running.observer.in_flight == 0)
    assert running.client.made("delete") == [], "there is nothing to delete yet"
    running.deliver(message(job))
    wait_until(lambda: running.client.made("delete") == [["a.txt"]])
    assert running.count(Outcome.DUPLICATE) == 1
    assert running.registry.began == ["a.txt"]


def test_its_message_received_meanwhile_is_kept_and_deleted_with_it(
    running: RunningConsumer, control: ProcessingControl
) -> None:
    (job,) = running.services.add("a.txt")
    has_begun, may_end = running.hold("a.txt")

    # A poll that was in progress when the file was prioritized.
    def ask_meanwhile() -> None:
        running.client.on_receive = running.idle
        assert control.prioritize([job.row_id])
        assert has_begun.wait(5)

    running.client.on_receive = ask_meanwhile
    running.deliver(message(job))
    running.start()
    wait_until(lambda: running.count(Outcome.DUPLICATE) == 1)
    may_end.set()
    wait_until(lambda: is_done(running, job))
    wait_until(lambda: running.client.made("delete") == [["a.txt"]])
    assert running.registry.began == ["a.txt"]


def test_file_that_waits_for_its_next_attempt_can_be_prioritized(
    running: RunningConsumer, control: ProcessingControl
) -> None:
    (job,) = running.services.add("a.txt")
    running.registry.acts["a.txt"] = in_use
    running.deliver(message(job))
    begin(running)
    wait_until(lambda: running.services.job(job).next_try_at is not None)
    del running.registry.acts["a.txt"]
    wait_until(lambda: running.observer.in_flight == 0)
    assert control.prioritize([job.row_id])
    wait_until(lambda: is_done(running, job))
    assert running.services.job(job).attempts == 2


def test_prioritized_file_with_a_later_attempt_waits_for_its_message(
    running: RunningConsumer, control: ProcessingControl
) -> None:
    (job,) = running.services.add("a.txt")
    running.registry.acts["a.txt"] = in_use
    begin(running)
    assert control.prioritize([job.row_id])
    wait_until(lambda: running.services.job(job).next_try_at is not None)
    wait_until(lambda: running.observer.in_flight == 0)
    assert running.services.job(job).status is Status.PENDING
    assert running.client.made("change_visibility") == []


def test_prioritized_file_is_released_at_a_stop(running: RunningConsumer, control: ProcessingControl) -> None:
    (job,) = running.services.add("a.txt")
    has_begun, may_end = running.hold("a.txt")
    begin(running)
    assert control.prioritize([job.row_id])
    assert has_begun.wait(5)
    running.stop()
    may_end.set()
    assert running.services.job(job).status is Status.PENDING
    assert [
        one.file_id for one in running.services.outbox.claim(queue=QUEUE, owner="s", limit=9, now_ms=2**60, claim_ms=1)
    ]


def test_paused_consumer_starts_no_prioritized_file(running: RunningConsumer, control: ProcessingControl) -> None:
    (job,) = running.services.add("a.txt")
    begin(running)
    control.pause()
    assert control.prioritize([job.row_id])
    running.consumer._supervise()
    assert running.registry.began == []
    control.resume()
    wait_until(lambda: is_done(running, job))


def test_files_of_other_workers_are_skipped(running: RunningConsumer, control: ProcessingControl) -> None:
    mine, theirs = running.services.add("a.txt", "b.txt")
    running.services.claim(theirs, lease_ms=3_600_000)
    begin(running)
    assert control.prioritize([theirs.row_id, mine.row_id])
    wait_until(lambda: is_done(running, mine))
    assert running.registry.began == ["a.txt"]
    assert running.services.job(theirs).status is Status.PROCESSING


def test_files_that_could_not_be_claimed_stay_prioritized(
    running: RunningConsumer, control: ProcessingControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = running.services.add("a.txt")
    real = Claims.claim
    refused: list[bool] = []

    def refuse_once(claims: Claims, *arguments: object, **named: object) -> object:
        if not refused:
            refused.append(True)
            raise StoreBusyError("The database is busy.")
        return real(claims, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Claims, "claim", refuse_once)
    begin(running)
    assert control.prioritize([job.row_id])
    wait_until(lambda: is_done(running, job))
    assert refused


@pytest.mark.parametrize(("fifo_order", "serves"), [("parallel", True), ("strict", False)])
def test_prioritizing_does_not_break_strict_order(existing_home: Path, fifo_order: str, serves: bool) -> None:
    update_settings(existing_home / "settings.toml", queue="files.fifo", region="eu-west-1", fifo_order=fifo_order)
    program = open_program({})
    assert isinstance(program.clock, SystemClock)
    consumer = build_consumer(program, connect_queue(program), lambda _: None)
    with program.control.consuming(serves_priorities=not consumer._options.keeps_order):
        assert program.control.prioritize([1]) is serves
    program.close()


def test_unsent_files_of_the_embedded_queue_are_next_in_every_program(tmp_path: Path) -> None:
    """Without a consumer in this program, the entry only moves to the front of the outbox."""
    files = [tmp_path / str(number) for number in range(10 * LOCAL_WINDOW)]
    for file in files:
        file.write_bytes(b"text\n")
    with closing(ProgramInstance(Installation(tmp_path))) as program:
        program.add(files)
        program.sender.send_due()
        last = program.all()[-1]
        moved = Intake(program.database).move_to_front([last.row_id], queue=program.key)
        assert moved == PriorityResult((last.row_id,), 1)
        loops = Running(program.sender, program.consumer)
        loops.until(lambda: program.is_done, "all is done", 60)
        loops.stop()
    # At most those go first that are in the queue or, since they are small, have been claimed already.
    most = LOCAL_WINDOW + MOST_READY + 20
    assert LOCAL_WINDOW - 10 < status_log.ends(program.installation.database).index(last.id) < most
