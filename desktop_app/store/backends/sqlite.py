"""SQLite: everything that is specific to this engine.

Connections with their pragmas and functions, write transactions, the meaning of errors, copying and checking a
database, and the few SQL expressions that differ between engines. No other module of the store knows SQLite.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import peewee
from peewee import SQL, fn

from desktop_app.domain.errors import Cause, StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


BUSY_TIMEOUT_MS = 10_000

PRAGMAS = {
    "journal_mode": "wal",
    # An unflushed WAL survives the end of a program, but not a power failure: durable transactions flush it.
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "cache_size": -16_000,
    "journal_size_limit": 64 * 1024 * 1024,
}

ERRORS = (peewee.DatabaseError, sqlite3.Error)
"""The exceptions of database calls. Fetching from a cursor raises those of sqlite3."""

SIDE_FILES = ("-wal", "-shm")
"""The suffixes of the files that belong to a database file."""

_HALF = ".part"


# --- connections and transactions


class SqliteDatabase(peewee.SqliteDatabase):
    """The connections to one file, one per thread.

    Args:
        path: The database file.
        functions: SQL functions by name: `folded` and `in_arguments`.
    """

    def __init__(self, path: Path, functions: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(str(path), pragmas=PRAGMAS, autoconnect=False)
        for name, function in functions.items():
            self.register_function(function, name)

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[None]:
        """Enter a transaction that holds the write lock from the start, so that transactions commit in order.

        Args:
            durable: Whether the commit must survive a power failure.
        """
        self.execute_sql(f"PRAGMA synchronous = {'full' if durable else 'normal'}")  # type: ignore[no-untyped-call]
        with self.atomic("IMMEDIATE"):
            yield

    def rollback(self) -> None:
        """Roll back, unless SQLite already has (disk full): a second rollback would hide the original error."""
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        if connection.in_transaction:
            super().rollback()

    def insert_all(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows with the same columns; several times as fast as peewee's own method."""
        columns = ", ".join(f'"{column}"' for column in rows[0])
        marks = ", ".join([self.param] * len(rows[0]))
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        connection.executemany(
            f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608 - names of our own models
            [tuple(row.values()) for row in rows],
        )


def only_looking(path: Path) -> peewee.Database:
    """Return a database whose connection does not change the file when it is opened."""
    return peewee.SqliteDatabase(str(path))


# --- errors


def store_error(error: peewee.DatabaseError | sqlite3.Error, path: Path) -> StoreError:
    """Return a readable error for an SQLite error, by its code: the text may contain any part of our SQL.

    Raises:
        peewee.DatabaseError, sqlite3.Error: The same error, if it is a bug in our SQL.
    """
    cause = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", error)
    text = str(cause)
    match getattr(cause, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_PROTOCOL:
            return StoreBusyError(
                Sentence("Another program is using {file} and has locked it. It is safe to try again.", file=path),
                detail=text,
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StoreFullError(
                Sentence(
                    "The disk with {file} is full or can't be written. Free some space, then try again.", file=path
                ),
                detail=text,
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreDamagedError(
                Sentence(
                    "{file} is damaged or is not a Filemill database. Nothing was changed. To set it aside and use "
                    "the newest backup instead, see “filemill doctor --help”.",
                    file=path,
                ),
                detail=text,
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(
                Sentence("{file} can't be written. Check the permissions of the file and its folder.", file=path),
                detail=text,
                cause=Cause.DATABASE_READ_ONLY,
            )
    raise error


# --- files


def create_private(path: Path) -> None:
    """Create the file with access for its owner only, before SQLite creates it with the default permissions."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return which file has this name now; None if there is none, or its folder can't be reached."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def copy_whole(database: Path, target: Path) -> None:
    """Copy a database consistently while it is in use; the copy gets its name only when it is complete.

    Raises:
        OSError, sqlite3.Error: If it can't be read or written.
    """
    part = target.with_name(target.name + _HALF)
    part.unlink(missing_ok=True)
    create_private(part)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.replace(target)


def is_whole(copy: Path) -> bool:
    """Return whether a copy is complete."""
    return not copy.name.endswith(_HALF)


def is_damaged(database: Path) -> bool:
    """Return whether a database is damaged. Reads the whole file."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError:
        return True


# --- SQL


def among(column: Any, keys: Sequence[int]) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return the condition that a column contains one of many integers.

    They are passed as one value, which was measured to be five times as fast as a parameter for each.
    """
    return column.in_(SQL("(SELECT value FROM json_each(?))", [f"[{','.join(map(str, sorted(keys)))}]"]))


def least(one: Any, other: Any) -> Any:  # noqa: ANN401
    """Return the smaller of two numbers."""
    return fn.MIN(one, other)


def contains_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return the condition that a column's folded text contains a folded text.

    Folding in Python is slow for a million rows. SQLite's LIKE folds ASCII as well (measured: half the time, without
    holding Python's lock), so only texts with other characters take the slow path.
    """
    is_not_ascii = fn.LENGTH(column.cast("BLOB")) != fn.LENGTH(column)
    long_way = is_not_ascii & (fn.INSTR(fn.FOLDED(column), key) > 0)
    # LIKE stops at NUL; no stored text contains one.
    return column.contains(key) | long_way if key.isascii() and "\0" not in key else long_way


def value_contains_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return a condition: a value of a column's JSON object contains a folded text."""
    # The cheap question first; it may find a name.
    written = json.dumps(key, ensure_ascii=False)[1:-1]
    return contains_folded(column, written) & fn.IN_ARGUMENTS(column, key)


def contains_character(text: Any, character: str) -> Any:  # noqa: ANN401
    """Return the condition that a text contains a character."""
    return fn.INSTR(text, character) > 0


def up_to_last(text: Any, characters: str) -> Any:  # noqa: ANN401
    """Return the text up to and including the last of these characters.

    The text is trimmed of all of its other characters.
    """
    rest = text
    for character in characters:
        rest = fn.REPLACE(rest, character, "")
    return fn.RTRIM(text, rest)
