"""The database: opening, migrations, connections and transactions. Engine-specific code is in `backends`."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from filelock import Timeout as LockTimeout
from playhouse.migrations import Migration, Runner

from desktop_app.domain.errors import Cause, StoreBusyError, StoreError
from desktop_app.domain.sentences import Sentence, folded
from desktop_app.store.backends.sqlite import (
    ERRORS,
    SqliteDatabase,
    copy_whole,
    create_private,
    file_identity,
    only_looking,
    store_error,
)
from desktop_app.store.backups import copies_of, keep_newest
from desktop_app.store.models import CounterRow
from desktop_app.store.rows import in_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import peewee

log = logging.getLogger(__name__)

_MIGRATE_LOCK_SECONDS = 60.0
_HISTORY_TABLE = "schema_migration"


class Database:
    """The database, with one connection per thread. Any thread.

    Open it with `open_database`. A thread that is done with it calls `release`, or works inside `session`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: tuple[int, int] | None = None
        # SQLite's own LOWER handles only A to Z.
        self._peewee = SqliteDatabase(path, {"folded": folded, "in_arguments": in_arguments})

    @contextmanager
    def session(self) -> Iterator[None]:
        """Close this thread's connection at the end of the context."""
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
        """Enter a read scope, in which all queries see the same state.

        Raises:
            StoreError: If the database can't be read.
        """
        self._check_file()
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            with self._peewee.atomic():
                yield

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[int]:
        """Enter a short write transaction; yield the revision to store in every row written in it.

        The counter is incremented first, so that the database's write lock makes revisions commit in order.

        Args:
            durable: True if the transaction must survive a power failure: added files, and results whose messages are
                deleted next.

        Raises:
            StoreBusyError: If another program holds the lock for too long.
            StoreFullError: If the disk is full.
            StoreError: If the database can't be written for another reason.
        """
        self._check_file()
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            with self._peewee.writing(durable=durable):
                moved = CounterRow.update(value=CounterRow.value + 1).where(CounterRow.name == "revision")
                rows = list(self.run(moved.returning(CounterRow.value).tuples()))
                yield int(rows[0][0])

    def run(self, query: Any) -> Any:  # noqa: ANN401 - peewee's queries have no common type
        """Execute one query inside `read` or `write`."""
        return query.execute(self._peewee)

    def insert_all(self, model: type[peewee.Model], rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows with the same columns, inside `write`; several times as fast as peewee's own method.

        Args:
            model: The model of the table.
            rows: One or more rows as values by column; peewee's defaults are not applied.
        """
        self._peewee.insert_all(model._meta.table_name, rows)  # noqa: SLF001 - peewee's documented name

    def scalar(self, query: Any) -> Any:  # noqa: ANN401
        """Return the first column of the first row, or None."""
        row = next(iter(self.run(query.tuples())), None)
        return None if row is None else row[0]

    def _check_file(self) -> None:
        """Refuse to go on if the path names another file now: what is written into the old one nobody would find.

        Raises:
            StoreError: If it was moved, deleted or replaced since it was migrated.
        """
        if self._file is not None and file_identity(self.path) != self._file:
            raise StoreError(
                Sentence(
                    "{file} was moved, deleted or replaced while Filemill was using it. Put it back, or start Filemill "
                    "again.",
                    file=self.path,
                )
            )

    @contextmanager
    def _known_errors(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            known = store_error(error, self.path)
            if known.cause is Cause.DATABASE_READ_ONLY and not self._peewee.in_transaction():
                # A connection that could only be opened for reading stays read-only: open it again next time.
                self.release()
            raise known from error

    def migrate(self, scripts: Path) -> list[str]:
        """Bring the schema up to date.

        Args:
            scripts: The folder of the numbered migration scripts.

        Returns:
            The names of the scripts that ran.

        Raises:
            StoreError: If the database is from a newer version, or the scripts are missing.
        """
        known = [script.name for script in Migration.load_directory(str(scripts))]
        if not known:
            # Without its scripts, a frozen program would silently run on an empty schema.
            raise StoreError(
                Sentence("This copy of Filemill is incomplete: {folder} contains no migration scripts.", folder=scripts)
            )
        with self._known_errors(), self.session():
            self._file = file_identity(self.path)
            applied = self._applied(known)
            pending = [name for name in known if name not in applied]
            if not pending:
                return []
            self._peewee.connect(reuse_if_open=True)
            if applied:
                self._back_up(pending[0])
            return list(Runner(self._peewee, str(scripts)).up())

    def scripts(self) -> list[str]:
        """Return the names of the migrations applied to this file, oldest first.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            return sorted(Runner(self._peewee).applied())

    def _applied(self, known: Sequence[str]) -> set[str]:
        """Return the migrations applied to this file, through a connection that does not change it.

        Raises:
            StoreError: If it is not a Filemill database, or newer than this program.
        """
        plain = only_looking(self.path)
        with plain.connection_context():
            applied = set(Runner(plain).applied())
            tables = set(plain.get_tables())
        newer = sorted(applied.difference(known))
        if newer:
            raise StoreError(
                Sentence(
                    "{file} was written by a newer Filemill (schema {newer}; this version knows {known}). Install "
                    "the newer version, or set FILEMILL_DATABASE to another file. Nothing was changed.",
                    file=self.path,
                    newer=newer[-1],
                    known=known[-1],
                )
            )
        if not applied and tables - {_HISTORY_TABLE}:
            raise StoreError(
                Sentence(
                    "{file} belongs to another program. Set FILEMILL_DATABASE to another file. Nothing was changed.",
                    file=self.path,
                )
            )
        return applied

    def _back_up(self, before: str) -> None:
        """Back up the database before a migration, and delete old backups."""
        target = self.path.with_name(f"{self.path.name}.before-{before}")
        log.info("backing up the database to %s", target.name)
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
        path: The SQLite file; created if it does not exist.
        scripts: The folder of the migration scripts.

    Raises:
        StoreError: If it can't be used. An existing file is never overwritten.
    """
    database = Database(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(path)
        # Who may read the file could hold the lock, and keep the program from starting.
        with FileLock(f"{path}.lock", timeout=_MIGRATE_LOCK_SECONDS, mode=0o600):
            ran = database.migrate(scripts)
    except LockTimeout as error:
        raise StoreBusyError(
            Sentence(
                "Another program is using {file} and does not release it. Close that program, then try again.",
                file=path,
            )
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
