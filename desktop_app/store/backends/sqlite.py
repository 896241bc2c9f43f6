"""Everything that is specific to SQLite. The other modules of the store do not depend on the engine.

This includes connections with their pragmas and functions, write transactions, error codes, copying and checking
databases, and the few SQL expressions that differ between engines.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from array import array
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import peewee
from peewee import SQL, fn

from desktop_app.config.private_files import create_private
from desktop_app.domain.errors import (
    Cause,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreGoneError,
    database_gone,
)
from desktop_app.domain.sentences import Sentence
from desktop_app.store.backends.sqlite_functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from desktop_app.domain.keys import KeySet


ENGINE_VERSION = sqlite3.sqlite_version
BUSY_TIMEOUT_MS = 10_000

PRAGMAS = {
    "journal_mode": "wal",
    # An unflushed commit survives a program crash, but not a power failure. Durable transactions are flushed.
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "cache_size": -16_000,
    "journal_size_limit": 64 * 1024 * 1024,
}

ERRORS = (peewee.DatabaseError, sqlite3.Error)
"""The exceptions that database calls raise. peewee does not convert exceptions raised while fetching rows."""

SIDE_FILES = ("-wal", "-shm")
"""The suffixes of the files that SQLite keeps next to a database file."""

_PART = ".part"
_ROWS_A_STATEMENT = 500
"""The number of rows inserted at once. SQLite accepts 32,766 parameters."""
_MAX_LIKE = 20_000
"""The length of a text up to which LIKE is used. SQLite accepts patterns of 50,000 bytes."""
_SPECIAL = re.compile(r"[%_\\]")
_BEGINNING = re.compile(r"(\**)([^*?]*)")
_STEPS_BETWEEN_LOOKS = 100_000
"""How many steps of its virtual machine SQLite makes between two looks at whether to stop: a few milliseconds."""
_JSON_VALUE = "CASE WHEN json_valid({column}) THEN json_extract({column}, '$.\"{name}\"') END"
"""An index is used only for the expression that it was created with."""
_TYPES = {"TEXT": "text", "VARCHAR": "text", "BLOB": "blob"}
"""The storage classes by the types of fields; all other fields are integers."""
_NOT_TEXT = "Could not decode to UTF-8", "JSON cannot hold BLOB values"
_NO_TEMPORARY_FOLDER = sqlite3.SQLITE_IOERR_GETTEMPPATH


# --- connections and transactions


class StatementStoppedError(Exception):
    """A statement was stopped on request."""


class SqliteDatabase(peewee.SqliteDatabase):
    """The connections to a database file, one per thread.

    Args:
        path: The database file.

    Attributes:
        opened: The open connections of all threads, and whether each flushes its commits.
    """

    def __init__(self, path: Path) -> None:
        # `close_all` closes the connections of other threads.
        super().__init__(_existing(path), uri=True, pragmas=PRAGMAS, autoconnect=False, check_same_thread=False)
        self.opened: dict[sqlite3.Connection, bool] = {}
        for name, function in FUNCTIONS.items():
            self.register_function(function, name)

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._connect()  # type: ignore[misc] # missing in the stubs
        self.opened[connection] = False
        return connection

    def _close(self, connection: sqlite3.Connection) -> None:
        self.opened.pop(connection, None)
        super()._close(connection)  # type: ignore[misc]

    def close_all(self, *, saves_log: bool) -> None:
        """Close the connections of all threads, none of which may be in use.

        Args:
            saves_log: Whether to copy all commits to the database file first, because the write-ahead log at its side
                was deleted. Connections that are opened later do not see the deleted one.
        """
        if saves_log and self.opened:
            next(iter(self.opened)).execute("PRAGMA wal_checkpoint(PASSIVE)")
        while self.opened:
            self.opened.popitem()[0].close()

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[None]:
        """Enter a transaction that holds the write lock from its start.

        Args:
            durable: Whether to flush the commit to the disk, so that it survives a power failure.

        Raises:
            RuntimeError: If this thread is in a transaction, which can't be given the lock safely.
        """
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        if connection.in_transaction:
            raise RuntimeError("a write transaction can't begin within a read transaction")
        if self.opened[connection] is not durable:
            connection.execute(f"PRAGMA synchronous = {'full' if durable else 'normal'}")
            self.opened[connection] = durable
        with self.atomic("IMMEDIATE"):
            yield

    def rollback(self) -> None:
        """Roll back, unless SQLite has already done so (for example, because the disk is full)."""
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        if connection.in_transaction:
            super().rollback()

    def alter(self, statement: str, should_stop: Callable[[], bool]) -> None:
        """Execute a statement that changes the schema.

        Args:
            statement: The statement.
            should_stop: Called again and again; returns whether to stop.

        Raises:
            StatementStoppedError: If it was stopped.
        """
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        connection.set_progress_handler(should_stop, _STEPS_BETWEEN_LOOKS)
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise StatementStoppedError from error
            raise
        finally:
            connection.set_progress_handler(None, 0)

    def insert_all(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]], common: Mapping[str, object]
    ) -> None:
        """Insert one or more rows, several times faster than peewee's own method.

        Many rows are inserted by one statement: `executemany` releases the interpreter lock for each of them, which
        takes twice as long beside a busy main thread (measured).

        Args:
            table: The name of the table.
            columns: The columns whose values differ between the rows.
            rows: The values of these columns.
            common: The values of the other columns. Passing them once takes half as long as for each row (measured).
        """
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            some = rows[start : start + _ROWS_A_STATEMENT]
            text = _insertion(table, tuple(common), tuple(columns), len(some))
            connection.execute(text, [*common.values(), *chain.from_iterable(some)])


@lru_cache(maxsize=64)
def _insertion(table: str, common: tuple[str, ...], columns: tuple[str, ...], count: int) -> str:
    names = ", ".join(f'"{column}"' for column in common + columns)
    marks = f"({', '.join('?' * len(columns))})"
    rows = f"(VALUES {', '.join([marks] * count)})"
    return f'INSERT INTO "{table}" ({names}) SELECT {"?, " * len(common)}"given".* FROM {rows} AS "given"'  # noqa: S608


def without_pragmas(path: Path) -> peewee.Database:
    """Return a database without pragmas, so that opening a connection does not change the file."""
    return peewee.SqliteDatabase(_existing(path), uri=True)


def _existing(path: Path) -> str:
    """Return the URI that opens a file only if it exists, since SQLite would create one where a disk was removed."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - does not access it
    root = "" if absolute.startswith("/") else "/"
    return f"file://{root}{quote(os.fsencode(absolute.replace(os.sep, '/')))}?mode=rw"


# --- errors


class DamagedRowError(sqlite3.DatabaseError):
    """A row contains a value that does not suit its column."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


@contextmanager
def recognized_damage() -> Iterator[None]:
    """Enter a context for converting rows, whose values can be of any type in SQLite.

    Raises:
        DamagedRowError: If a value can't be converted.
    """
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        raise DamagedRowError(str(error)) from error


def store_error(error: peewee.DatabaseError | sqlite3.Error, path: Path) -> StoreError:
    """Convert an SQLite error to a readable `StoreError`, based on its code.

    Raises:
        peewee.DatabaseError, sqlite3.Error: The same error, if it indicates a bug in Filemill.
    """
    cause = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", error)
    text = str(cause)
    match getattr(cause, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_PROTOCOL:
            return StoreBusyError(
                Sentence("Another program is using {file} and has locked it. You can safely try again.", file=path),
                detail=text,
            )
        case sqlite3.SQLITE_IOERR if getattr(cause, "sqlite_errorcode", 0) == _NO_TEMPORARY_FOLDER:
            return StoreFullError(
                Sentence("There is no temporary folder that can be written to. Set TMPDIR to the path of a folder."),
                detail=text,
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StoreFullError(
                Sentence(
                    "The disk that contains {file} is full or not writable. Free some space or check the disk, "
                    "then try again.",
                    file=path,
                ),
                detail=text,
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, text)
        case _ if text.startswith(_NOT_TEXT):  # an error without a code of its own
            return damaged(path, text)
        case sqlite3.SQLITE_CANTOPEN if not os.path.exists(path):  # noqa: PTH110 - never raises
            return StoreGoneError(database_gone(path), detail=text)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return permission_missing(path, text)
    raise error


def is_about_schema(error: Exception) -> bool:
    """Return whether a statement can't be executed, because of the schema or because the statement is wrong."""
    return getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR


def damaged(path: Path, detail: str) -> StoreDamagedError:
    """Return the error for a file that SQLite, or Filemill, can't use."""
    text = Sentence(
        "{file} is damaged or is not a Filemill database. Nothing was changed. To set it aside and use "
        "the newest backup instead, see “filemill doctor --help”.",
        file=path,
    )
    return StoreDamagedError(text, detail=detail)


def permission_missing(path: Path, detail: str) -> StoreError:
    """Return the error for a file that this user may not read or write, or that is a folder."""
    if os.path.isdir(path):  # noqa: PTH112 - never raises
        text = Sentence("{file} is a folder, not a database. Move it, or set FILEMILL_DATABASE to a file.", file=path)
        return StoreError(text, detail=detail)
    return StoreError(
        Sentence("{file} can't be written. Check the permissions of the file and its folder.", file=path),
        detail=detail,
        cause=Cause.DATABASE_READ_ONLY,
    )


# --- files


class FileState(NamedTuple):
    """The attributes that show whether a path still leads to the file that was opened, and whether it was written."""

    device: int
    inode: int
    size: int
    changed_ns: int

    def is_same_file(self, other: FileState | None) -> bool:
        """Return whether two states are of the same file, and it has not been truncated since the other state.

        SQLite never shrinks a database without VACUUM, which Filemill does not use.
        """
        return other is not None and self[:2] == other[:2] and self.size >= other.size


def file_state(path: str) -> FileState | None:
    """Return the state of the file at a path; None if the file can't be accessed."""
    try:
        found = os.stat(path)  # noqa: PTH116 - called for each transaction, and twice as fast as `Path.stat`
    except OSError:
        return None
    return FileState(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def copy_database(database: Path, target: Path) -> None:
    """Make a consistent copy of a database while it is in use. The copy gets its final name once it is complete.

    Raises:
        OSError, sqlite3.Error: If the database can't be read, or the copy can't be written.
    """
    part = target.with_name(target.name + _PART)
    part.unlink(missing_ok=True)
    create_private(part)
    with closing(sqlite3.connect(_existing(database), uri=True)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.replace(target)


def is_complete(copy: Path) -> bool:
    """Return whether a file is a complete copy made by `copy_database`, and not a part or a side file of one."""
    return not copy.name.endswith((_PART, *SIDE_FILES))


def find_value(
    database: peewee.Database, model: type[peewee.Model], fields: Mapping[peewee.Field, Sequence[object]]
) -> str:
    """Find a value that does not suit its column, since SQLite stores values of any type. Reads the whole table.

    Args:
        database: The database.
        model: The model of the table.
        fields: The fields to check, with the only values they may have; empty if any value of the type is suitable.

    Returns:
        The name of the column; empty if all values are suitable.
    """
    cases = []
    for field, values in fields.items():
        is_wrong = fn.TYPEOF(field) != _TYPES.get(field.field_type, "integer")
        if values:
            is_wrong |= field.not_in(values)
        cases.append((is_wrong & field.is_null(False) if field.null else is_wrong, field.column_name))
    wrong = peewee.Case(None, cases)
    row = next(iter(model.select(wrong).where(wrong.is_null(False)).limit(1).tuples().execute(database)), None)
    return "" if row is None else str(row[0])


def find_damage(database: Path, *, is_quick: bool) -> str:
    """Check a whole database, and return what SQLite says about the first damage; empty if there is none.

    Args:
        database: The file.
        is_quick: Whether to skip the comparison of indexes with their tables, which takes most of the time.

    Raises:
        sqlite3.OperationalError: If the file can't be read.
    """
    try:
        with closing(sqlite3.connect(_existing(database), uri=True)) as connection:
            connection.execute("PRAGMA temp_store = memory")
            kind = "quick_check" if is_quick else "integrity_check"
            (said,) = connection.execute(f"PRAGMA {kind}(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return str(error)
        raise
    return "" if said == "ok" else str(said)


# --- SQL


def among(column: Any, keys: Sequence[int]) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return the condition that a column equals one of many integers.

    The integers are passed as one JSON parameter, which is five times faster than one parameter each (measured).
    """
    return column.in_(SQL("(SELECT value FROM json_each(?))", [f"[{','.join(map(str, sorted(keys)))}]"]))


def given_keys(keys: Any) -> Any:  # noqa: ANN401
    """Return a query for the integers in a parameter; see `as_keys`.

    Args:
        keys: The term for the parameter.
    """
    given = fn.JSON_EACH(keys).alias("each")
    return peewee.Select((given,), (SQL('"each"."value"'),))


def given_rows(rows: Any, *columns: str) -> Any:  # noqa: ANN401
    """Return the rows of a parameter as a table named `given`; see `as_rows`.

    Args:
        rows: The term for the parameter.
        columns: The names of the columns.
    """
    given = fn.JSON_EACH(rows).alias("each")
    values = (fn.JSON_EXTRACT(SQL('"each"."value"'), f"$[{place}]").alias(name) for place, name in enumerate(columns))
    return peewee.Select((given,), tuple(values)).alias("given")


def value_of(values: Any, name: Any) -> Any:  # noqa: ANN401
    """Return the value with a name in a parameter that is a JSON object; NULL if there is none.

    Args:
        values: The term for the parameter.
        name: The term for the name, which must not contain a quotation mark.
    """
    return fn.JSON_EXTRACT(values, fn.PRINTF('$."%s"', name))


def json_value(column: Any, name: str) -> Any:  # noqa: ANN401
    """Return a value in a column of JSON objects, as a term for which `value_index` is used; NULL if there is none.

    What another program has written and is not JSON contains no value. The check takes 60 ms for a million rows.

    Args:
        column: The column.
        name: The name of the value, of letters, digits and underscores. It is a part of the statement, since no index
            would be used for an expression with a parameter.
    """
    before, between, after = map(SQL, _JSON_VALUE.format(column="{}", name=name).split("{}"))
    return peewee.NodeList((before, column, between, column, after))


def value_index(table: str, column: str, name: str, null_column: str) -> str:
    """Return the statement that creates an index of a value in a column of JSON objects, unless there is one.

    Args:
        table: The name of the table.
        column: The name of the column.
        name: The name of the value; see `json_value`.
        null_column: The name of a column. Rows in which it is not NULL are left out of the index, which is used only by
            queries with the condition that this column, `unindexed`, is NULL. Such a query does not read the rows to
            check that, which would take ten times as long. All other queries would be slow with this index, since
            SQLite takes it for a small one (measured).
    """
    value = _JSON_VALUE.format(column=f'"{column}"', name=name)
    return f'CREATE INDEX IF NOT EXISTS "{table}_{column}_{name}" ON "{table}" ({value}) WHERE +"{null_column}" IS NULL'


def drop_value_index(table: str, column: str, name: str) -> str:
    """Return the statement that removes an index of `value_index`, if there is one."""
    return f'DROP INDEX IF EXISTS "{table}_{column}_{name}"'


def value_indexes(table: str, column: str) -> Any:  # noqa: ANN401
    """Return a query for the names of the values for which there is an index of `value_index`."""
    prefix = f"{table}_{column}_"
    names = peewee.Select((SQL('"sqlite_master"'),), (fn.SUBSTR(SQL('"name"'), len(prefix) + 1),))
    return names.where(SQL("\"type\" = 'index'"), fn.SUBSTR(SQL('"name"'), 1, len(prefix)) == prefix)


def is_text(value: Any) -> Any:  # noqa: ANN401
    """Return the condition that a value, which can have any type, is a text."""
    return value.between("", b"")  # SQLite sorts texts after numbers, and blobs after texts


def in_keys(column: Any, keys: KeySet) -> Any:  # noqa: ANN401
    """Return the condition that a column contains one of the keys, which may be millions.

    A look at a byte for each row takes less than half as long as a search among all keys (measured).
    """
    marks = keys.marks or b"\0"  # of an empty blob, SUBSTR is NULL
    key = unindexed(column)  # otherwise, SQLite would read this range of keys where an index suits better
    is_marked = fn.SUBSTR(SQL("?", [marks]), key - keys.least + 1, 1) == SQL("x'01'")
    return is_marked if keys.least <= 1 else key.between(keys.least, keys.greatest) & is_marked


def unindexed(column: Any) -> Any:  # noqa: ANN401
    """Return a column as a term for which no index is used."""
    return peewee.NodeList((SQL("+"), column))


def joined_keys(query: Any) -> Any:  # noqa: ANN401
    """Return a query for the keys that another query selects, in the same order, as one text for `split_keys`.

    While rows are fetched one by one, Python's `sqlite3` releases the interpreter lock for each of them: with a busy
    main thread, that takes ten times as long (measured). SQLite keeps the order of a subquery in this aggregate.
    """
    keys = query.alias("keys")
    return peewee.Select((keys,), (fn.GROUP_CONCAT(fn.PRINTF("%016x", keys.c.id), ""),))


def as_one_value(*columns: Any) -> Any:  # noqa: ANN401
    """Return the aggregate of all rows as one text: a JSON array of arrays; see `joined_keys` for the reason.

    Args:
        columns: The columns, none of which may be a blob.
    """
    return fn.JSON_GROUP_ARRAY(fn.JSON_ARRAY(*columns))


def joined_rows(*columns: Any) -> Any:  # noqa: ANN401
    """Return an aggregate of all rows as one JSON array of arrays. It fails for a BLOB."""
    return fn.JSON_GROUP_ARRAY(fn.JSON_ARRAY(*columns))


def split_keys(joined: str | None) -> array[int]:
    """Return the keys in the result of `joined_keys`."""
    keys = array("q", bytes.fromhex(joined or ""))
    if sys.byteorder == "little":
        keys.byteswap()
    return keys


def least(one: Any, other: Any) -> Any:  # noqa: ANN401
    """Return the smaller of two numbers."""
    return fn.MIN(one, other)


def contains_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return the condition that a column contains a text, ignoring case and Unicode normalization.

    Folding a million rows in Python is slow. SQLite's LIKE, which ignores the case of ASCII letters, takes half the
    time (measured) and does not hold the interpreter lock, so only texts with other characters are folded in Python.

    Args:
        column: The column to search.
        key: The folded text to find.
    """
    return _ascii_or(column, key, _like(column, f"%{_escaped(key)}%"), fn.INSTR(fn.FOLDED(column), key) > 0)


def ends_with_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return the condition that a column ends with a folded text, ignoring case and Unicode normalization."""
    return _ascii_or(column, key, _like(column, f"%{_escaped(key)}"), fn.SUBSTR(fn.FOLDED(column), -len(key)) == key)


def matches_pattern(column: Any, pattern: str) -> Any:  # noqa: ANN401
    """Return the condition that a whole column matches a folded pattern, ignoring case and Unicode normalization.

    Args:
        column: The column to search.
        pattern: A text in which `*` stands for any text and `?` for any character.
    """
    return _ascii_or(column, pattern, _like(column, _as_like(pattern)), fn.MATCHES_PATTERN(column, pattern) == 1)


def last_part_contains(column: Any, key: str, separators: str) -> Any:  # noqa: ANN401
    """Return the condition that the part of a column after the last separator contains a folded text."""
    part, like = last_part(column, separators), f"%{_escaped(key)}%"
    # Cutting off the part takes several times as long as LIKE (measured), so it is avoided where the text is found
    # only after the last separator.
    exact = ~_any_like(column, [f"{like}{_escaped(separator)}%" for separator in separators]) | _like(part, like)
    return _ascii_or(column, key, _like(column, like) & exact, fn.INSTR(fn.FOLDED(part), key) > 0)


def last_part_matches(column: Any, pattern: str, separators: str) -> Any:  # noqa: ANN401
    """Return the condition that the part of a column after the last separator matches a folded pattern."""
    part, like = last_part(column, separators), _as_like(pattern)
    exact = _like(part, like)
    stars, beginning = _BEGINNING.match(pattern).groups()  # type: ignore[union-attr] # matches any text
    if beginning:
        # As in `last_part_contains`: if no separator follows the first letters, the rest is in the last part as well.
        first = _any_like(column, [like] if stars else [f"%{_escaped(separator)}{like}" for separator in separators])
        later = [f"%{_escaped(beginning)}%{_escaped(separator)}%" for separator in separators]
        exact = first & (~_any_like(column, later) | exact)
    return _ascii_or(column, pattern, exact, fn.MATCHES_PATTERN(part, pattern) == 1)


def up_to_last_contains(column: Any, key: str, separators: str) -> Any:  # noqa: ANN401
    """Return the condition that the part of a column up to its last separator contains a folded text."""
    ends = [""] if key.endswith(tuple(separators)) else [f"{_escaped(separator)}%" for separator in separators]
    fast = _any_like(column, [f"%{_escaped(key)}%{end}" for end in ends])
    return _ascii_or(column, key, fast, fn.INSTR(fn.FOLDED(up_to_last(column, separators)), key) > 0)


def _escaped(text: str) -> str:
    """Return a text without its meaning in a pattern for LIKE."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _as_like(pattern: str) -> str:
    return _escaped(pattern).replace("*", "%").replace("?", "_")


def _like(value: Any, pattern: str) -> Any:  # noqa: ANN401
    return peewee.NodeList((value, SQL("LIKE"), peewee.Value(pattern), SQL("ESCAPE '\\'")), parens=True)


def _any_like(value: Any, patterns: Sequence[str]) -> Any:  # noqa: ANN401
    return peewee.NodeList([_like(value, pattern) for pattern in patterns], glue=" OR ", parens=True)


def _ascii_or(column: Any, key: str, like: Any, long_way: Any) -> Any:  # noqa: ANN401
    """Return a condition that uses LIKE for texts in ASCII, and a function for all others.

    Args:
        column: The column.
        key: The text to find.
        like: The condition for texts in ASCII.
        long_way: The condition for any text.
    """
    if len(key) > _MAX_LIKE:
        return long_way
    is_not_ascii = fn.LENGTH(column.cast("BLOB")) != fn.LENGTH(column)
    # LIKE would truncate a pattern at NUL and match too much; no stored text contains NUL.
    return like | (is_not_ascii & long_way) if key.isascii() and "\0" not in key else is_not_ascii & long_way


def value_contains_folded(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return the condition that any value in a column's JSON object contains a folded text."""
    # The first conditions are fast, but can also match names; the last one is exact.
    return (column != "") & is_in_json(column, key) & fn.IN_ARGUMENTS(column, key)


def is_in_json(column: Any, key: str) -> Any:  # noqa: ANN401
    """Return the condition that a folded text occurs anywhere in a column of JSON objects, also in names."""
    return contains_folded(column, json.dumps(key, ensure_ascii=False)[1:-1])


def up_to_last(text: Any, characters: str) -> Any:  # noqa: ANN401
    """Return a text up to and including the last occurrence of any of these characters."""
    # SQLite has no function that searches backwards, so trim all other characters from the end of the text.
    rest = text
    for character in characters:
        rest = fn.REPLACE(rest, character, "")
    return fn.RTRIM(text, rest)


def last_part(text: Any, characters: str) -> Any:  # noqa: ANN401
    """Return the part of a text after the last occurrence of any of these characters."""
    return fn.SUBSTR(text, fn.LENGTH(up_to_last(text, characters)) + 1)
