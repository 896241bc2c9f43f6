"""Reading the list: changes, counts, pages, all rows, and single jobs."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import BEGINNING, Changes, NewFile, Status, StatusCounts
from desktop_app.domain.query import ADDED, Sort
from desktop_app.store import job_list as job_list_module
from desktop_app.store.change_feed import MAX_CHANGES
from tests.store.kit import NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from tests.store.kit import Store


def test_empty_list(store: Store) -> None:
    assert store.jobs.changes.since(BEGINNING) == Changes(BEGINNING)
    assert store.jobs.ids() == array("q")
    assert store.jobs.page([]) == store.jobs.page([1]) == {}
    assert store.jobs.counts() == StatusCounts()
    assert store.jobs.sums([]).size == store.jobs.sums([1]).size == 0
    assert list(store.jobs.all()) == []


def test_changes_are_the_rows_written_since(store: Store, other: Store) -> None:
    first, second = store.add("/a", "/b")
    seen = store.jobs.changes.since(BEGINNING)
    assert seen == Changes(store.cursor, (first, second))
    assert store.jobs.changes.since(seen.cursor) == Changes(seen.cursor)
    (third,) = other.add("/c")
    other.process(second)
    changes = store.jobs.changes.since(seen.cursor)
    assert changes.jobs == (store.job(second), third)
    assert changes.cursor == other.cursor


def test_job_that_changed_often_is_returned_once_in_its_current_state(store: Store) -> None:
    (job,) = store.add("/a")
    before = store.cursor
    store.process(job)
    store.intake.retry([job.row_id], queue=QUEUE)
    store.process(store.job(job), reason="It is gone.")
    assert store.jobs.changes.since(before).jobs == (store.job(job),)


def test_removed_jobs_are_named_and_restored_ones_come_back(store: Store) -> None:
    first, second = store.add("/a", "/b")
    before = store.cursor
    store.intake.remove([first.row_id], now_ms=NOW)
    store.process(second)
    changes = store.jobs.changes.since(before)
    assert (row_ids(changes.jobs), changes.removed) == ([second.row_id], (first.row_id,))
    store.intake.restore([first.row_id])
    assert row_ids(store.jobs.changes.since(changes.cursor).jobs) == [first.row_id]


def test_changes_come_in_the_order_of_submission(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c")
    before = store.cursor
    for job in reversed(jobs):
        store.start(job)
    assert row_ids(store.jobs.changes.since(before).jobs) == row_ids(jobs)


def test_too_many_changes_are_not_listed_one_by_one(store: Store) -> None:
    files = [NewFile(f"/data/{number}", 1, None) for number in range(MAX_CHANGES)]
    store.intake.add(files, queue=QUEUE, name="", now_ms=NOW)
    changes = store.jobs.changes.since(BEGINNING)
    assert (len(changes.jobs), changes.overflow) == (MAX_CHANGES, False)
    store.add("/one/more")
    assert store.jobs.changes.since(BEGINNING) == Changes(store.cursor, overflow=True)


def test_no_change_is_missed_while_another_program_writes(store: Store, other: Store) -> None:
    """A reader that follows the change feed ends with the contents of the database, whenever it has read."""
    known: dict[int, int] = {}
    cursor = BEGINNING
    for number in range(30):
        (job,) = other.add(f"/data/{number}")
        if number % 3 == 0:
            other.process(job)
        if number % 2 == 0:
            changes = store.jobs.changes.since(cursor)
            assert changes.cursor != cursor
            cursor = changes.cursor
            known |= {job.row_id: job.revision for job in changes.jobs}
    known |= {job.row_id: job.revision for job in store.jobs.changes.since(cursor).jobs}
    assert known == {job.row_id: job.revision for job in store.jobs.all()}


def test_counts_are_by_status_and_by_queue(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c", "/d", "/e", "/f")
    store.start(jobs[0])
    store.process(jobs[1])
    store.process(jobs[2])
    store.process(jobs[3], reason="It is gone.")
    store.intake.remove([jobs[5].row_id], now_ms=NOW)
    store.add("/g", queue="another")
    assert store.jobs.counts() == StatusCounts(pending=2, processing=1, processed=2, failed=1)
    assert store.jobs.counts(QUEUE) == StatusCounts(pending=1, processing=1, processed=2, failed=1)
    assert store.jobs.counts("another") == StatusCounts(pending=1)
    assert store.jobs.counts("no such") == StatusCounts()


def test_page_contains_the_requested_jobs_on_the_list(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c")
    store.intake.remove([jobs[1].row_id], now_ms=NOW)
    page = store.jobs.page(array("q", [jobs[2].row_id, jobs[1].row_id, jobs[0].row_id, 999]))
    assert page == {jobs[2].row_id: jobs[2], jobs[0].row_id: jobs[0]}


def test_known_sizes_are_summed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list_module, "_SUMMED_AT_ONCE", 2)
    jobs = [*store.add("/a", "/b", "/c", size=2**40), *store.add("/d", size=None)]
    assert store.jobs.sums(row_ids(jobs)).size == 3 * 2**40
    assert store.jobs.sums([jobs[3].row_id]).size == 0


def test_all_returns_every_job_in_the_requested_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list_module, "_PAGE", 2)
    jobs = store.add("/a", "/b", "/c", "/d", "/e")
    assert list(store.jobs.all()) == jobs
    assert list(store.jobs.all(order=Sort.by(ADDED, descending=True))) == jobs[::-1]


def test_all_reads_page_by_page_without_an_open_transaction(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_list_module, "_PAGE", 2)
    jobs = store.add("/a", "/b", "/c", "/d")
    reading = store.jobs.all()
    assert next(reading) == jobs[0]
    other.process(jobs[3])
    other.intake.remove([jobs[2].row_id], now_ms=NOW)
    rest = list(reading)
    assert row_ids(rest) == [jobs[1].row_id, jobs[3].row_id]
    assert rest[-1].status is Status.PROCESSED, "a page is read when it is reached"


def known_ids(store: Store, *ids: str) -> None:
    """Add jobs with chosen UUIDs."""
    jobs = store.add(*(f"/data/{number}" for number in range(len(ids))))
    for job, chosen in zip(jobs, ids, strict=True):
        store.sql("UPDATE job SET uuid = ? WHERE id = ?", chosen, job.row_id)


A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "aaaaaaaa-ffff-4000-8000-000000000002"
C = "aaaaaaaa-ffff-4000-8000-000000000003"
D = "ffffffff-ffff-4000-8000-ffffffffffff"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (A, [A]),
        (A.upper(), [A]),
        (f"  {A}\n", [A]),
        ("aaaaaaaa-0", [A]),
        ("f", [D]),
        (D, [D]),
        ("aaaaaaaa", [A, B]),
        ("aaaaaaaa-ffff", [B, C]),
        ("b", []),
        (A[:-1] + "9", []),
        (A + "0", []),
        ("", []),
        ("   ", []),
        ("%", []),
        ("_", []),
        ("a*", []),
        ("' OR 1=1 --", []),
        ("\udce9", []),
        ("\uff41", []),  # a fullwidth a
    ],
)
def test_jobs_are_found_by_a_prefix_of_their_id(store: Store, text: str, expected: list[str]) -> None:
    known_ids(store, D, C, B, A)
    assert [job.id for job in store.jobs.find(text)] == expected


def test_removed_job_is_not_found(store: Store) -> None:
    (job,) = store.add("/a")
    store.intake.remove([job.row_id], now_ms=NOW)
    assert store.jobs.find(job.id) == []
