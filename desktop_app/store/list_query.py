"""Translate a `Filter` into the WHERE condition of a query, and a `Sort` into its ORDER BY terms."""

from __future__ import annotations

import os
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from peewee import Asc, Case, Desc, fn

from desktop_app.domain.job import FINAL_STATUSES, Status
from desktop_app.domain.keys import NOTHING_PENDING, Pending
from desktop_app.domain.query import ADDED, Filter, Search, Sort, SortTerm
from desktop_app.domain.reasons import ENDINGS, ReasonCode, reasons_containing
from desktop_app.domain.sentences import folded
from desktop_app.store.backends.sqlite import (
    contains_character,
    contains_folded,
    in_keys,
    up_to_last,
    value_contains_folded,
)
from desktop_app.store.models import BatchRow, JobRow
from desktop_app.store.rows import JOB_COLUMNS, searchable, storable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


# --- WHERE


def on_list(pending: Pending) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return the condition for the jobs on the list, once the pending changes have been written."""
    found = JobRow.removed_at.is_null()
    if pending.restored:
        found |= JobRow.removed_at.in_(sorted(pending.restored))
    if pending.removed:
        found &= ~in_keys(JobRow.id, pending.removed)
    return found


def is_retried(pending: Pending) -> Any:  # noqa: ANN401
    """Return the condition for the jobs that have ended but are about to be submitted again."""
    return (
        JobRow.status.in_(FINAL_STATUSES)
        & (JobRow.revision <= pending.retried_until)
        & in_keys(JobRow.id, pending.retried)
    )


def has_status(statuses: Collection[Status], pending: Pending) -> Any:  # noqa: ANN401
    """Return the condition for the jobs with one of these statuses, once the pending changes have been written."""
    found = JobRow.status.in_(sorted(statuses))
    if not pending.retried:
        return found
    if Status.PENDING in statuses:
        return found | is_retried(pending)
    return found & ~is_retried(pending)


def condition(where: Filter, pending: Pending = NOTHING_PENDING) -> Any:  # noqa: ANN401
    """Return the condition for the jobs on the list that match a filter."""
    found: list[Any] = [on_list(pending)]
    if where.statuses:
        found.append(has_status(where.statuses, pending))
    if where.problems:
        found.append(has_status((Status.FAILED,), pending))
        found.append(_has_problem(where.problems))
    if where.batches:
        found.append(JobRow.batch.in_(sorted(where.batches)))
    found.extend(_of_search(where.search, pending))
    return _all_of(found)


def _all_of(parts: list[Any]) -> Any:  # noqa: ANN401
    """Combine conditions with AND in a balanced tree, because SQLite limits the nesting depth."""
    middle = len(parts) // 2
    return parts[0] if len(parts) == 1 else _all_of(parts[:middle]) & _all_of(parts[middle:])


def _of_search(search: Search, pending: Pending) -> Iterator[Any]:
    if search.statuses:
        yield has_status(search.statuses, pending)
    for sizes in search.sizes:
        if sizes.least is not None:
            yield JobRow.file_size >= sizes.least
        if sizes.most is not None:
            yield JobRow.file_size <= sizes.most
    translated = dict(search.translated_matches)
    for text in search.words:
        in_path = contains_folded(JobRow.file_path, folded(searchable(text)))
        names = reasons_containing(text) | translated.get(text, frozenset())
        yield reduce(or_, _reason_says(text, names), in_path)
    for text in search.reasons:
        of_kind = {code for code in ReasonCode if folded(text) in (code.problem or "")}
        names = reasons_containing(text) | translated.get(text, frozenset()) | of_kind
        yield reduce(or_, _reason_says(text, names))


def _reason_says(text: str, said: frozenset[str]) -> Iterator[Any]:
    """Yield conditions for reasons whose sentence, ending or arguments contain a text.

    Args:
        text: The text as typed.
        said: The reason codes and the names of `ENDINGS` whose sentences contain the text.
    """
    codes = sorted(said - ENDINGS.keys())
    if codes:
        yield JobRow.reason_code.in_(codes)
    for name in sorted(said & ENDINGS.keys()):
        yield JobRow.reason_args.contains(f'"{name}":')  # a quote in a value is escaped with a backslash
    yield value_contains_folded(JobRow.reason_args, folded(storable(text)))


def _has_problem(problems: frozenset[str]) -> Any:  # noqa: ANN401
    """Return the condition for reasons with one of these problems; "" selects reasons without a problem."""
    codes = [code for code in ReasonCode if code.problem in problems]
    if "" not in problems:
        return JobRow.reason_code.in_(codes)
    return JobRow.reason_code.in_(codes) | JobRow.reason_code.not_in([code for code in ReasonCode if code.problem])


# --- ORDER BY


_SEPARATORS = "\\/" if os.sep == "\\" else "/"

_NAME = fn.LTRIM(JobRow.name_key, ".")  # a name such as ".profile" has no type

_TYPE = Case(None, [(contains_character(_NAME, "."), fn.SUBSTR(_NAME, fn.LENGTH(up_to_last(_NAME, ".")) + 1))], "")

_BATCH_NAME = BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch)

_REASON = Case(
    JobRow.reason_code,
    [("", 0), *((code, place) for place, code in enumerate(sorted(ReasonCode, key=lambda code: code.template), 1))],
    len(ReasonCode) + 1,
)
"""The position of a reason when the English sentences are sorted alphabetically."""

SORT_TERMS: Mapping[str, tuple[Any, ...]] = {
    **{name: (column,) for name, column in JOB_COLUMNS.items()},
    "name": (JobRow.name_key,),
    "status": (JobRow.status, _REASON, JobRow.reason_args),
    "reason": (_REASON, JobRow.reason_args, JobRow.status),
    "took_ms": (JobRow.finished_at - JobRow.started_at,),
    "progress": (JobRow.bytes_done.cast("REAL") / fn.NULLIF(JobRow.file_size, 0),),
    "folder": (up_to_last(JobRow.file_path, _SEPARATORS),),
    "type": (_TYPE,),
    "batch_name": (_BATCH_NAME, JobRow.batch),
}
"""The SQL terms for each sort key: the fields of `Job`, keys that combine several columns, and computed keys."""


def order_by(order: Sort) -> list[Any]:
    """Return the ORDER BY terms of a sort. The last term is the key, so that equal rows stay in the order of adding."""
    first, *_ = order.terms
    if order.is_by_adding:
        return [_by_key(first)]
    found: list[Any] = []
    for term in order.terms:
        if term.key == ADDED and term is not first:
            return [*found, _by_key(term)]  # keys are unique, so further terms would have no effect
        way = Desc if term.descending else Asc
        found += [way(part) for part in SORT_TERMS[term.key]]
    return [*found, JobRow.id.asc()]


def _by_key(term: SortTerm) -> Any:  # noqa: ANN401
    return JobRow.id.desc() if term.descending else JobRow.id.asc()
