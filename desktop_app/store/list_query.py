"""Translate a `Filter` into the WHERE condition of a query, and a `Sort` into its ORDER BY terms."""

from __future__ import annotations

import os
import re
import sys
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from peewee import SQL, Asc, Case, Desc, fn

from desktop_app.domain.fields import FIELD_NAME, RESULT_PREFIX
from desktop_app.domain.job import FINAL_STATUSES, Status
from desktop_app.domain.keys import NOTHING_PENDING, Pending
from desktop_app.domain.query import ADDED, Filter, Sort, SortTerm
from desktop_app.domain.reasons import ENDINGS, ReasonCode, reasons_containing
from desktop_app.domain.search import Key, NumberTerm, ResultKey, StatusTerm, Term, Text, TextTerm, TimeTerm
from desktop_app.domain.sentences import folded
from desktop_app.store.backends.sqlite import (
    contains_folded,
    ends_with_folded,
    in_keys,
    is_in_json,
    is_text,
    json_value,
    last_part,
    last_part_contains,
    last_part_matches,
    matches_pattern,
    unindexed,
    up_to_last,
    up_to_last_contains,
    value_contains_folded,
)
from desktop_app.store.models import AttemptRow, BatchRow, JobRow
from desktop_app.store.rows import JOB_COLUMNS, SEPARATORS, searchable, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping


_PATH = JobRow.file_path

_TOOK = JobRow.finished_at - JobRow.started_at

_NUMBERS: Mapping[Key, Any] = {
    Key.SIZE: JobRow.file_size,
    Key.LINES: JobRow.lines_count,
    Key.ATTEMPTS: JobRow.attempts,
    Key.TOOK: _TOOK,
}

_TIMES: Mapping[Key, Any] = {Key.ADDED: JobRow.created_at, Key.FINISHED: JobRow.finished_at}


# --- WHERE


def on_list(pending: Pending, *, with_index: bool = False) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return the condition for the jobs on the list, once the pending changes have been written.

    Args:
        pending: The changes.
        with_index: Whether indexes of fields of results may be used; see `value_index`.
    """
    found = unindexed(JobRow.removed_at).is_null() if with_index else JobRow.removed_at.is_null()
    if pending.restored_times:
        found |= JobRow.removed_at.in_(sorted(pending.restored_times))
    if pending.removed:
        found &= ~in_keys(JobRow.id, pending.removed)
    return found


def has_jobs(pending: Pending = NOTHING_PENDING) -> Any:  # noqa: ANN401
    """Return the condition for the batches that have jobs on the list, once the pending changes have been written."""
    return fn.EXISTS(JobRow.select(SQL("1")).where(JobRow.batch == BatchRow.id, on_list(pending)))


def is_retried(pending: Pending) -> Any:  # noqa: ANN401
    """Return the condition for the jobs that have ended but are about to be submitted again."""
    found = [
        in_keys(JobRow.id, keys) if until is None else (JobRow.revision <= until) & in_keys(JobRow.id, keys)
        for keys, until in pending.retried
    ]
    return JobRow.status.in_(FINAL_STATUSES) & _balanced(or_, found)


def has_status(statuses: Collection[Status], pending: Pending) -> Any:  # noqa: ANN401
    """Return the condition for the jobs with one of these statuses, once the pending changes have been written."""
    found = JobRow.status.in_(sorted(statuses))
    if not pending.retried:
        return found
    if Status.PENDING in statuses:
        return found | is_retried(pending)
    return found & ~is_retried(pending)


def condition(where: Filter, now_ms: int, pending: Pending = NOTHING_PENDING, *, with_index: bool = False) -> Any:  # noqa: ANN401
    """Return the condition for the jobs on the list that match a filter.

    Args:
        where: The filter.
        now_ms: The current time, in milliseconds since 1970.
        pending: The changes that are being written.
        with_index: Whether indexes of fields of results may be used.
    """
    found: list[Any] = [on_list(pending, with_index=with_index)]
    if where.statuses:
        found.append(has_status(where.statuses, pending))
    if where.problems:
        found.append(has_status((Status.FAILED,), pending))
        found.append(_has_problem(where.problems))
    if where.batches:
        found.append(JobRow.batch.in_(sorted(where.batches)))
    # The terms for which the rows of other tables or reasons are read come last, so that they are read for few jobs.
    terms = sorted(where.search.terms, key=lambda term: isinstance(term, TextTerm))
    translated = dict(where.search.translated_matches)
    found.extend(_term(term, translated, now_ms, pending, with_index=with_index) for term in terms)
    return _balanced(and_, found)


def _balanced(combine: Callable[[Any, Any], Any], parts: list[Any]) -> Any:  # noqa: ANN401
    """Combine conditions with AND or OR in a balanced tree, because SQLite limits the nesting depth."""
    middle = len(parts) // 2
    if len(parts) == 1:
        return parts[0]
    return combine(_balanced(combine, parts[:middle]), _balanced(combine, parts[middle:]))


def _term(
    term: Term, translated: Mapping[str, frozenset[str]], now_ms: int, pending: Pending, *, with_index: bool
) -> Any:  # noqa: ANN401
    match term:
        case StatusTerm(statuses=statuses):
            found = has_status(statuses, pending)
        case NumberTerm(key=ResultKey(name=name), least=least, most=most):
            # Always with both limits: texts are greater than all numbers, and an index is used only with both.
            greatest = sys.float_info.max
            limits = -greatest if least is None else least, greatest if most is None else most
            found = _known(result_value(name).between(*limits), name, is_known=term.is_negated)
        case NumberTerm(key=Key() as key, least=least, most=most):
            found = _in_range(_NUMBERS[key], least, most, is_known=term.is_negated)
        case TimeTerm(key=key, least=first, most=last):
            times = (None if limit is None else limit.at(now_ms) for limit in (first, last))
            found = _in_range(_TIMES[key], *times, is_known=term.is_negated)
        case TextTerm(key=ResultKey(name=name), texts=texts):
            found = _balanced(or_, [_in_result(name, text, with_index=with_index) for text in texts])
            found = _known(found, name, is_known=term.is_negated)
        case TextTerm(key=Key() | None as key, texts=texts):
            found = _balanced(or_, [_text(key, text, translated) for text in texts])
    return ~found if term.is_negated else found


def _in_result(name: str, text: Text, *, with_index: bool) -> Any:  # noqa: ANN401
    """Return the condition that a field of a result contains a text or matches a pattern."""
    value = result_value(name)
    found = is_text(value) & _matches(value, text)
    part = max(re.split(r"[*?]", text.value), key=len) if text.is_pattern else text.value
    if with_index or not part or not part.isascii():  # another program may have escaped other characters
        return found
    # Looking for the text in all of the result first takes half the time (measured).
    return is_in_json(JobRow.result, _key(part)) & found


def _known(found: Any, name: str, *, is_known: bool) -> Any:  # noqa: ANN401
    """Return a condition about a field of a result, with the one that it is known if `is_known`; see `_in_range`."""
    return result_value(name).is_null(False) & found if is_known else found


def _in_range(number: Any, least: float | None, most: float | None, *, is_known: bool) -> Any:  # noqa: ANN401
    """Return the condition that a number is in a range.

    Args:
        number: The number.
        least: The lower limit.
        most: The upper limit.
        is_known: Whether to check that the number is known. If it is not, the comparisons are NULL, and so would be
            their negation.
    """
    limits = [number.is_null(False)] if is_known else []
    limits += ([] if least is None else [number >= least]) + ([] if most is None else [number <= most])
    return reduce(and_, limits)


def _text(key: Key | None, text: Text, translated: Mapping[str, frozenset[str]]) -> Any:  # noqa: ANN401
    """Return the condition for one text of a `TextTerm`."""
    match key:
        case None if not text.is_pattern:
            return reduce(or_, _reason_says(text.value, _reasons(text.value, translated)), _matches(_PATH, text))
        case Key.REASON:
            of_kind = {code for code in ReasonCode if folded(text.value) in (code.problem or "")}
            return reduce(or_, _reason_says(text.value, _reasons(text.value, translated) | of_kind))
        case Key.TYPE:
            return _has_type(text)
        case Key.BATCH:
            return JobRow.batch.in_(BatchRow.select(BatchRow.id).where(_matches(BatchRow.name, text)))
        case Key.PROCESSOR:
            return _matches(JobRow.processor, text)
        case Key.WORKER:
            return JobRow.id.in_(AttemptRow.select(AttemptRow.job).where(_matches(AttemptRow.worker, text)))
        case Key.FOLDER:
            return _in_folder(text)
        case _:
            in_path = key is Key.PATH or (key is None and any(separator in text.value for separator in SEPARATORS))
            return _matches(_PATH, _from_a_folder(text)) if in_path else _in_name(text)


def _matches(value: Any, text: Text) -> Any:  # noqa: ANN401
    """Return the condition that a value contains a text or, if the text is a pattern, matches it."""
    key = _key(text.value)
    return matches_pattern(value, key) if text.is_pattern else contains_folded(value, key)


def _key(text: str) -> str:
    return folded(searchable(text))


def _in_name(text: Text) -> Any:  # noqa: ANN401
    has = last_part_matches if text.is_pattern else last_part_contains
    return has(_PATH, _key(text.value), SEPARATORS)


def _in_folder(text: Text) -> Any:  # noqa: ANN401
    key = _key(_with_own_separators(text.value))
    if not text.is_pattern:
        return up_to_last_contains(_PATH, key, SEPARATORS)
    key = key.rstrip(SEPARATORS) + os.sep
    # The first condition is fast, the second one is exact.
    return matches_pattern(_PATH, f"{key}*") & matches_pattern(up_to_last(_PATH, SEPARATORS), key)


def _from_a_folder(text: Text) -> Text:
    """Return a pattern that may also begin at any folder of a path. Any other text is found anywhere."""
    value = _with_own_separators(text.value)
    is_free = text.is_pattern and not value.startswith(("*", *SEPARATORS))
    return Text(f"*{os.sep}{value}" if is_free else value, text.is_pattern)


def _with_own_separators(text: str) -> str:
    """Return a text with the separators that paths are stored with, since both can be typed on Windows."""
    return text.replace("/", os.sep)


def _has_type(text: Text) -> Any:  # noqa: ANN401
    """Return the condition that a file has a type; a name such as ".profile" has none."""
    key = _key(text.value)
    if text.is_pattern:
        # The first condition is fast, the others are exact.
        is_there = matches_pattern(_PATH, f"*.{key}") & matches_pattern(last_part(_PATH, SEPARATORS), "?*.*")
        return is_there & matches_pattern(last_part(_PATH, "."), key)
    hidden = (ends_with_folded(_PATH, f"{separator}.{key}") for separator in SEPARATORS)
    return reduce(and_, (~name for name in hidden), ends_with_folded(_PATH, f".{key}"))


def type_counts(newest: int) -> Any:  # noqa: ANN401
    """Return a query for the types of the newest jobs and their numbers, most frequent first."""
    jobs = JobRow.select(_PATH).where(JobRow.removed_at.is_null()).order_by(JobRow.id.desc()).limit(newest)
    paths = jobs.alias("newest")
    path = paths.c.file_path
    name = fn.LOWER(last_part(last_part(path, SEPARATORS), ".")).alias("type")
    has_type = matches_pattern(last_part(path, SEPARATORS), "?*.?*")
    return (
        JobRow.select(name, fn.COUNT(SQL("*"))).from_(paths).where(has_type).group_by(name).order_by(SQL("2 DESC, 1"))
    )


def _reasons(text: str, translated: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the reason codes and the names of `ENDINGS` whose sentences contain a text, in English or translated."""
    return reasons_containing(text) | translated.get(text, frozenset())


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


_BATCH_NAME = BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch)

_REASON = Case(
    JobRow.reason_code,
    [("", 0), *((code, place) for place, code in enumerate(sorted(ReasonCode, key=lambda code: code.template), 1))],
    len(ReasonCode) + 1,
)
"""The position of a reason when the English sentences are sorted alphabetically."""

SORT_TERMS: Mapping[str, tuple[Any, ...]] = {
    **{name: (column,) for name, column in JOB_COLUMNS.items()},
    # In the order of the index, rows would be read from all over the file, which takes four times as long (measured).
    "id": (unindexed(JobRow.uuid),),
    "name": (JobRow.name_key,),
    "status": (JobRow.status, _REASON, JobRow.reason_args),
    "reason": (_REASON, JobRow.reason_args, JobRow.status),
    "took_ms": (_TOOK,),
    "progress": (JobRow.bytes_done.cast("REAL") / fn.NULLIF(JobRow.file_size, 0),),
    "folder": (fn.SUBSTR(_PATH, 1, JobRow.folder_length),),
    "type": (JobRow.type_key,),
    "batch_name": (_BATCH_NAME, JobRow.batch),
}
"""The SQL terms for each sort key that is not a field of results: the fields of `Job`, keys that combine several
columns, and computed keys."""


def result_value(name: str) -> Any:  # noqa: ANN401
    """Return the term for a field of results, for which there can be an index; NULL if a job does not have it.

    Raises:
        ValueError: If it can't be the name of a field.
    """
    if not FIELD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a field")
    return json_value(JobRow.result, name)


def sort_terms(key: str) -> tuple[Any, ...]:
    """Return the SQL terms for a sort key."""
    if key.startswith(RESULT_PREFIX):
        return (result_value(key.removeprefix(RESULT_PREFIX)),)
    return SORT_TERMS[key]


def order_by(order: Sort, *, with_index: bool = False) -> list[Any]:
    """Return the ORDER BY terms of a sort. The last term is the key, so that equal rows stay in the order of adding.

    Args:
        order: The order.
        with_index: Whether an index of a field of results may be used. It would be slow together with a filter: rows
            are then read from all over the file until enough have been found.
    """
    first, *_ = order.terms
    if order.is_by_adding:
        return [_by_key(first)]
    found: list[Any] = []
    for term in order.terms:
        if term.key == ADDED and term is not first:
            return [*found, _by_key(term)]  # keys are unique, so further terms would have no effect
        way = Desc if term.descending else Asc
        is_plain = with_index or not term.key.startswith(RESULT_PREFIX)
        found += [way(part if is_plain else unindexed(part)) for part in sort_terms(term.key)]
    return [*found, JobRow.id.asc()]


def _by_key(term: SortTerm) -> Any:  # noqa: ANN401
    return JobRow.id.desc() if term.descending else JobRow.id.asc()
