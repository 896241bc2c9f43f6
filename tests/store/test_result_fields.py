"""Fields of results: sorting and filtering by them, with and without an index, and their sums."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.fields import Field, ResultField, result_fields
from desktop_app.domain.keys import KeySet, Pending, Retried
from desktop_app.domain.query import NO_FILTER, Filter, Sort
from desktop_app.domain.search import KnownValues
from desktop_app.domain.search_parser import Names, parse_search
from desktop_app.store.backends import sqlite
from desktop_app.store.backups import check_database
from desktop_app.store.database import open_database
from desktop_app.store.processors import WorkerProcessors, keep_fields
from tests.store.kit import NOW, Store, row_ids
from tests.store.test_query_plans import plan_of, statements

if TYPE_CHECKING:
    from desktop_app.domain.job import Job

DECLARED = [
    ("image", Field("pages", int, "Pages")),
    ("image", Field("ratio", float, "Ratio")),
    ("image", Field("format", str, "Format")),
    ("image", Field("verified", bool, "Verified")),
    ("image", Field("weight", int, "Weight", "bytes")),
]
NAMES = Names(fields={field.name: field for field in result_fields(DECLARED)})
VALUES: list[dict[str, object]] = [
    {"pages": 5, "ratio": 0.5, "format": "PNG", "verified": True, "weight": 2_000_000},
    {"pages": -2, "ratio": 1.5, "format": "jpeg", "verified": False, "weight": 10},
    {"pages": 12, "ratio": 0.25, "format": "Ärger 100%", "verified": True},
    {"pages": "twelve", "format": 7},  # another processor, whose fields have other types
    {"other": 1},
]
INDEXED = pytest.mark.parametrize("indexed", [False, True])


@pytest.fixture
def jobs(store: Store) -> list[Job]:
    """Return jobs with `VALUES`, one without a result, and two with what is not a result."""
    added = store.add(*(f"/{at}" for at in range(len(VALUES) + 3)))
    for job, text in zip(added, [*map(json.dumps, VALUES), None, "{broken", "[1]"], strict=True):
        store.sql("UPDATE job SET result = ? WHERE id = ?", text, job.row_id)
    return added


def make_fast(store: Store, *names: str, fast: bool = True) -> None:
    for name in names:
        WorkerProcessors(store.database).make_fast(name, fast=fast)


def found(store: Store, typed: str) -> list[int]:
    search = parse_search(typed, NAMES)
    assert search.terms
    return [row - 1 for row in store.jobs.ids(Filter(search=search))]


@INDEXED
@pytest.mark.parametrize(
    ("key", "ascending"),
    [
        ("pages", [4, 5, 6, 7, 1, 0, 2, 3]),
        ("ratio", [3, 4, 5, 6, 7, 2, 0, 1]),
        ("verified", [3, 4, 5, 6, 7, 1, 0, 2]),
        ("format", [4, 5, 6, 7, 3, 0, 1, 2]),
    ],
)
def test_list_is_sorted_by_a_field_with_unknown_values_at_one_end(
    store: Store, jobs: list[Job], key: str, ascending: list[int], indexed: bool
) -> None:
    if indexed:
        make_fast(store, key)
    assert [row - 1 for row in store.jobs.ids(order=Sort.by(f"result.{key}"))] == ascending
    descending = [row - 1 for row in store.jobs.ids(order=Sort.by(f"result.{key}", descending=True))]
    unknown = [at for at in ascending if at >= len(VALUES) or key not in VALUES[at]]
    assert descending[-len(unknown) :] == unknown
    assert [row - 1 for row in store.jobs.ids(order=Sort.by(f"result.{key}"), limit=3)] == ascending[:3]


@INDEXED
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("pages:5", [0]),
        ("pages:>5", [2]),
        ("pages:<=5", [0, 1]),
        ("pages:-2", [1]),
        ("pages:-3..5", [0, 1]),
        ("-pages:>5", [0, 1, 3, 4, 5, 6, 7]),
        ("ratio:0.5", [0]),
        ("ratio:0,5", [0]),
        ("ratio:>0.5", [1]),
        ("ratio:<0.5", [2]),
        ("ratio:0.2..0.5", [0, 2]),
        ("format:png", [0]),
        ("format:p", [0, 1]),
        ("format:p*", [0]),
        ("format:*G", [0, 1]),
        ("format:ÄRGER", [2]),
        ("format:100%", [2]),
        ("format:7", []),
        ("-format:p", [2, 3, 4, 5, 6, 7]),
        ("verified:yes", [0, 2]),
        ("verified:n", [1]),
        ("-verified:yes", [1, 3, 4, 5, 6, 7]),
        ("weight:2MB", [0]),
        ("weight:<1kB", [1]),
        ("pages:>0 verified:yes format:png", [0]),
    ],
)
def test_list_is_filtered_by_fields(
    store: Store, jobs: list[Job], typed: str, expected: list[int], indexed: bool
) -> None:
    if indexed:
        make_fast(store, *NAMES.fields)
    assert found(store, typed) == expected


def test_index_is_used_for_the_order_and_the_filter_and_only_then(store: Store, jobs: list[Job]) -> None:
    def plans(where: Filter = NO_FILTER, order: str = "result.pages") -> str:
        ran = statements(store, lambda store: store.jobs.ids(where, Sort.by(order), limit=5))
        return " ".join(step for statement in ran for step in plan_of(store, statement))

    long, many = Filter(search=parse_search("format:x", NAMES)), Filter(search=parse_search("pages:>3", NAMES))
    assert "job_result_" not in plans() + plans(many)
    make_fast(store, "pages")
    make_fast(store, "pages")  # nothing happens
    assert "SCAN t1 USING INDEX job_result_pages" in plans()
    assert "SEARCH t1 USING INDEX job_result_pages" in plans(many, "created_at")
    assert "job_result_" not in plans(long), "rows would be read from all over the file"
    assert "job_result_" not in plans(order="result.ratio")
    make_fast(store, "pages", fast=False)
    make_fast(store, "pages", fast=False)
    assert "job_result_" not in plans() + plans(many)


def test_database_with_an_index_of_results_is_not_damaged(store: Store, jobs: list[Job]) -> None:
    make_fast(store, "pages")
    store.database.release()
    check_database(store.path)
    with open_database(store.path, MIGRATIONS).session():
        pass
    assert [row - 1 for row in store.jobs.ids(order=Sort.by("result.pages"))][-1] == 3
    assert {field.name: field.is_fast for field in store.jobs.result_fields()} == {}


def test_making_an_index_can_be_stopped(store: Store, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_STEPS_BETWEEN_LOOKS", 1)
    WorkerProcessors(store.database).make_fast("pages", fast=True, should_stop=lambda: True)
    assert store.sql("SELECT name FROM sqlite_master WHERE name LIKE 'job_result%'") == []
    make_fast(store, "pages")
    assert store.sql("SELECT name FROM sqlite_master WHERE name LIKE 'job_result%'") == [("job_result_pages",)]


def test_index_is_kept_while_results_are_written(store: Store, jobs: list[Job]) -> None:
    make_fast(store, "pages")
    store.sql("""UPDATE job SET result = '{"pages":99}' WHERE id = 1""")
    store.intake.remove([jobs[2].row_id], now_ms=NOW)
    assert found(store, "pages:>5") == [0]
    assert found(store, "pages:99") == [0]
    store.jobs.pending = Pending(restored=KeySet([jobs[2].row_id]), restored_times=frozenset({NOW}))
    assert found(store, "pages:>5") == [0, 2]
    assert [row - 1 for row in store.jobs.ids(order=Sort.by("result.pages"), limit=9)][-3:] == [2, 0, 3]


@pytest.mark.parametrize("name", ["", "Pages", "a b", "x'", 'x"', "a" * 41])
def test_what_is_not_the_name_of_a_field_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a field"):
        WorkerProcessors(store.database).make_fast(name, fast=True)
    with pytest.raises(ValueError, match="is not the name of a field"):
        store.jobs.ids(order=Sort.by(f"result.{name}"))


def test_fields_are_added_up(store: Store, jobs: list[Job]) -> None:
    keys = row_ids(jobs)
    assert store.jobs.sums(keys).results == ()
    assert store.jobs.sums(keys[:3], ("pages", "ratio", "other")).results == (("pages", 15), ("ratio", 2.25))
    assert store.jobs.sums(keys[:3] * 2, ("pages",)).results == (("pages", 15),)
    store.sql("""UPDATE job SET result = '{"pages":9223372036854775807}' WHERE id IN (1, 2)""")
    assert store.jobs.sums(keys[:2], ("pages",)).results == (("pages", 2.0**64),)


def test_results_that_are_about_to_be_replaced_are_not_added_up(store: Store, jobs: list[Job]) -> None:
    store.sql("UPDATE job SET status = 2")
    store.jobs.pending = Pending(retried=(Retried(KeySet([jobs[0].row_id]), None),))
    assert store.jobs.sums(row_ids(jobs[:3]), ("pages",)).results == (("pages", 10),)


def test_known_fields_are_merged_by_name(store: Store) -> None:
    def declare(processor: str, *fields: Field) -> None:
        with store.database.write():
            keep_fields(store.database, {(processor, field.name): field for field in fields})

    declare("checksum", Field("lines_count", int, "Lines"), Field("pages", int, ""), Field("mixed", bool, "Mixed"))
    declare("pdf", Field("pages", int, "Pages\n", "px"), Field("mixed", int, ""), Field("word_count", int, ""))
    declare(
        "command:x", Field("pages", float, "Sheets", ""), Field("Bad Name", int, ""), Field("size", int, "", "bytes")
    )
    make_fast(store, "word_count")
    assert {field.name: field for field in store.jobs.result_fields()} == {
        "pages": ResultField("pages", float, "Sheets", (("checksum", ""), ("command:x", ""), ("pdf", "px"))),
        "mixed": ResultField("mixed", str, "Mixed", (("checksum", ""), ("pdf", ""))),
        "word_count": ResultField("word_count", int, "Word count", (("pdf", ""),), is_fast=True),
        "size": ResultField("size", int, "Size", (("command:x", "bytes"),)),
    }


def test_jobs_are_found_by_their_processor(store: Store, jobs: list[Job]) -> None:
    store.sql("UPDATE job SET processor = 'checksum' WHERE id IN (1, 3)")
    store.sql("UPDATE job SET processor = 'command:webp' WHERE id = 2")
    assert found(store, "processor:checksum") == [0, 2]
    assert found(store, "processor:command*,CHECK") == [0, 1, 2]
    assert found(store, "processor:command processor:checksum") == [0, 1, 2]
    assert found(store, "-processor:lines") == [0, 1, 2]
    assert store.jobs.known_values().processors == ("checksum", "command:webp", "lines")
    assert KnownValues().processors == ()
