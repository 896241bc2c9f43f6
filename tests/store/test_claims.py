"""Claiming rows: the result for each message, and concurrent claims."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.job import Status
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.store.claims import MAX_CRASHES, Claim, ClaimOutcome, ClaimRequest
from tests.helpers import a_reason, as_claimed
from tests.store.kit import LEASE, NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.store.kit import Store


def test_claimed_job_is_processing_with_a_lease(store: Store) -> None:
    (job,) = store.add("/a")
    request = ClaimRequest(job.id, 1, "m-9", 4)
    (claim,) = store.claims.claim([request], worker="w1", now_ms=NOW + 3, lease_ms=LEASE)
    now = store.job(job)
    assert (claim.outcome, claim.token) == (ClaimOutcome.CLAIMED, 1)
    assert claim.job == as_claimed(now)
    assert (now.status, now.attempts, now.started_at) == (Status.PROCESSING, 1, NOW + 3)
    assert (now.message_id, now.receive_count, now.revision) == ("m-9", 4, store.revision)
    assert store.sql("SELECT lease_owner, lease_until FROM job") == [("w1", NOW + 3 + LEASE)]


def test_claim_clears_the_last_attempt(store: Store) -> None:
    (job,) = store.add("/a")
    store.work.give_back(
        job.row_id, store.start(job), reason=a_reason("The share is away."), next_try_at=NOW + 9, now_ms=NOW
    )
    store.claim(job)
    now = store.job(job)
    assert (now.reason, now.next_try_at, now.bytes_done, now.attempts) == (None, None, 0, 2)


def test_message_of_an_ended_job_is_a_duplicate(store: Store) -> None:
    for reason in ("", "It is gone."):
        (job,) = store.add("/a")
        store.process(job, reason=reason)
        before = store.job(job)
        assert store.claim(job) == Claim(ClaimOutcome.FINISHED)
        assert store.job(job) == before


def test_message_of_a_job_in_work_is_busy(store: Store) -> None:
    (job,) = store.add("/a")
    token = store.start(job, worker="w1")
    for worker in ("w2", "w1"):
        claim = store.claim(job, worker=worker, now=NOW + LEASE - 1)
        assert claim == Claim(ClaimOutcome.BUSY, busy_until_ms=NOW + LEASE)
    assert store.finish(job, token)


def test_expired_lease_is_taken_over(store: Store) -> None:
    (job,) = store.add("/a")
    late = store.start(job, worker="w1")
    token = store.start(job, worker="w2", now=NOW + LEASE)
    assert token > late
    assert not store.finish(job, late)
    assert store.job(job).status is Status.PROCESSING
    assert store.finish(job, token)


@pytest.mark.parametrize(("generation", "outcome"), [(1, ClaimOutcome.STALE), (3, ClaimOutcome.FOREIGN)])
def test_message_of_another_submission(store: Store, generation: int, outcome: ClaimOutcome) -> None:
    (job,) = store.add("/a")
    store.process(job)
    store.intake.retry([job.row_id], queue=QUEUE)
    before = store.job(job)
    assert store.claim(job, generation=generation) == Claim(outcome)
    assert store.job(job) == before


def test_message_of_a_removed_job_is_stale_but_one_from_the_future_is_foreign(store: Store) -> None:
    (job,) = store.add("/a")
    store.intake.remove([job.row_id], now_ms=NOW)
    assert store.claim(job).outcome is ClaimOutcome.STALE
    assert store.claim(job, generation=2).outcome is ClaimOutcome.FOREIGN


@pytest.mark.parametrize("file_id", [str(uuid.UUID(int=7)), "", "'; DROP TABLE job; --"])
def test_message_of_no_row_is_foreign(store: Store, file_id: str) -> None:
    store.add("/a")
    request = ClaimRequest(file_id, 1, "m", 1)
    assert store.claims.claim([request], worker="w1", now_ms=NOW, lease_ms=LEASE) == [Claim(ClaimOutcome.FOREIGN)]


def test_claims_are_in_the_order_of_the_requests(store: Store) -> None:
    fresh, ended, held, unknown = store.add("/fresh", "/ended", "/held", "/unknown")
    store.process(ended)
    store.start(held)
    store.intake.remove([unknown.row_id], now_ms=NOW - 9)
    store.intake.forget_removed(before_ms=NOW)
    requests = [ClaimRequest(job.id, 1, "m", 1) for job in (unknown, held, fresh, ended, fresh)]
    before = store.revision
    claims = store.claims.claim(requests, worker="w1", now_ms=NOW, lease_ms=LEASE)
    assert [claim.outcome for claim in claims] == [
        ClaimOutcome.FOREIGN,
        ClaimOutcome.BUSY,
        ClaimOutcome.CLAIMED,
        ClaimOutcome.FINISHED,
        ClaimOutcome.BUSY,
    ]
    assert store.revision == before + 1


def test_empty_request_writes_nothing(store: Store) -> None:
    before = store.revision
    assert store.claims.claim([], worker="w1", now_ms=NOW, lease_ms=LEASE) == []
    assert store.revision == before


def crash(store: Store, job: Job, times: int, *, start: int = NOW) -> int:
    """Let workers crash with a job; return the time after the last lease."""
    for number in range(times):
        store.start(job, now=start + number * LEASE)
    return start + times * LEASE


def test_file_that_crashes_its_worker_too_often_fails(store: Store) -> None:
    (job,) = store.add("/a")
    later = crash(store, job, MAX_CRASHES)
    assert store.claim(job, now=later) == Claim(ClaimOutcome.CRASHED)
    now = store.job(job)
    assert (now.status, now.reason) == (
        Status.FAILED,
        Reason(ReasonCode.CRASHED_OFTEN, {"count": MAX_CRASHES}),
    )
    assert (now.attempts, now.finished_at) == (MAX_CRASHES, later)
    assert store.claim(job, now=later) == Claim(ClaimOutcome.FINISHED)


def test_late_result_for_a_failed_crashing_file_is_rejected(store: Store) -> None:
    (job,) = store.add("/a")
    later = crash(store, job, MAX_CRASHES)
    token = store.column("lease_token", job)
    store.claim(job, now=later)
    assert not store.finish(job, token)


def test_released_attempts_are_no_crashes(store: Store) -> None:
    """If a share was unavailable a few times, the first crash must not count as the last attempt."""
    (job,) = store.add("/a")
    for _ in range(MAX_CRASHES + 1):
        assert store.work.give_back(job.row_id, store.start(job), reason=a_reason("The share is away."), now_ms=NOW)
    later = crash(store, job, MAX_CRASHES)
    assert store.job(job).attempts == 2 * MAX_CRASHES + 1
    assert store.claim(job, now=later).outcome is ClaimOutcome.CRASHED


def test_unstarted_claim_hides_no_crash(store: Store) -> None:
    (job,) = store.add("/a")
    later = crash(store, job, MAX_CRASHES - 1)
    assert store.work.give_back(job.row_id, store.start(job, now=later), uncount=True, now_ms=NOW)
    later = crash(store, job, 1, start=later)
    assert store.claim(job, now=later).outcome is ClaimOutcome.CRASHED


def test_job_whose_last_worker_died_is_suspect(store: Store) -> None:
    (job,) = store.add("/a")
    first, second = (store.claim(job, now=NOW + number * LEASE) for number in range(2))
    assert (first.is_suspect, second.is_suspect) == (False, True)
    assert store.work.give_back(job.row_id, second.token, now_ms=NOW)
    assert not store.claim(job).is_suspect


@pytest.mark.parametrize("again", ["retry", "restore"])
def test_retry_resets_the_attempts_of_a_crashing_file(store: Store, again: str) -> None:
    (job,) = store.add("/a")
    later = crash(store, job, MAX_CRASHES)
    if again == "retry":
        store.claim(job, now=later)
        store.intake.retry([job.row_id], queue=QUEUE)
    else:
        store.intake.remove([job.row_id], now_ms=NOW)
        store.intake.restore([job.row_id])
    later = crash(store, store.job(job), MAX_CRASHES, start=later)
    assert store.claim(store.job(job), now=later).outcome is ClaimOutcome.CRASHED


def dead_letter(store: Store, job: Job, generation: int = 1, now: int = NOW) -> ClaimOutcome:
    return store.claims.dead_letter(job.id, generation, receive_count=5, now_ms=now)


def test_dead_lettered_job_has_failed(store: Store) -> None:
    waiting, left = store.add("/waiting", "/left")
    store.send()
    late = store.start(left)
    for job in (waiting, left):
        assert dead_letter(store, job, now=NOW + LEASE) is ClaimOutcome.FINISHED
        now = store.job(job)
        assert (now.status, now.problem, now.receive_count) == (Status.FAILED, FileProblem.DEAD_LETTERED, 5)
        assert "5 deliveries" in str(now.reason)
        assert now.finished_at == NOW + LEASE
    assert not store.finish(left, late)
    assert dead_letter(store, waiting) is ClaimOutcome.FINISHED, "a second message of the same submission"


def test_dead_lettered_message_of_an_old_submission_changes_nothing(store: Store) -> None:
    ended, again, removed = store.add("/ended", "/again", "/removed")
    store.process(ended)
    store.process(again)
    store.intake.retry([again.row_id], queue=QUEUE)
    store.intake.remove([removed.row_id], now_ms=NOW)
    before = store.sql("SELECT status, reason_code FROM job ORDER BY id")
    outcomes = [dead_letter(store, job) for job in (ended, again, removed)]
    assert outcomes == [ClaimOutcome.FINISHED, ClaimOutcome.STALE, ClaimOutcome.STALE]
    assert dead_letter(store, again, generation=3) is ClaimOutcome.FOREIGN
    assert store.claims.dead_letter("no such", 1, receive_count=5, now_ms=NOW) is ClaimOutcome.FOREIGN
    assert store.sql("SELECT status, reason_code FROM job ORDER BY id") == before


def test_exactly_one_thread_wins_each_row(store: Store) -> None:
    jobs = store.add(*(f"/data/{number}" for number in range(12)))
    won: list[tuple[str, int]] = []
    gate = threading.Barrier(4)

    def run(worker: str) -> None:
        with store.database.session():
            for job in jobs:
                gate.wait(30)
                claim = store.claim(job, worker=worker)
                assert claim.outcome in {ClaimOutcome.CLAIMED, ClaimOutcome.BUSY}
                if claim.outcome is ClaimOutcome.CLAIMED:
                    won.append((worker, job.row_id))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, ["w0", "w1", "w2", "w3"]))
    assert sorted(row for _, row in won) == row_ids(jobs)
    assert {store.column("lease_owner", store.job(row)) for _, row in won} == {worker for worker, _ in won}


RACE = """
import sys
from pathlib import Path
from desktop_app.store.claims import ClaimOutcome, ClaimRequest, Claims
from desktop_app.store.database import open_database
claims = Claims(open_database(Path(sys.argv[1]), Path(sys.argv[2])))
print("ready", flush=True)
sys.stdin.readline()
for file_id in sys.argv[4:]:
    (claim,) = claims.claim([ClaimRequest(file_id, 1, "m", 1)], worker=sys.argv[3], now_ms=1, lease_ms=10**9)
    if claim.outcome is ClaimOutcome.CLAIMED:
        print(file_id, flush=True)
"""


def test_exactly_one_process_wins_each_row(store: Store) -> None:
    jobs = store.add(*(f"/data/{number}" for number in range(30)))
    ids = [job.id for job in jobs]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(store.path), str(MIGRATIONS), worker, *ids],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for worker in ("w1", "w2")
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    outputs = [process.communicate("\n", timeout=60)[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(outputs[0] + outputs[1]) == sorted(ids)
    assert {store.job(job).attempts for job in jobs} == {1}


def test_requests_of_one_job_or_group_are_claimed_one_after_the_other(store: Store) -> None:
    first, second, third, fourth = store.add("/a", "/b", "/c", "/d")
    store.start(second, worker="w2")
    requests = [
        ClaimRequest(first.id, 1, "m1", 1),
        ClaimRequest(first.id, 1, "m1", 2),  # the same message, delivered twice
        ClaimRequest(second.id, 1, "m2", 1, "g"),
        ClaimRequest(third.id, 1, "m3", 1, "g"),
        ClaimRequest(fourth.id, 1, "m4", 1, "h"),
        ClaimRequest("no such job", 1, "m5", 1, "h"),
    ]
    claims = store.claims.claim(requests, worker="w1", now_ms=NOW, lease_ms=LEASE)
    outcomes = ["claimed", "busy", "busy", "busy", "claimed", "foreign"]
    assert [claim.outcome.value for claim in claims] == outcomes
    assert store.job(third).status is Status.PENDING


def test_second_message_of_a_job_is_busy_although_others_are_claimed_after_it(store: Store) -> None:
    first, second = store.add("/a", "/b")
    requests = [
        ClaimRequest(first.id, 1, "m1", 1),
        ClaimRequest(second.id, 2, "m2", 1, "g"),
        ClaimRequest(first.id, 1, "m3", 1),  # sent twice
        ClaimRequest(second.id, 1, "m4", 1, "g"),  # claimed together with it
    ]
    claims = store.claims.claim(requests, worker="w1", now_ms=NOW, lease_ms=LEASE)
    assert [claim.outcome.value for claim in claims] == ["claimed", "foreign", "busy", "claimed"]
    assert claims[2].busy_until_ms == NOW + LEASE
