"""Check that a database contains the tables, columns, indexes and values that the models describe.

SQLite checks only that a file is intact. A table that was dropped, or a text in a column of numbers, is damage too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playhouse.migrations import Migration, Runner

from desktop_app.domain.job import AttemptOutcome, Status
from desktop_app.store.backends.sqlite import find_value
from desktop_app.store.models import (
    AttemptRow,
    BatchRow,
    CounterRow,
    FactRow,
    FieldRow,
    JobRow,
    OutboxRow,
    SeenFileRow,
    SweepRow,
    WatchRow,
    WorkerRow,
)

if TYPE_CHECKING:
    import peewee

_SCRIPTS = Path(__file__).resolve().parent / "migrations"

_MODELS = (
    BatchRow,
    JobRow,
    OutboxRow,
    AttemptRow,
    CounterRow,
    SweepRow,
    FactRow,
    FieldRow,
    WorkerRow,
    WatchRow,
    SeenFileRow,
)

_VALUES = {
    JobRow.status: tuple(int(status) for status in Status),
    AttemptRow.outcome: tuple(outcome.value for outcome in AttemptOutcome),
}
"""The columns that contain only certain values."""


def find_missing_part(database: peewee.Database) -> str:
    """Return the first part of the schema that a database lacks; empty if there is none. Takes about a millisecond.

    A database with pending migrations has another schema, and is not checked.
    """
    if not _is_migrated(database):
        return ""
    tables = set(database.get_tables())
    for model in _MODELS:
        meta = model._meta  # noqa: SLF001 - peewee's documented name
        name = meta.table_name
        if name not in tables:
            return f"the table {name} is missing"
        columns = {column.name for column in database.get_columns(name)}
        missing = [field.column_name for field in meta.sorted_fields if field.column_name not in columns]
        if missing:
            return f"the column {name}.{missing[0]} is missing"
        indexes = {index.name for index in database.get_indexes(name)}
        missing = [index._name for index in meta.fields_to_index() if index._name not in indexes]  # noqa: SLF001
        if missing:
            return f"the index {missing[0]} is missing"
    counted = CounterRow.select().where(CounterRow.name == "revision")
    return "" if list(counted.tuples().execute(database)) else "the counter revision is missing"


def find_unsuitable_value(database: peewee.Database) -> str:
    """Return the first column with a value of another type or meaning; empty if there is none. Reads all rows.

    The database has all parts: see `find_missing_part`.
    """
    if not _is_migrated(database):
        return ""
    for model in _MODELS:
        fields = model._meta.sorted_fields  # noqa: SLF001
        column = find_value(database, model, {field: _VALUES.get(field, ()) for field in fields})
        if column:
            return f"{model._meta.table_name}.{column} has an invalid value"  # noqa: SLF001
    return ""


def _is_migrated(database: peewee.Database) -> bool:
    return {script.name for script in Migration.load_directory(str(_SCRIPTS))} <= set(Runner(database).applied())
