"""Convert between rows and `Job`s, and define how paths and reasons are stored."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

from peewee import Alias, Field, ForeignKeyField, IntegerField, fn

from desktop_app.domain.job import Job, Status, natural_key
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.store.backends.sqlite import ERRORS, given_keys, joined_rows, recognized_damage
from desktop_app.store.models import BatchRow, JobRow
from desktop_app.store.statements import Statement, as_keys, parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from desktop_app.store.database import Database

_NAMED_OTHERWISE: Mapping[str, Any] = {
    "row_id": JobRow.id,
    "id": JobRow.uuid,
    "batch_id": JobRow.batch,
    "reason": JobRow.reason_code,
    "result_text": JobRow.result,
    # Without the alias, peewee would take it for the last column in it, a number, and convert the name “007” to 7.
    "batch_name": BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch).alias("batch_name"),
}
"""The expressions for fields of `Job` that have no column of the same name."""

JOB_COLUMNS: Mapping[str, Any] = {
    field.name: _NAMED_OTHERWISE[field.name] if field.name in _NAMED_OTHERWISE else getattr(JobRow, field.name)
    for field in fields(Job)
}
"""The expression for each field of a `Job`, in the order of the fields."""

_NAMES = tuple(JOB_COLUMNS)
_BESIDE = (
    JobRow.raw_path,
    JobRow.reason_args,
    BatchRow.select(BatchRow.held_at).where(BatchRow.id == JobRow.batch).alias("held_at"),
)
"""The additional columns that `jobs_from` needs for the path and the reason."""
_IS_HELD = Reason(ReasonCode.BATCH_HELD)

LISTED_COLUMNS = (*_BESIDE, *JOB_COLUMNS.values())
"""The columns for `jobs_from`."""

_GIVEN = JobRow.id.in_(given_keys(parameter("keys")))
_ROWS = JobRow.removed_at, *LISTED_COLUMNS
_ONE_BY_ONE = Statement(lambda: JobRow.select(*_ROWS).where(_GIVEN).order_by(JobRow.id))
_AT_ONCE = Statement(
    lambda: JobRow.select(
        joined_rows(fn.HEX(JobRow.raw_path), *(_plain(column) for column in _ROWS if column is not JobRow.raw_path))
    ).where(_GIVEN)
)

Key = TypeVar("Key", int, str)

ROWS_A_TRANSACTION = 200
"""The maximum number of rows per transaction in a large change. Other writers must not wait long for the lock."""

REST = 0.2
"""The rest after each transaction of a large change, as a share of its duration: SQLite's lock is not fair, so other
writers would never get it otherwise."""

LEASE_ENDED: dict[str, Any] = {"lease_token": JobRow.lease_token + 1, "lease_owner": None, "lease_until": 0}
"""The column values for revoking a job's lease. Results with the old token are rejected."""
PENDING_AGAIN: dict[str, Any] = {
    "status": Status.PENDING,
    "bytes_done": 0,
    "started_at": None,
    # The lease lasts slightly longer than the visibility timeout of the message.
    "visible_at": JobRow.lease_until,
    **LEASE_ENDED,
}
"""The column values for returning an unfinished job to PENDING."""


_PATH, _STATUS, _REASON = (_NAMES.index(name) for name in ("file_path", "status", "reason"))


def read_rows(database: Database, keys: Iterable[int]) -> list[tuple[int, Any, list[Any]]]:
    """Read jobs in a transaction: the key, the time of the removal, and the values of `LISTED_COLUMNS`, by key.

    They are fetched as one text: for each row that is fetched, the interpreter lock is released, and beside a busy
    thread, the main thread would wait milliseconds for it each time (measured).

    Args:
        database: The database.
        keys: The keys of the jobs, in any order. Those that do not exist are left out.
    """
    given = as_keys(sorted(keys))
    try:
        ((text,),) = database.rows(_AT_ONCE, keys=given)
        rows = json.loads(text)
    except (*ERRORS, ValueError):  # such as a value that can't be in such a text: find out which one
        return [(row[4], row[0], list(row[1:])) for row in database.rows(_ONE_BY_ONE, keys=given)]
    found = [
        (values[2], removed_at, [bytes.fromhex(raw_path) if raw_path else None, *values])
        for raw_path, removed_at, *values in rows
    ]
    return sorted(found, key=itemgetter(0))


def _plain(column: Any) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return a column without its alias."""
    return column.unalias() if isinstance(column, Alias) else column  # type: ignore[no-untyped-call]


def jobs_from(rows: Iterable[Iterable[Any]]) -> list[Job]:
    """Convert rows of `LISTED_COLUMNS` to jobs.

    Raises:
        DamagedRowError: If a row can't be converted.
    """
    jobs = []
    with recognized_damage():
        for raw_path, arguments, held_at, *values in rows:
            check_kinds(_NAMES, tuple(map(type, values)))
            values[_PATH] = joined_path(values[_PATH], raw_path)
            values[_STATUS] = Status(values[_STATUS])
            is_held = held_at is not None and values[_STATUS] is Status.PENDING
            values[_REASON] = _IS_HELD if is_held else reason_of(values[_REASON], arguments)
            jobs.append(Job(*values))
    return jobs


@lru_cache(maxsize=1024)
def check_kinds(names: tuple[str, ...], kinds: tuple[type, ...]) -> None:
    """Check the types of a row's values, since SQLite stores values of any type in any column.

    Cached, since most rows have one of a few combinations of types; an error is never cached.

    Args:
        names: The names of fields of `Job`.
        kinds: The types of their values, before they are converted.

    Raises:
        TypeError: If a value does not suit its column.
    """
    for name, kind in zip(names, kinds, strict=True):
        expression = JOB_COLUMNS[name]
        is_number = isinstance(expression, IntegerField | ForeignKeyField)
        is_optional = not isinstance(expression, Field) or expression.null
        if kind is not (int if is_number else str) and not (is_optional and kind is NoneType):
            raise TypeError(f"{name} is of type {kind.__name__}")


def reason_columns(reason: Reason | None) -> dict[str, Any]:
    """Return the column values for the reason of a job or an attempt."""
    if reason is None:
        return {"reason_code": "", "reason_args": ""}
    values = {name: storable(value) if isinstance(value, str) else value for name, value in reason.arguments.items()}
    return {"reason_code": reason.code.value, "reason_args": json.dumps(values, ensure_ascii=False) if values else ""}


@lru_cache(maxsize=1024)
def reason_of(code: str, arguments: str) -> Reason | None:
    """Return the reason stored in two columns; None if there is none. An unknown reason becomes a `TEXT` reason."""
    if not code:
        return None
    try:
        reason = Reason(ReasonCode(code), json.loads(arguments) if arguments else {})
        str(reason).encode()  # raises an error for lone surrogates, which JSON allows but which can't be shown
    except (ValueError, LookupError, TypeError, RecursionError):  # written by another version or program
        return Reason(ReasonCode.TEXT, {"text": f"{code} {arguments}".strip()})
    return reason


def joined_path(text: str, raw: bytes | None) -> str:
    """Return the path stored in two columns; see `split_path`."""
    return text if raw is None else os.fsdecode(bytes(raw))


def split_path(path: str) -> tuple[str, bytes | None]:
    """Return the two column values for a path: readable text, and the original bytes if they are not valid UTF-8."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raw = os.fsencode(path)
        return raw.decode("utf-8", "backslashreplace"), raw
    return path, None


def storable(text: str) -> str:
    """Escape the lone surrogates in a text, since they can't be stored. For paths, use `split_path`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def searchable(text: str) -> str:
    """Convert a search text to the form in which paths are stored in `file_path`."""
    try:
        return split_path(text)[0]
    except UnicodeEncodeError:  # not a path of this system
        return storable(text)


def parts(keys: Iterable[Key], size: int) -> Iterator[list[Key]]:
    """Split keys into lists of a given size. The last list can be shorter."""
    rest = iter(keys)
    while part := list(islice(rest, size)):
        yield part


def name_key(path: str) -> str:
    """Return the stored sort key of a file's name; see `natural_key`."""
    return natural_key(split_path(os.path.basename(path))[0])  # noqa: PTH119 - pathlib would normalise the name


SEPARATORS = "\\/" if os.sep == "\\" else "/"
"""The characters that end a folder in a path."""


def folder_length(path: str) -> int:
    """Return the length of the folder in a stored path, with the separator at its end."""
    return max(path.rfind(separator) for separator in SEPARATORS) + 1


def type_key(name: str) -> str:
    """Return the sort key of a file type, from that of the name. A name such as ".profile" has no type."""
    _, dot, found = name.lstrip(".").rpartition(".")
    return found if dot else ""
