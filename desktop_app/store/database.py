"""Open and migrate the database, and provide its connections and transactions.

Code that is specific to an engine is in `backends`.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from contextlib import contextmanager, suppress
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
from desktop_app.domain.sentences import Sentence
from desktop_app.store.backends.sqlite import (
    ERRORS,
    SIDE_FILES,
    FileState,
    SqliteDatabase,
    copy_database,
    damaged,
    file_state,
    is_about_schema,
    permission_missing,
    store_error,
    without_pragmas,
)
from desktop_app.store.backups import copies_of, keep_newest
from desktop_app.store.models import CounterRow
from desktop_app.store.schema import find_missing_part
from desktop_app.store.statements import Statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence
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
_CLOSE_ALL_SECONDS = 0.25
"""How long to wait until no thread has a transaction, also in the window. If it has to give up, the next
transaction tries again."""
_HISTORY_TABLE = "schema_migration"
_NEXT_REVISION = Statement(
    lambda: (
        CounterRow.update(value=CounterRow.value + 1).where(CounterRow.name == "revision").returning(CounterRow.value)
    )
)


class _Thread(threading.local):
    """What each thread remembers about its connection.

    Attributes:
        opened_in: The epoch in which the connection was opened, and how often all connections had been closed.
        opened_at: When it was opened, in seconds of the monotonic clock.
        changed_ns: When the file had last been changed, in nanoseconds since 1970.
        revision: The revision of the write transaction that the thread is in; None if it is in none.
        is_durable: Whether that transaction is durable.
    """

    revision: int | None = None
    is_durable = False
    opened_in = -1, -1
    opened_at = 0.0
    changed_ns = 0


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
        self._name = str(path)
        self._file: FileState | None = None
        self._side_files: list[tuple[int, int] | None] = []
        self._thread = _Thread()
        self._use = threading.Condition()
        self._users = 0
        """The number of threads with a transaction."""
        self._closed_all = 0
        self._following = threading.Lock()
        self._listeners: list[Callable[[], object]] = []
        self._peewee = SqliteDatabase(path)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Enter a context that closes this thread's connection on exit."""
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Close this thread's connection, if it has one."""
        with self._use:  # another thread may be about to close it as well
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
        ascending order. Inside another one, the changes become part of that one, whose arguments apply.

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
        thread = self._thread
        if thread.revision is not None:  # part of the transaction that this thread is in
            if durable and not thread.is_durable:
                raise RuntimeError("a durable transaction can't be part of one that is not")
            if epoch is not None and epoch != self.epoch:
                raise self._replaced()
            yield thread.revision
            return
        with self._connected(), self._peewee.writing(durable=durable):
            if epoch is not None and epoch != self.epoch:
                raise self._replaced()
            thread.revision, thread.is_durable = int(self.rows(_NEXT_REVISION)[0][0]), durable
            try:
                yield thread.revision
            finally:
                thread.revision = None
        if not self._peewee.in_transaction() and not self._is_in_place():
            raise StoreGoneError(database_gone(self.path))  # the commit went into a file that nobody will read
        for listener in list(self._listeners):
            listener()

    def add_listener(self, listener: Callable[[], object]) -> None:
        """Call a function after each write transaction of this program, on the thread that has written.

        Args:
            listener: The function, which must return quickly.
        """
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[], object]) -> None:
        """Remove a function that was added with `add_listener`, if it was."""
        with suppress(ValueError):
            self._listeners.remove(listener)

    def run(self, query: Any) -> Any:  # noqa: ANN401 - peewee's queries have no common type
        """Execute one query inside `read` or `write`."""
        return query.execute(self._peewee)

    def rows(self, statement: Statement, **values: object) -> list[tuple[Any, ...]]:
        """Execute a statement inside `read` or `write`; return its rows, for `RETURNING` as well.

        Args:
            statement: The statement.
            values: The value of each parameter.
        """
        return self._execute(statement, values).fetchall()

    def change(self, statement: Statement, **values: object) -> int:
        """Execute a statement inside `write`; return the number of changed rows."""
        return self._execute(statement, values).rowcount

    def _execute(self, statement: Statement, values: Mapping[str, object]) -> sqlite3.Cursor:
        text, parameters = statement.sql(self._peewee, values)
        cursor: sqlite3.Cursor = self._peewee.execute_sql(text, parameters)  # type: ignore[no-untyped-call]
        return cursor

    def alter(self, statement: str, should_stop: Callable[[], bool]) -> None:
        """Execute a statement that changes the schema inside `write`; see `SqliteDatabase.alter`."""
        self._peewee.alter(statement, should_stop)

    def insert_all(
        self,
        model: type[peewee.Model],
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        common: Mapping[str, object],
    ) -> None:
        """Insert rows inside `write`, several times faster than peewee's own method.

        Args:
            model: The model of the table; its default values are not applied.
            columns: The columns whose values differ between the rows.
            rows: The values of these columns, for one or more rows.
            common: The values of the other columns.
        """
        self._peewee.insert_all(model._meta.table_name, columns, rows, common)  # noqa: SLF001 - peewee's documented name

    def scalar(self, query: Any) -> Any:  # noqa: ANN401
        """Execute one query; return the first column of the first row, or None if there are no rows."""
        row = next(iter(self.run(query.tuples())), None)
        return None if row is None else row[0]

    def _is_in_place(self) -> bool:
        """Return whether the file at the path is the one that this thread has open."""
        before = self._file  # first, since another thread may store a larger size
        found = file_state(self._name)
        return found is not None and self._thread.opened_in[0] == self.epoch and found.is_same_file(before)

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
        before = self._file  # first, since another thread may store a larger size
        found = file_state(self._name)
        if found is None:
            self.release()
            raise _missing(self.path)
        if not found.is_same_file(before):
            self.release()
            found = self._follow()
        elif self._file is before:  # otherwise, another thread has stored a newer state
            self._file = found
        self._refresh_connection(found)

    def _follow(self) -> FileState:
        """Check the file that has taken the place of the one in use; return its state."""
        with self._following:
            found = file_state(self._name)
            if found is None:
                raise _missing(self.path)
            if not found.is_same_file(self._file):
                if not found.size:
                    self._file = None  # whatever is written to it is another list
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
        thread, now, opened_in = self._thread, time.monotonic(), (self.epoch, self._closed_all)
        is_changed = found.changed_ns != thread.changed_ns and now - thread.opened_at > _REOPEN_SECONDS
        if thread.opened_in != opened_in or is_changed:
            self.release()
        if self._peewee.is_closed():
            thread.opened_in, thread.opened_at, thread.changed_ns = opened_in, now, found.changed_ns

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Open this thread's connection if necessary, and convert the errors raised in the context to `StoreError`s."""
        if self._peewee.in_transaction():
            with self._known_errors():
                yield
            return
        with self._used():
            self._look_at_file()
            with self._known_errors():
                self._peewee.connect(reuse_if_open=True)
                yield

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Enter a context in which `_follow_side_files` does not close this thread's connection."""
        with self._use:
            if self._are_side_files_replaced():
                closed_all = self._closed_all
                self._use.wait_for(lambda: not self._users or self._closed_all > closed_all, _CLOSE_ALL_SECONDS)
                self._follow_side_files()
            self._users += 1
        try:
            yield
        finally:
            with self._use:
                self._users -= 1
                self._use.notify_all()

    def _are_side_files_replaced(self) -> bool:
        """Return whether the files at the side of the database are no longer those that this program has open."""
        if not self._peewee.opened:
            self._side_files = []
            return False
        found = self._find_side_files()
        if not self._side_files and None not in found:
            self._side_files = found
        # While the database itself is missing, they are needed as soon as it is back.
        return self._side_files not in ([], found) and file_state(self._name) is not None

    def _find_side_files(self) -> list[tuple[int, int] | None]:
        states = [file_state(self._name + suffix) for suffix in SIDE_FILES]
        return [None if state is None else state[:2] for state in states]

    def _follow_side_files(self) -> None:
        """Close all connections if the files at the side of the database were replaced and no thread uses one.

        The connections of a program share the index of the write-ahead log. While one of them has a deleted index open,
        all use it, so that other programs do not see what they write, and the other way round.
        """
        if self._users or not self._are_side_files_replaced():
            return
        database = file_state(self._name)
        is_log_needed = database is not None and database.is_same_file(self._file) and not self._find_side_files()[0]
        with self._known_errors():
            self._peewee.close_all(saves_log=is_log_needed)
        self._side_files = []
        self._closed_all += 1
        log.info("the files at the side of %s were replaced; opening it again", self.path.name)

    @contextmanager
    def _known_errors(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            if is_about_schema(error):
                self._check_schema(error)
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
            self._file = file_state(self._name)
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
        with self._known_history():
            return self._migrated(known, is_new=is_new)

    @contextmanager
    def _known_history(self) -> Iterator[None]:
        """Enter a context in which a script that does not suit the schema means that the database is damaged."""
        try:
            yield
        except ERRORS as error:
            if is_about_schema(error):
                raise damaged(self.path, str(error)) from error
            raise

    def _migrated(self, known: list[str], *, is_new: bool) -> list[str]:
        applied = self._applied(known)
        pending = [name for name in known if name not in applied]
        if not pending:
            self._check_schema()
            return []
        if not (applied or is_new):
            raise StoreError(_other_program(self.path))
        self._peewee.connect(reuse_if_open=True)
        if applied:
            self._back_up(pending[0])
        ran = list(Runner(self._peewee, str(self._scripts)).up())
        self._check_schema()
        return ran

    def _check_schema(self, error: Exception | None = None) -> None:
        """Check that the file has all parts of the schema.

        Args:
            error: The error that a missing part may have caused, if any.

        Raises:
            StoreDamagedError: If a part is missing.
        """
        plain = without_pragmas(self.path)
        with plain.connection_context():
            missing = find_missing_part(plain)
        if missing:
            raise damaged(self.path, missing) from error

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
        keep_newest(sorted(copies_of(self.path, "before"), key=lambda copy: copy.made_at, reverse=True))


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
        StoreGoneError: If the file is missing, but its write-ahead log is not.
        StoreError: If the file can't be used. An existing file is never overwritten.
    """
    database = Database(path, scripts)
    log_path = path.with_name(path.name + SIDE_FILES[0])
    try:
        if file_state(str(path)) is None and (left := file_state(str(log_path))) is not None and left.size:
            # A new file would delete the log, which contains the last changes of the missing one.
            raise StoreGoneError(
                Sentence(
                    "{file} can't be found, but its last changes are in {log}: it was moved or deleted. Put it back, "
                    "or delete {log} to start with an empty list.",
                    file=path,
                    log=log_path,
                )
            )
        if os.path.isdir(path):  # noqa: PTH112 - never raises
            raise permission_missing(path, os.strerror(errno.EISDIR))
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


def _missing(path: Path) -> StoreError:
    """Return the error for a file that can't be accessed."""
    try:
        path.stat()
    except PermissionError as error:
        return permission_missing(path, str(error))
    except OSError as error:
        return StoreGoneError(database_gone(path), detail=str(error))
    return StoreGoneError(database_gone(path))


def _not_opened(path: Path, error: OSError) -> StoreError:
    text = file_not_opened(path, error)
    return StoreFullError(text) if is_disk_full(error) else StoreError(text)
