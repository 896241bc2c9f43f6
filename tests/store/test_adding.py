"""The user's changes to the list: add, retry, remove, restore; and deleting removed rows."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_app.domain.job import NewFile, Status
from desktop_app.domain.query import Filter
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.store import adding as intake_module
from desktop_app.store.change_feed import MAX_CHANGES
from desktop_app.store.claims import ClaimOutcome
from desktop_app.store.outbox import enqueue
from tests.helpers import a_reason
from tests.store.kit import LEASE, NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from peewee import Expression

    from desktop_app.domain.job import Job
    from desktop_app.store.database import Database
    from tests.store.kit import Store


class SimulatedCrashError(Exception):
    """Raised in place of a crash of the program."""


def test_added_job_is_pending_with_the_data_of_the_scan(store: Store) -> None:
    added = store.intake.add([NewFile("/data/a.txt", 12, 34)], queue=QUEUE, name="batch", now_ms=NOW)
    (job,) = store.jobs.all()
    assert (job.id,) == added.job_ids
    assert str(uuid.UUID(job.id)) == job.id
    assert (job.batch_id, job.file_path, job.file_size, job.queue) == (added.batch_id, "/data/a.txt", 12, QUEUE)
    assert (job.status, job.generation, job.attempts, job.created_at) == (Status.PENDING, 1, 0, NOW)
    assert (job.reason, job.lines_count, job.message_id, job.sent_at) == (None, None, None, None)
    assert store.column("modified_ns", job) == 34
    assert store.outbox_rows() == [(job.row_id, 1)]


def test_names_of_batches_on_the_list_are_found_by_their_beginning(store: Store) -> None:
    for name in ("Reports", "Reports (2)", "reports", "All Reports", "R%", "\udcff"):
        store.intake.add([NewFile("/data/a.txt", 12, 34)], queue=QUEUE, name=name, now_ms=NOW)
    store.intake.add([], queue=QUEUE, name="Reports of nothing", now_ms=NOW)
    assert store.intake.batch_names("Reports") == {"Reports", "Reports (2)"}
    assert store.intake.batch_names("R%") == {"R%"}
    store.intake.remove(store.jobs.ids(Filter(batches=frozenset({1}))), now_ms=NOW)
    assert store.intake.batch_names("Reports") == {"Reports (2)"}


def test_renamed_batch_is_a_change_that_every_reader_sees(store: Store) -> None:
    one, two, other = (
        store.intake.add([NewFile(f"/{name}{at}", 1, 1) for at in range(count)], queue=QUEUE, name=name, now_ms=NOW)
        for name, count in (("one", 2), ("two", MAX_CHANGES + 1), ("other", 1))
    )
    before = store.jobs.changes.cursor()
    store.intake.rename_batch(one.batch_id, "October\udcff")
    changes = store.jobs.changes.since(before)
    assert [job.batch_name for job in changes.jobs] == ["October\\udcff"] * 2
    store.intake.rename_batch(two.batch_id, "November")
    assert store.jobs.changes.since(changes.cursor).overflow
    assert [batch.name for batch in store.jobs.batches()] == ["other", "November", "October\\udcff"]
    assert [job.batch_name for job in store.jobs.all(Filter(batches=frozenset({other.batch_id})))] == ["other"]


def test_unknown_size_stays_unknown(store: Store) -> None:
    (job,) = store.add("/data/a.txt", size=None)
    assert job.file_size is None


def test_order_given_is_the_order_kept_and_sent(store: Store) -> None:
    paths = [f"/data/{number * 7919 % 450}" for number in range(450)]
    jobs = store.add(*paths)
    assert [job.file_path for job in jobs] == paths
    assert [job.file_path for job in store.jobs.all()] == paths
    assert [row for row, _ in store.outbox_rows()] == row_ids(jobs)
    assert len({job.batch_id for job in jobs}) == 1


PART = 20


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "ROWS_A_PART", PART)


@pytest.mark.usefixtures("small_parts")
def test_large_batch_is_written_in_parts(store: Store) -> None:
    before = store.revision
    store.add(*(f"/data/{number}" for number in range(2 * PART + 1)))
    assert store.revision - before == 3
    assert len({job.revision for job in store.jobs.all()}) == 3


def test_empty_add_is_a_batch_without_jobs(store: Store) -> None:
    added = store.intake.add([], queue=QUEUE, name="nothing", now_ms=NOW)
    assert added.job_ids == ()
    assert store.sql("SELECT id, name, created_at FROM batch") == [(added.batch_id, "nothing", NOW)]


def test_crash_between_job_and_outbox_writes_neither(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object) -> int:
        raise SimulatedCrashError

    monkeypatch.setattr(intake_module, "enqueue", end)
    with pytest.raises(SimulatedCrashError):
        store.add("/data/a.txt")
    assert store.sql("SELECT count(*) FROM job") == [(0,)]
    assert store.sql("SELECT count(*) FROM outbox") == [(0,)]
    assert store.sql("SELECT count(*) FROM batch") == [(0,)]


@pytest.mark.usefixtures("small_parts")
def test_crash_in_a_large_batch_keeps_complete_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def end_at_the_second(database: Database, which: Expression) -> int:
        calls.append(which)
        if len(calls) == 2:
            raise SimulatedCrashError
        return enqueue(database, which)

    monkeypatch.setattr(intake_module, "enqueue", end_at_the_second)
    with pytest.raises(SimulatedCrashError):
        store.add(*(f"/data/{number}" for number in range(PART + 5)))
    assert [job.file_path for job in store.jobs.all()] == [f"/data/{number}" for number in range(PART)]
    assert len(store.outbox_rows()) == PART


HOSTILE = [
    "/data/'; DROP TABLE job; --",
    '/data/"quoted"',
    "/data/100%_done*[a-z]?.txt",
    "/data/line\nbreak\ttab\x1b[31m",
    "/data/<b>bold</b>&amp;",
    "/data/back\\slash\\x41",
    "/data/\u202etxt.exe",
    "/data/日本語 👩\u200d🚀 e\u0301 é",
    "/data/ leading and trailing ",
    "/data/.",
    "/" + "d" * 4000,
    "s3://bucket/key with space?version=1",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_name_is_only_a_name(store: Store, path: str) -> None:
    (job,) = store.add(path)
    assert job.file_path == path
    assert len(store.jobs.all().__next__().file_path) == len(path)


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
@pytest.mark.parametrize(
    "name", [b"caf\xe9.txt", b"\xff\xfe", b"ok\xc3\xa9 broken\xc3", b"\xed\xa0\x80", b"\x80\n\x9f"]
)
def test_name_that_is_not_utf_8_is_read_back_byte_for_byte(store: Store, name: bytes) -> None:
    path = os.fsdecode(b"/data/" + name)
    (job,) = store.add(path)
    assert job.file_path == path
    assert os.fsencode(job.file_path) == b"/data/" + name
    readable, raw = store.sql("SELECT file_path, raw_path FROM job")[0]
    assert "\\x" in readable
    assert raw == b"/data/" + name


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_any_valid_file_name_is_read_back(store: Store, name: bytes) -> None:
    path = os.fsdecode(b"/data/" + name)
    (job,) = store.add(path)
    assert job.file_path == path


def test_batch_name_may_contain_surrogates(store: Store) -> None:
    store.intake.add([], queue=QUEUE, name="caf\udce9 \ud800", now_ms=NOW)
    assert store.sql("SELECT name FROM batch") == [("caf\\udce9 \\ud800",)]


def end_each_way(store: Store) -> list[Job]:
    """Return a pending, a processing, a processed and a failed job."""
    jobs = store.add("/waiting", "/running", "/processed", "/failed")
    store.send()
    store.start(jobs[1])
    store.process(jobs[2])
    store.process(jobs[3], reason="It is gone.")
    return jobs


def test_only_finished_jobs_are_submitted_again(store: Store) -> None:
    jobs = end_each_way(store)
    assert store.intake.retry(row_ids(jobs), queue=QUEUE) == 2
    now = [store.job(job) for job in jobs]
    assert [job.generation for job in now] == [1, 1, 2, 2]
    assert [job.status for job in now] == [Status.PENDING, Status.PROCESSING, Status.PENDING, Status.PENDING]
    assert store.outbox_rows() == [(jobs[2].row_id, 2), (jobs[3].row_id, 2)]


def test_retry_starts_from_a_clean_row(store: Store) -> None:
    (job,) = store.add("/a")
    store.send()
    store.process(job, reason="It is gone.")
    store.intake.retry([job.row_id], queue=QUEUE)
    now = store.job(job)
    assert (now.reason, now.lines_count, now.bytes_done, now.attempts) == (None, None, 0, 0)
    assert (now.message_id, now.sent_at, now.started_at, now.finished_at, now.next_try_at) == (None,) * 5
    assert now.file_size == 10
    assert now.revision == store.revision


def test_retry_to_another_queue_sends_it_there(store: Store) -> None:
    (job,) = store.add("/a")
    store.send()
    store.process(job)
    assert store.intake.retry([job.row_id], queue="another") == 1
    assert store.job(job).queue == "another"
    assert store.take(queue=QUEUE) == []
    assert [entry.generation for entry in store.take(queue="another")] == [2]


def test_message_of_the_submission_before_is_stale_after_a_retry(store: Store) -> None:
    (job,) = store.add("/a")
    store.process(job)
    store.intake.retry([job.row_id], queue=QUEUE)
    assert store.claim(job, generation=1).outcome is ClaimOutcome.STALE
    assert store.claim(job, generation=2).outcome is ClaimOutcome.CLAIMED


def test_retry_moves_a_waiting_entry_to_the_end(store: Store) -> None:
    """The message was sent, but the sender ended before it recorded that."""
    first, second = store.add("/first", "/second")
    store.process(first)
    store.intake.retry([first.row_id], queue=QUEUE)
    assert store.outbox_rows() == [(second.row_id, 1), (first.row_id, 2)]


@pytest.mark.usefixtures("small_parts")
def test_retry_of_many_is_done_in_parts(store: Store) -> None:
    jobs = store.add(*(f"/data/{number}" for number in range(PART + 1)))
    for job in jobs:
        store.process(job)
    before = store.revision
    assert store.intake.retry(row_ids(jobs), queue=QUEUE) == len(jobs)
    assert store.revision - before == 2


def test_retry_of_nothing_and_of_unknown_rows_does_nothing(store: Store) -> None:
    assert store.intake.retry([], queue=QUEUE) == 0
    assert store.intake.retry([99], queue=QUEUE) == 0


def test_jobs_of_any_status_can_be_removed(store: Store) -> None:
    jobs = [*end_each_way(store), *store.add("/unsent")]
    assert store.intake.remove(row_ids(jobs), now_ms=NOW) == 5
    assert list(store.jobs.all()) == []
    assert store.outbox_rows() == []
    assert store.intake.remove(row_ids(jobs), now_ms=NOW) == 0, "they are removed already"


def test_result_is_discarded_when_its_job_is_removed(store: Store) -> None:
    (job,) = store.add("/a")
    token = store.start(job)
    store.intake.remove([job.row_id], now_ms=NOW)
    assert not store.finish(job, token)
    assert not store.work.give_back(job.row_id, token, now_ms=NOW)
    assert store.work.extend([(job.row_id, token)], until_ms=NOW + LEASE) == [False]
    store.intake.restore([job.row_id])
    assert not store.finish(job, token), "the job came back, the worker's right did not"
    assert store.job(job).status is Status.PENDING


def test_message_of_a_removed_job_is_recognized(store: Store) -> None:
    (job,) = store.add("/a")
    store.send()
    store.intake.remove([job.row_id], now_ms=NOW)
    assert store.claim(job).outcome is ClaimOutcome.STALE


def test_removed_job_can_not_be_retried(store: Store) -> None:
    (job,) = store.add("/a")
    store.process(job)
    store.intake.remove([job.row_id], now_ms=NOW)
    assert store.intake.retry([job.row_id], queue=QUEUE) == 0


def test_restored_jobs_are_as_they_were_and_unfinished_ones_are_sent_again(store: Store) -> None:
    jobs = end_each_way(store)
    store.intake.remove(row_ids(jobs), now_ms=NOW)
    assert store.intake.restore(row_ids(jobs)) == 4
    now = [store.job(job) for job in jobs]
    assert [job.status for job in now] == [Status.PENDING, Status.PENDING, Status.PROCESSED, Status.FAILED]
    assert [job.generation for job in now] == [2, 2, 1, 1]
    assert now[2].lines_count == 3
    assert str(now[3].reason) == "It is gone."
    assert [(job.sent_at, job.started_at, job.message_id, job.next_try_at) for job in now[:2]] == [(None,) * 4] * 2
    assert store.outbox_rows() == [(jobs[0].row_id, 2), (jobs[1].row_id, 2)]
    assert store.intake.restore(row_ids(jobs)) == 0, "they are on the list already"


def test_restored_job_has_no_old_reason(store: Store) -> None:
    (job,) = store.add("/a")
    store.send()
    token = store.start(job)
    store.work.give_back(job.row_id, token, reason=a_reason("The share is away."), next_try_at=NOW + 60_000, now_ms=NOW)
    store.intake.remove([job.row_id], now_ms=NOW)
    store.intake.restore([job.row_id])
    now = store.job(job)
    assert (now.reason, now.next_try_at, now.receive_count, now.attempts) == (None, None, 0, 1)


def test_only_rows_removed_long_ago_are_deleted(store: Store) -> None:
    jobs = store.add("/listed", "/old", "/new")
    store.intake.remove([jobs[1].row_id], now_ms=NOW - 1)
    store.intake.remove([jobs[2].row_id], now_ms=NOW)
    assert store.intake.forget_removed(before_ms=NOW) == 1
    assert store.sql("SELECT file_path FROM job ORDER BY id") == [("/listed",), ("/new",)]
    assert store.claim(jobs[1]).outcome is ClaimOutcome.FOREIGN


@pytest.mark.usefixtures("small_parts")
def test_many_removed_rows_are_deleted_in_parts(store: Store) -> None:
    jobs = store.add(*(f"/data/{number}" for number in range(2 * PART + 1)))
    store.intake.remove(row_ids(jobs), now_ms=NOW)
    before = store.revision
    assert store.intake.forget_removed(before_ms=NOW + 1) == len(jobs)
    assert store.revision - before == 3
    assert store.intake.forget_removed(before_ms=NOW + 1) == 0


def test_job_restored_while_others_are_deleted_stays(store: Store, other: Store) -> None:
    jobs = store.add("/gone", "/back")
    store.intake.remove(row_ids(jobs), now_ms=NOW)
    write = store.database.write

    def write_later(*, durable: bool = False) -> object:
        other.intake.restore([jobs[1].row_id])
        return write(durable=durable)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.database, "write", write_later)
        assert store.intake.forget_removed(before_ms=NOW + 1) == 1
    assert [job.file_path for job in store.jobs.all()] == ["/back"]


def test_reason_code_of_a_failed_job_is_kept_over_removal(store: Store) -> None:
    (job,) = store.add("/a")
    (entry,) = store.take()
    store.outbox.refuse(entry, reason=Reason(ReasonCode.MESSAGE_REFUSED, {"why": "Too long."}), now_ms=NOW)
    store.intake.remove([job.row_id], now_ms=NOW)
    store.intake.restore([job.row_id])
    assert store.job(job).problem is FileProblem.NOT_SENT


def test_retry_moves_a_job_waiting_for_another_queue_to_this_one(store: Store) -> None:
    waiting, here, working = store.add("/a", "/b", "/c")
    store.start(working)
    assert store.intake.retry([job.row_id for job in (waiting, here, working)], queue="new") == 2
    assert [store.job(job).queue for job in (waiting, here, working)] == ["new", "new", QUEUE]
    assert store.intake.retry([waiting.row_id], queue="new") == 0, "it waits for this one already"
    assert store.jobs.unfinished_by_queue() == {"new": 2, QUEUE: 1}
    assert {entry.row_id for entry in store.take(queue="new")} == {waiting.row_id, here.row_id}
    assert [entry.row_id for entry in store.take(queue=QUEUE)] == [working.row_id], "it was never sent"


@pytest.mark.usefixtures("small_parts")
def test_large_changes_can_be_stopped_between_parts(store: Store) -> None:
    done: list[int] = []

    def stop_at_the_second(count: int) -> bool:
        done.append(count)
        return len(done) % 2 == 1

    files = [NewFile(f"/data/{number}", 1, 0) for number in range(3 * PART)]
    added = store.intake.add(files, queue=QUEUE, name="", now_ms=NOW, proceed=stop_at_the_second)
    assert len(added.job_ids) == 2 * PART
    keys = list(store.jobs.ids())
    assert store.intake.remove([*keys, *range(1_000, 1_100)], now_ms=1, proceed=stop_at_the_second) == 2 * PART
    assert store.intake.restore([*keys, 1_000], proceed=stop_at_the_second) == 2 * PART
    store.add(*(f"/more/{number}" for number in range(PART)))
    keys = list(store.jobs.ids())
    assert store.intake.retry(keys, queue="another", proceed=stop_at_the_second) == 2 * PART
    assert done == [PART, 2 * PART] * 4
    assert sum(job.queue == "another" for job in store.jobs.all()) == 2 * PART


def test_only_jobs_removed_at_these_times_are_restored(store: Store) -> None:
    keys = row_ids(store.add("/a", "/b", "/c"))
    for now_ms, key in enumerate(keys, NOW):
        store.intake.remove([key], now_ms=now_ms)
    assert store.intake.restore(keys, removed_at={NOW, NOW + 2}) == 2
    assert list(store.jobs.ids()) == [keys[0], keys[2]]


def test_only_processed_jobs_that_ended_long_ago_are_removed(store: Store) -> None:
    old, edge, new, failed, waiting, running, retried, gone = store.add(*(f"/data/{name}" for name in "abcdefgh"))
    for job, ended in ((old, NOW), (edge, NOW + 10), (new, NOW + 11), (retried, NOW), (gone, NOW)):
        store.process(job, now=ended)
    store.process(failed, reason="No.", now=NOW)
    store.start(running, now=NOW)
    store.intake.retry([retried.row_id], queue=QUEUE)
    store.intake.remove([gone.row_id], now_ms=NOW + 5)
    assert store.intake.remove_processed(before_ms=NOW + 10, limit=100, now_ms=NOW + 20) == 1
    assert [job.row_id for job in store.jobs.all()] == row_ids([edge, new, failed, waiting, running, retried])
    assert (store.column("removed_at", old), store.column("removed_at", gone)) == (NOW + 20, NOW + 5)
    assert store.intake.restore([old.row_id]) == 1
    assert store.job(old).status is Status.PROCESSED


def test_old_jobs_are_removed_oldest_first_in_short_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "ROWS_A_PART", 2)
    jobs = store.add(*(f"/data/{number}" for number in range(6)))
    for age, job in enumerate(jobs):
        store.process(job, now=NOW - age)
    before = store.revision
    assert store.intake.remove_processed(before_ms=NOW + 1, limit=5, now_ms=NOW + 1) == 5
    assert [job.row_id for job in store.jobs.all()] == row_ids(jobs[:1])
    assert store.revision == before + 3
    assert store.intake.remove_processed(before_ms=NOW + 1, limit=5, now_ms=NOW + 1) == 1


def test_job_that_is_retried_while_old_ones_are_removed_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = store.add("/data/a")
    store.process(job, now=NOW)

    def retry_first(keys: list[int], _: int) -> list[list[int]]:
        store.sql("UPDATE job SET status = 0, finished_at = NULL")
        return [keys]

    monkeypatch.setattr(intake_module, "parts", retry_first)
    assert store.intake.remove_processed(before_ms=NOW + 1, limit=5, now_ms=NOW + 1) == 0
    assert store.job(job).status is Status.PENDING
