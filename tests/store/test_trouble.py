"""Errors of the database file are reported in plain words; bugs of the program are not disguised as such errors."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import peewee
import pytest
from filelock import FileLock

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.errors import Cause, QueueError, StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from desktop_app.domain.job import NewFile
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.store import database as database_module
from desktop_app.store.backends.sqlite import store_error
from desktop_app.store.database import open_database
from desktop_app.store.models import JobRow
from tests.helpers.rights import without_special_rights
from tests.store.kit import NOW, QUEUE, Store, quick_to_give_up

if TYPE_CHECKING:
    from pathlib import Path


def test_file_that_is_no_database_is_reported_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    path.write_bytes(b"Dear diary, " * 500)
    with pytest.raises(StoreError, match="is damaged or is not a Filemill database") as caught:
        open_database(path, MIGRATIONS)
    assert caught.value.detail == "file is not a database"
    assert path.read_bytes() == b"Dear diary, " * 500


def test_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    for path in (tmp_path / "home" / "jobs.db", tmp_path / "home" / "deeper" / "jobs.db"):
        with pytest.raises(StoreError, match=r"can't be opened: .* Make its folder writable"):
            open_database(path, MIGRATIONS)


def test_folder_in_place_of_the_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").mkdir()
    with pytest.raises(StoreError, match="is a folder, not a database"):
        open_database(tmp_path / "jobs.db", MIGRATIONS)


def test_folder_without_write_permission_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: FileLock) -> FileLock:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(FileLock, "__enter__", refuse)
    with pytest.raises(StoreError, match=r"Permission denied\. Make its folder writable, or set FILEMILL_DATABASE"):
        open_database(tmp_path / "jobs.db", MIGRATIONS)


def test_migration_that_never_ends_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_MIGRATE_LOCK_SECONDS", 0.05)
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with FileLock(tmp_path / "jobs.db.lock", mode=0o600):
            is_held.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    with pytest.raises(StoreBusyError, match="Another program is using"):
        open_database(tmp_path / "jobs.db", MIGRATIONS)
    may_end.set()
    holder.join(10)


def test_damaged_pages_are_reported_when_they_are_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    store.intake.add([NewFile(f"/data/{n}", n, n) for n in range(600)], queue=QUEUE, name="", now_ms=NOW)
    store.database.release()
    content = bytearray(store.path.read_bytes())
    content[8 * 4096 :] = b"\xa5" * (len(content) - 8 * 4096)
    store.path.write_bytes(content)

    def read_everything() -> None:
        damaged = Store(store.path)
        with damaged.database.session():
            list(damaged.jobs.all())

    with pytest.raises(StoreError, match="is damaged"):
        read_everything()


def test_error_while_fetching_rows_is_a_known_error(store: Store) -> None:
    """SQLite reads rows from the file one by one; peewee converts only exceptions before the first one."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    with pytest.raises(StoreError, match="is damaged"), store.database.read():
        raise error


def test_database_locked_by_another_program_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = store.add("/a")
    quick_to_give_up(store.database, monkeypatch)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="You can safely try again"):
            store.add("/b")
        assert store.job(job).file_path == "/a", "reading goes on meanwhile"
        other.execute("ROLLBACK")
    assert [job.file_path for job in store.add("/b")] == ["/b"]


def limit_pages(store: Store, more: int) -> None:
    """Limit the number of pages of the file, so that SQLite reports a full disk."""
    with store.database.read():
        count = store.database._peewee.execute_sql("PRAGMA page_count").fetchone()[0]  # type: ignore[no-untyped-call]
        store.database._peewee.execute_sql(f"PRAGMA max_page_count = {count + more}")  # type: ignore[no-untyped-call]


def test_full_disk_writes_nothing_and_goes_on_when_there_is_room(store: Store) -> None:
    store.add("/first")
    limit_pages(store, 3)
    with pytest.raises(StoreFullError, match="Free some space") as caught:
        store.add(*(f"/data/{number}" for number in range(200)))
    assert caught.value.detail == "database or disk is full"
    assert [job.file_path for job in store.jobs.all()] == ["/first"]
    assert len(store.outbox_rows()) == 1
    limit_pages(store, 10_000)
    assert len(store.add(*(f"/data/{number}" for number in range(200)))) == 200


def test_read_only_file_is_reported_and_written_once_it_is_writable(tmp_path: Path) -> None:
    with without_special_rights():
        store = Store(tmp_path / "jobs.db")
        store.add("/a")
        files = [tmp_path / f"jobs.db{end}" for end in ("", "-wal", "-shm")]
        for file in files:
            file.chmod(0o400)
        store.database.release()
        with pytest.raises(StoreError, match="can't be written") as caught:
            store.add("/b")
        assert caught.value.cause is Cause.DATABASE_READ_ONLY
        for file in files:
            file.chmod(0o600)
        store.add("/b")
        assert [job.file_path for job in store.jobs.all()] == ["/a", "/b"]
        store.database.release()


def test_read_only_database_is_reported(store: Store) -> None:
    with store.database.read():
        store.database._peewee.execute_sql("PRAGMA query_only = 1")  # type: ignore[no-untyped-call]
    with pytest.raises(StoreError, match="Check the permissions of the file and its folder"):
        store.add("/a")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusyError, "has locked it"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusyError, "has locked it"),
        (sqlite3.SQLITE_PROTOCOL, StoreBusyError, "has locked it"),
        (sqlite3.SQLITE_FULL, StoreFullError, "is full"),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFullError, "full or not writable"),
        (sqlite3.SQLITE_CORRUPT, StoreDamagedError, "damaged"),
        (sqlite3.SQLITE_NOTADB, StoreDamagedError, "not a Filemill database"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreError, "permissions"),
        (sqlite3.SQLITE_CANTOPEN, StoreError, "permissions"),
        (sqlite3.SQLITE_PERM, StoreError, "permissions"),
    ],
)
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_each_external_error_has_a_plain_text(
    tmp_path: Path, code: int, kind: type[StoreError], words: str, is_wrapped: bool
) -> None:
    cause = sqlite3.OperationalError("what SQLite says")
    cause.sqlite_errorcode = code
    (tmp_path / "jobs.db").touch()  # otherwise, it could not be opened because it is missing
    error = peewee.OperationalError(cause, *cause.args) if is_wrapped else cause
    known = store_error(error, tmp_path / "jobs.db")
    assert type(known) is kind
    assert words in known.text
    assert str(tmp_path / "jobs.db") in known.text
    assert known.detail == "what SQLite says"


def test_bug_in_a_statement_stays_a_bug(store: Store) -> None:
    """Even if its text contains a word of SQLite's messages for external errors."""
    for table in ("busy", "locked", "disk is full", "malformed", "readonly"):
        with pytest.raises(peewee.OperationalError, match="no such table"), store.database.read():
            store.database.run(peewee.RawQuery(f'SELECT * FROM "{table}"'))


def test_violated_constraint_stays_a_bug(store: Store) -> None:
    with pytest.raises(peewee.IntegrityError), store.database.write() as revision:
        store.database.run(
            JobRow.insert(uuid="x", batch=99, file_path="", name_key="", queue="", created_at=0, revision=revision)
        )


def test_error_of_the_caller_rolls_back_and_passes(store: Store) -> None:
    (job,) = store.add("/a")
    before = store.revision

    def write_half() -> None:
        with store.database.write() as revision:
            store.database.run(JobRow.update(reason_code="x", revision=revision))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert store.job(job).reason is None
    assert store.revision == before


def test_error_without_an_sqlite_code_is_a_bug(store: Store) -> None:
    error = peewee.ProgrammingError(sqlite3.ProgrammingError("Cannot operate on a closed database."))
    with pytest.raises(peewee.ProgrammingError):
        store_error(error, store.path)
    with pytest.raises(peewee.DatabaseError):
        store_error(peewee.DatabaseError("no cause"), store.path)


@pytest.mark.parametrize(
    ("code", "cause", "advice"),
    [
        (errno.ENOSPC, Cause.DISK_FULL, "Free some space"),
        (errno.EDQUOT, Cause.DISK_FULL, "Free some space"),
        (errno.EMFILE, Cause.OTHER, "Close other programs"),
        (errno.EROFS, Cause.OTHER, "Make its folder writable"),
    ],
)
def test_file_that_cannot_be_created_says_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, cause: Cause, advice: str
) -> None:
    def fail(_: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("desktop_app.store.database.create_private", fail)
    with pytest.raises(StoreError, match=advice) as error:
        open_database(tmp_path / "x.db", MIGRATIONS)
    assert error.value.cause is cause
    monkeypatch.setattr("desktop_app.queues.embedded.create_private", fail)
    with pytest.raises(QueueError, match=advice):
        EmbeddedQueue(tmp_path / "x.queue").connect()


def test_options_that_are_not_text_are_damage_and_not_a_bug(store: Store) -> None:
    (job,) = store.add("/a")
    store.sql("UPDATE job SET options = x'ff00' WHERE id = ?", job.row_id)
    with pytest.raises(StoreDamagedError):
        store.claim(job)
