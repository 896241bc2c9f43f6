"""The keys of all listed jobs in memory, and the jobs themselves read in pages when somebody looks."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from enum import Enum
from itertools import groupby
from operator import neg
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desktop_app.domain.job import Job
    from desktop_app.gui.ports import JobReader


PAGE_ROWS = 256

KEPT_PAGES = 64


class KeyOrder(Enum):
    """How the keys themselves are ordered in the list: decides how a key is found."""

    ASCENDING = "ascending"
    DESCENDING = "descending"
    NONE = "none"


class CachedRow:
    """A job as it was read last, with its texts as far as they were asked for, by column."""

    __slots__ = ("job", "texts")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.texts: dict[int, str] = {}


class PageCache:
    """Row numbers to jobs. 8 bytes a listed job, plus at most `KEPT_PAGES` pages. Main thread only.

    Attributes:
        ids: The keys of the listed jobs, in the list's order.
    """

    def __init__(self, reader: JobReader) -> None:
        self._reader = reader
        self.ids: array[int] = array("q")
        self._pages: OrderedDict[int, list[CachedRow | None]] = OrderedDict()
        self._row_of: dict[int, int] = {}

    def row(self, number: int) -> CachedRow | None:
        """Return the job of a row, read with its page if need be; None if it is gone from the database.

        Raises:
            StoreError: If the database can't be read.
        """
        page_number, offset = divmod(number, PAGE_ROWS)
        page = self._pages.get(page_number)
        if page is None:
            page = self._load(page_number)
        else:
            self._pages.move_to_end(page_number)
        return page[offset]

    def _load(self, page_number: int) -> list[CachedRow | None]:
        start = page_number * PAGE_ROWS
        keys = self.ids[start : start + PAGE_ROWS]
        jobs = self._reader.page(keys)
        page = [CachedRow(jobs[key]) if key in jobs else None for key in keys]
        self._pages[page_number] = page
        self._row_of.update(zip(keys, range(start, start + len(keys)), strict=True))
        if len(self._pages) > KEPT_PAGES:
            self._drop(self._pages.popitem(last=False)[0])
        return page

    def _drop(self, page_number: int) -> None:
        start = page_number * PAGE_ROWS
        for key in self.ids[start : start + PAGE_ROWS]:
            self._row_of.pop(key, None)

    def set_unread(self, number: int) -> None:
        """Let a row's page be empty for now, because it could not be read; `forget` makes it be tried again."""
        page_number = number // PAGE_ROWS
        start = page_number * PAGE_ROWS
        self._pages[page_number] = [None] * len(self.ids[start : start + PAGE_ROWS])

    def patch(self, job: Job) -> int | None:
        """Put a newer state of a job in its place; gives its row, or None if no page holds it."""
        number = self._row_of.get(job.row_id)
        if number is None:
            return None
        page_number, offset = divmod(number, PAGE_ROWS)
        self._pages[page_number][offset] = CachedRow(job)
        return number

    def forget(self) -> None:
        """Read every page again when it is looked at next."""
        self._pages.clear()
        self._row_of.clear()

    def replace(self, ids: array[int]) -> None:
        """Take another order, or another list."""
        self.ids = ids
        self.forget()

    def insert(self, start: int, keys: array[int]) -> None:
        """Insert rows."""
        self._forget_from(start)
        self.ids[start:start] = keys

    def remove(self, start: int, end: int) -> None:
        """Remove the rows from `start` up to, not including, `end`."""
        self._forget_from(start)
        del self.ids[start:end]

    def _forget_from(self, row: int) -> None:
        first = row // PAGE_ROWS
        for page_number in [number for number in self._pages if number >= first]:
            self._drop(page_number)
            del self._pages[page_number]

    def rows_of(self, keys: Iterable[int], order: KeyOrder) -> list[int]:
        """Return the rows of some jobs, in order; jobs that are not listed are left out."""
        if order is KeyOrder.NONE:
            wanted = set(keys)
            return [row for row, key in enumerate(self.ids) if key in wanted] if wanted else []
        return sorted(row for key in keys if (row := self._search(key, order)) is not None)

    def _search(self, key: int, order: KeyOrder) -> int | None:
        row = bisect_left(self.ids, key) if order is KeyOrder.ASCENDING else bisect_left(self.ids, -key, key=neg)
        return row if row < len(self.ids) and self.ids[row] == key else None


def runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs without gaps: first and last of each."""
    grouped = groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0])
    found = []
    for _, group in grouped:
        numbers = [row for _, row in group]
        found.append((numbers[0], numbers[-1]))
    return found
