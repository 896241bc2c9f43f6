"""Recovery of lost messages and of senders that crashed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Status
from desktop_app.store.recovery import Recovery
from tests.store.kit import LEASE, NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from tests.store.kit import Store


@pytest.fixture
def recovery(store: Store) -> Recovery:
    return Recovery(store.database)


def test_jobs_without_a_message_are_sent_again(store: Store, recovery: Recovery) -> None:
    waiting, working, left, ended, removed = store.add("/waiting", "/working", "/left", "/ended", "/removed")
    store.send(now=NOW)
    store.start(working, now=NOW + LEASE)
    late = store.start(left, now=NOW)
    store.process(ended)
    store.intake.remove([removed.row_id], now_ms=NOW)
    again = {"queue": QUEUE, "sent_before_ms": NOW, "now_ms": NOW + LEASE}
    assert recovery.resend(**again) == 2  # type: ignore[arg-type]
    assert store.outbox_rows() == [(waiting.row_id, 1), (left.row_id, 1)]
    assert [store.job(job).sent_at for job in (waiting, working, left)] == [None, NOW, None]
    assert recovery.resend(**again) == 0, "they wait in the outbox now"  # type: ignore[arg-type]
    assert store.finish(left, late), "who has worked on after all may still end it"
    assert store.job(left).status is Status.PROCESSED


def test_newer_messages_and_other_queues_are_not_affected(store: Store, recovery: Recovery) -> None:
    store.add("/young")
    store.add("/theirs", queue="another")
    store.send(now=NOW)
    store.send(now=NOW, queue="another")
    assert recovery.resend(queue=QUEUE, sent_before_ms=NOW - 1, now_ms=NOW) == 0
    assert recovery.resend(queue="another", sent_before_ms=NOW, now_ms=NOW) == 1


def test_entries_of_a_dead_sender_are_free_at_once(store: Store, recovery: Recovery) -> None:
    jobs = store.add("/a", "/b", "/c")
    (theirs,) = store.add("/theirs", queue="another")
    store.take(owner="dead", limit=2)
    store.take(owner="alive", limit=1)
    store.take(owner="dead", queue="another")

    def is_alive(owner: str) -> bool:
        return owner != "dead"

    assert recovery.free_dead_claims(is_alive, queue=QUEUE) == 2
    assert [entry.row_id for entry in store.take(owner="s2")] == row_ids(jobs[:2])
    assert store.take(owner="s2", queue="another") == []
    assert recovery.free_dead_claims(is_alive, queue="another") == 1
    assert [entry.row_id for entry in store.take(owner="s2", queue="another")] == [theirs.row_id]


def test_no_write_without_entries_to_free(store: Store, recovery: Recovery) -> None:
    store.add("/a", "/b")
    store.take(owner="alive", limit=1)
    before = store.revision
    assert recovery.free_dead_claims(lambda _: True, queue=QUEUE) == 0
    assert store.revision == before


def test_recreated_queue_is_detected_once(store: Store, other: Store, recovery: Recovery) -> None:
    assert not recovery.is_another_queue(queue=QUEUE, created_at_ms=NOW), "nobody had looked before"
    before = store.revision
    assert not recovery.is_another_queue(queue=QUEUE, created_at_ms=NOW)
    assert store.revision == before
    assert recovery.is_another_queue(queue=QUEUE, created_at_ms=NOW + 1)
    assert not Recovery(other.database).is_another_queue(queue=QUEUE, created_at_ms=NOW + 1)
    assert not recovery.is_another_queue(queue="another", created_at_ms=NOW + 1)
