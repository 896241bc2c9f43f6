"""Frequent queries use an index, so that they are fast with a million rows.

SQLite's planner has no statistics here and guesses: a new index once made it read the whole table for one page.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Cursor, NewFile, Status
from desktop_app.domain.query import Filter, Sort, SortTerm
from desktop_app.store.held_batches import HeldBatches
from desktop_app.store.list_query import SORT_TERMS
from desktop_app.store.recovery import Recovery
from desktop_app.store.results import Result, Tick
from desktop_app.store.strict_group import StrictGroup
from tests.store.kit import LEASE, NOW, QUEUE, Store

if TYPE_CHECKING:
    from collections.abc import Callable

NO_ROW = "(0 = 1)"  # peewee's condition for an empty list of keys, for which SQLite reads nothing
NO_TABLE = ("CONSTANT ROW", "CONSTANT ROWS", "VIRTUAL TABLE INDEX 1:", "SCAN keys", "SCAN given")
READS = ("SELECT", "UPDATE", "DELETE", "INSERT")
QUICK: dict[str, Callable[[Store], object]] = {
    "counts": lambda store: store.jobs.counts(),
    "counts of a queue": lambda store: store.jobs.counts(QUEUE),
    "cursor": lambda store: store.jobs.changes.cursor(),
    "changes": lambda store: store.jobs.changes.since(Cursor(5)),
    "page": lambda store: store.jobs.page(range(1, 257)),
    "find": lambda store: store.jobs.find("ab"),
    "failed ones": lambda store: store.jobs.ids(Filter(statuses=frozenset({Status.FAILED}))),
    "running ones": lambda store: store.jobs.ids(Filter(statuses=frozenset({Status.PROCESSING}))),
    "failed ones by type and batch": lambda store: store.jobs.ids(
        Filter(statuses=frozenset({Status.FAILED})), Sort((SortTerm("type"), SortTerm("batch_name")))
    ),
    "one problem": lambda store: store.jobs.ids(Filter(problems=frozenset({"missing"}))),
    "problems": lambda store: store.jobs.problems(),
    "sums": lambda store: store.jobs.sums(range(1, 201)),
    "attempts": lambda store: store.jobs.attempts(1),
    "attempt count": lambda store: store.jobs.attempt_count(1),
    "how far the run is": lambda store: store.jobs.run_sums(queue=QUEUE, since_ms=NOW),
    "what ended when": lambda store: store.jobs.ended(since_ms=NOW, until_ms=NOW, step_ms=1000),
    "one batch": lambda store: store.jobs.ids(Filter(batches=frozenset({1}))),
    "waiting": lambda store: store.outbox.waiting(QUEUE),
    "in queue": lambda store: store.outbox.in_queue(QUEUE),
    "take": lambda store: store.take(),
    "take in order": lambda store: store.take(in_order=True),
    "dead letter": lambda store: store.claims.dead_letter(store.job(1).id, 1, receive_count=9, now_ms=NOW),
    "sent": lambda store: store.send(),
    "postpone": lambda store: store.outbox.postpone(store.take(), until_ms=NOW),
    "resumed": lambda store: store.outbox.take_resumed(),
    "hold": lambda store: HeldBatches(store.database).hold(1, "file_gone", now_ms=NOW),
    "failures": lambda store: HeldBatches(store.database).failures(1, "file_gone"),
    "held count": lambda store: store.jobs.count_held(QUEUE),
    "claim": lambda store: store.claim(store.job(1)),
    "claim that is refused": lambda store: store.claim(store.job(1), generation=7),
    "finish": lambda store: store.work.finish([Result(1, 1, NOW)]),
    "progress": lambda store: store.work.progress([Tick(1, 1, 5, 10)]),
    "extend": lambda store: store.work.extend([(1, 1)], until_ms=NOW),
    "give back": lambda store: store.work.give_back(1, 1, now_ms=NOW),
    "is stale": lambda store: store.work.is_stale(1, 1),
    "dead leases": lambda store: store.claims.free_dead_leases(lambda _: False, queue=QUEUE, now_ms=NOW),
    "lost": lambda store: Recovery(store.database).resend_lost(queue=QUEUE, swept_at_ms=NOW, patience_ms=1),
    "overtaken": lambda store: Recovery(store.database).resend_overtaken(queue=QUEUE, now_ms=NOW, patience_ms=1),
    "polls": lambda store: Recovery(store.database).note_polls(
        queue=QUEUE, received=1, again_before_own=0, empty_at_ms=NOW
    ),
    "sweep": lambda store: Recovery(store.database).end_sweep(
        queue=QUEUE, total=1, visible=1, now_ms=NOW, strict_order=True
    ),
    "group": lambda store: StrictGroup(store.database, QUEUE).name(),
    "new group": lambda store: StrictGroup(store.database, QUEUE).leave("filemill", now_ms=NOW),
    "drained": lambda store: Recovery(store.database).note_drained(queue=QUEUE, at_ms=NOW),
    "may be drained": lambda store: Recovery(store.database).may_be_drained(queue=QUEUE),
    "send again": lambda store: Recovery(store.database).resend(queue=QUEUE, sent_before_ms=NOW, now_ms=NOW),
    "dead claims": lambda store: Recovery(store.database).free_dead_claims(lambda _: False, queue=QUEUE),
    "listed": lambda store: store.intake.listed([NewFile("/data/5", 5, 5)], lambda: False),
    "add": lambda store: store.add("/more"),
    "retry": lambda store: store.finish(store.job(1), 1) and store.intake.retry(range(1, 201), queue=QUEUE),
    "relocate": lambda store: (
        store.finish(store.job(1), 1, reason="No.") and store.intake.relocate(1, NewFile("/b", 1, 1), queue=QUEUE)
    ),
    "remove": lambda store: store.intake.remove(range(1, 201), now_ms=NOW),
    "remove processed": lambda store: (
        store.finish(store.job(1), 1) and store.intake.remove_processed(before_ms=NOW + 1, limit=1000, now_ms=NOW)
    ),
    "restore": lambda store: store.intake.remove([1], now_ms=NOW) and store.intake.restore(range(1, 201)),
    "forget": lambda store: store.intake.forget_removed(before_ms=NOW),
}


def statements(store: Store, action: Callable[[Store], object]) -> list[str]:
    """Return the SQL statements of an action, with their values."""
    store.jobs.changes.cursor()
    connection = store.database._peewee.connection()  # type: ignore[no-untyped-call]
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    action(store)
    connection.set_trace_callback(None)
    return [sql for sql in seen if sql.startswith(READS) and NO_ROW not in sql]


def plan_of(store: Store, statement: str) -> list[str]:
    """Return the steps of SQLite's query plan."""
    with closing(sqlite3.connect(store.path)) as connection:
        connection.create_function("folded", 1, str)
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


def full_scans(store: Store, statement: str) -> list[str]:
    """Return the steps of a query plan that read the whole table of jobs or outbox entries."""
    scans = [step for step in plan_of(store, statement) if step.startswith("SCAN") and not step.endswith(NO_TABLE)]
    return [step for step in scans if not step.endswith("INDEX batch_held")]  # contains only the paused batches


@pytest.mark.parametrize("name", QUICK)
def test_frequent_query_reads_no_whole_table(store: Store, name: str) -> None:
    store.intake.add([NewFile(f"/data/{at}", at, at) for at in range(300)], queue=QUEUE, name="", now_ms=NOW)
    store.start(store.job(1), now=NOW + LEASE)
    ran = statements(store, QUICK[name])
    assert ran
    assert {statement: scans for statement in ran if (scans := full_scans(store, statement))} == {}


@pytest.mark.parametrize("name", ["claim", "finish"])
def test_attempts_are_found_by_the_revision_of_their_transaction(store: Store, name: str) -> None:
    """The index over the status would be slow: a million rows may have the same one."""
    store.add("/a")
    if name == "finish":
        store.start(store.job(1))
    (statement,) = [one for one in statements(store, QUICK[name]) if '"attempt"' in one]
    assert "INDEX job_revision" in " ".join(plan_of(store, statement))


@pytest.mark.parametrize("name", ["claim", "finish", "progress", "extend", "give back", "sent"])
def test_jobs_of_messages_are_found_by_their_keys(store: Store, name: str) -> None:
    """Not by their status, which a million rows may have in common."""
    store.add("/a")
    ran = statements(store, QUICK[name])
    assert ran
    for statement in ran:
        assert "(status=" not in " ".join(plan_of(store, statement))


@pytest.mark.parametrize("key", SORT_TERMS)
@pytest.mark.parametrize("descending", [False, True])
def test_long_list_is_not_read_in_the_order_of_random_keys(store: Store, key: str, descending: bool) -> None:
    """With a million rows, this takes four times as long as sorting them."""
    for statement in statements(store, lambda store: store.jobs.ids(order=Sort((SortTerm(key, descending),)))):
        assert "job_uuid" not in " ".join(plan_of(store, statement))


@pytest.mark.parametrize("name", ["page", "find", "sums"])
def test_single_jobs_are_read_by_their_key(store: Store, name: str) -> None:
    """The index over the list would be slow: nearly every row matches it."""
    for statement in statements(store, QUICK[name]):
        plan = " ".join(plan_of(store, statement))
        assert "INTEGER PRIMARY KEY" in plan or "job_uuid" in plan


def test_check_notices_a_whole_table(store: Store) -> None:
    assert full_scans(store, "SELECT id FROM job WHERE reason_args = 'x'") == ["SCAN job"]
