"""The consumer as a whole, on a real database and a queue whose answers are written down."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import (
    FileError,
    FileProblem,
    KnownError,
    QueueTrouble,
    StoreBusyError,
    StoreDamagedError,
)
from desktop_app.domain.job import Job, Status
from desktop_app.processing.isolation import IsolatedProcessing
from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.registry import FileResult
from desktop_app.queues.messages import EntryResult, FileMessage, encode
from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.consuming.in_flight import Outcome
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import Backoff, Phase
from desktop_app.store.claims import Claims
from desktop_app.store.outbox import Outbox, Sent
from desktop_app.store.results import Result, Work
from tests.helpers import wait_until
from tests.services.conftest import QUEUE
from tests.services.fakes import OFFLINE, Acting, FakeClient, FakeConnector, in_use, received
from tests.services.running_consumer import Plant, message, suspect

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.queues.client import QueueClient
    from tests.services.conftest import Bench


def add_sent(bench: Bench, name: str) -> Job:
    """A file whose message has been sent."""
    (job,) = bench.add(name)
    now_ms = bench.clock.now_ms()
    (entry,) = bench.outbox.claim(queue=QUEUE, owner="s", limit=1, now_ms=now_ms, claim_ms=1)
    bench.outbox.mark_sent([Sent(entry, "m")], now_ms=now_ms)
    return job


def test_a_message_becomes_a_result_and_is_deleted_after_the_commit(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.deliver(message(job))
    plant.start()
    plant.settled(1)
    done = plant.bench.job(job)
    assert (done.status, done.lines_count, done.file_size, done.attempts) == (Status.PROCESSED, 2, 4, 1)
    assert done.message_id == "m"
    assert plant.client.made("delete") == [["a.txt"]]
    assert [state.phase for state in plant.told][:2] == [Phase.STARTING, Phase.RUNNING]
    plant.stop()
    assert plant.told[-1].phase is Phase.STOPPED


def test_a_file_that_can_not_be_processed_fails_with_its_reason(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    (plant.bench.folder / "a.txt").unlink()
    plant.deliver(message(job))
    plant.start()
    plant.settled(1)
    done = plant.bench.job(job)
    assert (done.status, done.reason_code, done.lines_count) == (Status.FAILED, FileProblem.MISSING, None)
    assert done.reason == "The file is no longer there"
    assert plant.count(Outcome.FAILED) == 1
    assert plant.client.made("delete") == [["a.txt"]]


def test_a_duplicate_is_deleted_and_not_processed_again(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.deliver(message(job, handle="1"))
    plant.deliver(message(job, handle="2"))
    plant.start()
    plant.settled(2)
    assert plant.registry.began == ["a.txt"]
    assert plant.count(Outcome.PROCESSED) + plant.count(Outcome.DUPLICATE) + plant.count(Outcome.RETRIED) == 2


def test_an_old_generation_is_deleted_unprocessed(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    claim = plant.bench.claim(job)
    result = Result(job.row_id, claim.token, plant.bench.clock.now_ms(), reason="x", reason_code="missing")
    Work(plant.bench.database).finish([result])
    plant.bench.intake.retry([job.row_id], queue=QUEUE)
    plant.deliver(message(job, generation=1, handle="old"), message(job, generation=2, handle="new"))
    plant.start()
    plant.settled(2)
    assert (plant.count(Outcome.STALE), plant.count(Outcome.PROCESSED)) == (1, 1)


@pytest.mark.parametrize(
    "body", ["", "not json", "[]", '{"v":1}', encode(FileMessage("0" * 8 + "-0000-0000-0000-" + "0" * 12, 1))]
)
def test_a_foreign_message_is_left_alone(plant: Plant, body: str) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.deliver(received(body, handle="foreign"), message(job))
    plant.start()
    plant.settled(2)
    assert plant.count(Outcome.FOREIGN) == 1
    assert plant.client.made("delete") == [["a.txt"]]
    assert plant.client.made("change_visibility") == []


def test_a_message_whose_row_somebody_works_on_comes_back_when_that_lease_can_have_ended(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.bench.claim(job)
    plant.deliver(message(job))
    plant.start()
    plant.settled(1)
    ((change,),) = plant.client.made("change_visibility")
    assert change[0] == "a.txt"
    assert 15 <= change[1] <= 23
    assert plant.registry.began == []


def test_a_passing_trouble_is_tried_again_later_and_says_so(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.registry.acts["a.txt"] = in_use
    plant.deliver(message(job))
    plant.start()
    plant.settled(1)
    waiting = plant.bench.job(job)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 1)
    assert waiting.reason == "Another program has this file open; try 2 of 5 follows"
    assert waiting.next_try_at is not None
    ((change,),) = plant.client.made("change_visibility")
    assert 1 <= change[1] <= 5
    assert plant.count(Outcome.RETRIED) == 1


def test_after_five_tries_a_passing_trouble_is_an_end(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.registry.acts["a.txt"] = in_use
    plant.start()
    for number in range(1, 6):
        plant.deliver(message(job))
        plant.settled(number)
    failed = plant.bench.job(job)
    assert (failed.status, failed.attempts) == (Status.FAILED, 5)
    assert failed.reason == "Another program has this file open (given up after 5 tries)"


def test_one_slow_file_does_not_hold_the_others(plant: Plant) -> None:
    jobs = plant.bench.add("slow.txt", *(f"{n}.txt" for n in range(20)))
    _, go_on = plant.hold("slow.txt")
    for start in range(0, 21, 7):
        plant.deliver(*(message(job) for job in jobs[start : start + 7]))
    plant.start()
    wait_until(lambda: plant.count(Outcome.PROCESSED) == 20)
    assert plant.bench.job(jobs[0]).status is Status.PROCESSING
    go_on.set()
    plant.settled(21)


def test_a_lost_lease_cancels_the_work_and_nothing_is_written_or_deleted(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    begun = threading.Event()

    def watched(watch: Watch) -> FileResult:
        begun.set()
        wait_until(watch.cancelled)
        raise Cancelled

    plant.registry.acts["a.txt"] = watched
    plant.deliver(message(job))
    plant.start()
    assert begun.wait(10)
    (held,) = plant.consumer._in_flight.all()
    plant.client.script("change_visibility", [EntryResult(trouble=QueueTrouble.LEASE_LOST)])
    held.expires = 0
    plant.settled(1)
    assert plant.count(Outcome.LOST) == 1
    assert plant.client.made("delete") == []
    assert plant.bench.job(job).status is Status.PENDING, "the row is free for whoever has the message now"


def test_a_file_taken_off_the_list_while_it_is_read_stays_off_and_its_message_goes(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    begun, go_on = plant.hold("a.txt")
    plant.deliver(message(job))
    plant.start()
    assert begun.wait(10)
    plant.bench.intake.remove([job.row_id], now_ms=plant.bench.clock.now_ms())
    go_on.set()
    plant.settled(1)
    assert plant.bench.jobs.page([job.row_id]) == {}
    assert plant.count(Outcome.STALE) == 1
    assert plant.client.made("delete") == [["a.txt"]]


def test_in_a_fifo_group_the_order_holds_also_after_a_failure(bench: Bench) -> None:
    plant = Plant(bench, concurrency=4)
    jobs = bench.add("a1", "a2", "a3", "b1")
    tries = iter([FileError(FileProblem.UNREADABLE, "away", passing=True), None])

    def once(_: Watch) -> FileResult:
        error = next(tries)
        if error:
            raise error
        return FileResult(4, 2)

    plant.registry.acts["a1"] = once
    a1, a2, a3, b1 = jobs
    plant.deliver(*(message(job, group="a") for job in (a1, a2, a3)), message(b1, group="b"))
    plant.start()
    plant.settled(4)
    assert plant.registry.began in (["a1", "b1"], ["b1", "a1"])
    given_back = [handle for batch in plant.client.made("change_visibility") for handle, _ in batch]
    assert given_back == ["a1", "a2", "a3"]
    assert [bench.job(job).attempts for job in (a1, a2, a3)] == [1, 0, 0]
    plant.deliver(*(message(job, group="a") for job in (a1, a2, a3)))
    plant.settled(7)
    assert plant.registry.began[2:] == ["a1", "a2", "a3"]
    plant.stop()


def test_an_idle_consumer_stops_at_once_although_its_poll_goes_on(bench: Bench) -> None:
    plant = Plant(bench)
    poll_ends = threading.Event()

    def long_poll() -> None:
        plant.polling.set()
        poll_ends.wait(20)

    plant.client.on_receive = long_poll
    plant.start()
    assert plant.polling.wait(5)
    plant.stop(within=2)
    poll_ends.set()


def test_at_a_stop_what_has_not_begun_goes_back_in_order_and_what_runs_may_end(bench: Bench) -> None:
    plant = Plant(bench, concurrency=1)
    jobs = bench.add("a", "b", "c")
    begun, go_on = plant.hold("a")
    plant.deliver(*(message(job) for job in jobs))
    plant.start()
    assert begun.wait(10)
    wait_until(lambda: plant.observer.in_flight == 3)
    plant.stop_asked.set()
    wait_until(lambda: plant.count(Outcome.RELEASED) == 2)
    go_on.set()
    plant.stop()
    assert [bench.job(job).status for job in jobs] == [Status.PROCESSED, Status.PENDING, Status.PENDING]
    assert [bench.job(job).attempts for job in jobs] == [1, 0, 0]
    assert plant.client.made("change_visibility") == [[("b", 0), ("c", 0)]]
    assert plant.client.made("delete") == [["a"]]
    assert plant.observer.unsettled == 0


def test_at_a_stop_a_hung_read_is_given_back_and_its_late_result_is_refused(plant: Plant) -> None:
    (job,) = plant.bench.add("a")
    begun, go_on = plant.hold("a")
    plant.deliver(message(job))
    plant.start()
    assert begun.wait(10)
    plant.stop(within=5)
    assert plant.bench.job(job).status is Status.PENDING
    assert plant.client.made("change_visibility") == [[("a", 0)]]
    go_on.set()
    assert plant.count(Outcome.RELEASED) == 1


def test_while_the_database_is_away_nothing_is_received_and_no_result_is_lost(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = plant.bench.add("a.txt", "b.txt")
    finish = Work.finish
    away = threading.Event()
    away.set()

    def busy(self: Work, results: object) -> list[bool]:
        if away.is_set():
            raise StoreBusyError("Another program holds it locked.")
        return finish(self, results)  # type: ignore[arg-type]

    monkeypatch.setattr(Work, "finish", busy)
    plant.deliver(message(jobs[0]))
    plant.start()
    wait_until(lambda: any(state.phase is Phase.WAITING for state in plant.told))
    assert plant.client.made("delete") == []
    polls = len(plant.client.made("receive"))
    wait_until(lambda: plant.told[-1].tries >= 2)
    assert len(plant.client.made("receive")) <= polls + 1
    away.clear()
    plant.deliver(message(jobs[1]))
    plant.settled(2)
    assert [plant.bench.job(job).status for job in jobs] == [Status.PROCESSED, Status.PROCESSED]
    assert plant.told[-1].phase is Phase.RUNNING


def test_messages_whose_rows_can_not_be_claimed_now_go_back_for_a_moment(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = plant.bench.add("a.txt")
    claim = Claims.claim
    fails = iter([True])

    def busy(self: Claims, requests: object, **arguments: object) -> object:
        if requests and next(fails, False):
            raise StoreBusyError("Another program holds it locked.")
        return claim(self, requests, **arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Claims, "claim", busy)
    plant.deliver(message(job))
    plant.start()
    plant.settled(1)
    assert plant.client.made("change_visibility") == [[("a.txt", 5)]]
    assert plant.count(Outcome.RELEASED) == 1
    plant.deliver(message(job))
    plant.settled(2)
    assert plant.bench.job(job).status is Status.PROCESSED


def test_the_files_of_a_program_that_was_killed_are_free_at_once(plant: Plant) -> None:
    job = suspect(plant, "a.txt")
    plant.start()
    wait_until(lambda: plant.bench.job(job).status is Status.PENDING)
    plant.deliver(message(job))
    plant.settled(1)
    assert (plant.bench.job(job).status, plant.bench.job(job).attempts) == (Status.PROCESSED, 2)


def test_long_files_tell_their_progress(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    go_on = threading.Event()

    def slow(watch: Watch) -> FileResult:
        watch.on_progress(50, 100)
        go_on.wait(10)
        return FileResult(100, 2)

    plant.registry.acts["a.txt"] = slow
    plant.deliver(message(job))
    plant.start()
    wait_until(lambda: plant.bench.job(job).bytes_done == 50)
    assert plant.bench.job(job).file_size == 100
    go_on.set()
    plant.settled(1)
    assert plant.bench.job(job).bytes_done == 100


def test_with_slow_files_no_more_is_taken_than_can_start(bench: Bench) -> None:
    plant = Plant(bench, concurrency=1)
    plant.consumer._committer.usual_seconds = 5
    plant.start()
    assert plant.polling.wait(5)
    assert plant.client.made("receive")[0][0] == 1
    plant.stop()


def test_the_path_comes_from_the_row_and_never_from_the_message(plant: Plant, tmp_path: Path) -> None:
    (job,) = plant.bench.add("a.txt")
    (tmp_path / "secret").write_text("x")
    body = encode(FileMessage(job.id, 1)).replace("}", f',"file_path":"{tmp_path / "secret"}"}}')
    plant.deliver(received(body, handle="h"))
    plant.start()
    plant.settled(1)
    assert plant.count(Outcome.FOREIGN) == 1
    assert plant.registry.began == []


def test_a_file_at_work_when_a_program_was_killed_is_processed_in_a_process_of_its_own(plant: Plant) -> None:
    job = suspect(plant, "a.txt")
    plant.start()
    wait_until(lambda: plant.bench.job(job).status is Status.PENDING)
    plant.deliver(message(job))
    plant.settled(1)
    assert plant.registry.began == []
    assert (plant.bench.job(job).status, plant.bench.job(job).lines_count) == (Status.PROCESSED, 2)


def test_a_file_that_ends_its_process_fails_after_three_tries_and_the_others_go_on(bench: Bench) -> None:
    plant = Plant(bench)
    job = suspect(plant, "bad.txt")
    (good,) = bench.add("good.txt")
    plant.consumer._pool._isolated = IsolatedProcessing([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    plant.start()
    wait_until(lambda: bench.job(job).status is Status.PENDING)
    plant.deliver(message(job), message(good))
    plant.settled(2)
    waiting = bench.job(job)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 2)
    assert waiting.reason == "The program ended while it worked on this file; try 3 of 3 follows"
    plant.deliver(message(job))
    plant.settled(3)
    failed = bench.job(job)
    assert (failed.status, failed.attempts, failed.reason_code) == (Status.FAILED, 3, "crashed")
    assert bench.job(good).status is Status.PROCESSED
    plant.stop()


def test_the_new_message_of_long_work_takes_the_place_of_the_old_one(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    begun, go_on = plant.hold("a.txt")
    plant.deliver(message(job, handle="old"))
    plant.start()
    assert begun.wait(10)
    (held,) = plant.consumer._in_flight.all()
    held.awaits_message = True
    plant.deliver(message(job, handle="new"))
    wait_until(lambda: held.received.receipt_handle == "new")
    go_on.set()
    plant.settled(2)
    assert plant.client.made("delete") == [["new"]]
    assert (plant.count(Outcome.DUPLICATE), plant.count(Outcome.PROCESSED)) == (1, 1)


def test_a_message_that_came_often_while_its_row_is_worked_on_waits_long(plant: Plant) -> None:
    (job,) = plant.bench.add("a.txt")
    plant.bench.claim(job)
    plant.deliver(received(encode(FileMessage(job.id, 1)), handle="h", count=8))
    plant.start()
    plant.settled(1)
    (((_, seconds),),) = plant.client.made("change_visibility")
    assert 256 <= seconds <= 260


def test_a_queue_full_of_foreign_messages_stops_the_consumer_with_a_plain_text(bench: Bench) -> None:
    plant = Plant(bench)
    plant.deliver_foreign(10)
    with pytest.raises(KnownError, match="not Filemill's"):
        plant.consumer.run(lambda: False)
    assert plant.count(Outcome.FOREIGN) == 10
    assert plant.client.made("delete") == plant.client.made("change_visibility") == []
    assert plant.told[-1].phase is Phase.STOPPED
    assert len(plant.foreign.newest()) == 10
    plant.stop_asked.set()


def test_what_waits_behind_a_long_file_goes_back_instead_of_looking_busy(bench: Bench) -> None:
    plant = Plant(bench, concurrency=1)
    jobs = bench.add("long", "b", "c")
    begun, go_on = plant.hold("long")
    plant.deliver(*(message(job) for job in jobs))
    plant.start()
    assert begun.wait(10)
    for held in plant.consumer._in_flight.all():
        held.received_at -= 10
    wait_until(lambda: plant.count(Outcome.RELEASED) == 2)
    assert [bench.job(job).status for job in jobs] == [Status.PROCESSING, Status.PENDING, Status.PENDING]
    assert [bench.job(job).attempts for job in jobs] == [1, 0, 0]
    wait_until(lambda: plant.client.made("change_visibility") == [[("b", 0), ("c", 0)]])
    go_on.set()
    plant.settled(3)
    plant.deliver(*(message(job) for job in jobs[1:]))
    plant.settled(5)
    assert {bench.job(job).status for job in jobs} == {Status.PROCESSED}
    plant.stop()


def test_while_a_file_takes_long_no_more_is_taken_than_can_start(bench: Bench) -> None:
    plant = Plant(bench, concurrency=2)
    (job,) = bench.add("long")
    _, go_on = plant.hold("long")
    plant.deliver(message(job))
    plant.start()
    wait_until(lambda: plant.consumer._pool.longest() > 1)
    plant.client.calls.clear()
    wait_until(lambda: len(plant.client.made("receive")) >= 3)
    assert {limit for limit, _, _ in plant.client.made("receive")[1:]} == {1}
    go_on.set()
    plant.stop()


def test_foreign_messages_before_ours_do_not_keep_us_from_ours(bench: Bench) -> None:
    plant = Plant(bench)
    job = add_sent(bench, "a.txt")
    plant.deliver_foreign(90)
    plant.deliver(message(job))
    plant.start()
    plant.settled(91)
    assert bench.job(job).status is Status.PROCESSED
    plant.stop()


def test_a_hundred_foreign_messages_in_a_row_stop_it_even_if_ours_must_be_behind_them(bench: Bench) -> None:
    plant = Plant(bench)
    add_sent(bench, "a.txt")
    plant.deliver_foreign(100)
    with pytest.raises(KnownError):
        plant.consumer.run(lambda: False)
    plant.stop_asked.set()


def test_a_damaged_database_ends_the_consumer_instead_of_making_it_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(bench)
    (job,) = bench.add("a.txt")

    def damaged(*_: object) -> list[bool]:
        raise StoreDamagedError("It is damaged.")

    monkeypatch.setattr(Work, "finish", damaged)
    plant.deliver(message(job))
    with pytest.raises(StoreDamagedError):
        plant.consumer.run(lambda: False)
    assert plant.client.made("delete") == []
    plant.stop_asked.set()


def test_a_locked_database_while_foreign_messages_come_does_not_end_the_consumer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(bench)
    in_queue = Outbox.in_queue
    away = threading.Event()
    away.set()

    def busy(self: Outbox, queue: str) -> int:
        if away.is_set():
            raise StoreBusyError("Another program holds it locked.")
        return in_queue(self, queue)

    monkeypatch.setattr(Outbox, "in_queue", busy)
    plant.deliver_foreign(10)
    ended: list[KnownError] = []

    def run() -> None:
        try:
            plant.consumer.run(plant.stop_asked.is_set)
        except KnownError as error:
            ended.append(error)

    plant.thread = threading.Thread(target=run)
    plant.start()
    wait_until(lambda: any(state.phase is Phase.WAITING for state in plant.told))
    assert not ended
    away.clear()
    wait_until(lambda: ended)
    assert "not Filemill's" in ended[0].text
    plant.stop()


class CountedEvent(threading.Event):
    """Knows how often it was set."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def set(self) -> None:
        self.times += 1
        super().set()


def test_queue_in_trouble_is_asked_again_after_the_backoff_or_when_told_to(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "next", lambda _: 1000.0)
    tries, control, room, stop = [0], ProcessingControl(), CountedEvent(), threading.Event()

    class Away(FakeConnector):
        def connect(self) -> QueueClient:
            tries[0] += 1
            raise OFFLINE

    consumer = Consumer(
        bench.database,
        Away(FakeClient()),
        Acting(),
        bench.identity,
        options=ConsumerOptions(queue=QUEUE, concurrency=1, work_grace_s=0.1, flush_grace_s=0.1),
        clock=SystemClock(),
        report=lambda _: None,
        control=control,
        foreign=ForeignMessages(),
    )
    consumer._receiver.has_room = room
    thread = threading.Thread(target=consumer.run, args=(stop.is_set,))
    thread.start()
    # There is room all the time, and that is told many times a second.
    wait_until(lambda: tries[0] and room.times > 5)
    assert tries == [1]
    control.try_now()
    wait_until(lambda: tries[0] == 2)
    stop.set()
    thread.join()
