"""The first keys of a long list, which are searched for part by part, are those of the whole list."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.fields import Field, result_fields
from desktop_app.domain.job import NewFile, Status
from desktop_app.domain.keys import KeySet, Pending
from desktop_app.domain.query import ADDED, NO_FILTER, Filter, Sort, SortTerm
from desktop_app.gui.filtering.search_names import read_search
from desktop_app.store import first_keys
from desktop_app.store.list_query import SORT_TERMS
from desktop_app.store.processors import WorkerProcessors
from tests.store.kit import NOW, QUEUE

if TYPE_CHECKING:
    from tests.store.kit import Store

ROWS, LIMIT = 400, 25
FIELDS = result_fields([("image", Field("pages", int, "")), ("image", Field("format", str, ""))])
FILTERS = {
    "all": NO_FILTER,
    "a common word": Filter(search=read_search("report")),
    "a rare word": Filter(search=read_search("rare")),
    "no match": Filter(search=read_search("nothing")),
    "a negated type": Filter(search=read_search("-type:x")),
    "a number": Filter(search=read_search("lines:>50")),
    "a number in results": Filter(search=read_search("pages:>5", FIELDS)),
    "a text in results": Filter(search=read_search("format:png", FIELDS)),
    "no text in results": Filter(search=read_search("-format:*g", FIELDS)),
    "a status": Filter(statuses=frozenset({Status.PENDING})),
}


@pytest.fixture(autouse=True)
def divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_keys, "LEAST_ROWS", 1)


@pytest.fixture
def rows(store: Store) -> Store:
    """A list with equal, unknown and negative values in all columns, some of whose jobs were removed."""
    chance = random.Random(1)
    names = [
        f"/in/{chance.randrange(9)}/{'rare' if at % 97 == 5 else 'report'} {chance.randrange(50)}.{chance.choice('xÄ')}"
        for at in range(ROWS)
    ]
    for start in range(0, ROWS, 100):
        files = [NewFile(name, at * 7 % 31 or None, at) for at, name in enumerate(names[start : start + 100])]
        store.intake.add(files, queue=QUEUE, name=f"batch {start % 200}", now_ms=NOW)
    store.sql("UPDATE job SET lines_count = id * 37 % 101 WHERE id % 3 > 0")
    store.sql("UPDATE job SET status = 3, reason_code = 'file_gone' WHERE id % 7 = 1")
    store.sql("UPDATE job SET started_at = 5, finished_at = 5 + id % 11 WHERE id % 4 > 0")
    store.sql("""UPDATE job SET result = '{"pages":' || (id * 7 % 11) || ',"format":"' ||
        CASE id % 4 WHEN 1 THEN 'PNG' WHEN 2 THEN 'Ä' ELSE 'jpeg' END || '"}' WHERE id % 5 > 0""")
    store.intake.remove(range(50, 150, 3), now_ms=NOW)
    return store


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", [ADDED, *SORT_TERMS, "result.pages", "result.format"])
def test_first_keys_are_those_of_the_whole_list(rows: Store, key: str, descending: bool, where: str) -> None:
    order = Sort((SortTerm(key, descending), SortTerm("file_size", descending)))
    for each in (order, Sort.by(key, descending=descending)):
        expected = rows.jobs.ids(FILTERS[where], each)
        assert rows.jobs.ids(FILTERS[where], each, limit=LIMIT) == expected[:LIMIT]
    assert where == "no match" or expected


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("descending", [False, True])
def test_first_keys_are_the_same_with_indexes_of_results(rows: Store, descending: bool, where: str) -> None:
    order = Sort((SortTerm("result.pages", descending), SortTerm("file_size", descending)))
    expected = rows.jobs.ids(FILTERS[where], order)
    for field in ("pages", "format"):
        WorkerProcessors(rows.database).make_fast(field, fast=True)
    assert rows.jobs.ids(FILTERS[where], order) == expected
    assert rows.jobs.ids(FILTERS[where], order, limit=LIMIT) == expected[:LIMIT]


def test_pending_changes_are_shown(rows: Store) -> None:
    removed, restored = rows.jobs.ids(order=Sort.by("name"))[:5], KeySet(range(50, 150, 3))
    rows.jobs.pending = Pending(removed=KeySet(removed), restored=restored, restored_times=frozenset({NOW}))
    expected = rows.jobs.ids(order=Sort.by("name"))
    assert rows.jobs.ids(order=Sort.by("name"), limit=LIMIT) == expected[:LIMIT]
    assert not {*removed} & {*expected}


def test_first_keys_of_an_empty_list(store: Store) -> None:
    assert list(store.jobs.ids(order=Sort.by("name"), limit=LIMIT)) == []


def test_jobs_after_those_already_found_are_skipped(rows: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    bounds: list[int | None] = []
    within = first_keys.FirstKeys._within

    def note(search: first_keys.FirstKeys, bound: int | None) -> object:
        bounds.append(bound)
        return within(search, bound)

    monkeypatch.setattr(first_keys.FirstKeys, "_within", note)
    keys = rows.jobs.ids(order=Sort.by("lines_count", descending=True), limit=5)
    values = [rows.job(key).lines_count for key in keys]
    assert len(bounds) == 3  # the first part has none
    assert 0 < (bounds[-1] or 0) <= (values[-1] or 0)
    known = [bound for bound in bounds if bound is not None]  # unknown numbers come last
    assert known == sorted(known)
