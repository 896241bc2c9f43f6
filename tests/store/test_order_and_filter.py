"""The order of the list and its filters."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import BEGINNING, Status
from desktop_app.domain.query import ADDED, Filter, Sort, SortTerm
from desktop_app.domain.search import Search, Text, TextTerm
from desktop_app.store.list_query import SORT_TERMS
from desktop_app.store.rows import name_key
from tests.store.kit import NOW, row_ids

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.store.kit import Store


def words(text: str) -> Search:
    return Search((TextTerm(None, (Text(text),)),))


VALUES = {
    "name": None,
    "status": "status",
    "lines_count": "lines_count",
    "file_size": "file_size",
    "took_ms": "started_at = 100, finished_at",
    "progress": "file_size = 100, bytes_done",
    "reason": "reason_args",
    "finished_at": "finished_at",
    "modified_ns": "modified_ns",
    "attempts": "attempts",
    "queue": "queue",
    "message_id": "message_id",
}


def with_values(store: Store, sort_by: str, values: list[int]) -> list[Job]:
    """Add jobs with these values in the column of a sort key."""
    jobs = store.add(*(f"/{number}/{value}.txt" for number, value in enumerate(values)))
    column = VALUES[sort_by]
    if column is not None:
        for job, value in zip(jobs, values, strict=True):
            store.sql(f"UPDATE job SET {column} = ? WHERE id = ?", value, job.row_id)
    return jobs


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort_by", VALUES)
def test_equal_jobs_stay_in_the_order_they_were_added(store: Store, sort_by: str, descending: bool) -> None:
    values = [2, 3, 1, 3, 1, 2, 3]
    jobs = with_values(store, sort_by, values)
    sign = -1 if descending else 1
    expected = [job.row_id for _, job in sorted(zip(values, jobs, strict=True), key=lambda pair: sign * pair[0])]
    assert list(store.jobs.ids(order=Sort.by(sort_by, descending=descending))) == expected


def test_order_of_adding_can_be_turned_round(store: Store) -> None:
    jobs = store.add("/b", "/c", "/a")
    assert list(store.jobs.ids()) == row_ids(jobs)
    assert list(store.jobs.ids(order=Sort.by(ADDED, descending=True))) == row_ids(jobs)[::-1]


@pytest.mark.parametrize("then_descending", [False, True])
@pytest.mark.parametrize("descending", [False, True])
def test_second_key_sorts_equal_rows(store: Store, descending: bool, then_descending: bool) -> None:
    values = [(2, 5), (1, 7), (2, 9), (1, 7), (2, 5)]
    jobs = store.add(*(f"/{number}" for number in range(len(values))))
    for job, (size, lines) in zip(jobs, values, strict=True):
        store.sql("UPDATE job SET file_size = ?, lines_count = ? WHERE id = ?", size, lines, job.row_id)
    first, second = -1 if descending else 1, -1 if then_descending else 1
    expected = sorted(range(5), key=lambda at: (first * values[at][0], second * values[at][1], at))
    order = Sort((SortTerm("file_size", descending), SortTerm("lines_count", then_descending)))
    assert list(store.jobs.ids(order=order)) == [jobs[at].row_id for at in expected]


def test_files_of_one_add_are_equal_in_when_they_were_added(store: Store) -> None:
    jobs = store.add("/b", "/a")
    (later,) = store.add("/0")
    store.sql("UPDATE job SET created_at = created_at + 1 WHERE id = ?", later.row_id)
    by_name = Sort((SortTerm(ADDED, descending=True), SortTerm("name")))
    assert list(store.jobs.ids(order=by_name)) == row_ids([later, jobs[1], jobs[0]])
    newest_first = Sort((SortTerm("queue"), SortTerm(ADDED, descending=True)))
    assert list(store.jobs.ids(order=newest_first)) == row_ids([later, jobs[1], jobs[0]])


@pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
def test_files_of_one_folder_are_sorted_together(store: Store) -> None:
    paths = ["/in/z.txt", "/in/b/1.txt", "/in/a.txt", "/in/b/2", "/", "/in/b\\c"]
    jobs = store.add(*paths)
    ordered = [store.job(row).file_path for row in store.jobs.ids(order=Sort.by("folder"))]
    assert ordered == ["/", "/in/z.txt", "/in/a.txt", "/in/b\\c", "/in/b/1.txt", "/in/b/2"]
    assert len(jobs) == len(paths)


def test_files_of_one_type_are_sorted_together(store: Store) -> None:
    names = ["b.TXT", "a.csv", ".hidden", "no type", "a.tar.gz", "c.txt", "dir.d/plain", ".x.csv", "v.mp3"]
    store.add(*(f"/in/{name}" for name in names))
    ordered = [store.job(row).file_path[4:] for row in store.jobs.ids(order=Sort.by("type"))]
    assert ordered == [".hidden", "no type", "dir.d/plain", "a.csv", ".x.csv", "a.tar.gz", "v.mp3", "b.TXT", "c.txt"]


def test_files_of_one_batch_are_sorted_together_with_its_name(store: Store) -> None:
    jobs = [store.add(f"/{at}")[0] for at in range(3)]
    for job, name in zip(jobs, ["b", "a", "b"], strict=True):
        store.sql("UPDATE batch SET name = ? WHERE id = ?", name, job.batch_id)
    ordered = list(store.jobs.ids(order=Sort.by("batch_name")))
    assert ordered == row_ids([jobs[1], jobs[0], jobs[2]])
    assert [job.batch_name for job in store.jobs.page(ordered).values()] == ["b", "a", "b"]
    assert {job.batch_name for job in store.jobs.changes.since(BEGINNING).jobs} == {"a", "b"}


def test_jobs_can_be_ordered_by_their_id(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c")
    expected = row_ids(sorted(jobs, key=lambda job: job.id))
    assert list(store.jobs.ids(order=Sort.by("id"))) == expected


@pytest.mark.parametrize("key", SORT_TERMS)
def test_every_key_sorts_all_jobs(store: Store, key: str) -> None:
    jobs = store.add("/b/2.txt", "/a/1.csv")
    assert sorted(store.jobs.ids(order=Sort.by(key))) == row_ids(jobs)


@pytest.mark.parametrize("field", ["generation", "receive_count", "sent_at"])
def test_any_field_of_a_job_can_be_sorted_by(store: Store, field: str) -> None:
    jobs = store.add("/a", "/b", "/c")
    for job, value in zip(jobs, [3, 1, 2], strict=True):
        store.sql(f"UPDATE job SET {field} = ? WHERE id = ?", value, job.row_id)
    assert list(store.jobs.ids(order=Sort.by(field))) == [jobs[at].row_id for at in (1, 2, 0)]


def test_failed_jobs_are_grouped_by_their_reason(store: Store) -> None:
    jobs = store.add("/a", "/b", "/c", "/d")
    for job, reason in zip(jobs, ["gone", "", "away", "gone"], strict=True):
        store.process(job, reason=reason)
    assert list(store.jobs.ids(order=Sort.by("status"))) == [jobs[at].row_id for at in (1, 2, 0, 3)]


@pytest.mark.parametrize("sort_by", ["lines_count", "file_size", "took_ms", "progress"])
def test_unknown_values_are_sorted_to_one_end(store: Store, sort_by: str) -> None:
    jobs = with_values(store, sort_by, [5, 1, 9])
    (unknown,) = store.add("/unknown", size=None)
    ascending = [unknown.row_id, *(jobs[at].row_id for at in (1, 0, 2))]
    assert list(store.jobs.ids(order=Sort.by(sort_by))) == ascending
    assert list(store.jobs.ids(order=Sort.by(sort_by, descending=True))) == ascending[::-1]


def test_empty_file_has_no_progress(store: Store) -> None:
    """There is no division by zero."""
    (empty,) = store.add("/empty", size=0)
    (half,) = store.add("/half")
    store.sql("UPDATE job SET bytes_done = 5 WHERE id = ?", half.row_id)
    assert list(store.jobs.ids(order=Sort.by("progress"))) == row_ids([empty, half])


NATURAL = [
    "",
    "1",
    "01",
    "2",
    "10",
    "File1.txt",
    "file2.txt",
    "file10.txt",
    "FILE100.txt",
    "file" + "9" * 30 + ".txt",
    "file1" + "0" * 30 + ".txt",
    "v1.2.9",
    "v1.2.10",
    "v1.10.1",
    "ZEBRA",
    "École",
    "école 2",
    "École 10",
]


def test_names_are_in_natural_order(store: Store) -> None:
    jobs = store.add(*(f"/folder {99 - at}/{name}" for at, name in reversed(list(enumerate(NATURAL)))))
    ordered = [store.job(row) for row in store.jobs.ids(order=Sort.by("name"))]
    names = [job.file_path.rpartition("/")[2] for job in ordered]
    equal = {"1", "01"}
    assert [name for name in names if name not in equal] == [name for name in NATURAL if name not in equal]
    assert names[1:3] == ["01", "1"], "equal numbers stay in the order they were added"
    assert len(jobs) == len(NATURAL)


def test_sorting_key_of_a_name_does_not_grow_without_end() -> None:
    assert len(name_key("/data/" + "1-" * 127)) < 1_000


def test_only_requested_statuses_are_listed(store: Store) -> None:
    waiting, running, processed, failed, removed = store.add("/a", "/b", "/c", "/d", "/e")
    store.start(running)
    store.process(processed)
    store.process(failed, reason="It is gone.")
    store.process(removed)
    store.intake.remove([removed.row_id], now_ms=NOW)
    by_status = {
        Status.PENDING: waiting,
        Status.PROCESSING: running,
        Status.PROCESSED: processed,
        Status.FAILED: failed,
    }
    for status, job in by_status.items():
        assert list(store.jobs.ids(Filter(statuses=frozenset({status})))) == [job.row_id]
    both = Filter(statuses=frozenset({Status.FAILED, Status.PENDING}))
    assert list(store.jobs.ids(both)) == row_ids([waiting, failed])
    assert list(store.jobs.ids()) == row_ids([waiting, running, processed, failed])


PATHS = [
    "/data/Report 100%.txt",
    "/data/under_score.txt",
    "/data/it's [odd]*?.txt",
    "/data/ÄRGER Straße.txt",
    "/data/" + unicodedata.normalize("NFD", "Crème Brûlée") + ".txt",
    "/DATA/back\\slash.txt",
    "/data/日本語.txt",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6]),
        ("data", [0, 1, 2, 3, 4, 5, 6]),
        ("DATA/", [0, 1, 2, 3, 4, 5, 6]),
        ("report", [0]),
        ("100%", [0]),
        ("%", [0]),
        ("_", [1]),
        ("'", [2]),
        ("' OR 1=1 --", []),
        ("[odd]*?", [2]),
        ("*", [2]),
        ("\\", [5]),
        ("ärger", [3]),
        ("ÄRGER STRASSE", [3]),
        ("crème brûlée", [4]),
        (unicodedata.normalize("NFD", "CRÈME"), [4]),
        ("日本", [6]),
        ("no such", []),
        ("a\0b", []),
        ("\udce9", []),
    ],
)
def test_text_is_matched_literally_ignoring_case(store: Store, text: str, expected: list[int]) -> None:
    jobs = store.add(*PATHS)
    assert list(store.jobs.ids(Filter(search=words(text)))) == [jobs[at].row_id for at in expected]


def test_text_that_is_no_valid_path_matches_nothing(store: Store) -> None:
    store.add(*PATHS)
    assert list(store.jobs.ids(Filter(search=words("\ud800")))) == []


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
@pytest.mark.parametrize("text", ["caf\udce9", "caf\\xe9", "CAF"])
def test_name_that_is_not_utf_8_is_found_as_stored_and_as_shown(store: Store, text: str) -> None:
    (job,) = store.add(os.fsdecode(b"/data/caf\xe9.txt"))
    store.add("/data/tea.txt")
    assert list(store.jobs.ids(Filter(search=words(text)))) == [job.row_id]


def test_filters_and_order_work_together(store: Store) -> None:
    jobs = store.add("/b/x1", "/a/x2", "/c/y3", "/d/x10")
    store.process(jobs[1])
    where = Filter(statuses=frozenset({Status.PENDING}), search=words("X"))
    assert list(store.jobs.ids(where, Sort.by("name", descending=True))) == [jobs[3].row_id, jobs[0].row_id]
