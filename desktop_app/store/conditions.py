"""From a `ListQuery` to what its rows have to fulfil."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from peewee import fn

from desktop_app.jobs import Status
from desktop_app.store.models import JobRow
from desktop_app.store.rows import folded, searchable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.jobs import ListQuery, Search


def condition(query: ListQuery) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """What is true of the rows that a query lists: of those that are on the list only."""
    found: list[Any] = [JobRow.removed_at.is_null()]
    if query.statuses:
        found.append(JobRow.status.in_(sorted(query.statuses)))
    if query.problems:
        found.append(JobRow.status == Status.FAILED)
        found.append(JobRow.reason_code.in_(sorted(query.problems)))
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
    for columns, texts in (
        ((JobRow.reason, JobRow.reason_code), search.reasons),
        ((JobRow.file_path, JobRow.reason), search.words),
    ):
        for text in texts:
            said = (_any_contains((JobRow.reason,), english) for english in spoken.get(text, ()))
            yield reduce(or_, said, _any_contains(columns, text))


def _any_contains(columns: tuple[Any, ...], text: str) -> Any:  # noqa: ANN401
    key = folded(searchable(text))
    return reduce(or_, (_contains(column, key) for column in columns))


def _contains(column: Any, key: str) -> Any:  # noqa: ANN401
    """Whether a column's folded text contains a folded one.

    Folding is done in Python, which a million rows feel. A text of ASCII alone, which most are, is folded by SQLite's
    LIKE as well (measured: half the time, and Python's lock stays free); so only the others are asked for the long way.
    """
    is_not_ascii = fn.LENGTH(column.cast("BLOB")) != fn.LENGTH(column)
    long_way = is_not_ascii & (fn.INSTR(fn.FOLDED(column), key) > 0)
    # LIKE ends at a NUL; no stored text has one.
    return column.contains(key) | long_way if key.isascii() and "\0" not in key else long_way
