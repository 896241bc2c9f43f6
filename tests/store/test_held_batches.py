"""Paused batches: their jobs are not claimed, and their messages not sent, until they continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import AttemptOutcome, Held, Job, NewFile, Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.store.change_feed import MAX_CHANGES
from desktop_app.store.claims import Claim, ClaimOutcome, ClaimRequest
from desktop_app.store.held_batches import Failures, HeldBatches
from desktop_app.store.outbox import ENTRIES_A_STEP
from desktop_app.store.results import Result
from tests.store.kit import LEASE, NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from tests.store.kit import Store

CODE = ReasonCode.BAD_CONTENT


@pytest.fixture
def held(store: Store) -> HeldBatches:
    return HeldBatches(store.database)


def fail(store: Store, *jobs: Job, code: ReasonCode = CODE, why: str = "it is empty") -> None:
    results = [Result(job.row_id, store.start(job), NOW, reason=Reason(code, {"why": why})) for job in jobs]
    assert all(store.work.finish(results))


def hold(store: Store, job: Job) -> None:
    assert HeldBatches(store.database).hold(job.batch_id, CODE, now_ms=NOW)


def resume(store: Store, job: Job, *, tolerates: bool = True) -> None:
    assert HeldBatches(store.database).resume([job.batch_id], tolerates=tolerates) == 1
    while store.outbox.take_resumed():
        pass


# --- what is counted


def test_failures_are_counted_by_code_whatever_the_arguments(store: Store, held: HeldBatches) -> None:
    jobs = store.add("/a", "/b", "/c", "/d", "/e")
    fail(store, jobs[0], why="one")
    fail(store, jobs[1], why="two")
    fail(store, jobs[2], code=ReasonCode.FILE_GONE)
    store.process(jobs[3])
    fail(store, *store.add("/of another batch"))
    assert held.failures(jobs[0].batch_id, CODE) == Failures(total=5, failed=2, waiting=1)


def test_removed_files_are_not_counted(store: Store, held: HeldBatches) -> None:
    jobs = store.add("/a", "/b", "/c")
    fail(store, *jobs[:2])
    store.intake.remove([jobs[0].row_id], now_ms=NOW)
    assert held.failures(jobs[0].batch_id, CODE) == Failures(total=2, failed=1, waiting=1)


def test_nothing_is_counted_for_a_batch_that_is_paused_tolerates_it_or_is_gone(store: Store, held: HeldBatches) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    assert held.failures(job.batch_id, ReasonCode.FILE_GONE) is None
    resume(store, job)
    assert held.failures(job.batch_id, CODE) is None
    assert held.failures(job.batch_id, ReasonCode.FILE_GONE) is not None
    assert held.failures(job.batch_id + 1, CODE) is None


# --- pausing and continuing


def test_only_the_first_program_pauses_a_batch(store: Store, other: Store) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    assert not HeldBatches(other.database).hold(job.batch_id, ReasonCode.FILE_GONE, now_ms=NOW)


def test_tolerated_reason_does_not_pause_again_but_another_does(store: Store, held: HeldBatches) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    resume(store, job)
    assert not held.hold(job.batch_id, CODE, now_ms=NOW)
    assert held.hold(job.batch_id, ReasonCode.FILE_GONE, now_ms=NOW)
    resume(store, job)
    assert not held.hold(job.batch_id, ReasonCode.FILE_GONE, now_ms=NOW)


def test_reason_that_is_not_tolerated_pauses_again(store: Store, held: HeldBatches) -> None:
    (job,) = store.add("/a")
    held.hold(job.batch_id, ReasonCode.FILE_GONE, now_ms=NOW)
    resume(store, job)
    hold(store, job)
    resume(store, job, tolerates=False)
    hold(store, job)
    assert not held.hold(job.batch_id, ReasonCode.FILE_GONE, now_ms=NOW)


def test_only_paused_batches_continue(store: Store, held: HeldBatches) -> None:
    (job,) = store.add("/a")
    assert held.resume([job.batch_id], tolerates=True) == 0


def test_change_feed_shows_the_waiting_files(store: Store) -> None:
    waiting, ended = store.add("/a", "/b")
    store.process(ended)
    before = store.cursor
    hold(store, waiting)
    (changed,) = store.jobs.changes.since(before).jobs
    assert (changed.id, changed.reason) == (waiting.id, Reason(ReasonCode.BATCH_HELD))
    before = store.cursor
    resume(store, waiting)
    (changed,) = store.jobs.changes.since(before).jobs
    assert changed.reason is None


def test_change_feed_overflows_for_a_large_batch(store: Store) -> None:
    files = [NewFile(f"/{number}", 1, None) for number in range(MAX_CHANGES + 100)]
    store.intake.add(files, queue=QUEUE, name="", now_ms=NOW)
    before = store.cursor
    hold(store, store.job(1))
    assert store.jobs.changes.since(before).overflow


# --- claims


def test_job_of_a_paused_batch_goes_back_to_the_outbox_without_an_attempt(store: Store) -> None:
    job, of_other = *store.add("/a"), *store.add("/b")
    store.send()
    hold(store, job)
    assert store.claim(job) == Claim(ClaimOutcome.HELD, is_resent=True)
    now = store.job(job)
    assert (now.status, now.attempts, now.sent_at, now.next_try_at) == (Status.PENDING, 0, None, None)
    assert store.outbox_rows() == [(job.row_id, 1)]
    assert store.claim(of_other).outcome is ClaimOutcome.CLAIMED


def test_other_jobs_of_the_same_transaction_are_claimed(store: Store) -> None:
    job, of_other = *store.add("/a"), *store.add("/b")
    hold(store, job)
    requests = [ClaimRequest(one.id, 1, "m", 1) for one in (job, of_other)]
    claims = store.claims.claim(requests, worker="w1", now_ms=NOW, lease_ms=LEASE)
    assert [claim.outcome for claim in claims] == [ClaimOutcome.HELD, ClaimOutcome.CLAIMED]


def test_job_that_is_being_processed_finishes(store: Store) -> None:
    (job,) = store.add("/a")
    token = store.start(job)
    hold(store, job)
    assert store.job(job).reason is None
    assert store.claim(job).outcome is ClaimOutcome.BUSY
    assert store.finish(job, token)


def test_job_of_a_worker_that_is_gone_is_not_taken_over_while_the_batch_is_paused(store: Store) -> None:
    (job,) = store.add("/a")
    token = store.start(job)
    hold(store, job)
    assert store.claim(job, now=NOW + LEASE).outcome is ClaimOutcome.HELD
    assert store.job(job).status is Status.PENDING
    assert not store.finish(job, token)
    assert [attempt.outcome for attempt in store.jobs.attempts(job.row_id)] == [AttemptOutcome.STOPPED]


def test_ended_or_outdated_jobs_of_a_paused_batch_are_recognized(store: Store) -> None:
    ended, retried = store.add("/a", "/b")
    store.process(ended)
    store.process(retried)
    store.intake.retry([retried.row_id], queue=QUEUE)
    hold(store, ended)
    assert store.claim(ended).outcome is ClaimOutcome.FINISHED
    assert store.claim(retried, generation=1).outcome is ClaimOutcome.STALE


def test_message_in_strict_order_stays_and_blocks_those_behind_it(store: Store) -> None:
    job, of_other = *store.add("/a"), *store.add("/b")
    store.send()
    hold(store, job)
    requests = [ClaimRequest(one.id, 1, "m", 1, "group") for one in (job, of_other)]
    claims = store.claims.claim(requests, worker="w1", now_ms=NOW, lease_ms=LEASE)
    assert [(claim.outcome, claim.is_resent) for claim in claims] == [(ClaimOutcome.HELD, False)] * 2
    assert store.outbox_rows() == []
    assert store.job(job).sent_at == NOW


# --- the outbox


def test_outbox_passes_over_paused_batches(store: Store) -> None:
    paused, others = store.add(*(f"/a{number}" for number in range(5))), store.add("/b", "/c")
    hold(store, paused[0])
    assert [entry.row_id for entry in store.take(limit=1)] == row_ids(others[:1])
    assert [entry.row_id for entry in store.take()] == row_ids(others)


def test_entries_that_are_set_aside_are_not_due(store: Store) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    assert store.take() == []
    assert not store.outbox.has_due(QUEUE, now_ms=NOW)
    assert store.outbox.waiting(QUEUE) == 0
    assert not store.outbox.take_resumed()
    assert store.outbox_rows() == [(job.row_id, 1)]


def test_many_entries_are_set_aside_in_steps(store: Store) -> None:
    files = [NewFile(f"/{number}", 1, None) for number in range(ENTRIES_A_STEP + 1)]
    store.intake.add(files, queue=QUEUE, name="", now_ms=NOW)
    (behind,) = store.add("/behind")
    hold(store, store.job(1))
    assert [entry.row_id for entry in store.take(limit=1)] == [behind.row_id]
    resume(store, store.job(1))
    assert len(store.take(limit=10_000)) == len(files) + 1


def test_order_of_sending_stays_after_a_pause(store: Store) -> None:
    first, second = store.add("/a", "/b"), store.add("/c")
    hold(store, first[0])
    store.take()
    resume(store, first[0])
    assert [entry.row_id for entry in store.take()] == row_ids([*first, *second])


def test_each_batch_continues_by_itself(store: Store) -> None:
    first, second = *store.add("/a"), *store.add("/b")
    hold(store, first)
    hold(store, second)
    assert store.take() == []
    resume(store, second)
    assert [entry.row_id for entry in store.take()] == [second.row_id]


def test_entry_returns_to_the_queue_that_its_job_belongs_to_by_then(store: Store) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    store.take()
    store.sql("UPDATE job SET queue = 'known by now'")
    resume(store, job)
    assert [entry.row_id for entry in store.take(queue="known by now")] == [job.row_id]


def test_entries_set_aside_by_a_program_that_has_ended_are_returned_by_another(store: Store, other: Store) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    store.take()
    assert HeldBatches(store.database).resume([job.batch_id], tolerates=True)
    assert other.outbox.take_resumed()
    assert [entry.row_id for entry in other.take(owner="s2")] == [job.row_id]


def test_job_that_was_received_while_paused_is_sent_again(store: Store) -> None:
    (job,) = store.add("/a")
    store.send()
    hold(store, job)
    store.claim(job)
    store.take()
    resume(store, job)
    (entry,) = store.take()
    assert (entry.row_id, entry.resends) == (job.row_id, 1)  # another deduplication ID
    assert store.claim(job).outcome is ClaimOutcome.CLAIMED


def test_removed_file_leaves_no_entry_that_was_set_aside(store: Store) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    store.take()
    store.intake.remove([job.row_id], now_ms=NOW)
    assert store.outbox_rows() == []


def test_retried_file_of_a_paused_batch_waits(store: Store) -> None:
    failed, _ = store.add("/a", "/b")
    fail(store, failed)
    hold(store, failed)
    store.intake.retry([failed.row_id], queue=QUEUE)
    assert store.take() == []
    resume(store, failed)
    assert len(store.take()) == 2


def test_strict_order_sends_the_files_of_a_paused_batch(store: Store) -> None:
    """They wait in the queue, where nothing can overtake them."""
    first, second = *store.add("/a"), *store.add("/b")
    hold(store, first)
    assert [entry.row_id for entry in store.take(in_order=True)] == row_ids([first, second])


# --- what is shown


def test_batches_say_why_they_are_paused(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c", "/d", "/e")
    fail(store, jobs[0], why="rare")
    fail(store, *jobs[1:3], why="frequent")
    fail(store, jobs[3], code=ReasonCode.FILE_GONE)
    assert store.jobs.batches()[0].held is None
    assert store.jobs.held_batches() == []
    hold(store, jobs[0])
    held = Held(Reason(CODE, {"why": "frequent"}), 3)
    assert [batch.held for batch in store.jobs.batches()] == [held]
    assert [batch.held for batch in store.jobs.held_batches()] == [held]


def test_paused_batch_without_failed_files_has_no_reason(store: Store) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    assert store.jobs.batches()[0].held == Held(None, 0)


def test_batch_without_waiting_files_needs_no_decision(store: Store, held: HeldBatches) -> None:
    (job,) = store.add("/a")
    hold(store, job)
    assert held.any_waits(QUEUE)
    assert not held.any_waits("another queue")
    assert (store.jobs.count_held(QUEUE), store.jobs.count_held("another queue")) == (1, 0)
    store.intake.remove([job.row_id], now_ms=NOW)
    assert store.jobs.held_batches() == []
    assert not held.any_waits(QUEUE)
    assert store.jobs.count_held(QUEUE) == 0
