from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.gui.table import page_cache
from desktop_app.gui.table.columns import COLUMN_OF_ID, Columns
from desktop_app.gui.table.page_cache import KEPT_PAGES, PAGE_ROWS, KeyOrder, PageCache, blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import Job
    from tests.gui.jobs_database import JobsDatabase


class CountingReader:
    """Reads from a list of jobs and counts the reads."""

    def __init__(self, jobs_db: JobsDatabase) -> None:
        self.jobs_db = jobs_db
        self.pages = 0

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        self.pages += 1
        return self.jobs_db.jobs.page(row_ids)


@pytest.fixture
def reader(jobs_db: JobsDatabase) -> CountingReader:
    return CountingReader(jobs_db)


@pytest.fixture
def cache(jobs_db: JobsDatabase, reader: CountingReader) -> PageCache:
    jobs_db.add_many(PAGE_ROWS + 10)
    made = PageCache(reader, Columns())  # type: ignore[arg-type]
    made.replace(jobs_db.jobs.ids())
    return made


def name(cache: PageCache, row: int) -> str:
    cached = cache.row(row)
    assert cached is not None
    return cached.job.name


def test_rows_of_a_page_are_read_once(cache: PageCache, reader: CountingReader) -> None:
    assert [name(cache, row) for row in (0, 5, PAGE_ROWS - 1)] == ["file0.txt", "file5.txt", "file255.txt"]
    assert reader.pages == 1
    assert name(cache, PAGE_ROWS) == "file256.txt"
    assert reader.pages == 2


def test_least_recently_used_pages_are_dropped(
    cache: PageCache, reader: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_cache, "KEPT_PAGES", 1)
    assert KEPT_PAGES > 1
    name(cache, 0)
    name(cache, PAGE_ROWS)
    job = reader.jobs_db.jobs.page([cache.ids[0]])[cache.ids[0]]
    assert cache.patch(job) is None  # its page was dropped, so it is read again
    name(cache, 0)
    assert reader.pages == 3


def test_patch_updates_a_row_without_reading(cache: PageCache, reader: CountingReader, jobs_db: JobsDatabase) -> None:
    name(cache, 3)
    jobs_db.finish(cache.ids[3], lines=42)
    before = cache.row(3)
    assert before is not None
    before.texts |= {COLUMN_OF_ID["name"]: "file3.txt", COLUMN_OF_ID["lines"]: ""}
    found = cache.patch(jobs_db.jobs.page([cache.ids[3]])[cache.ids[3]])
    assert found is not None
    number, columns = found
    assert number == 3
    assert columns >= {COLUMN_OF_ID["lines"], COLUMN_OF_ID["status"], COLUMN_OF_ID["took"]}
    assert columns.isdisjoint({COLUMN_OF_ID["name"], COLUMN_OF_ID["size"], COLUMN_OF_ID["added"]})
    cached = cache.row(3)
    assert cached is not None
    assert cached.job.lines_count == 42
    assert cached.texts == {COLUMN_OF_ID["name"]: "file3.txt"}  # what has not changed is not formatted again
    assert reader.pages == 1


def test_removed_row_is_none(cache: PageCache, jobs_db: JobsDatabase) -> None:
    jobs_db.intake.remove([cache.ids[1]])
    assert cache.row(1) is None


def test_removing_rows_moves_the_others_up(cache: PageCache, jobs_db: JobsDatabase) -> None:
    name(cache, 0)
    name(cache, PAGE_ROWS)
    jobs_db.intake.remove(cache.ids[1:3])
    cache.remove(1, 3)
    assert name(cache, 1) == "file3.txt"
    assert name(cache, PAGE_ROWS) == "file258.txt"
    job = jobs_db.jobs.page([cache.ids[1]])[cache.ids[1]]
    assert cache.patch(job) == (1, frozenset())


def test_inserting_rows_moves_the_others_down(cache: PageCache, jobs_db: JobsDatabase) -> None:
    name(cache, 0)
    new = jobs_db.add("new.txt")
    cache.insert(0, array("q", new))
    assert name(cache, 0) == "new.txt"
    assert name(cache, 1) == "file0.txt"


def test_unreadable_page_is_read_again_after_forget(cache: PageCache) -> None:
    cache.set_unread(0)
    assert cache.row(0) is None
    cache.forget()
    assert name(cache, 0) == "file0.txt"


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.sampled_from(KeyOrder))
def test_rows_of_keys_are_found_in_every_order(listed: set[int], wanted: set[int], order: KeyOrder) -> None:
    cache = PageCache(None, Columns())  # type: ignore[arg-type]
    keys = sorted(listed, reverse=order is KeyOrder.DESCENDING)
    if order is KeyOrder.NONE:
        keys = keys[::2] + keys[1::2]
    cache.replace(array("q", keys))
    expected = sorted(keys.index(key) for key in wanted if key in listed)
    assert cache.rows_of(wanted, order) == expected


@given(st.sets(st.integers(0, 50)))
def test_blocks_contain_exactly_the_given_rows(numbers: set[int]) -> None:
    found = blocks(sorted(numbers))
    assert [row for first, last in found for row in range(first, last + 1)] == sorted(numbers)
    assert all(after[0] > before[1] + 1 for before, after in pairwise(found))


@given(st.lists(st.one_of(st.integers(1, 600), st.integers(1, 2**40)), unique=True), st.integers(1, 600))
def test_single_key_is_found_in_any_order(keys: list[int], wanted: int) -> None:
    """Keys are searched for as bytes, which can also occur across the end of a key."""
    made = PageCache(None, Columns())  # type: ignore[arg-type] # reads nothing
    made.replace(array("q", keys))
    for key in (wanted, *keys):
        assert made.rows_of([key], KeyOrder.NONE) == [row for row, other in enumerate(keys) if other == key]
