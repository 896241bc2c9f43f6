"""Filtering jobs by text, problem and batch, and counting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Batch, NewFile, Status, StatusCounts
from desktop_app.domain.query import Filter, Problem, SelectionSums
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.search_parser import parse_search
from desktop_app.store.job_list import NEWEST_BATCHES
from desktop_app.store.rows import reason_columns
from tests.store.kit import NOW, QUEUE, row_ids
from tests.store.test_query_plans import plan_of, statements

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.store.kit import Store


GONE = Reason(ReasonCode.FILE_GONE)
STRANGE = Reason(ReasonCode.SYSTEM_ERROR, {"why": "Jörg's “disk_7”: 100 % \\ gone"})


def fail(store: Store, job: Job, reason: Reason | None) -> None:
    columns = reason_columns(reason)
    store.sql("UPDATE job SET status = 3, reason_code = ?, reason_args = ? WHERE id = ?", *columns.values(), job.row_id)


@pytest.fixture
def listed(store: Store) -> list[Job]:
    small, gone, secret, large = store.add("/in/Small one.txt", "/in/gone.txt", "/other/secret.txt", "/in/ÄRGER.csv")
    store.sql("UPDATE job SET file_size = 5000 WHERE id = ?", large.row_id)
    store.sql("UPDATE job SET file_size = NULL WHERE id = ?", gone.row_id)
    fail(store, gone, GONE)
    fail(store, secret, STRANGE.given_up(5))
    return [small, gone, secret, large]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("in txt", [0, 1]),
        ("txt in", [0, 1]),
        ('"small one"', [0]),
        ("one small", [0]),
        ("no longer", [1]),
        ("JÖRG", [2]),
        ("ärger", [3]),
        ("csv", [3]),
        ("txt nowhere", []),
        ("status:failed", [1, 2]),
        ("status:failed other", [2]),
        ("size:>10", [3]),
        ("size:<=10", [0, 2]),
        ("size:>1kB size:<1MB", [3]),
        ("reason:missing", [1]),
        ("reason:MISS", [1]),
        ('reason:"no longer"', [1]),
        ("reason:jörg", [2]),
        ("reason:txt", []),
        ("reason:%", [2]),
        ("reason:_", [2]),
        ("reason:disk_", [2]),
        ('reason:"7”: 100 % \\"', [2]),
        ('reason:"gave up after"', [2]),
        ("reason:5", [2]),
        ("reason:why", []),
        ("reason:attempts", [2]),
        ("reason:unread", [2]),
        ("jörg's", [2]),
        ("status:pending in", [0, 3]),
    ],
)
def test_typed_text_is_found(store: Store, listed: list[Job], typed: str, expected: list[int]) -> None:
    found = store.jobs.ids(Filter(search=parse_search(typed)))
    assert list(found) == [listed[at].row_id for at in expected]


def test_filter_box_full_of_conditions_can_be_queried(store: Store, listed: list[Job]) -> None:
    assert len(store.jobs.ids(Filter(search=parse_search("ä " * 250)))) == 1
    assert len(store.jobs.ids(Filter(search=parse_search("size:>9999999TB " * 30)))) == 0


def test_problems_are_counted_with_the_most_frequent_reason(store: Store) -> None:
    jobs = store.add(*(f"/{number}" for number in range(9)))
    for job in jobs[:2]:
        fail(store, job, STRANGE)
    fail(store, jobs[2], Reason(ReasonCode.IN_USE).given_up(5))
    for job in jobs[3:7]:
        fail(store, job, GONE)
    store.intake.remove([jobs[6].row_id], now_ms=NOW)
    fail(store, jobs[7], None)
    assert store.jobs.problems() == [
        Problem("missing", GONE, 3),
        Problem("unreadable", STRANGE, 3, reasons=2),
        Problem("", None, 1),
    ]
    chosen = Filter(problems=frozenset({"unreadable", ""}))
    assert list(store.jobs.ids(chosen)) == row_ids([*jobs[:3], jobs[7]])


def test_job_waiting_for_its_next_attempt_is_no_problem(store: Store) -> None:
    (job,) = store.add("/a")
    store.sql("UPDATE job SET reason_code = 'file_gone' WHERE id = ?", job.row_id)
    assert store.jobs.problems() == []
    assert list(store.jobs.ids(Filter(problems=frozenset({"missing"})))) == []


def batch(store: Store, name: str, files: int) -> tuple[int, list[int]]:
    added = store.intake.add(
        [NewFile(f"/{name}/{number}", 1, 1) for number in range(files)], queue=QUEUE, name=name, now_ms=NOW
    )
    return added.batch_id, [store.jobs.find(job_id)[0].row_id for job_id in added.job_ids]


def test_batches_with_listed_files_are_counted(store: Store) -> None:
    first, keys = batch(store, "first", 3)
    second, removed = batch(store, "second", 2)
    third, rest = batch(store, "", 1)
    store.intake.remove([keys[0], *removed], now_ms=NOW)
    assert store.jobs.batches() == [Batch(third, "", NOW, StatusCounts(1)), Batch(first, "first", NOW, StatusCounts(2))]
    assert list(store.jobs.ids(Filter(batches=frozenset({first})))) == keys[1:]
    assert list(store.jobs.ids(Filter(batches=frozenset({first, second, third})))) == [*keys[1:], *rest]


def test_name_of_digits_is_text(store: Store) -> None:
    batch(store, "007", 1)
    assert [job.batch_name for job in store.jobs.all()] == ["007"]


def test_only_the_newest_and_the_requested_batches_are_listed(store: Store) -> None:
    ids = [batch(store, str(number), 1)[0] for number in range(NEWEST_BATCHES + 3)]
    assert [found.id for found in store.jobs.batches()] == ids[:2:-1]
    assert [found.id for found in store.jobs.batches(also=[ids[0]])] == [*ids[:2:-1], ids[0]]
    assert store.jobs.batches(also=[999])[0].id == ids[-1]


def test_empty_list_has_neither_problems_nor_batches(store: Store) -> None:
    assert store.jobs.problems() == []
    assert store.jobs.batches() == []


def test_conditions_of_a_filter_are_combined(store: Store, listed: list[Job]) -> None:
    _, gone, secret, _ = listed
    where = Filter(
        statuses=frozenset({Status.FAILED}),
        problems=frozenset({"missing", "unreadable"}),
        batches=frozenset({gone.batch_id}),
        search=parse_search("secret"),
    )
    assert not where.is_empty
    assert list(store.jobs.ids(where)) == [secret.row_id]


def test_batches_are_walked_from_the_newest_and_their_jobs_found_by_index(store: Store) -> None:
    batch(store, "a", 30)
    for statement in statements(store, lambda store: store.jobs.batches()):
        plan = plan_of(store, statement)
        assert not [step for step in plan if "TEMP B-TREE" in step]
        assert [step for step in plan if "job_batch_id" in step or "PRIMARY KEY" in step]


def test_jobs_with_unknown_values_are_summed(store: Store, listed: list[Job]) -> None:
    small, _, _, large = listed
    store.process(small)
    store.intake.remove([large.row_id], now_ms=NOW)
    sums = store.jobs.sums([*row_ids(listed), 999])
    assert sums == SelectionSums(StatusCounts(processed=1, failed=2), size=20, lines=3)
    assert store.jobs.sums([]) == SelectionSums(StatusCounts(), 0, 0)
