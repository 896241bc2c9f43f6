"""Open and migrate the database, and provide its connections and transactions.

Code that is specific to an engine is in `backends`.
"""

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
    copy_database,
    create_private,
    file_identity,
    store_error,
    without_pragmas,
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

    Create it with `open_database`. Each thread that uses it must call `release` when done, or use `session`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: tuple[int, int] | None = None
        # SQLite's own LOWER converts only A to Z.
        self._peewee = SqliteDatabase(path, {"folded": folded, "in_arguments": in_arguments})

    @contextmanager
    def session(self) -> Iterator[None]:
        """Enter a context that closes this thread's connection on exit."""
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
        """Enter a read transaction, in which all queries see the same state.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._connected(), self._peewee.atomic():
            yield

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[int]:
        """Enter a write transaction, and yield the revision to store in each row that it writes.

        Keep the transaction short: it holds the write lock from its start, so that revisions are committed in
        ascending order.

        Args:
            durable: Whether the commit must survive a power failure, such as for added files, or for results whose
                messages are about to be deleted.

        Raises:
            StoreBusyError: If another program holds the lock for too long.
            StoreFullError: If the disk is full.
            StoreError: If the database can't be written for another reason.
        """
        with self._connected(), self._peewee.writing(durable=durable):
            next_revision = CounterRow.update(value=CounterRow.value + 1).where(CounterRow.name == "revision")
            yield int(self.scalar(next_revision.returning(CounterRow.value)))

    def run(self, query: Any) -> Any:  # noqa: ANN401 - peewee's queries have no common type
        """Execute one query inside `read` or `write`."""
        return query.execute(self._peewee)

    def insert_all(self, model: type[peewee.Model], rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows inside `write`, several times faster than peewee's own method.

        Args:
            model: The model of the table.
            rows: One or more rows, all with the same columns; the default values of the model are not applied.
        """
        self._peewee.insert_all(model._meta.table_name, rows)  # noqa: SLF001 - peewee's documented name

    def scalar(self, query: Any) -> Any:  # noqa: ANN401
        """Execute one query; return the first column of the first row, or None if there are no rows."""
        row = next(iter(self.run(query.tuples())), None)
        return None if row is None else row[0]

    def _check_file(self) -> None:
        """Check that the path still refers to the open file. Otherwise, new data would be lost with the old file.

        Raises:
            StoreError: If the file was moved, deleted or replaced.
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
    def _connected(self) -> Iterator[None]:
        """Open this thread's connection if necessary, and convert the errors raised in the context to `StoreError`s."""
        self._check_file()
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            yield

    @contextmanager
    def _known_errors(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            known = store_error(error, self.path)
            if known.cause is Cause.DATABASE_READ_ONLY and not self._peewee.in_transaction():
                # A read-only connection stays read-only even if the file becomes writable: open a new one next time.
                self.release()
            raise known from error

    def migrate(self, scripts: Path) -> list[str]:
        """Apply the pending migrations.

        Args:
            scripts: The folder of the numbered migration scripts.

        Returns:
            The names of the scripts that were applied.

        Raises:
            StoreError: If there are no scripts, or the database can't be used: see `_applied`.
        """
        known = [script.name for script in Migration.load_directory(str(scripts))]
        if not known:
            # A frozen program without its scripts would silently use an empty schema.
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
        """Return the names of the migrations applied to this database, oldest first.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._connected():
            return sorted(Runner(self._peewee).applied())

    def _applied(self, known: Sequence[str]) -> set[str]:
        """Return the migrations applied to this database, without changing the file.

        Raises:
            StoreError: If the file is not a Filemill database, or was written by a newer version.
        """
        plain = without_pragmas(self.path)
        with plain.connection_context():
            applied = set(Runner(plain).applied())
            tables = set(plain.get_tables())
        newer = sorted(applied.difference(known))
        if newer:
            raise StoreError(
                Sentence(
                    "{file} was written by a newer version of Filemill (schema {newer}; this "
                    "version supports up to {known}). Install the newer version, or set "
                    "FILEMILL_DATABASE to another file. Nothing was changed.",
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
        """Back up the database before a migration, and delete old backups of this kind."""
        target = self.path.with_name(f"{self.path.name}.before-{before}")
        log.info("backing up the database to %s", target.name)
        try:
            copy_database(self.path, target)
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be written: {why}. Check its folder.", file=target, why=error.strerror or error)
            ) from error
        copies = copies_of(self.path, "before")
        keep_newest(sorted(copies, key=lambda path: path.stat().st_mtime, reverse=True))


def open_database(path: Path, scripts: Path) -> Database:
    """Open the database and apply pending migrations. Several programs can do so at the same time.

    Args:
        path: The SQLite file; created if it does not exist.
        scripts: The folder of the migration scripts.

    Raises:
        StoreError: If the file can't be used. An existing file is never overwritten.
    """
    database = Database(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(path)
        # Private, since anyone who can open the lock file can hold the lock and prevent the program from starting.
        with FileLock(f"{path}.lock", timeout=_MIGRATE_LOCK_SECONDS, mode=0o600):
            ran = database.migrate(scripts)
    except LockTimeout as error:
        raise StoreBusyError(
            Sentence(
                "Another program is using {file} and has not released it. Close that program, then try again.",
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
