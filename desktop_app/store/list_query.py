"""From a `Filter` and a `Sort` to SQL: what a listed row has to fulfil (WHERE), and what the rows are ordered by."""

from __future__ import annotations

import os
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from peewee import Asc, Case, Desc, fn

from desktop_app.domain.job import Status
from desktop_app.domain.query import ADDED
from desktop_app.store.backends.sqlite import contains_character, contains_folded, up_to_last
from desktop_app.store.models import BatchRow, JobRow
from desktop_app.store.rows import JOB_COLUMNS, folded, searchable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from desktop_app.domain.query import Filter, Search, Sort, SortTerm


# --- WHERE


def condition(where: Filter) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return what is true of the rows that pass a filter: only of those that are on the list."""
    found: list[Any] = [JobRow.removed_at.is_null()]
    if where.statuses:
        found.append(JobRow.status.in_(sorted(where.statuses)))
    if where.problems:
        found.append(JobRow.status == Status.FAILED)
        found.append(JobRow.reason_code.in_(sorted(where.problems)))
    if where.batches:
        found.append(JobRow.batch.in_(sorted(where.batches)))
    found.extend(_of_search(where.search))
    return _all_of(found)


def _all_of(parts: list[Any]) -> Any:  # noqa: ANN401
    """Return all of them in a balanced tree: SQLite refuses to nest as deep as a hundred words would."""
    middle = len(parts) // 2
    return parts[0] if len(parts) == 1 else _all_of(parts[:middle]) & _all_of(parts[middle:])


def _of_search(search: Search) -> Iterator[Any]:
    if search.statuses:
        yield JobRow.status.in_(sorted(search.statuses))
    for sizes in search.sizes:
        if sizes.least is not None:
            yield JobRow.file_size >= sizes.least
        if sizes.most is not None:
            yield JobRow.file_size <= sizes.most
    spoken = dict(search.spoken)
    for columns, texts in (
        ((JobRow.reason, JobRow.reason_code), search.reasons),
        ((JobRow.file_path, JobRow.reason), search.words),
    ):
        for text in texts:
            said = (_any_contains((JobRow.reason,), english) for english in spoken.get(text, ()))
            yield reduce(or_, said, _any_contains(columns, text))


def _any_contains(columns: tuple[Any, ...], text: str) -> Any:  # noqa: ANN401
    key = folded(searchable(text))
    return reduce(or_, (contains_folded(column, key) for column in columns))


# --- ORDER BY


_SEPARATORS = "\\/" if os.sep == "\\" else "/"

_NAME = fn.LTRIM(JobRow.name_key, ".")  # a name that only begins with a dot has no type

_TYPE = Case(None, [(contains_character(_NAME, "."), fn.SUBSTR(_NAME, fn.LENGTH(up_to_last(_NAME, ".")) + 1))], "")

_BATCH_NAME = BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch)

SORT_TERMS: Mapping[str, tuple[Any, ...]] = {
    # Any field of `Job` that is a column of its row; then what is worked out or needs more than one term.
    **{name: (column,) for name, column in JOB_COLUMNS.items()},
    "name": (JobRow.name_key,),
    "status": (JobRow.status, JobRow.reason),
    "reason": (JobRow.reason, JobRow.status),
    "took_ms": (JobRow.finished_at - JobRow.started_at,),
    "progress": (JobRow.bytes_done.cast("REAL") / fn.NULLIF(JobRow.file_size, 0),),
    "folder": (up_to_last(JobRow.file_path, _SEPARATORS),),
    "type": (_TYPE,),
    "batch_name": (_BATCH_NAME, JobRow.batch),
}
"""What the jobs are ordered by for each key of a `SortTerm`."""


def order_by(order: Sort) -> list[Any]:
    """Return the terms of an order; the last is the key, so that equal rows stay in the order they were added."""
    first, *_ = order.terms
    if order.is_by_adding:
        return [_by_key(first)]
    found: list[Any] = []
    for term in order.terms:
        if term.key == ADDED and term is not first:
            return [*found, _by_key(term)]  # no two jobs were added at once: nothing is left to order
        way = Desc if term.descending else Asc
        found += [way(part) for part in SORT_TERMS[term.key]]
    return [*found, JobRow.id.asc()]


def _by_key(term: SortTerm) -> Any:  # noqa: ANN401
    return JobRow.id.desc() if term.descending else JobRow.id.asc()
