"""Processors of jobs: what a job is processed with, what a result contains, and who can process it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.fields import Choice, Field, Value, stored_result
from desktop_app.domain.job import NewFile, Status
from desktop_app.domain.reasons import ReasonCode
from desktop_app.store.claims import FIRST_LEFT_MS, ClaimOutcome, ClaimRequest, Claims
from desktop_app.store.outbox import Outbox, Sent
from desktop_app.store.processors import MOST_FIELDS, SEEN_MS, WorkerProcessors
from desktop_app.store.results import Result, Work
from tests.store.kit import LEASE, NOW, QUEUE, Store

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from desktop_app.store.claims import Claim

HASHES = {"lines": 1, "checksum": 4}


def add(store: Store, *paths: str, processor: str = "checksum", options: str = '{"algorithm":"md5"}') -> list[Job]:
    files = [NewFile(path, 10, None) for path in paths]
    added = store.intake.add(files, queue=QUEUE, name="b", now_ms=NOW, choice=Choice(processor, options))
    return [store.jobs.find(job_id)[0] for job_id in added.job_ids]


def claim(
    store: Store, job: Job, versions: dict[str, int], *, worker: str = "here/1", now: int = NOW, group: str = ""
) -> Claim:
    request = ClaimRequest(job.id, store.job(job).generation, "m", 1, group)
    return Claims(store.database, versions).claim([request], worker=worker, now_ms=now, lease_ms=LEASE)[0]


def test_job_is_claimed_with_its_processor_and_options(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    found = claim(store, job, HASHES)
    assert found.job is not None
    assert (found.job.processor, found.job.options) == ("checksum", '{"algorithm":"md5"}')
    assert (store.job(job).processor, store.job(job).processor_version) == ("checksum", 4)


def test_result_is_stored_and_its_fields_are_known(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    token = claim(store, job, HASHES).token
    values: dict[str, Value] = {"sha256": "ab", "verified": True, "share": 0.5, "rows": 3}
    result = Result(job.row_id, token, NOW, 10, values=values, processor="checksum")
    assert store.work.finish([result]) == [True]
    assert store.job(job).result == values
    assert store.job(job).lines_count is None
    known = WorkerProcessors(store.database).fields()
    assert {(name, field.name, field.kind) for name, field in known} == {
        ("checksum", "sha256", str),
        ("checksum", "verified", bool),
        ("checksum", "share", float),
        ("checksum", "rows", int),
    }


def test_declared_titles_of_fields_replace_what_results_have_shown(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    values = {"rows": 3}
    result = Result(job.row_id, claim(store, job, HASHES).token, NOW, values=values, processor="checksum")
    store.work.finish([result])
    announce(store, "here/1", HASHES, rows=Field("rows", int, "Rows", "rows"))
    Work(store.database).finish([result])
    assert WorkerProcessors(store.database).fields() == [("checksum", Field("rows", int, "Rows", "rows"))]


def announce(store: Store, worker: str, versions: dict[str, int], *, now: int = NOW, **fields: Field) -> None:
    WorkerProcessors(store.database).announce(
        worker, queue=QUEUE, versions=versions, fields={"checksum": fields.values()}, now_ms=now
    )


def test_worker_without_the_processor_leaves_the_job_and_counts_no_attempt(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    found = claim(store, job, {"lines": 1})
    assert (found.outcome, found.is_resent) == (ClaimOutcome.UNABLE, True)
    left = store.job(job)
    assert (left.status, left.attempts, left.sent_at) == (Status.PENDING, 0, None)
    assert store.jobs.attempts(job.row_id) == []
    assert left.reason is not None
    assert str(left.reason) == "“checksum” is not available on here; it waits for a worker that has it"
    assert store.take() == [], "not yet"
    assert [entry.file_id for entry in store.take(now=NOW + FIRST_LEFT_MS)] == [job.id]


def test_row_says_which_workers_could_process_it(store: Store) -> None:
    announce(store, "there/1", HASHES)
    announce(store, "there/2", HASHES)
    announce(store, "elsewhere/3", {"lines": 1})
    (job,) = add(store, "/a")
    store.send()
    claim(store, job, {"lines": 1})
    assert str(store.job(job).reason) == "“checksum” is not available on here; it waits for there"


@pytest.mark.parametrize("way", ["withdrawn", "silent"])
def test_worker_that_has_stopped_is_not_named(store: Store, way: str) -> None:
    announce(store, "there/1", HASHES)
    (job,) = add(store, "/a")
    store.send()
    now = NOW + (SEEN_MS + 1 if way == "silent" else 0)
    if way == "withdrawn":
        WorkerProcessors(store.database).withdraw("there/1")
    claim(store, job, {"lines": 1}, now=now)
    reason = store.job(job).reason
    assert reason is not None
    assert reason.code is ReasonCode.NO_WORKER


def test_job_that_was_left_is_sent_at_once_when_the_processor_is_there(store: Store) -> None:
    jobs = [*add(store, "/a"), *add(store, "/b", processor="image", options="")]
    store.send()
    for job in jobs:
        claim(store, job, {"lines": 1})
    assert Outbox(store.database).bring_left_forward(queue=QUEUE, processors=HASHES, now_ms=NOW + 1) == 1
    assert [entry.file_id for entry in store.take(now=NOW + 1)] == [jobs[0].id]
    store.send(now=NOW + 1)
    assert claim(store, jobs[0], HASHES).outcome is ClaimOutcome.CLAIMED
    assert store.job(jobs[0]).reason is None


def test_message_of_a_strict_order_is_released_not_sent_again(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    found = claim(store, job, {"lines": 1}, group="all")
    assert (found.outcome, found.is_resent) == (ClaimOutcome.UNABLE, False)
    assert store.outbox_rows() == []


def test_job_is_retried_with_another_processor(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    result = Result(job.row_id, claim(store, job, HASHES).token, NOW, values={"md5": "a"}, processor="checksum")
    store.work.finish([result])
    assert store.intake.retry([job.row_id], queue=QUEUE, choice=Choice("table", '{"header":"no"}')) == 1
    again = store.job(job)
    assert (again.processor, again.options, again.processor_version) == ("table", '{"header":"no"}', 0)
    assert (again.status, dict(again.result)) == (Status.PENDING, {})
    assert store.intake.retry([job.row_id], queue=QUEUE) == 0, "it waits already"
    assert store.intake.retry([job.row_id], queue=QUEUE, choice=Choice("lines")) == 1, "but not with this processor"
    assert (store.job(job).processor, store.job(job).options) == ("lines", "")


def test_retry_keeps_the_processor(store: Store) -> None:
    (job,) = add(store, "/a")
    store.send()
    store.work.finish([Result(job.row_id, claim(store, job, HASHES).token, NOW)])
    store.intake.retry([job.row_id], queue=QUEUE)
    assert (store.job(job).processor, store.job(job).options) == ("checksum", '{"algorithm":"md5"}')


@pytest.mark.parametrize("text", ["[1]", "{", "7", '{"a\u0000":1}', '{"A":1}', '{"ok":[1]}', "[" * 100_000])
def test_result_that_another_program_has_written_does_no_harm(store: Store, text: str) -> None:
    (job,) = add(store, "/a")
    store.sql("UPDATE job SET result = ? WHERE id = ?", text, job.row_id)
    assert dict(store.job(job).result) == {}


def test_empty_result_takes_no_room() -> None:
    assert stored_result({}) is None


def test_job_is_sent_again_although_its_message_was_received_before_it_was_recorded_as_sent(store: Store) -> None:
    (job,) = add(store, "/a")
    (entry,) = store.take()
    assert claim(store, job, {"lines": 1}).is_resent
    store.outbox.mark_sent([Sent(entry, "m")], now_ms=NOW)
    assert store.job(job).sent_at is None
    store.outbox.postpone([entry], until_ms=NOW + 10 * FIRST_LEFT_MS)
    (again,) = store.take(now=NOW + FIRST_LEFT_MS)
    assert (again.file_id, again.resends) == (job.id, 1)
    store.outbox.mark_sent([Sent(again, "m")], now_ms=NOW + FIRST_LEFT_MS)
    assert store.job(job).sent_at == NOW + FIRST_LEFT_MS
    assert store.outbox_rows() == []


def test_only_so_many_fields_of_a_processor_are_known(store: Store) -> None:
    for number, job in enumerate(store.add(*"abc")):
        values = {f"word_{number}_{at}": at for at in range(MOST_FIELDS * 2 // 3)}
        store.work.finish([Result(job.row_id, store.claim(job).token, NOW, values=values, processor="command:words")])
        assert store.job(job).result == values
    assert len(WorkerProcessors(store.database).fields()) == MOST_FIELDS
