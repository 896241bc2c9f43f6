"""Each attempt is stored with its job: its time, its worker and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Attempt, AttemptOutcome
from desktop_app.store.adding import Intake
from desktop_app.store.attempts import KEPT
from desktop_app.store.claims import MAX_CRASHES, ClaimRequest
from desktop_app.store.results import Result
from tests.helpers import a_reason
from tests.store.kit import LEASE, NOW, QUEUE, Store

if TYPE_CHECKING:
    from desktop_app.domain.job import Job


@pytest.fixture
def job(store: Store) -> Job:
    return store.add("/data/a.txt")[0]


def only(store: Store, job: Job) -> Attempt:
    (attempt,) = store.jobs.attempts(job.row_id)
    return attempt


def test_unprocessed_job_has_no_attempt(store: Store, job: Job) -> None:
    assert store.jobs.attempts(job.row_id) == []
    assert store.jobs.attempt_count(job.row_id) == 0


def test_attempt_begins_with_the_claim(store: Store, job: Job) -> None:
    token = store.start(job, worker="computer/1", now=NOW + 5)
    assert only(store, job) == Attempt(token, 1, 1, "computer/1", NOW + 5)
    assert only(store, job).computer == "computer"
    assert only(store, job).took_ms is None
    assert store.jobs.attempt_count(job.row_id) == 1


@pytest.mark.parametrize(
    ("reason", "outcome"), [("", AttemptOutcome.PROCESSED), ("It is gone.", AttemptOutcome.FAILED)]
)
def test_attempt_ends_with_the_result(store: Store, job: Job, reason: str, outcome: AttemptOutcome) -> None:
    token = store.start(job)
    assert store.finish(job, token, reason=reason, now=NOW + 800)
    assert only(store, job) == Attempt(token, 1, 1, "w1", NOW, NOW + 800, outcome, a_reason(reason))
    assert only(store, job).took_ms == 800


def test_results_of_one_transaction_end_each_its_own_attempt(store: Store) -> None:
    a, b, c = store.add("/a", "/b", "/c")
    tokens = [store.start(one) for one in (a, b, c)]
    results = [
        Result(a.row_id, tokens[0], NOW + 1, lines_count=1),
        Result(b.row_id, tokens[1] + 7, NOW + 2, lines_count=1),  # the lease was lost
        Result(c.row_id, tokens[2], NOW + 3, reason=a_reason("No.")),
    ]
    assert store.work.finish(results) == [True, False, True]
    assert [only(store, one).ended_at for one in (a, b, c)] == [NOW + 1, None, NOW + 3]
    assert [only(store, one).reason for one in (a, b, c)] == [None, None, a_reason("No.")]


def test_late_result_changes_no_attempt(store: Store, job: Job) -> None:
    first = store.start(job, worker="w1")
    second = store.start(job, worker="w2", now=NOW + LEASE)
    assert not store.finish(job, first, now=NOW + LEASE + 1)
    assert [(one.worker, one.outcome) for one in store.jobs.attempts(job.row_id)] == [
        ("w1", AttemptOutcome.STOPPED),
        ("w2", None),
    ]
    assert store.finish(job, second)


def test_attempt_before_a_retry_has_its_reason(store: Store, job: Job) -> None:
    token = store.start(job)
    store.work.give_back(job.row_id, token, now_ms=NOW + 9, reason=a_reason("Away: \udce9."), next_try_at=NOW + 99)
    assert only(store, job) == Attempt(
        token, 1, 1, "w1", NOW, NOW + 9, AttemptOutcome.LATER, a_reason("Away: \\udce9.")
    )
    store.start(job, now=NOW + 99)
    assert [one.number for one in store.jobs.attempts(job.row_id)] == [1, 2]


def test_released_attempt_is_marked(store: Store, job: Job) -> None:
    store.work.give_back(job.row_id, store.start(job), now_ms=NOW + 9)
    assert only(store, job).outcome is AttemptOutcome.RETURNED


def test_unstarted_work_leaves_no_attempt(store: Store, job: Job) -> None:
    assert store.work.give_back(job.row_id, store.start(job), now_ms=NOW, uncount=True)
    assert store.jobs.attempts(job.row_id) == []


def test_release_without_the_lease_ends_nothing(store: Store, job: Job) -> None:
    token = store.start(job)
    assert not store.work.give_back(job.row_id, token + 1, now_ms=NOW, uncount=True)
    assert only(store, job).outcome is None


def test_attempt_of_a_killed_program_ended_without_a_result(store: Store, job: Job) -> None:
    store.start(job)
    store.claims.free_dead_leases(lambda _: False, queue=QUEUE, now_ms=NOW + 9)
    assert only(store, job).outcome is AttemptOutcome.STOPPED
    assert only(store, job).took_ms is None  # its end was not recorded


@pytest.mark.parametrize("noticed", ["claim", "recovery"])
def test_last_attempt_of_a_crashing_file_has_an_end(store: Store, job: Job, noticed: str) -> None:
    for number in range(MAX_CRASHES):
        store.start(job, now=NOW + number * LEASE)
    if noticed == "claim":
        store.claim(job, now=NOW + MAX_CRASHES * LEASE)
    else:
        store.claims.free_dead_leases(lambda _: False, queue=QUEUE, now_ms=NOW)
    assert {one.outcome for one in store.jobs.attempts(job.row_id)} == {AttemptOutcome.STOPPED}


def test_attempt_of_a_dead_lettered_message_is_marked(store: Store, job: Job) -> None:
    store.start(job)
    store.claims.dead_letter(job.id, 1, receive_count=5, now_ms=NOW + LEASE)
    assert only(store, job).outcome is AttemptOutcome.PUT_ASIDE


def test_attempt_of_a_removed_job_ends(store: Store, job: Job) -> None:
    idle = store.add("/data/idle")[0]
    store.start(job)
    store.intake.remove([job.row_id, idle.row_id], now_ms=NOW + 3)
    assert only(store, job) == Attempt(1, 1, 1, "w1", NOW, NOW + 3, AttemptOutcome.REMOVED)
    assert store.jobs.attempts(idle.row_id) == []


def test_attempts_of_earlier_submissions_stay(store: Store, job: Job) -> None:
    store.process(job, reason="It is gone.")
    store.intake.retry([job.row_id], queue=QUEUE)
    store.process(store.job(job))
    assert [(one.generation, one.number) for one in store.jobs.attempts(job.row_id)] == [(1, 1), (2, 1)]


def test_only_the_newest_attempts_are_kept(store: Store, job: Job) -> None:
    other = store.add("/data/b.txt")[0]
    store.start(other)
    for number in range(KEPT + 5):
        store.work.give_back(job.row_id, store.start(job), now_ms=NOW + number, reason=a_reason("Away."))
    store.start(job)
    kept = store.jobs.attempts(job.row_id)
    assert [one.number for one in kept] == list(range(7, KEPT + 7))
    assert store.jobs.attempt_count(job.row_id) == KEPT
    assert store.jobs.attempt_count(other.row_id) == 1


def test_attempts_go_with_their_job(store: Store, job: Job) -> None:
    store.process(job)
    store.intake.remove([job.row_id], now_ms=NOW)
    assert Intake(store.database).forget_removed(before_ms=NOW + 1) == 1
    assert store.sql("SELECT * FROM attempt") == []


def test_attempt_exists_exactly_if_its_claim_does(
    store: Store, other: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("desktop_app.store.attempts.prune", fail)
    with pytest.raises(ZeroDivisionError):
        store.start(job)
    assert other.job(job).attempts == 0
    assert other.jobs.attempts(job.row_id) == []


def test_claims_of_one_poll_are_stored_together(store: Store) -> None:
    jobs = store.add(*(f"/{number}" for number in range(10)))
    before = store.revision
    requests = [ClaimRequest(one.id, 1, "m", 1) for one in jobs]
    store.claims.claim(requests, worker="w1", now_ms=NOW, lease_ms=LEASE)
    assert store.revision == before + 1
    assert [store.jobs.attempt_count(one.row_id) for one in jobs] == [1] * 10
