"""The whole consumer, on a real database and a queue with scripted responses."""

from __future__ import annotations

import math
import sys
import threading
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import (
    Cause,
    FileError,
    KnownError,
    QueueTrouble,
    StoreBusyError,
    StoreDamagedError,
)
from desktop_app.domain.job import Job, Status
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.registry import FileResult
from desktop_app.queues.messages import MAX_ENTRIES, EntryResult, FileMessage, encode
from desktop_app.services.consuming.consumer import LONG_SECONDS, Consumer, ConsumerOptions
from desktop_app.services.consuming.foreign_messages import HIDDEN_SECONDS, ForeignMessages
from desktop_app.services.consuming.in_flight import InFlightMessage, InFlightMessages, MessageGroups, Outcome
from desktop_app.services.consuming.publisher import Publisher
from desktop_app.services.consuming.results import Committer, _may_pass
from desktop_app.services.consuming.worker_pool import Done, WorkerPool
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import Backoff, Phase, StopRequest
from desktop_app.store.claims import Claims
from desktop_app.store.outbox import Outbox, Sent
from desktop_app.store.results import Result, Work
from tests.helpers import a_reason, as_claimed, wait_until
from tests.helpers.fakes import OFFLINE, FakeClient, FakeConnector, ScriptedProcessing, in_use, received
from tests.services.conftest import QUEUE
from tests.services.consuming.running_consumer import RunningConsumer, message, suspect

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.queues.client import QueueClient
    from desktop_app.services.consuming.acknowledger import Acknowledger
    from tests.services.conftest import ServicesSetup


def add_sent(services: ServicesSetup, name: str) -> Job:
    """Submit a file whose message has been sent."""
    (job,) = services.add(name)
    now_ms = services.clock.now_ms()
    (entry,) = services.outbox.claim(queue=QUEUE, owner="s", limit=1, now_ms=now_ms, claim_ms=1)
    services.outbox.mark_sent([Sent(entry, "m")], now_ms=now_ms)
    return job


def test_message_becomes_a_result_and_is_deleted_after_the_commit(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    running.deliver(message(job))
    running.start()
    running.settled(1)
    done = running.services.job(job)
    assert (done.status, done.lines_count, done.file_size, done.attempts) == (Status.PROCESSED, 2, 4, 1)
    assert done.message_id == "m"
    assert running.client.made("delete") == [["a.txt"]]
    assert [state.phase for state in running.told][:2] == [Phase.STARTING, Phase.RUNNING]
    running.stop()
    assert running.told[-1].phase is Phase.STOPPED


def test_file_that_can_not_be_processed_fails_with_its_reason(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    (running.services.folder / "a.txt").unlink()
    running.deliver(message(job))
    running.start()
    running.settled(1)
    done = running.services.job(job)
    assert (done.status, done.problem, done.lines_count) == (Status.FAILED, FileProblem.MISSING, None)
    assert str(done.reason) == "The file no longer exists"
    assert running.count(Outcome.FAILED) == 1
    assert running.client.made("delete") == [["a.txt"]]


def test_duplicate_is_deleted_and_not_processed_again(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    running.deliver(message(job, handle="1"))
    running.deliver(message(job, handle="2"))
    running.start()
    running.settled(2)
    assert running.registry.began == ["a.txt"]
    assert running.count(Outcome.PROCESSED) + running.count(Outcome.DUPLICATE) + running.count(Outcome.RETRIED) == 2


def test_old_generation_is_deleted_unprocessed(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    claim = running.services.claim(job)
    result = Result(job.row_id, claim.token, running.services.clock.now_ms(), reason=a_reason("x"))
    Work(running.services.database).finish([result])
    running.services.intake.retry([job.row_id], queue=QUEUE)
    running.deliver(message(job, generation=1, handle="old"), message(job, generation=2, handle="new"))
    running.start()
    running.settled(2)
    assert (running.count(Outcome.STALE), running.count(Outcome.PROCESSED)) == (1, 1)


@pytest.mark.parametrize(
    "body", ["", "not json", "[]", '{"v":1}', encode(FileMessage("0" * 8 + "-0000-0000-0000-" + "0" * 12, 1))]
)
def test_foreign_message_is_not_deleted(running: RunningConsumer, body: str) -> None:
    (job,) = running.services.add("a.txt")
    running.deliver(received(body, handle="foreign"), message(job))
    running.start()
    running.settled(2)
    assert running.count(Outcome.FOREIGN) == 1
    assert running.client.made("delete") == [["a.txt"]]
    assert running.client.made("change_visibility") == []


def test_message_of_a_row_in_work_is_hidden_until_its_lease_can_have_expired(
    running: RunningConsumer,
) -> None:
    (job,) = running.services.add("a.txt")
    running.services.claim(job)
    running.deliver(message(job))
    running.start()
    running.settled(1)
    ((change,),) = running.client.made("change_visibility")
    assert change[0] == "a.txt"
    assert 15 <= change[1] <= 23
    assert running.registry.began == []


def test_temporary_error_is_retried_later_and_shown(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    running.registry.acts["a.txt"] = in_use
    running.deliver(message(job))
    running.start()
    running.settled(1)
    waiting = running.services.job(job)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 1)
    assert str(waiting.reason) == "Another program is using this file; attempt 2 of 5 will follow"
    assert waiting.next_try_at is not None
    ((change,),) = running.client.made("change_visibility")
    assert 1 <= change[1] <= 5
    assert running.count(Outcome.RETRIED) == 1


def test_temporary_error_fails_after_five_attempts(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    running.registry.acts["a.txt"] = in_use
    running.start()
    for number in range(1, 6):
        running.deliver(message(job))
        running.settled(number)
    failed = running.services.job(job)
    assert (failed.status, failed.attempts) == (Status.FAILED, 5)
    assert str(failed.reason) == "Another program is using this file (gave up after 5 attempts)"


def test_slow_file_does_not_delay_the_others(running: RunningConsumer) -> None:
    jobs = running.services.add("slow.txt", *(f"{n}.txt" for n in range(20)))
    _, go_on = running.hold("slow.txt")
    for start in range(0, 21, 7):
        running.deliver(*(message(job) for job in jobs[start : start + 7]))
    running.start()
    wait_until(lambda: running.count(Outcome.PROCESSED) == 20)
    assert running.services.job(jobs[0]).status is Status.PROCESSING
    go_on.set()
    running.settled(21)


def test_lost_lease_cancels_the_work_and_nothing_is_written_or_deleted(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    begun = threading.Event()

    def watched(watch: Watch) -> FileResult:
        begun.set()
        wait_until(watch.cancelled)
        raise Cancelled

    running.registry.acts["a.txt"] = watched
    running.deliver(message(job))
    running.start()
    assert begun.wait(10)
    (held,) = running.consumer._in_flight.all()
    running.client.script("change_visibility", [EntryResult(trouble=QueueTrouble.LEASE_LOST)])
    held.expires = 0
    running.settled(1)
    assert running.count(Outcome.LOST) == 1
    assert running.client.made("delete") == []
    assert running.services.job(job).status is Status.PENDING, "the row is free for whoever has the message now"


def test_file_removed_while_it_is_read_stays_removed_and_its_message_is_deleted(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    begun, go_on = running.hold("a.txt")
    running.deliver(message(job))
    running.start()
    assert begun.wait(10)
    running.services.intake.remove([job.row_id], now_ms=running.services.clock.now_ms())
    go_on.set()
    running.settled(1)
    assert running.services.jobs.page([job.row_id]) == {}
    assert running.count(Outcome.STALE) == 1
    assert running.client.made("delete") == [["a.txt"]]


def test_order_in_a_fifo_group_is_kept_after_a_failure(services: ServicesSetup) -> None:
    running = RunningConsumer(services, concurrency=4)
    jobs = services.add("a1", "a2", "a3", "b1")
    tries = iter([FileError(Reason(ReasonCode.NOT_DELIVERED), passing=True), None])

    def once(_: Watch) -> FileResult:
        error = next(tries)
        if error:
            raise error
        return FileResult(4, 2)

    running.registry.acts["a1"] = once
    a1, a2, a3, b1 = jobs
    running.deliver(*(message(job, group="a") for job in (a1, a2, a3)), message(b1, group="b"))
    running.start()
    running.settled(4)
    assert running.registry.began in (["a1", "b1"], ["b1", "a1"])
    given_back = [handle for batch in running.client.made("change_visibility") for handle, _ in batch]
    assert given_back == ["a1", "a2", "a3"]
    assert [services.job(job).attempts for job in (a1, a2, a3)] == [1, 0, 0]
    running.deliver(*(message(job, group="a") for job in (a1, a2, a3)))
    running.settled(7)
    assert running.registry.began[2:] == ["a1", "a2", "a3"]
    running.stop()


def test_number_of_files_at_once_changes_while_it_runs(services: ServicesSetup) -> None:
    control = ProcessingControl()
    running = RunningConsumer(services, concurrency=1, control=control)
    jobs = services.add("a", "b", "c")
    (a_begun, a_ends), (b_begun, b_ends) = running.hold("a"), running.hold("b")
    running.deliver(*(message(job) for job in jobs))
    running.start()
    assert a_begun.wait(10)
    assert not b_begun.is_set()
    control.concurrency = 2
    assert b_begun.wait(10)
    a_ends.set()
    b_ends.set()
    running.settled(3)
    running.stop()


def test_idle_consumer_stops_at_once_during_its_poll(services: ServicesSetup) -> None:
    running = RunningConsumer(services)
    poll_ends = threading.Event()

    def long_poll() -> None:
        running.polling.set()
        poll_ends.wait(20)

    running.client.on_receive = long_poll
    running.start()
    assert running.polling.wait(5)
    running.stop(within=2)
    poll_ends.set()


def test_stop_releases_waiting_messages_in_order_and_lets_running_work_end(services: ServicesSetup) -> None:
    running = RunningConsumer(services, concurrency=1)
    jobs = services.add("a", "b", "c")
    begun, go_on = running.hold("a")
    running.deliver(*(message(job) for job in jobs))
    running.start()
    assert begun.wait(10)
    wait_until(lambda: running.observer.in_flight == 3)
    running.stop_asked.set()
    wait_until(lambda: running.count(Outcome.RELEASED) == 2)
    go_on.set()
    running.stop()
    assert [services.job(job).status for job in jobs] == [Status.PROCESSED, Status.PENDING, Status.PENDING]
    assert [services.job(job).attempts for job in jobs] == [1, 0, 0]
    assert running.client.made("change_visibility") == [[("b", 0), ("c", 0)]]
    assert running.client.made("delete") == [["a"]]
    assert running.observer.unsettled == 0


def test_stop_releases_a_hung_read_and_rejects_its_late_result(running: RunningConsumer) -> None:
    (job,) = running.services.add("a")
    begun, go_on = running.hold("a")
    running.deliver(message(job))
    running.start()
    assert begun.wait(10)
    running.stop(within=5)
    assert running.services.job(job).status is Status.PENDING
    assert running.client.made("change_visibility") == [[("a", 0)]]
    go_on.set()
    assert running.count(Outcome.RELEASED) == 1


def test_nothing_is_received_and_no_result_lost_while_the_database_is_unavailable(
    running: RunningConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = running.services.add("a.txt", "b.txt")
    finish = Work.finish
    away = threading.Event()
    away.set()

    def busy(self: Work, results: object) -> list[bool]:
        if away.is_set():
            raise StoreBusyError("Another program holds it locked.")
        return finish(self, results)  # type: ignore[arg-type]

    monkeypatch.setattr(Work, "finish", busy)
    running.deliver(message(jobs[0]))
    running.start()
    wait_until(lambda: any(state.phase is Phase.WAITING for state in running.told))
    assert running.client.made("delete") == []
    polls = len(running.client.made("receive"))
    wait_until(lambda: running.told[-1].tries >= 2)
    assert len(running.client.made("receive")) <= polls + 1
    away.clear()
    running.deliver(message(jobs[1]))
    running.settled(2)
    assert [running.services.job(job).status for job in jobs] == [Status.PROCESSED, Status.PROCESSED]
    assert running.told[-1].phase is Phase.RUNNING


def test_messages_whose_rows_can_not_be_claimed_are_released_briefly(
    running: RunningConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = running.services.add("a.txt")
    claim = Claims.claim
    fails = iter([True])

    def busy(self: Claims, requests: object, **arguments: object) -> object:
        if requests and next(fails, False):
            raise StoreBusyError("Another program holds it locked.")
        return claim(self, requests, **arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Claims, "claim", busy)
    running.deliver(message(job))
    running.start()
    running.settled(1)
    assert running.client.made("change_visibility") == [[("a.txt", 5)]]
    assert running.count(Outcome.RELEASED) == 1
    running.deliver(message(job))
    running.settled(2)
    assert running.services.job(job).status is Status.PROCESSED


def test_files_of_a_killed_program_are_free_at_once(running: RunningConsumer) -> None:
    job = suspect(running, "a.txt")
    running.start()
    wait_until(lambda: running.services.job(job).status is Status.PENDING)
    running.deliver(message(job))
    running.settled(1)
    assert (running.services.job(job).status, running.services.job(job).attempts) == (Status.PROCESSED, 2)


def test_large_files_report_progress(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    go_on = threading.Event()

    def slow(watch: Watch) -> FileResult:
        watch.on_progress(50, 100)
        go_on.wait(10)
        return FileResult(100, 2)

    running.registry.acts["a.txt"] = slow
    running.deliver(message(job))
    running.start()
    wait_until(lambda: running.services.job(job).bytes_done == 50)
    assert running.services.job(job).file_size == 100
    go_on.set()
    running.settled(1)
    assert running.services.job(job).bytes_done == 100


def test_no_more_slow_files_are_received_than_can_start(services: ServicesSetup) -> None:
    running = RunningConsumer(services, concurrency=1)
    running.consumer._pool.usual_seconds = 5
    running.start()
    assert running.polling.wait(5)
    assert running.client.made("receive")[0][0] == 1
    running.stop()


def test_path_comes_from_the_row_and_never_from_the_message(running: RunningConsumer, tmp_path: Path) -> None:
    (job,) = running.services.add("a.txt")
    (tmp_path / "secret").write_text("x")
    body = encode(FileMessage(job.id, 1)).replace("}", f',"file_path":"{tmp_path / "secret"}"}}')
    running.deliver(received(body, handle="h"))
    running.start()
    running.settled(1)
    assert running.count(Outcome.FOREIGN) == 1
    assert running.registry.began == []


def test_file_in_work_when_a_program_was_killed_is_processed_in_a_child_process(
    running: RunningConsumer,
) -> None:
    job = suspect(running, "a.txt")
    running.start()
    wait_until(lambda: running.services.job(job).status is Status.PENDING)
    running.deliver(message(job))
    running.settled(1)
    assert running.registry.began == []
    assert (running.services.job(job).status, running.services.job(job).lines_count) == (Status.PROCESSED, 2)


def test_file_that_crashes_its_process_fails_after_three_attempts_and_others_continue(services: ServicesSetup) -> None:
    running = RunningConsumer(services)
    job = suspect(running, "bad.txt")
    (good,) = services.add("good.txt")
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    running.consumer._pool._new_helper = partial(HelperProcess, killed)
    running.start()
    wait_until(lambda: services.job(job).status is Status.PENDING)
    running.deliver(message(job), message(good))
    running.settled(2)
    waiting = services.job(job)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 2)
    assert (
        str(waiting.reason)
        == "Filemill exited unexpectedly while it was processing this file; attempt 3 of 3 will follow"
    )
    running.deliver(message(job))
    running.settled(3)
    failed = services.job(job)
    assert (failed.status, failed.attempts, failed.problem) == (Status.FAILED, 3, "crashed")
    assert services.job(good).status is Status.PROCESSED
    running.stop()


def test_new_message_of_long_work_replaces_the_old_one(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    begun, go_on = running.hold("a.txt")
    running.deliver(message(job, handle="old"))
    running.start()
    assert begun.wait(10)
    (held,) = running.consumer._in_flight.all()
    held.awaits_message = True
    running.deliver(message(job, handle="new"))
    wait_until(lambda: held.received.receipt_handle == "new")
    go_on.set()
    running.settled(2)
    assert running.client.made("delete") == [["new"]]
    assert (running.count(Outcome.DUPLICATE), running.count(Outcome.PROCESSED)) == (1, 1)


def test_frequently_delivered_message_of_a_row_in_work_waits_long(running: RunningConsumer) -> None:
    (job,) = running.services.add("a.txt")
    running.services.claim(job)
    running.deliver(received(encode(FileMessage(job.id, 1)), handle="h", count=8))
    running.start()
    running.settled(1)
    (((_, seconds),),) = running.client.made("change_visibility")
    assert 256 <= seconds <= 260


def test_queue_full_of_foreign_messages_stops_the_consumer_with_a_plain_text(services: ServicesSetup) -> None:
    running = RunningConsumer(services)
    running.deliver_foreign(10)
    with pytest.raises(KnownError, match="messages from another program"):
        running.consumer.run(StopRequest())
    assert running.count(Outcome.FOREIGN) == 10
    assert running.client.made("delete") == running.client.made("change_visibility") == []
    assert running.told[-1].phase is Phase.STOPPED
    assert len(running.foreign.newest()) == 10
    running.stop_asked.set()


def test_messages_behind_a_large_file_are_released(services: ServicesSetup) -> None:
    running = RunningConsumer(services, concurrency=1)
    jobs = services.add("long", "b", "c")
    begun, go_on = running.hold("long")
    running.deliver(*(message(job) for job in jobs))
    running.start()
    assert begun.wait(10)
    for held in running.consumer._in_flight.all():
        held.received_at -= 10
    wait_until(lambda: running.count(Outcome.RELEASED) == 2)
    assert [services.job(job).status for job in jobs] == [Status.PROCESSING, Status.PENDING, Status.PENDING]
    assert [services.job(job).attempts for job in jobs] == [1, 0, 0]
    wait_until(lambda: running.client.made("change_visibility") == [[("b", 0), ("c", 0)]])
    go_on.set()
    running.settled(3)
    running.deliver(*(message(job) for job in jobs[1:]))
    running.settled(5)
    assert {services.job(job).status for job in jobs} == {Status.PROCESSED}
    running.stop()


def test_files_are_received_ahead_for_threads_without_a_long_file_only(services: ServicesSetup) -> None:
    running = RunningConsumer(services, concurrency=2)
    jobs = services.add("long", "longer")
    held = [running.hold(name) for name in ("long", "longer")]
    consumer = running.consumer
    running.deliver(message(jobs[0]))
    running.start()
    wait_until(lambda: consumer._pool.count_long(LONG_SECONDS) == 1)
    assert consumer._room() > MAX_ENTRIES, "small files do not wait for large ones"
    running.deliver(message(jobs[1]))
    wait_until(lambda: consumer._pool.count_long(LONG_SECONDS) == 2)
    assert consumer._room() == 0
    for _, go_on in held:
        go_on.set()
    running.stop()


def test_foreign_messages_in_front_do_not_block_own_messages(services: ServicesSetup) -> None:
    running = RunningConsumer(services)
    job = add_sent(services, "a.txt")
    running.deliver_foreign(90)
    running.deliver(message(job))
    running.start()
    running.settled(91)
    assert services.job(job).status is Status.PROCESSED
    running.stop()


def made_visible(running: RunningConsumer) -> set[str]:
    return {
        handle for changes in running.client.made("change_visibility") for handle, seconds in changes if not seconds
    }


def test_foreign_messages_in_front_of_own_ones_are_reported_and_hidden_until_ours_arrives(
    services: ServicesSetup,
) -> None:
    running = RunningConsumer(services)
    job = add_sent(services, "a.txt")
    running.deliver_foreign(250)
    running.start()
    wait_until(lambda: any("holding up your files" in state.text for state in running.told))
    assert running.told[-1].phase is Phase.WAITING
    assert running.told[-1].error is not None
    assert running.told[-1].error.cause is Cause.FOREIGN
    wait_until(lambda: running.count(Outcome.FOREIGN) == 250)
    running.deliver(message(job))
    wait_until(lambda: services.job(job).status is Status.PROCESSED)
    wait_until(lambda: running.told[-1].phase is Phase.RUNNING)
    wait_until(lambda: not running.foreign.has_hidden and running.observer.in_flight == 0)
    changes = [change for changes in running.client.made("change_visibility") for change in changes]
    hidden = [handle for handle, seconds in changes if seconds == HIDDEN_SECONDS]
    assert len(hidden) >= 200
    wait_until(lambda: made_visible(running) == set(hidden))
    wait_until(lambda: running.client.made("delete") == [["a.txt"]])
    running.stop()


def test_hidden_messages_are_not_received_again_by_a_drain_and_made_visible_after_it(services: ServicesSetup) -> None:
    running = RunningConsumer(services)
    job = add_sent(services, "a.txt")
    running.deliver_foreign(50)
    running.deliver(message(job))
    running.consumer.drain()
    running.start()
    wait_until(lambda: services.job(job).status is Status.PROCESSED)
    running.deliver_foreign(10)
    wait_until(lambda: running.consumer.is_drained)
    assert running.foreign.has_hidden
    assert not made_visible(running)
    running.stop()
    changes = [change for changes in running.client.made("change_visibility") for change in changes]
    hidden = {handle for handle, seconds in changes if seconds >= HIDDEN_SECONDS}
    assert hidden
    assert made_visible(running) == hidden


@pytest.mark.parametrize(("group", "count"), [("filemill", 2), ("another", 0)])
def test_group_of_the_strict_order_is_left_if_a_foreign_message_blocks_it(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch, group: str, count: int
) -> None:
    monkeypatch.setattr("desktop_app.services.consuming.consumer.NOTE_POLLS_SECONDS", 0.01)
    running = RunningConsumer(services, keeps_order=True)
    add_sent(services, "a.txt")
    add_sent(services, "b.txt")
    running.start()
    wait_until(lambda: running.foreign.own_group == "filemill")
    running.deliver(received("not ours", group=group))
    running.settled(1)
    wait_until(lambda: services.outbox.waiting(QUEUE) == count)
    wait_until(lambda: (running.foreign.own_group == "filemill") == (not count))
    running.stop()


def test_shared_queue_without_own_files_is_left_alone_until_a_file_is_added(services: ServicesSetup) -> None:
    running = RunningConsumer(services)
    running.foreign.tolerate()
    running.deliver_foreign(10)
    running.start()
    running.settled(10)
    calls = len(running.client.calls)
    assert running.consumer._room() == 0
    job = add_sent(services, "a.txt")
    running.deliver(message(job))
    running.settled(11)
    assert services.job(job).status is Status.PROCESSED
    assert len(running.client.calls) > calls
    running.stop()


def test_damaged_database_keeps_the_message_until_the_database_is_restored(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = RunningConsumer(services)
    (job,) = services.add("a.txt")
    finish, errors = Work.finish, [StoreDamagedError("It is damaged.")]

    def damaged_at_first(work: Work, results: list[Result]) -> list[bool]:
        if errors:
            raise errors.pop()
        return finish(work, results)

    monkeypatch.setattr(Work, "finish", damaged_at_first)
    running.deliver(message(job))
    with running:
        running.start()
        running.settled(1)
    assert running.count(Outcome.PROCESSED) == 1
    assert "It is damaged." in [state.text for state in running.told]


def test_locked_database_during_foreign_messages_does_not_end_the_consumer(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = RunningConsumer(services)
    has_unfinished = Outbox.has_unfinished
    away = threading.Event()
    away.set()

    def busy(self: Outbox, queue: str) -> bool:
        if away.is_set():
            raise StoreBusyError("Another program holds it locked.")
        return has_unfinished(self, queue)

    monkeypatch.setattr(Outbox, "has_unfinished", busy)
    running.deliver_foreign(10)
    ended: list[KnownError] = []

    def run() -> None:
        try:
            running.consumer.run(running.stop_asked)
        except KnownError as error:
            ended.append(error)

    running.thread = threading.Thread(target=run)
    running.start()
    wait_until(lambda: any(state.phase is Phase.WAITING for state in running.told))
    assert not ended
    away.clear()
    wait_until(lambda: ended)
    assert "messages from another program" in ended[0].text
    running.stop()


class CountedEvent(threading.Event):
    """An event that counts how often it was set."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def set(self) -> None:
        self.times += 1
        super().set()


def test_failing_queue_is_called_again_after_the_backoff_or_on_request(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "next", lambda _: 1000.0)
    tries, control, room, stop = [0], ProcessingControl(), CountedEvent(), StopRequest()

    class Away(FakeConnector):
        def connect(self) -> QueueClient:
            tries[0] += 1
            raise OFFLINE

    consumer = Consumer(
        services.database,
        Away(FakeClient()),
        ScriptedProcessing(),
        services.identity,
        options=ConsumerOptions(queue=QUEUE, concurrency=1, work_grace_s=0.1, flush_grace_s=0.1),
        clock=SystemClock(),
        report=lambda _: None,
        control=control,
        foreign=ForeignMessages(),
    )
    consumer._receiver._has_room = room
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    # There is always room, and this is signalled often.
    while not tries[0] or room.times <= 5:
        consumer._wake()
        threading.Event().wait(0.001)
    assert tries == [1]
    control.try_now()
    wait_until(lambda: tries[0] == 2)
    stop.set()
    thread.join()


SILENT = FileError(Reason(ReasonCode.SHARE_SILENT, {"place": "/mnt/nas"}), passing=True)


@pytest.mark.parametrize(
    ("group", "is_resent"), [("", True), ("own", True), ("filemill", False)], ids=["standard", "FIFO", "strict order"]
)
def test_message_of_a_silent_share_is_replaced_later_except_in_strict_order(
    services: ServicesSetup, group: str, is_resent: bool
) -> None:
    job = add_sent(services, "a.txt")
    group = job.id if group == "own" else group
    acknowledged: list[tuple[str, int]] = []
    in_flight, groups = InFlightMessages(), MessageGroups()
    acknowledger = SimpleNamespace(
        delete=lambda _: acknowledged.append(("delete", 0)),
        release=lambda _, seconds: acknowledged.append(("release", seconds)),
    )
    committer = Committer(
        Work(services.database),
        in_flight=in_flight,
        acknowledger=cast("Acknowledger", acknowledger),
        groups=groups,
        pool=cast("WorkerPool", None),
        publisher=Publisher(None, Work(services.database), owner="", is_alive=lambda _: True),
        clock=services.clock,
    )
    one = InFlightMessage(received(group=group), math.inf)
    one.take_claim(services.claim(job))
    groups.enter(one)
    committer.take(Done(one, error=SILENT, retry_after_s=60, was_tried=False))
    committer.put_back()
    waiting = services.job(job)
    assert (waiting.status, waiting.reason, waiting.attempts) == (Status.PENDING, SILENT.reason, 0)
    assert waiting.next_try_at is not None
    seconds = (waiting.next_try_at - services.clock.now_ms()) / 1000
    if is_resent:
        assert acknowledged == [("delete", 0)]
        assert services.outbox.waiting(QUEUE) == 1
        assert 60 <= seconds <= 66 if not group else seconds >= 300, "after the deduplication interval"
    else:
        assert acknowledged == [("release", int(seconds))]
        assert services.outbox.waiting(QUEUE) == 0


def test_silent_share_is_tried_without_limit(services: ServicesSetup) -> None:
    job = as_claimed(replace(add_sent(services, "a.txt"), attempts=1_000))
    assert _may_pass(SILENT, job)
    assert not _may_pass(FileError(Reason(ReasonCode.IN_USE), passing=True), job)
