"""From a `ListQuery` to what its rows have to fulfil."""

from __future__ import annotations

import json
import os
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from peewee import Asc, Case, Desc, fn

from desktop_app.domain.job import Status
from desktop_app.domain.query import SortBy
from desktop_app.domain.reasons import ENDINGS, ReasonCode, saying
from desktop_app.domain.sentences import folded
from desktop_app.store.models import BatchRow, JobRow
from desktop_app.store.rows import searchable, storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.domain.query import ListQuery, Search


def condition(query: ListQuery) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """What is true of the rows that a query lists: of those that are on the list only."""
    found: list[Any] = [JobRow.removed_at.is_null()]
    if query.statuses:
        found.append(JobRow.status.in_(sorted(query.statuses)))
    if query.problems:
        found.append(JobRow.status == Status.FAILED)
        found.append(_has_problem(query.problems))
    if query.batches:
        found.append(JobRow.batch.in_(sorted(query.batches)))
    found.extend(_of_search(query.search))
    return _all_of(found)


def _all_of(parts: list[Any]) -> Any:  # noqa: ANN401
    """All of them in a balanced tree: SQLite refuses to nest as deep as a hundred words in a row would."""
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
    for text in search.words:
        in_path = _contains(JobRow.file_path, folded(searchable(text)))
        yield reduce(or_, _reason_says(text, saying(text) | spoken.get(text, frozenset())), in_path)
    for text in search.reasons:
        of_kind = {code for code in ReasonCode if folded(text) in (code.problem or "")}
        said = saying(text) | spoken.get(text, frozenset()) | of_kind
        yield reduce(or_, _reason_says(text, said))


def _reason_says(text: str, said: frozenset[str]) -> Iterator[Any]:
    """Whether a reason has a text: in its sentence, at its end, or in its arguments.

    Args:
        text: As it was typed.
        said: The codes, and the names of `ENDINGS`, whose sentence has it.
    """
    codes = sorted(said - ENDINGS.keys())
    if codes:
        yield JobRow.reason_code.in_(codes)
    for name in sorted(said & ENDINGS.keys()):
        yield JobRow.reason_args.contains(f'"{name}":')  # a quote in a value would have a backslash before it
    key = folded(storable(text))
    # The cheap question first; it may find the name of an argument.
    written = json.dumps(key, ensure_ascii=False)[1:-1]
    yield _contains(JobRow.reason_args, written) & fn.IN_ARGUMENTS(JobRow.reason_args, key)


def _has_problem(problems: frozenset[str]) -> Any:  # noqa: ANN401
    """Whether a reason is of one of these kinds; "" is what is of none."""
    codes = [code for code in ReasonCode if code.problem in problems]
    if "" not in problems:
        return JobRow.reason_code.in_(codes)
    return JobRow.reason_code.in_(codes) | JobRow.reason_code.not_in([code for code in ReasonCode if code.problem])


def _contains(column: Any, key: str) -> Any:  # noqa: ANN401
    """Whether a column's folded text contains a folded one.

    Folding is done in Python, which a million rows feel. A text of ASCII alone, which most are, is folded by SQLite's
    LIKE as well (measured: half the time, and Python's lock stays free); so only the others are asked for the long way.
    """
    is_not_ascii = fn.LENGTH(column.cast("BLOB")) != fn.LENGTH(column)
    long_way = is_not_ascii & (fn.INSTR(fn.FOLDED(column), key) > 0)
    # LIKE ends at a NUL; no stored text has one.
    return column.contains(key) | long_way if key.isascii() and "\0" not in key else long_way


def _without(text: Any, characters: str) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    for character in characters:
        text = fn.REPLACE(text, character, "")
    return text


def _up_to_last(text: Any, characters: str) -> Any:  # noqa: ANN401
    """A text up to and with the last of these characters: trimmed by all that the text is made of, but for them."""
    return fn.RTRIM(text, _without(text, characters))


_SEPARATORS = "\\/" if os.sep == "\\" else "/"

_NAME = fn.LTRIM(JobRow.name_key, ".")  # a name that only begins with a dot has no type

_TYPE = Case(None, [(fn.INSTR(_NAME, ".") > 0, fn.SUBSTR(_NAME, fn.LENGTH(_up_to_last(_NAME, ".")) + 1))], "")

_BATCH_NAME = BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch)

_REASON = Case(
    JobRow.reason_code,
    [("", 0), *((code, place) for place, code in enumerate(sorted(ReasonCode, key=lambda code: code.template), 1))],
    len(ReasonCode) + 1,
)
"""The place of a reason among the English sentences."""

_TERMS: dict[SortBy, tuple[Any, ...]] = {
    SortBy.ADDED: (JobRow.created_at,),
    SortBy.NAME: (JobRow.name_key,),
    SortBy.STATUS: (JobRow.status, _REASON, JobRow.reason_args),
    SortBy.REASON: (_REASON, JobRow.reason_args, JobRow.status),
    SortBy.LINES: (JobRow.lines_count,),
    SortBy.SIZE: (JobRow.file_size,),
    SortBy.TOOK: (JobRow.finished_at - JobRow.started_at,),
    SortBy.PROGRESS: (JobRow.bytes_done.cast("REAL") / fn.NULLIF(JobRow.file_size, 0),),
    SortBy.FOLDER: (_up_to_last(JobRow.file_path, _SEPARATORS),),
    SortBy.TYPE: (_TYPE,),
    SortBy.FINISHED: (JobRow.finished_at,),
    SortBy.MODIFIED: (JobRow.modified_ns,),
    SortBy.ATTEMPTS: (JobRow.attempts,),
    SortBy.BATCH: (_BATCH_NAME, JobRow.batch),
    SortBy.QUEUE: (JobRow.queue,),
    SortBy.MESSAGE: (JobRow.message_id,),
    SortBy.ID: (JobRow.uuid,),
}


def order_of(query: ListQuery) -> list[Any]:
    """What to order the rows by; the last is the key, so that equal ones stay in the order they were added."""
    if query.is_by_adding:
        return [JobRow.id.desc() if query.descending else JobRow.id.asc()]
    found = _directed(query.sort_by, descending=query.descending)
    if query.then_by is SortBy.ADDED:
        return [*found, JobRow.id.desc() if query.then_descending else JobRow.id.asc()]
    if query.then_by is not None:
        found += _directed(query.then_by, descending=query.then_descending)
    return [*found, JobRow.id.asc()]


def _directed(sort_by: SortBy, *, descending: bool) -> list[Any]:
    way = Desc if descending else Asc
    return [way(term) for term in _TERMS[sort_by]]
