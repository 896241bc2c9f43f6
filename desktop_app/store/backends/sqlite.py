"""SQLite: all in which it differs from another database.

The connection with its pragmas and functions, how a write transaction begins, what its errors mean, how a database is
copied and checked, and the few pieces of SQL that other databases write otherwise. Nothing else of the store knows
SQLite.
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
    # A WAL that is not flushed survives the end of a program, not a power cut: a durable transaction flushes.
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "cache_size": -16_000,
    "journal_size_limit": 64 * 1024 * 1024,
}

ERRORS = (peewee.DatabaseError, sqlite3.Error)
"""What using the database may raise. Reading on from a cursor raises sqlite3's own."""

SIDE_FILES = ("-wal", "-shm")
"""The ends of the names of the files that belong to a database's own."""

_HALF = ".part"


# --- connections and transactions


class SqliteDatabase(peewee.SqliteDatabase):
    """The connections to one file, one a thread.

    Args:
        path: The file.
        functions: Functions that the SQL below calls, by their names: `folded` and `in_arguments`.
    """

    def __init__(self, path: Path, functions: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(str(path), pragmas=PRAGMAS, autoconnect=False)
        for name, function in functions.items():
            self.register_function(function, name)

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[None]:
        """Hold the write lock from the beginning, so that transactions commit in the order they have begun.

        Args:
            durable: Whether a power cut right after the commit must not undo it.
        """
        self.execute_sql(f"PRAGMA synchronous = {'full' if durable else 'normal'}")  # type: ignore[no-untyped-call]
        with self.atomic("IMMEDIATE"):
            yield

    def rollback(self) -> None:
        """Roll back, unless SQLite has done so by itself (disk full): else that trouble is hidden by another error."""
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        if connection.in_transaction:
            super().rollback()

    def insert_all(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that all name the same columns; several times quicker than peewee's own way."""
        columns = ", ".join(f'"{column}"' for column in rows[0])
        marks = ", ".join([self.param] * len(rows[0]))
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        connection.executemany(
            f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608 - names of our own models
            [tuple(row.values()) for row in rows],
        )


def only_looking(path: Path) -> peewee.Database:
    """Return a database whose connection changes nothing in the file by being opened."""
    return peewee.SqliteDatabase(str(path))


# --- errors


def store_error(error: peewee.DatabaseError | sqlite3.Error, path: Path) -> StoreError:
    """Return what an error of SQLite means, in plain words. Goes by its code: a text may hold any word of our SQL.

    Raises:
        peewee.DatabaseError, sqlite3.Error: The same error again, if it is a mistake in our SQL rather than the
            world's doing.
    """
    cause = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", error)
    text = str(cause)
    match getattr(cause, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_PROTOCOL:
            return StoreBusyError(
                Sentence("Another program uses {file} and holds it locked. Trying again is safe.", file=path),
                detail=text,
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StoreFullError(
                Sentence("The disk with {file} is full or can't be written. Make room, then go on.", file=path),
                detail=text,
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreDamagedError(
                Sentence(
                    "{file} is damaged or is not a database of Filemill. Nothing was changed. It can be put aside, and "
                    "the newest copy used in its place: see “filemill doctor --help”.",
                    file=path,
                ),
                detail=text,
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(
                Sentence("{file} can't be written. Check the rights of the file and its folder.", file=path),
                detail=text,
                cause=Cause.DATABASE_READ_ONLY,
            )
    raise error


# --- files


def create_private(path: Path) -> None:
    """Make the file for its owner's eyes only, before SQLite makes it for everybody's: it names people's files."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def copy_whole(database: Path, target: Path) -> None:
    """Copy a database that others may work on, consistent; the copy has its name only once it is whole.

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
    """Return whether a copy has been made to its end."""
    return not copy.name.endswith(_HALF)


def is_damaged(database: Path) -> bool:
    """Return whether a database is damaged, wherever in the file. Reads all of it."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError:
        return True


# --- SQL


def among(column: Any, keys: Sequence[int]) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return a condition: a column holds one of many whole numbers.

    They go as one value: measured, five times as quick as a parameter for each.
    """
    return column.in_(SQL("(SELECT value FROM json_each(?))", [f"[{','.join(map(str, sorted(keys)))}]"]))


def least(one: Any, other: Any) -> Any:  # noqa: ANN401
    """Return the smaller one of two numbers."""
    return fn.MIN(one, other)


def contains_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return a condition: a column's folded text contains a folded one.

    Folding is done in Python, which a million rows feel. A text of ASCII alone, which most are, is folded by SQLite's
    LIKE as well (measured: half the time, and Python's lock stays free); so only the others are asked for the long way.
    """
    is_not_ascii = fn.LENGTH(column.cast("BLOB")) != fn.LENGTH(column)
    long_way = is_not_ascii & (fn.INSTR(fn.FOLDED(column), key) > 0)
    # LIKE ends at a NUL; no stored text has one.
    return column.contains(key) | long_way if key.isascii() and "\0" not in key else long_way


def value_contains_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return a condition: a value of a column's JSON object contains a folded text."""
    # The cheap question first; it may find a name.
    written = json.dumps(key, ensure_ascii=False)[1:-1]
    return contains_folded(column, written) & fn.IN_ARGUMENTS(column, key)


def contains_character(text: Any, character: str) -> Any:  # noqa: ANN401
    """Return a condition: a text contains a character."""
    return fn.INSTR(text, character) > 0


def up_to_last(text: Any, characters: str) -> Any:  # noqa: ANN401
    """Return a text up to and with the last of these characters.

    It is trimmed by all that the text is made of, but for them.
    """
    rest = text
    for character in characters:
        rest = fn.REPLACE(rest, character, "")
    return fn.RTRIM(text, rest)
