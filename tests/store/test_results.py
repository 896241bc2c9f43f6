"""Results, progress, leases and releasing: a worker that has lost its lease writes nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.store.claims import MAX_CRASHES, ClaimOutcome
from desktop_app.store.results import Result, Tick
from tests.helpers import a_reason
from tests.store.kit import LEASE, NOW, QUEUE

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.store.kit import Store


def test_good_result_is_written(store: Store) -> None:
    (job,) = store.add("/a", size=10)
    token = store.start(job)
    assert store.work.finish([Result(job.row_id, token, NOW + 50, file_size=12, lines_count=4)]) == [True]
    now = store.job(job)
    assert (now.status, now.lines_count, now.file_size, now.bytes_done) == (Status.PROCESSED, 4, 12, 12)
    assert (now.reason, now.finished_at, now.took_ms, now.revision) == (None, NOW + 50, 50, store.revision)
    assert store.sql("SELECT lease_owner, lease_until FROM job") == [(None, 0)]


def test_bad_result_is_written(store: Store) -> None:
    (job,) = store.add("/a", size=10)
    token = store.start(job)
    store.work.progress([Tick(job.row_id, token, 5, 10)])
    result = Result(job.row_id, token, NOW, reason=Reason(ReasonCode.SYSTEM_ERROR, {"why": "caf\udce9", "count": 3}))
    assert store.work.finish([result]) == [True]
    now = store.job(job)
    assert (now.status, now.reason) == (
        Status.FAILED,
        Reason(ReasonCode.SYSTEM_ERROR, {"why": "caf\\udce9", "count": 3}),
    )
    assert (now.lines_count, now.file_size, now.bytes_done) == (None, 10, 0)


@pytest.mark.parametrize("size", [None, 0, 10])
def test_result_without_a_size_keeps_the_known_one(store: Store, size: int | None) -> None:
    (job,) = store.add("/a", size=size)
    assert store.finish(job, store.start(job))
    now = store.job(job)
    assert (now.status, now.file_size, now.bytes_done) == (Status.PROCESSED, size, size or 0)


def test_late_result_is_thrown_away(store: Store) -> None:
    (job,) = store.add("/a")
    late = store.start(job, worker="w1")
    token = store.start(job, worker="w2", now=NOW + LEASE)
    assert store.finish(job, token, lines=3)
    assert not store.finish(job, late, lines=99)
    assert not store.finish(job, token, lines=99), "a result counts once"
    assert store.job(job).lines_count == 3


def test_results_are_written_together_and_each_reports_whether_it_was_saved(store: Store) -> None:
    first, second, third = store.add("/a", "/b", "/c")
    tokens = [store.start(job) for job in (first, second, third)]
    before = store.revision
    kept = store.work.finish(
        [
            Result(first.row_id, tokens[0], NOW, lines_count=1),
            Result(second.row_id, tokens[1] - 1, NOW, lines_count=2),
            Result(third.row_id, tokens[2], NOW, lines_count=3),
        ]
    )
    assert kept == [True, False, True]
    assert store.revision == before + 1


def test_error_of_one_result_writes_none(store: Store) -> None:
    first, second = store.add("/a", "/b")
    tokens = [store.start(job) for job in (first, second)]
    bad = Result(second.row_id, tokens[1], NOW, lines_count=math.nan)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="malformed JSON"):
        store.work.finish([Result(first.row_id, tokens[0], NOW, lines_count=1), bad])
    assert store.job(first).status is Status.PROCESSING


def test_progress_is_stored_while_the_lease_is_held(store: Store) -> None:
    mine, lost = store.add("/a", "/b", size=10)
    token, late = store.start(mine), store.start(lost)
    store.start(lost, worker="w2", now=NOW + LEASE)
    store.work.progress([Tick(mine.row_id, token, 5, 20), Tick(lost.row_id, late, 7, 20)])
    now = store.job(mine)
    assert (now.bytes_done, now.file_size, now.revision) == (5, 20, store.revision)
    assert (store.job(lost).bytes_done, store.job(lost).file_size) == (0, 10)


def test_extended_lease_is_not_taken_over(store: Store) -> None:
    mine, lost = store.add("/a", "/b")
    token, late = store.start(mine), store.start(lost)
    store.start(lost, worker="w2", now=NOW + LEASE)
    leases = [(lost.row_id, late), (mine.row_id, token)]
    assert store.work.extend(leases, until_ms=NOW + 5 * LEASE) == [False, True]
    assert store.claim(mine, worker="w2", now=NOW + 5 * LEASE - 1).outcome is ClaimOutcome.BUSY
    assert store.claim(mine, worker="w2", now=NOW + 5 * LEASE).outcome is ClaimOutcome.CLAIMED


def test_extending_does_not_change_the_list(store: Store) -> None:
    (job,) = store.add("/a")
    token = store.start(job)
    before = store.cursor
    store.work.extend([(job.row_id, token)], until_ms=NOW + 5 * LEASE)
    assert store.jobs.changes.since(before).jobs == ()


def test_released_job_is_pending_again(store: Store) -> None:
    (job,) = store.add("/a")
    token = store.start(job)
    store.work.progress([Tick(job.row_id, token, 5, 10)])
    assert store.work.give_back(job.row_id, token, reason=a_reason("Away: \udce9."), next_try_at=NOW + 9, now_ms=NOW)
    now = store.job(job)
    assert (now.status, now.reason, now.next_try_at) == (Status.PENDING, a_reason("Away: \\udce9."), NOW + 9)
    assert (now.attempts, now.bytes_done, now.started_at) == (1, 0, None)
    assert not store.finish(job, token), "the right to work went back with it"
    assert not store.work.give_back(job.row_id, token, now_ms=NOW)
    assert store.claim(job, worker="w2").outcome is ClaimOutcome.CLAIMED


def test_unstarted_work_is_no_attempt(store: Store) -> None:
    (job,) = store.add("/a")
    assert store.work.give_back(job.row_id, store.start(job), uncount=True, now_ms=NOW)
    assert store.job(job).attempts == 0
    assert store.column("crashes", job) == 0


def test_submission_is_past_once_removed_resubmitted_or_finished(store: Store) -> None:
    waiting, running, ended, again, removed = store.add("/a", "/b", "/c", "/d", "/e")
    store.start(running)
    store.process(ended)
    store.process(again)
    store.intake.retry([again.row_id], queue=QUEUE)
    store.intake.remove([removed.row_id], now_ms=NOW)
    past = [store.work.is_stale(job.row_id, 1) for job in (waiting, running, ended, again, removed)]
    assert past == [False, False, True, True, True]
    assert not store.work.is_stale(again.row_id, 2)
    assert store.work.is_stale(99, 1)


def held_by(store: Store, job: Job, worker: str, times: int = 1) -> None:
    for number in range(times):
        store.start(job, worker=worker, now=NOW + number * LEASE)


def free(store: Store, *dead: str, queue: str = QUEUE) -> int:
    return store.claims.free_dead_leases(lambda worker: worker not in dead, queue=queue, now_ms=NOW)


def test_jobs_of_a_dead_worker_are_pending_again(store: Store) -> None:
    dead, alive = store.add("/dead", "/alive")
    store.send()
    held_by(store, dead, "w1")
    held_by(store, alive, "w2")
    token = store.column("lease_token", dead)
    assert free(store, "w1") == 1
    now = store.job(dead)
    assert (now.status, now.attempts, now.started_at, now.revision) == (Status.PENDING, 1, None, store.revision)
    assert not store.finish(dead, token)
    assert store.job(alive).status is Status.PROCESSING
    assert store.outbox_rows() == [], "its message is still in the queue"
    assert free(store, "w1") == 0


def test_job_still_in_the_outbox_is_not_sent_twice(store: Store) -> None:
    (job,) = store.add("/a")
    held_by(store, job, "w1")
    assert free(store, "w1") == 1
    assert store.outbox_rows() == [(job.row_id, 1)]


def test_worker_without_a_lease_writes_nothing(store: Store) -> None:
    jobs = store.add("/held", "/waiting")
    held_by(store, jobs[0], "w1")
    before = store.revision
    assert free(store) == 0
    assert store.revision == before


def test_only_jobs_of_the_requested_queue_are_released(store: Store) -> None:
    (job,) = store.add("/a", queue="another")
    held_by(store, job, "w1")
    assert free(store, "w1") == 0
    assert free(store, "w1", queue="another") == 1


def test_job_whose_workers_crashed_too_often_fails(store: Store) -> None:
    often, once = store.add("/often", "/once")
    store.send()
    held_by(store, often, "w1", MAX_CRASHES)
    held_by(store, once, "w1")
    assert free(store, "w1") == 2
    now = store.job(often)
    assert (now.status, now.problem) == (Status.FAILED, FileProblem.CRASHED)
    assert now.finished_at == NOW
    assert store.job(once).status is Status.PENDING


def test_crashes_are_counted_however_they_are_detected(store: Store) -> None:
    (job,) = store.add("/a")
    held_by(store, job, "w1")
    free(store, "w1")
    held_by(store, job, "w2", MAX_CRASHES - 1)
    free(store, "w2")
    assert store.job(job).status is Status.FAILED


def test_removed_job_of_a_dead_worker_stays_removed(store: Store) -> None:
    (job,) = store.add("/a")
    held_by(store, job, "w1")
    store.intake.remove([job.row_id], now_ms=NOW)
    assert free(store, "w1") == 0
    assert store.outbox_rows() == []
