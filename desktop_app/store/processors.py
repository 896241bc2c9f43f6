"""Which processors the workers have, which fields the results on the list can contain, and their indexes."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from desktop_app.domain.fields import FIELD_NAME, VALUE_KINDS, Field
from desktop_app.store.backends.sqlite import (
    StatementStoppedError,
    drop_value_index,
    value_index,
    value_indexes,
    value_of,
)
from desktop_app.store.models import FieldRow, JobRow, WorkerRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from desktop_app.store.database import Database

MOST_FIELDS = 200
"""How many fields of a processor can be columns, since a command can print others for each file."""
SEEN_MS = 5 * 60_000
"""How long after its last announcement a worker counts as running."""
_RESULT = JobRow._meta.table_name, JobRow.result.column_name  # noqa: SLF001 - peewee's documented name


class WorkerProcessors:
    """Reads and writes which processors the workers have. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def announce(
        self,
        worker: str,
        *,
        queue: str,
        versions: Mapping[str, int],
        fields: Mapping[str, Iterable[Field]],
        now_ms: int,
    ) -> None:
        """Record the processors of a running worker; call this at its start and every minute.

        Args:
            worker: The worker's identity.
            queue: The key of its queue.
            versions: The versions of its processors by name.
            fields: The fields that these declare.
            now_ms: The current time, in milliseconds since 1970.

        Raises:
            StoreError: If the database can't be written.
        """
        row = {"name": worker, "queue": queue, "processors": json.dumps(dict(versions)), "seen_at": now_ms}
        with self._database.write():
            self._database.run(WorkerRow.delete().where(WorkerRow.seen_at < now_ms - SEEN_MS))
            self._database.run(WorkerRow.replace(**row))  # type: ignore[no-untyped-call]
            declared = {(processor, one.name): one for processor, ones in fields.items() for one in ones}
            if declared:
                self._database.run(FieldRow.replace_many(_rows(declared)))  # type: ignore[no-untyped-call]

    def withdraw(self, worker: str) -> None:
        """Record that a worker has stopped.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write():
            self._database.run(WorkerRow.delete().where(WorkerRow.name == worker))

    def fields(self) -> list[tuple[str, Field]]:
        """Return the fields that results can contain, each with the name of its processor.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return read_fields(self._database)

    def make_fast(self, field: str, *, fast: bool, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Create an index for sorting and filtering by a field of results, or remove it.

        Takes seconds for a million jobs, during which nothing else can be written. Each result with the field that is
        written later takes 6 µs longer.

        Args:
            field: The name of the field.
            fast: Whether there should be an index.
            should_stop: Called again and again on this thread; if it returns True, nothing is changed.

        Raises:
            StoreError: If the database can't be written.
        """
        if not FIELD_NAME.fullmatch(field):
            raise ValueError(f"{field!r} is not the name of a field")
        create = value_index(*_RESULT, field, JobRow.removed_at.column_name)
        with suppress(StatementStoppedError), self._database.write():
            self._database.alter(create if fast else drop_value_index(*_RESULT, field), should_stop)


def read_fields(database: Database) -> list[tuple[str, Field]]:
    """Return the fields that results can contain, each with the name of its processor. Call it in a transaction."""
    columns = FieldRow.processor, FieldRow.name, FieldRow.kind, FieldRow.title, FieldRow.unit
    query = FieldRow.select(*columns).order_by(FieldRow.processor, FieldRow.name)
    return [
        (processor, Field(name, VALUE_KINDS[kind], title, unit))
        for processor, name, kind, title, unit in database.run(query.tuples())
        if kind in VALUE_KINDS
    ]


def fast_fields(database: Database) -> frozenset[str]:
    """Return the names of the fields of results that have an index. Call it in a transaction."""
    return frozenset(name for (name,) in database.run(value_indexes(*_RESULT).tuples()))


def workers_with(database: Database, processor: str, *, queue: str, now_ms: int) -> list[str]:
    """Return the identities of the running workers of a queue that have a processor. Call it in a transaction."""
    has_it = value_of(WorkerRow.processors, processor).is_null(False)
    query = WorkerRow.select(WorkerRow.name).where(
        WorkerRow.queue == queue, WorkerRow.seen_at >= now_ms - SEEN_MS, has_it
    )
    return sorted(name for (name,) in database.run(query.tuples()))


def is_announced(database: Database, worker: str) -> bool:
    """Return whether a running worker has announced its processors. Call it in a transaction."""
    return database.scalar(WorkerRow.select(WorkerRow.name).where(WorkerRow.name == worker)) is not None


def keep_fields(database: Database, fields: Mapping[tuple[str, str], Field]) -> set[str]:
    """Record fields by the names of their processors and their own, unless they are recorded. Call it in `write`.

    Returns:
        The processors for which `MOST_FIELDS` are recorded. Their other fields are only in the results.
    """
    full = set()
    for processor in {processor for processor, _ in fields}:
        known = {
            name
            for (name,) in database.run(FieldRow.select(FieldRow.name).where(FieldRow.processor == processor).tuples())
        }
        new = {key: one for key, one in fields.items() if key[0] == processor and key[1] not in known}
        kept = dict(itertools.islice(new.items(), max(0, MOST_FIELDS - len(known))))
        if kept:
            database.run(FieldRow.insert_many(_rows(kept)))
        if len(known) + len(kept) >= MOST_FIELDS:
            full.add(processor)
    return full


def _rows(fields: Mapping[tuple[str, str], Field]) -> list[dict[str, Any]]:
    return [
        {"processor": processor, "name": name, "kind": field.kind.__name__, "title": field.title, "unit": field.unit}
        for (processor, name), field in fields.items()
    ]
