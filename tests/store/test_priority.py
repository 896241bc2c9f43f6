"""Jobs that the user moves to the front of the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import PriorityResult
from desktop_app.store.rows import ROWS_A_TRANSACTION
from tests.store.kit import NOW, QUEUE, Store, row_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import Job


def first(store: Store, jobs: Sequence[Job]) -> PriorityResult:
    return store.intake.move_to_front(row_ids(jobs), queue=QUEUE)


def order(store: Store) -> list[int]:
    return [row for row, _ in store.outbox_rows()]


def test_unsent_files_are_sent_first_in_the_requested_order(store: Store) -> None:
    a, b, c, d = store.add("/a", "/b", "/c", "/d")
    assert first(store, [d, c]) == PriorityResult((d.row_id, c.row_id), 2)
    assert order(store) == row_ids([d, c, a, b])
    assert first(store, [b]).front == 1
    assert [entry.row_id for entry in store.take(in_order=True)] == row_ids([b, d, c, a])


def test_files_added_later_are_behind(store: Store) -> None:
    (a,) = store.add("/a")
    first(store, [a])
    (b,) = store.add("/b")
    assert order(store) == row_ids([a, b])


def test_sent_files_are_counted_separately(store: Store) -> None:
    sent = store.add("/a", "/b")
    store.send()
    (new,) = store.add("/c")
    moved = first(store, [*sent, new])
    assert (moved.front, moved.sent) == (1, 2)
    assert moved.keys == tuple(row_ids([*sent, new]))


def test_only_files_waiting_for_this_queue_are_moved(store: Store) -> None:
    done, at_work, elsewhere, gone = (
        *store.add("/done", "/at work"),
        *store.add("/x", queue="other"),
        *store.add("/y"),
    )
    store.process(done)
    store.start(at_work)
    store.intake.remove([gone.row_id], now_ms=NOW)
    before = order(store)
    assert first(store, [done, at_work, elsewhere, gone]) == PriorityResult()
    assert order(store) == before


def test_nothing_is_moved_without_entries(store: Store) -> None:
    assert first(store, []) == PriorityResult()


def test_postponed_entry_is_due_at_once(store: Store) -> None:
    a, b = store.add("/a", "/b")
    store.outbox.postpone(store.take(), until_ms=NOW + 60_000)
    first(store, [b])
    assert [entry.row_id for entry in store.take()] == [b.row_id]
    assert a.row_id in order(store)


def test_claimed_entry_is_sent_once(store: Store) -> None:
    a, b = store.add("/a", "/b")
    taken = store.take()
    first(store, [b])
    assert store.take(owner="s2") == []
    assert [entry.row_id for entry in taken] == row_ids([a, b])


def test_many_keep_their_order(store: Store) -> None:
    jobs = store.add(*(f"/{number}" for number in range(2 * ROWS_A_TRANSACTION + 7)))
    wanted = list(reversed(jobs))[3:]
    assert first(store, wanted).keys == tuple(row_ids(wanted))
    assert order(store)[: len(wanted)] == row_ids(wanted)


@pytest.mark.parametrize("is_sent", [False, True])
def test_row_is_claimed_as_its_message_would(store: Store, is_sent: bool) -> None:
    a, b = store.add("/a", "/b")
    if is_sent:
        store.send()
    store.process(b)
    (request,) = store.claims.requests(row_ids([b, a]), queue=QUEUE)
    assert (request.file_id, request.generation, request.group) == (a.id, 1, "")
    assert request.message_id == (f"m-{a.row_id}" if is_sent else "")
