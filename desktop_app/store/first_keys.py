"""Find the first jobs of a long list quickly: a part of the table after another, on several threads.

SQLite has to look at every job for the first ones in most orders, and for the few that match a text. Two things make
that several times as fast as one query: all processors take part, and jobs that come after those already found are
skipped after one comparison. Otherwise, each job would be sorted in if the table happens to be in the opposite order.
"""

from __future__ import annotations

import os
import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from peewee import SQL, NodeList, fn

from desktop_app.domain.fields import RESULT_PREFIX
from desktop_app.domain.search import Key, NumberTerm, ResultKey, StatusTerm, TextTerm
from desktop_app.store.backends.sqlite import among, joined_keys, split_keys, unindexed
from desktop_app.store.list_query import order_by, sort_terms
from desktop_app.store.models import BatchRow, JobRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from desktop_app.domain.query import Filter, Sort
    from desktop_app.domain.search import Term
    from desktop_app.store.database import Database

LEAST_ROWS = 100_000
"""The length of a list from which on it is divided. A shorter one is read in milliseconds."""

_PARTS = 32

_PARTS_A_WORKER = 2

_BATCHES = 20
"""The number of batches in which enough jobs are searched for. There may be thousands that no file is left of."""

_INDEXED_KEYS = frozenset({Key.BATCH, Key.WORKER})


def is_indexed(where: Filter, fast: Collection[str] = ()) -> bool:
    """Return whether SQLite finds the jobs that match a filter with an index, so that it need not look at all jobs.

    Args:
        where: The filter.
        fast: The fields of results that have an index.
    """
    if where.statuses or where.problems or where.batches:
        return True
    return any(_has_index(term, fast) for term in where.search.terms)


def _has_index(term: Term, fast: Collection[str]) -> bool:
    match term:
        case StatusTerm():
            return True
        case NumberTerm(key=ResultKey(name=name)) | TextTerm(key=ResultKey(name=name)):
            return name in fast and not term.is_negated
        case TextTerm(key=key):
            return key in _INDEXED_KEYS
        case _:
            return False


def has_result_fields(where: Filter, order: Sort) -> bool:
    """Return whether a filter or an order depends on fields of results."""
    is_filtered = any(
        isinstance(term, NumberTerm | TextTerm) and isinstance(term.key, ResultKey) for term in where.search.terms
    )
    return is_filtered or any(key.startswith(RESULT_PREFIX) for key in order.keys)


def is_in_order(where: Filter, order: Sort, fast: Collection[str]) -> bool:
    """Return whether SQLite can read all jobs in their order from an index of a field of results."""
    key = order.terms[0].key
    return where.is_empty and key.startswith(RESULT_PREFIX) and key.removeprefix(RESULT_PREFIX) in fast


def is_divisible(where: Filter, order: Sort, fast: Collection[str] = ()) -> bool:
    """Return whether SQLite has to look at the whole table for the first jobs: neither an index nor the order helps.

    Args:
        where: The filter.
        order: The order.
        fast: The fields of results that have an index.
    """
    is_sorted = (where.is_empty and order.is_by_adding) or is_in_order(where, order, fast)
    return not (is_indexed(where, fast) or is_sorted)


def key_ranges(database: Database, count: int) -> list[tuple[int, int]]:
    """Return ranges of keys that together contain all jobs, in a transaction: the first and last key of each.

    Args:
        database: The database.
        count: The number of ranges, or fewer.
    """
    ends = JobRow.select(fn.MIN(JobRow.id)), JobRow.select(fn.MAX(JobRow.id))
    least, greatest = (database.scalar(end) or 0 for end in ends)
    steps = range(least, greatest + 1, max(1, -(-(greatest - least + 1) // count)))
    return [(start, start + steps.step - 1) for start in steps]


def _joined(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield a few ranges of keys that together contain the same jobs as many consecutive ones."""
    size = -(-len(ranges) // (_PARTS_A_WORKER * (os.cpu_count() or 1))) or 1
    for start in range(0, len(ranges), size):
        part = ranges[start : start + size]
        yield part[0][0], part[-1][1]


def _rank(value: object) -> tuple[int, object]:
    """Return a key by which values are sorted as SQLite does: first NULL, then numbers, texts and blobs."""
    kinds: tuple[type | tuple[type, ...], ...] = type(None), (int, float), str
    return next((number for number, kind in enumerate(kinds) if isinstance(value, kind)), len(kinds)), value


class FirstKeys:
    """A search for the first jobs. Each part is read in its own transaction.

    What other programs change in the meantime may therefore be missing: read the whole list afterwards.

    Args:
        database: The database.
        listed: The condition for the jobs on the list.
        order: Their order.
        limit: The number of jobs to find.
    """

    def __init__(self, database: Database, listed: Any, order: Sort, limit: int) -> None:  # noqa: ANN401
        self._database = database
        self._listed = listed
        self._order = order
        self._limit = limit
        self._lock = threading.Lock()
        self._found: array[int] = array("q")
        self._parts: Iterator[Any] = iter(())
        self._bound: tuple[object] | None = None
        """The first sort key of a job before which there are enough others; None if none is known yet."""

    def find(self) -> array[int]:
        """Return the keys of the first jobs, in order.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            ranges = key_ranges(self._database, _PARTS)
        if ranges[-1][1] - ranges[0][0] < LEAST_ROWS:
            return self._read(self._listed)
        parts = [JobRow.id.between(first, last) for first, last in ranges]
        if self._order.terms[0].key == "batch_name":
            self._listed &= self._of_first_batches()
        if self._order.is_by_adding:
            return self._find_in_turn(parts[::-1] if self._order.terms[0].descending else parts)
        # Both ends come first: if the table is nearly in this order, or in the opposite one, all others are skipped.
        # These are joined, because for each part, its first jobs have to be sorted.
        self._parts = iter([parts[-1], parts[0], *(JobRow.id.between(*ends) for ends in _joined(ranges[1:-1]))])
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self._collect, range(workers)))
        with self._database.read():
            return self._read(self._listed & among(JobRow.id, self._found))

    def _of_first_batches(self) -> Any:  # noqa: ANN401
        """Return a condition that leaves out the batches after those that have enough jobs, in a list by batch."""
        first, *_ = self._order.terms
        name, key = BatchRow.name, BatchRow.id
        order = (name.desc(), key.desc()) if first.descending else (name.asc(), key.asc())
        keys, left = [], self._limit
        with self._database.read():
            for (batch,) in self._database.run(BatchRow.select(key).order_by(*order).limit(_BATCHES).tuples()):
                keys.append(batch)
                some = JobRow.select(JobRow.id).where(self._listed, JobRow.batch == batch).limit(left)
                left -= self._database.scalar(some.select_from(fn.COUNT(SQL("*"))))
                if left <= 0:
                    return JobRow.batch.in_(keys)
        return SQL("1")

    def _find_in_turn(self, parts: list[Any]) -> array[int]:
        """Return the keys of the first jobs, if those of each part come before those of the next."""
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(parts), workers):
                for found in pool.map(self._read_in_session, parts[start : start + workers]):
                    self._found += found
                if len(self._found) >= self._limit:
                    break
        return self._found[: self._limit]

    def _read_in_session(self, part: Any) -> array[int]:  # noqa: ANN401
        with self._database.session(), self._database.read():
            return self._read(self._listed & part)

    def _collect(self, _worker: int) -> None:
        """Find the first jobs of one part after another. Runs on several threads."""
        with self._database.session():
            while True:
                with self._lock:
                    part, bound = next(self._parts, None), self._bound
                if part is None:
                    return
                self._collect_from(self._listed & part if bound is None else self._listed & part & self._within(*bound))

    def _collect_from(self, condition: Any) -> None:  # noqa: ANN401
        with self._database.read():
            found = self._read(condition)
            if len(found) < self._limit:
                last = None
            else:
                last = self._database.scalar(JobRow.select(self._first_term).where(JobRow.id == found[-1]))
        with self._lock:
            self._found += found
            if len(found) == self._limit and (self._bound is None or self._is_before(last, *self._bound)):
                self._bound = (last,)

    def _is_before(self, one: object, other: object) -> bool:
        """Return whether a value of the first sort key comes before another one."""
        ranks = _rank(one), _rank(other)
        return ranks[0] > ranks[1] if self._order.terms[0].descending else ranks[0] < ranks[1]

    @property
    def _first_term(self) -> Any:  # noqa: ANN401
        return sort_terms(self._order.terms[0].key)[0]

    def _within(self, bound: object) -> Any:  # noqa: ANN401
        """Return the condition that the first sort key does not come after a value. NULL is the smallest one."""
        term = unindexed(self._first_term)
        if self._order.terms[0].descending:
            return SQL("1") if bound is None else term >= bound
        return term.is_null() if bound is None else NodeList((term > bound, SQL("IS NOT 1")), parens=True)

    def _read(self, condition: Any) -> array[int]:  # noqa: ANN401
        query = JobRow.select(JobRow.id).where(condition).order_by(*order_by(self._order)).limit(self._limit)
        with self._database.read():
            return split_keys(self._database.scalar(joined_keys(query)))
