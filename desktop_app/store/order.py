"""From a `ListQuery` to the SQL of its order.

None of these has an index: the keys of a million rows are sorted in a second or two beside the main thread, and each
index would be paid for by every write. What costs the most is named in `tests/benchmarks/table.py`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from peewee import Asc, Case, Desc, fn

from desktop_app.jobs import SortBy
from desktop_app.store.models import BatchRow, JobRow

if TYPE_CHECKING:
    from desktop_app.jobs import ListQuery


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
_TERMS: dict[SortBy, tuple[Any, ...]] = {
    SortBy.ADDED: (JobRow.created_at,),
    SortBy.NAME: (JobRow.name_key,),
    SortBy.STATUS: (JobRow.status, JobRow.reason),
    SortBy.REASON: (JobRow.reason, JobRow.status),
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
