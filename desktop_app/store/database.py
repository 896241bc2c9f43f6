"""One SQLite file: opening, migrating, connections and transactions."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import peewee
from filelock import FileLock
from filelock import Timeout as LockTimeout
from playhouse.migrations import Migration, Runner

from desktop_app.domain.errors import Cause, StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from desktop_app.domain.sentences import Sentence, folded
from desktop_app.store.backups import copies_of, copy_whole, create_private, keep_newest
from desktop_app.store.models import CounterRow
from desktop_app.store.rows import in_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 10_000
_MIGRATE_LOCK_SECONDS = 60.0
_HISTORY_TABLE = "schema_migration"
_PRAGMAS = {
    "journal_mode": "wal",
    # A WAL that is not flushed survives the end of a program, not a power cut: `write(durable=True)` flushes.
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "cache_size": -16_000,
    "journal_size_limit": 64 * 1024 * 1024,
}


class _Sqlite(peewee.SqliteDatabase):
    def rollback(self) -> None:
        """Roll back, unless SQLite has done so by itself (disk full): else that trouble is hidden by another error."""
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        if connection.in_transaction:
            super().rollback()


class Database:
    """The jobs' database. One connection a thread; any thread may use it.

    Open one with `open_database`; a thread that is done with it calls `release` (or works inside `session`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._peewee = _Sqlite(str(path), pragmas=_PRAGMAS, autoconnect=False)
        # SQLite's own LOWER knows only A to Z.
        self._peewee.register_function(folded, "folded", 1)
        self._peewee.register_function(in_arguments, "in_arguments", 2)

    @contextmanager
    def session(self) -> Iterator[None]:
        """A thread's life with the database: closes the thread's connection at the end."""
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Close this thread's connection, if it has one."""
        if not self._peewee.is_closed():
            self._peewee.close()

    @contextmanager
    def read(self) -> Iterator[None]:
        """A scope for queries; every query in it sees the same state.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            with self._peewee.atomic():
                yield

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[int]:
        """A short write transaction; gives the revision that every row written in it has to carry.

        The counter is moved first, so SQLite's write lock makes revisions commit in their order.

        Args:
            durable: True if a power cut right after it must not undo it (SQLite: PRAGMA synchronous): what a person
                has handed over, and results whose messages are deleted next.

        Raises:
            StoreBusyError: If another program keeps the lock for longer than `BUSY_TIMEOUT_MS`.
            StoreFullError: If the disk is full.
            StoreError: If the database can't be written for another reason.
        """
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            self._peewee.execute_sql(f"PRAGMA synchronous = {'full' if durable else 'normal'}")  # type: ignore[no-untyped-call]
            with self._peewee.atomic("IMMEDIATE"):
                moved = CounterRow.update(value=CounterRow.value + 1).where(CounterRow.name == "revision")
                rows = list(self.run(moved.returning(CounterRow.value).tuples()))
                yield int(rows[0][0])

    def run(self, query: Any) -> Any:  # noqa: ANN401 - peewee's queries have no common type
        """Execute one query inside `read` or `write`."""
        return query.execute(self._peewee)

    def insert_all(self, model: type[peewee.Model], rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that all name the same columns, inside `write`; several times quicker than peewee's own way.

        Args:
            model: Whose table.
            rows: Values as SQLite takes them, by column, one row or more; peewee's defaults are not filled in.
        """
        columns = ", ".join(f'"{column}"' for column in rows[0])
        marks = ", ".join([self._peewee.param] * len(rows[0]))
        table = model._meta.table_name  # noqa: SLF001 - peewee's documented name
        connection: sqlite3.Connection = self._peewee.connection()  # type: ignore[no-untyped-call]
        connection.executemany(
            f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608 - names of our own models
            [tuple(row.values()) for row in rows],
        )

    def scalar(self, query: Any) -> Any:  # noqa: ANN401
        """The first column of the first row, or None."""
        row = next(iter(self.run(query.tuples())), None)
        return None if row is None else row[0]

    @contextmanager
    def _known_errors(self) -> Iterator[None]:
        try:
            yield
        except (peewee.DatabaseError, sqlite3.Error) as error:  # reading on from a cursor raises sqlite3's own
            known = known_store_error(error, self.path)
            if known.cause is Cause.DATABASE_READ_ONLY and not self._peewee.in_transaction():
                # What SQLite could open for reading only stays so: the next try opens it anew.
                self.release()
            raise known from error

    def migrate(self, scripts: Path) -> list[str]:
        """Bring the schema up to date; gives the names of the scripts that ran.

        Args:
            scripts: The folder with the numbered migration scripts.

        Raises:
            StoreError: If the database is from a newer version, or the scripts are not there.
        """
        known = [script.name for script in Migration.load_directory(str(scripts))]
        if not known:
            # A bundle without its scripts would silently run on an empty schema.
            raise StoreError(
                Sentence("This copy of Filemill is incomplete: {folder} holds no database scripts.", folder=scripts)
            )
        with self._known_errors(), self.session():
            applied = self._applied(known)
            pending = [name for name in known if name not in applied]
            if not pending:
                return []
            self._peewee.connect(reuse_if_open=True)
            if applied:
                self._back_up(pending[0])
            return list(Runner(self._peewee, str(scripts)).up())

    def scripts(self) -> list[str]:
        """The names of the migration scripts that this file has seen, the oldest first.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            return sorted(Runner(self._peewee).applied())

    def _applied(self, known: Sequence[str]) -> set[str]:
        """The scripts that this file has seen; looks through a connection that changes nothing in it.

        Raises:
            StoreError: If it is not ours, or newer than this program.
        """
        plain = peewee.SqliteDatabase(str(self.path))
        with plain.connection_context():
            applied = set(Runner(plain).applied())
            tables = set(plain.get_tables())
        newer = sorted(applied.difference(known))
        if newer:
            raise StoreError(
                Sentence(
                    "{file} was written by a newer Filemill (it has {newer}, this one knows {known}). Install the "
                    "newer version, or set FILEMILL_DATABASE to another file. Nothing was changed.",
                    file=self.path,
                    newer=newer[-1],
                    known=known[-1],
                )
            )
        if not applied and tables - {_HISTORY_TABLE}:
            raise StoreError(
                Sentence(
                    "{file} is a database of another program. Set FILEMILL_DATABASE to another file. "
                    "Nothing was changed.",
                    file=self.path,
                )
            )
        return applied

    def _back_up(self, before: str) -> None:
        """Copy the database, whole and consistent, before a migration; keeps the newest few copies."""
        target = self.path.with_name(f"{self.path.name}.before-{before}")
        log.info("backing the database up to %s", target.name)
        try:
            copy_whole(self.path, target)
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be written: {why}. Check its folder.", file=target, why=error.strerror or error)
            ) from error
        copies = copies_of(self.path, "before")
        keep_newest(sorted(copies, key=lambda path: path.stat().st_mtime, reverse=True))


def open_database(path: Path, scripts: Path) -> Database:
    """Open the database and bring its schema up to date. Two programs may do so at once.

    Args:
        path: The SQLite file; made if it is not there.
        scripts: The folder with the migration scripts.

    Raises:
        StoreError: If it can't be used; the text says why and what to do. The file is never overwritten.
    """
    database = Database(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(path)
        with FileLock(f"{path}.lock", timeout=_MIGRATE_LOCK_SECONDS):
            ran = database.migrate(scripts)
    except LockTimeout as error:
        raise StoreBusyError(
            Sentence("Another program is changing {file} and does not end. Close it, then try again.", file=path)
        ) from error
    except OSError as error:
        raise StoreError(
            Sentence(
                "{file} can't be opened: {why}. Make its folder writable, or set FILEMILL_DATABASE.",
                file=path,
                why=error.strerror or error,
            )
        ) from error
    if ran:
        log.info("database %s: ran %s", path.name, ", ".join(ran))
    return database


def known_store_error(error: peewee.DatabaseError | sqlite3.Error, path: Path) -> StoreError:
    """Say in plain words what SQLite's error means. Goes by its code: a text may hold any word of our SQL.

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
