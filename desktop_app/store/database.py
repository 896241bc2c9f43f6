"""Open and migrate the database, and provide its connections and transactions.

Code that is specific to an engine is in `backends`.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import Timeout as LockTimeout
from playhouse.migrations import Migration, Runner

from desktop_app.config.private_files import (
    create_private,
    create_private_folder,
    make_private,
    private_lock,
    refuse_planted,
)
from desktop_app.domain.errors import (
    Cause,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreGoneError,
    database_gone,
    file_not_opened,
    is_disk_full,
)
from desktop_app.domain.sentences import Sentence, folded
from desktop_app.store.backends.sqlite import (
    ERRORS,
    SIDE_FILES,
    FileState,
    SqliteDatabase,
    copy_database,
    file_state,
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
_FOLLOW_LOCK_SECONDS = 1.0
_REOPENED = {Cause.DATABASE_READ_ONLY, Cause.DATABASE_DAMAGED, Cause.DISK_FULL}
"""The errors after which a new connection is opened: the old one stays read-only, or keeps what it has cached, even
when the file has been mended."""
_REOPEN_SECONDS = 1.0
"""The shortest time between two connections of a thread. A new one does not use pages that an old one has cached."""
_HISTORY_TABLE = "schema_migration"


class _Thread(threading.local):
    """What each thread remembers about its connection.

    Attributes:
        epoch: The epoch in which the connection was opened.
        opened_at: When it was opened, in seconds of the monotonic clock.
        changed_ns: When the file had last been changed, in nanoseconds since 1970.
        log: The state of the write-ahead log; None until it exists.
    """

    epoch = -1
    opened_at = 0.0
    changed_ns = 0
    log: FileState | None = None


class Database:
    """The database, with one connection per thread. Any thread.

    Create it with `open_database`. Each thread that uses it must call `release` when done, or use `session`.

    The file can disappear while it is in use, and another one can take its place. Each transaction therefore begins
    with a look at the file. While it is missing, nothing is created; if it was replaced, all threads open the new file.

    Args:
        path: The database file.
        scripts: The folder of the migration scripts.

    Attributes:
        path: The database file.
        epoch: How often the file was replaced. Keys and fencing tokens of one epoch are not valid in another.
    """

    def __init__(self, path: Path, scripts: Path) -> None:
        self.path = path
        self.epoch = 0
        self._scripts = scripts
        self._names = str(path), str(path) + SIDE_FILES[0]
        self._file: FileState | None = None
        self._thread = _Thread()
        self._following = threading.Lock()
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
    def write(self, *, durable: bool = False, epoch: int | None = None) -> Iterator[int]:
        """Enter a write transaction, and yield the revision to store in each row that it writes.

        Keep the transaction short: it holds the write lock from its start, so that revisions are committed in
        ascending order.

        Args:
            durable: Whether the commit must survive a power failure, such as for added files, or for results whose
                messages are about to be deleted.
            epoch: The epoch of the keys to be written; None if they are read in the same transaction.

        Raises:
            StoreGoneError: If the file disappeared or was replaced, before or during the transaction.
            StoreBusyError: If another program holds the lock for too long.
            StoreFullError: If the disk is full.
            StoreError: If the database can't be written for another reason.
        """
        with self._connected(), self._peewee.writing(durable=durable):
            if epoch is not None and epoch != self.epoch:
                raise self._replaced()
            next_revision = CounterRow.update(value=CounterRow.value + 1).where(CounterRow.name == "revision")
            yield int(self.scalar(next_revision.returning(CounterRow.value)))
        if not self._peewee.in_transaction() and not self._is_in_place():
            raise StoreGoneError(database_gone(self.path))  # the commit went into a file that nobody will read

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

    def _is_in_place(self) -> bool:
        found = file_state(self._names[0])
        return found is not None and found.is_same_file(self._file)

    def _replaced(self) -> StoreGoneError:
        return StoreGoneError(
            Sentence(
                "{file} was replaced while Filemill was using it. Filemill continues with the new file.", file=self.path
            )
        )

    def _look_at_file(self) -> None:
        """Find out whether the file is still in its place, and open the new one if it was replaced.

        Raises:
            StoreGoneError: If the file is missing.
            StoreError: If another file is in its place that can't be used.
        """
        found = file_state(self._names[0])
        if found is None:
            self.release()
            raise StoreGoneError(database_gone(self.path))
        if not found.is_same_file(self._file):
            self.release()
            found = self._follow()
        self._file = found
        self._refresh_connection(found)

    def _follow(self) -> FileState:
        """Check the file that has taken the place of the one in use; return its state."""
        with self._following:
            found = file_state(self._names[0])
            if found is None:
                raise StoreGoneError(database_gone(self.path))
            if not found.is_same_file(self._file):
                if not found.size:
                    # Opening it would create an empty list, and delete a write-ahead log that is still needed.
                    raise StoreDamagedError(
                        Sentence(
                            "{file} is empty. To replace it with the newest backup, see “filemill doctor --help”.",
                            file=self.path,
                        )
                    )
                with _migration_lock(self.path, seconds=_FOLLOW_LOCK_SECONDS), self._known_errors():
                    self._prepare(is_new=False)
                log.info("%s was replaced; continuing with the new file", self.path.name)
                self.epoch += 1
                self._file = found
            return found

    def _refresh_connection(self, found: FileState) -> None:
        """Close this thread's connection if it might not see what is in the file now."""
        thread, now = self._thread, time.monotonic()
        if self._peewee.is_closed():
            thread.epoch, thread.opened_at, thread.changed_ns, thread.log = self.epoch, now, found.changed_ns, None
            return
        side = file_state(self._names[1])
        if thread.log is None:
            thread.log = side
        if thread.epoch != self.epoch or (
            found.changed_ns != thread.changed_ns and now - thread.opened_at > _REOPEN_SECONDS
        ):
            self.release()
        elif thread.log is not None and (side is None or side[:2] != thread.log[:2]):
            if side is None:
                with self._known_errors():
                    self._peewee.save_unlinked_log()
            self.release()
        else:
            return
        self._refresh_connection(found)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Open this thread's connection if necessary, and convert the errors raised in the context to `StoreError`s."""
        if not self._peewee.in_transaction():
            self._look_at_file()
        with self._known_errors():
            self._peewee.connect(reuse_if_open=True)
            yield

    @contextmanager
    def _known_errors(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            known = store_error(error, self.path)
            if known.cause in _REOPENED and not self._peewee.in_transaction():
                self.release()
            raise known from error

    def migrate(self) -> list[str]:
        """Apply the pending migrations, and return the names of the scripts that were applied.

        Raises:
            StoreError: If there are no scripts, or the database can't be used: see `_applied`.
        """
        with self._known_errors(), self.session():
            ran = self._prepare(is_new=True)
            self._file = file_state(self._names[0])
            return ran

    def _prepare(self, *, is_new: bool) -> list[str]:
        """Check that the file is a database of Filemill, and apply the pending migrations.

        Args:
            is_new: Whether an empty database may be turned into one of Filemill.
        """
        known = [script.name for script in Migration.load_directory(str(self._scripts))]
        if not known:
            # A frozen program without its scripts would silently use an empty schema.
            raise StoreError(
                Sentence(
                    "This copy of Filemill is incomplete: {folder} contains no migration scripts.", folder=self._scripts
                )
            )
        applied = self._applied(known)
        pending = [name for name in known if name not in applied]
        if not pending:
            return []
        if not (applied or is_new):
            raise StoreError(_other_program(self.path))
        self._peewee.connect(reuse_if_open=True)
        if applied:
            self._back_up(pending[0])
        return list(Runner(self._peewee, str(self._scripts)).up())

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
            raise StoreError(_other_program(self.path))
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


def _other_program(path: Path) -> Sentence:
    return Sentence(
        "{file} belongs to another program. Set FILEMILL_DATABASE to another file. Nothing was changed.", file=path
    )


def open_database(path: Path, scripts: Path) -> Database:
    """Open the database and apply pending migrations. Several programs can do so at the same time.

    Args:
        path: The SQLite file; created if it does not exist.
        scripts: The folder of the migration scripts.

    Raises:
        StoreError: If the file can't be used. An existing file is never overwritten.
    """
    database = Database(path, scripts)
    try:
        create_private_folder(path.parent)
        files = [path.with_name(path.name + suffix) for suffix in ("", *SIDE_FILES)]
        refuse_planted(*files)
        for file in files:
            make_private(file)
        create_private(path)
    except OSError as error:
        raise _not_opened(path, error) from error
    with _migration_lock(path, seconds=_MIGRATE_LOCK_SECONDS):
        ran = database.migrate()
    if ran:
        log.info("database %s: ran %s", path.name, ", ".join(ran))
    return database


@contextmanager
def _migration_lock(path: Path, *, seconds: float) -> Iterator[None]:
    try:
        with private_lock(path.with_name(f"{path.name}.lock"), timeout=seconds):
            yield
    except LockTimeout as error:
        raise StoreBusyError(
            Sentence(
                "Another program is using {file} and has not released it. Close that program, then try again.",
                file=path,
            )
        ) from error
    except OSError as error:
        raise _not_opened(path, error) from error


def _not_opened(path: Path, error: OSError) -> StoreError:
    text = file_not_opened(path, error)
    return StoreFullError(text) if is_disk_full(error) else StoreError(text)
