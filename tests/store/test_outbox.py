"""The outbox: who may send which entries and when, and the results."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.store.outbox import OutboxEntry, Sent
from tests.store.kit import NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.store.kit import Store


def rows(entries: list[OutboxEntry]) -> list[int]:
    return [entry.row_id for entry in entries]


def test_entries_are_claimed_in_the_order_of_submission_up_to_the_limit(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c")
    entries = store.take(limit=2)
    assert entries == [OutboxEntry(job.row_id, job.id, 1, 0) for job in jobs[:2]]


def test_no_write_without_due_entries(store: Store) -> None:
    before = store.revision
    assert store.take() == []
    assert store.revision == before


def test_claimed_entries_belong_to_one_sender_until_the_claim_expires(store: Store, other: Store) -> None:
    jobs = store.add("/a", "/b", "/c")
    assert rows(store.take(owner="s1", limit=2)) == row_ids(jobs[:2])
    assert rows(other.take(owner="s2")) == [jobs[2].row_id]
    assert rows(other.take(owner="s2", now=NOW + 999)) == [jobs[2].row_id]
    assert rows(other.take(owner="s2", now=NOW + 1_000)) == row_ids(jobs)
    assert store.take(owner="s1", now=NOW + 1_000) == []


def test_owner_gets_its_own_claimed_entries_again(store: Store) -> None:
    jobs = store.add("/a", "/b")
    assert rows(store.take(owner="s1")) == row_ids(jobs)
    assert rows(store.take(owner="s1")) == row_ids(jobs)


def test_only_entries_of_the_requested_queue_are_claimed(store: Store) -> None:
    (mine,) = store.add("/mine")
    (theirs,) = store.add("/theirs", queue="another")
    assert rows(store.take()) == [mine.row_id]
    assert rows(store.take(queue="another")) == [theirs.row_id]
    assert store.take(queue="no such") == []


def test_waiting_entry_blocks_all_behind_it_in_strict_order(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c", "/d")
    store.add("/theirs", queue="another")
    second = store.take(in_order=True)[1]
    store.outbox.postpone([second], until_ms=NOW + 500)
    assert rows(store.take(in_order=True)) == [jobs[0].row_id]
    assert rows(store.take(in_order=True, limit=1)) == [jobs[0].row_id]
    assert rows(store.take(in_order=True, now=NOW + 500)) == row_ids(jobs)
    assert rows(store.take(in_order=True, now=NOW + 500, limit=3)) == row_ids(jobs[:3])


def test_entry_of_another_sender_blocks_all_behind_it_in_strict_order(store: Store) -> None:
    jobs = store.add("/a", "/b")
    store.take(owner="s1", limit=1, in_order=True)
    before = store.revision
    assert store.take(owner="s2", in_order=True) == []
    assert store.revision == before
    assert rows(store.take(owner="s1", in_order=True)) == row_ids(jobs)
    assert rows(store.take(owner="s2", in_order=True, now=NOW + 1_000)) == row_ids(jobs)


def test_two_senders_never_take_the_same_entry(store: Store) -> None:
    jobs = store.add(*(f"/data/{number}" for number in range(60)))
    taken: dict[str, list[int]] = {"s1": [], "s2": []}
    gate = threading.Barrier(2)

    def send(owner: str) -> None:
        with store.database.session():
            gate.wait(10)
            while entries := store.take(owner=owner, limit=5):
                taken[owner] += rows(entries)
                store.outbox.mark_sent([Sent(entry, "m") for entry in entries], now_ms=NOW)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(send, taken))
    assert sorted(taken["s1"] + taken["s2"]) == row_ids(jobs)


def test_sent_message_is_recorded_and_its_entry_deleted(store: Store) -> None:
    (job,) = store.add("/a")
    (entry,) = store.take()
    store.outbox.mark_sent([Sent(entry, "m-1")], now_ms=NOW + 5)
    now = store.job(job)
    assert (now.message_id, now.sent_at, now.status) == ("m-1", NOW + 5, Status.PENDING)
    assert now.revision > job.revision
    assert store.outbox_rows() == []


def test_sending_is_recorded_even_if_the_consumer_was_faster(store: Store) -> None:
    (job,) = store.add("/a")
    (entry,) = store.take()
    store.process(job)
    store.outbox.mark_sent([Sent(entry, "m-1")], now_ms=NOW)
    assert (store.job(job).status, store.job(job).message_id) == (Status.PROCESSED, "m-1")
    assert store.outbox_rows() == []


def resubmitted_while_sending(store: Store) -> OutboxEntry:
    """Return an entry held by a sender whose job was meanwhile processed and submitted again."""
    (job,) = store.add("/a")
    (entry,) = store.take(owner="s1")
    store.process(job)
    store.intake.retry([job.row_id], queue=QUEUE)
    (newer,) = store.take(owner="s2")
    assert newer.generation == 2
    return entry


def test_recording_an_older_submission_keeps_the_newer_entry(store: Store) -> None:
    entry = resubmitted_while_sending(store)
    store.outbox.mark_sent([Sent(entry, "m-old")], now_ms=NOW)
    assert store.outbox_rows() == [(entry.row_id, 2)]
    assert store.job(entry.row_id).message_id is None


def test_postponing_an_older_submission_keeps_the_newer_entry(store: Store) -> None:
    entry = resubmitted_while_sending(store)
    store.outbox.postpone([entry], until_ms=NOW + 60_000)
    assert store.sql("SELECT claim_owner, next_try_at, tries FROM outbox") == [("s2", 0, 0)]


def test_rejecting_an_older_submission_keeps_the_newer_one(store: Store) -> None:
    entry = resubmitted_while_sending(store)
    store.outbox.refuse(entry, reason=Reason(ReasonCode.MESSAGE_REFUSED, {"why": "Too long."}), now_ms=NOW)
    assert store.outbox_rows() == [(entry.row_id, 2)]
    assert store.job(entry.row_id).status is Status.PENDING


def test_postponed_entries_are_free_again_at_their_time(store: Store) -> None:
    store.add("/a", "/b")
    first, second = store.take(owner="s1")
    store.outbox.postpone([first], until_ms=NOW + 500)
    assert rows(store.take(owner="s2", now=NOW + 499)) == []
    assert store.take(owner="s2", now=NOW + 500) == [OutboxEntry(first.row_id, first.file_id, 1, 1)]
    assert rows(store.take(owner="s1", now=NOW + 500)) == [second.row_id]


def test_each_postponement_counts_as_an_attempt(store: Store) -> None:
    store.add("/a")
    for tries in range(3):
        (entry,) = store.take()
        assert entry.tries == tries
        store.outbox.postpone([entry], until_ms=NOW)


def test_rejected_message_fails_its_job(store: Store) -> None:
    (job,) = store.add("/a")
    (entry,) = store.take()
    store.outbox.refuse(entry, reason=Reason(ReasonCode.MESSAGE_REFUSED, {"why": "caf\udce9"}), now_ms=NOW + 7)
    now = store.job(job)
    assert (now.status, str(now.reason)) == (Status.FAILED, "The queue rejected its message: caf\\udce9")
    assert now.problem is FileProblem.NOT_SENT
    assert now.finished_at == NOW + 7
    assert store.outbox_rows() == []
    assert store.intake.retry([job.row_id], queue=QUEUE) == 1


@pytest.mark.parametrize("has_ended", [True, False])
def test_refusal_does_not_touch_a_job_whose_message_arrived_after_all(store: Store, has_ended: bool) -> None:
    """The first attempt timed out, but its message arrived."""
    (job,) = store.add("/a")
    (entry,) = store.take()
    token = store.start(job)
    if has_ended:
        assert store.finish(job, token)
    store.outbox.refuse(entry, reason=Reason(ReasonCode.MESSAGE_REFUSED, {"why": "Too long."}), now_ms=NOW)
    assert store.job(job).status is (Status.PROCESSED if has_ended else Status.PROCESSING)
    assert store.outbox_rows() == []


def test_waiting_counts_the_entries_of_one_queue(store: Store) -> None:
    store.add("/a", "/b")
    store.add("/c", queue="another")
    assert [store.outbox.waiting(queue) for queue in (QUEUE, "another", "no such")] == [2, 1, 0]
    store.send()
    assert [store.outbox.waiting(queue) for queue in (QUEUE, "another")] == [0, 1]


def test_in_queue_counts_sent_unfinished_jobs(store: Store) -> None:
    jobs = store.add("/unsent", "/waiting", "/running", "/processed", "/removed", "/later")
    entries = store.take()
    store.outbox.mark_sent([Sent(entry, "m") for entry in entries[1:]], now_ms=NOW)
    store.start(jobs[2])
    store.process(jobs[3])
    store.intake.remove([jobs[4].row_id], now_ms=NOW)
    store.work.give_back(jobs[5].row_id, store.start(jobs[5]), next_try_at=NOW + 60_000, now_ms=NOW)
    assert store.outbox.in_queue(QUEUE) == 2
    assert store.outbox.in_queue("another") == 0


SILENT = Reason(ReasonCode.SHARE_SILENT, {"place": "/mnt/nas"})
OTHER = Reason(ReasonCode.SHARE_SILENT, {"place": "/mnt/other"})


def wait_for_share(store: Store, path: str, reason: Reason, *, until: int) -> Job:
    """Submit a file, send and claim it, and return it to the outbox because its share does not respond."""
    (job,) = store.add(path)
    store.send()
    token = store.start(job)
    assert store.work.give_back(
        job.row_id, token, now_ms=NOW, reason=reason, next_try_at=until, uncount=True, is_resent=True
    )
    return store.job(job)


def test_file_on_a_silent_share_is_sent_again_later(store: Store) -> None:
    job = wait_for_share(store, "/a", SILENT, until=NOW + 60_000)
    assert (job.status, job.reason, job.next_try_at) == (Status.PENDING, SILENT, NOW + 60_000)
    assert (job.sent_at, job.attempts) == (None, 0)
    assert store.take(now=NOW + 59_999) == []
    assert not store.outbox.has_due(QUEUE, now_ms=NOW + 59_999)
    assert store.outbox.has_due(QUEUE, now_ms=NOW + 60_000)
    assert rows(store.take(now=NOW + 60_000)) == [job.row_id]


def test_files_of_a_share_that_responds_again_are_due_at_once(store: Store) -> None:
    mine = wait_for_share(store, "/a", SILENT, until=NOW + 60_000)
    other = wait_for_share(store, "/b", OTHER, until=NOW + 60_000)
    assert store.outbox.bring_forward(queue=QUEUE, reason=SILENT, now_ms=NOW + 5) == 1
    assert rows(store.take(now=NOW + 5)) == [mine.row_id]
    assert store.job(other).next_try_at == NOW + 60_000
    assert store.outbox.bring_forward(queue="another", reason=OTHER, now_ms=NOW + 5) == 0
