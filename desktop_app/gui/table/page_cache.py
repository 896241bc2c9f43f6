"""A cache that keeps the keys of all listed jobs, and reads the jobs themselves in pages on demand."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby
from operator import neg
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desktop_app.domain.job import Job
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.columns import Columns


PAGE_ROWS = 256

KEPT_PAGES = 64

_FEW = 2


class KeyOrder(Enum):
    """How the keys are sorted. Unless the order is `NONE`, a key can be found with a binary search."""

    ASCENDING = "ascending"
    DESCENDING = "descending"
    NONE = "none"


@dataclass(slots=True)
class CachedRow:
    """A job as it was last read.

    Attributes:
        job: The job.
        texts: The cell texts requested so far, by column.
    """

    job: Job
    texts: dict[int, str] = field(default_factory=dict)


class PageCache:
    """Maps rows to jobs. Uses 8 bytes for each listed job, and keeps up to `KEPT_PAGES` pages. Main thread only.

    Attributes:
        ids: The keys of the listed jobs, in the order of the rows.

    Args:
        reader: The job reader.
        columns: The columns.
    """

    def __init__(self, reader: JobReader, columns: Columns) -> None:
        self._reader = reader
        self._columns = columns
        self.ids: array[int] = array("q")
        self._pages: OrderedDict[int, list[CachedRow | None]] = OrderedDict()
        self._row_of: dict[int, int] = {}

    def row(self, number: int) -> CachedRow | None:
        """Return the job in a row, or None if it was removed from the database. Read the row's page if necessary.

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
        """Treat a row's page, which could not be read, as empty until `forget` is called."""
        self._pages[number // PAGE_ROWS] = [None] * PAGE_ROWS

    def patch(self, job: Job) -> tuple[int, frozenset[int]] | None:
        """Update a job.

        Returns:
            Its row and the columns whose cells have changed, or None if the job is not in the cache.
        """
        number = self._row_of.get(job.row_id)
        if number is None:
            return None
        page_number, offset = divmod(number, PAGE_ROWS)
        page = self._pages[page_number]
        before = page[offset]
        if before is None:
            page[offset] = CachedRow(job)
            return number, frozenset(range(len(self._columns)))
        columns = self._columns.changed(before.job, job)
        texts = {column: text for column, text in before.texts.items() if column not in columns}
        page[offset] = CachedRow(job, texts)
        return number, columns

    def forget(self) -> None:
        """Drop all pages, so that they are read again."""
        self._pages.clear()
        self._row_of.clear()

    def replace(self, ids: array[int]) -> None:
        """Replace all keys and drop all pages."""
        self.ids = ids
        self.forget()

    def complete(self, ids: array[int]) -> None:
        """Replace all keys by more, the first of which are the same."""
        self._forget_from(len(self.ids))
        self.ids = ids

    def insert(self, start: int, keys: array[int]) -> None:
        """Insert keys before row `start`."""
        self._forget_from(start)
        self.ids[start:start] = keys

    def remove(self, start: int, end: int) -> None:
        """Remove the keys of the rows from `start` up to, but not including, `end`."""
        self._forget_from(start)
        del self.ids[start:end]

    def _forget_from(self, row: int) -> None:
        first = row // PAGE_ROWS
        for page_number in [number for number in self._pages if number >= first]:
            self._drop(page_number)
            del self._pages[page_number]

    def rows_of(self, keys: Iterable[int], order: KeyOrder) -> list[int]:
        """Return the rows of the jobs with these keys, in ascending order. Jobs that are not listed are left out."""
        if order is KeyOrder.NONE:
            wanted = set(keys)
            if len(wanted) <= _FEW:
                packed = self.ids.tobytes()
                return sorted(row for key in wanted if (row := _find(packed, key)) is not None)
            return [row for row, key in enumerate(self.ids) if key in wanted] if wanted else []
        return sorted(row for key in keys if (row := self._search(key, order)) is not None)

    def _search(self, key: int, order: KeyOrder) -> int | None:
        row = bisect_left(self.ids, key) if order is KeyOrder.ASCENDING else bisect_left(self.ids, -key, key=neg)
        return row if row < len(self.ids) and self.ids[row] == key else None


def _find(packed: bytes, key: int) -> int | None:
    """Return the place of a key in the bytes of an array.

    With a million keys, that takes 8 ms; a comparison of each key takes 45 ms (measured).
    """
    wanted = array("q", (key,)).tobytes()
    at = packed.find(wanted)
    while at >= 0 and at % len(wanted):
        at = packed.find(wanted, at + 1)
    return at // len(wanted) if at >= 0 else None


def blocks(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Group ascending row numbers into blocks of consecutive rows, and return the first and last row of each."""
    grouped = groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0])
    numbers = [[row for _, row in group] for _, group in grouped]
    return [(block[0], block[-1]) for block in numbers]
