"""The database file disappears, is replaced or is damaged while programs use it, and comes back."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.errors import Cause, StoreDamagedError, StoreError, StoreGoneError
from desktop_app.store.backends.sqlite import copy_database
from desktop_app.store.database import open_database
from tests.helpers.rights import without_special_rights
from tests.store.kit import NOW, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows keeps the file of an open database in its place")


def files_of(store: Store) -> list[Path]:
    return [store.path.with_name(store.path.name + suffix) for suffix in ("", "-wal", "-shm")]


def put(source: Path, store: Store) -> None:
    """Put a complete database in the place of the one in use, as `mv` does."""
    for file in files_of(store):
        file.unlink(missing_ok=True)
    source.rename(store.path)


def paths(store: Store) -> list[str]:
    return [job.file_path for job in store.jobs.all()]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def used(home: Path) -> Store:
    """Return a store whose connection is open."""
    store = Store(home / "jobs.db")
    store.add("/a")
    return store


@pytest.fixture
def copy(used: Store, tmp_path: Path) -> Path:
    """Return a copy of the database with only the first file."""
    target = tmp_path / "copy.db"
    copy_database(used.path, target)
    used.add("/later")
    return target


@pytest.mark.parametrize("what", ["folder renamed", "file renamed", "only the database deleted", "all deleted"])
def test_missing_database_is_reported_and_nothing_is_created(used: Store, copy: Path, what: str) -> None:
    home = used.path.parent
    away = home.with_name("away")
    if what == "folder renamed":
        home.rename(away)
    elif what == "file renamed":
        used.path.rename(home / "away.db")
    else:
        for file in files_of(used)[: 1 if what.startswith("only") else 3]:
            file.unlink()
    for use in (lambda: used.add("/b"), used.jobs.counts, used.jobs.changes.cursor):
        with pytest.raises(StoreGoneError, match="was moved or deleted, or its disk is not connected") as caught:
            use()
        assert caught.value.cause is Cause.DATABASE_GONE
    assert not used.path.exists()
    if what == "folder renamed":
        assert not home.exists()
        away.rename(home)
        assert paths(used) == ["/a", "/later"]
    elif what == "file renamed":
        (home / "away.db").rename(used.path)
        assert paths(used) == ["/a", "/later"]
    else:
        put(copy, used)
        assert paths(used) == ["/a"]
    used.add("/c")
    assert paths(used)[-1] == "/c"
    used.database.release()


def test_connection_to_a_database_that_has_just_gone_creates_nothing(
    used: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite creates a missing file when it opens a connection."""
    used.database.release()
    for file in files_of(used):
        file.unlink(missing_ok=True)
    monkeypatch.setattr(used.database, "_look_at_file", lambda: None)  # it went after this thread had looked
    for transaction in (used.database.read, used.database.write):
        with pytest.raises(StoreGoneError), transaction():
            pass
    assert not any(file.exists() for file in files_of(used))


@pytest.mark.parametrize("name", ["a b.db", "a?b#c%20d.db", "ä\udcff.db", "a\\b.db"])
def test_database_can_have_any_name(home: Path, name: str) -> None:
    store = Store(home / name)
    store.add("/a")
    store.database.release()
    again = Store(home / name)
    assert paths(again) == ["/a"]
    again.database.release()
    assert (home / name).exists()


def test_start_without_the_database_keeps_its_last_changes(used: Store) -> None:
    away = used.path.with_name("away.db")
    used.path.rename(away)
    with pytest.raises(StoreGoneError, match=r"or delete \S+-wal to start with an empty list"):
        open_database(used.path, MIGRATIONS)
    assert not used.path.exists()
    away.rename(used.path)
    open_database(used.path, MIGRATIONS).release()
    assert paths(used) == ["/a"]
    used.database.release()


def test_missing_permission_for_the_folder_is_not_called_a_missing_file(used: Store) -> None:
    with without_special_rights():
        used.path.parent.chmod(0)
        try:
            with pytest.raises(StoreError, match="Check the permissions of the file and its folder"):
                used.jobs.counts()
        finally:
            used.path.parent.chmod(0o700)
    assert paths(used) == ["/a"]
    used.database.release()


def test_older_copy_restarts_the_change_feed(used: Store, copy: Path) -> None:
    before = used.cursor
    put(copy, used)
    changes = used.jobs.changes.since(before)
    assert (changes.replaced, changes.overflow) == (True, True)
    used.add("/b")
    after = used.jobs.changes.since(changes.cursor)
    assert not after.replaced
    assert [job.file_path for job in after.jobs] == ["/b"]
    used.database.release()


def test_all_threads_open_the_new_file(used: Store, copy: Path) -> None:
    seen: list[list[str]] = []
    is_open, may_read = threading.Event(), threading.Event()

    def read_twice() -> None:
        with used.database.session():
            seen.append(paths(used))
            is_open.set()
            may_read.wait(10)
            seen.append(paths(used))

    thread = threading.Thread(target=read_twice)
    thread.start()
    assert is_open.wait(10)
    put(copy, used)
    assert paths(used) == ["/a"]
    may_read.set()
    thread.join(10)
    assert seen == [["/a", "/later"], ["/a"]]
    used.database.release()


def empty(store: Store) -> None:
    os.truncate(store.path, 0)


def half(store: Store) -> None:
    os.truncate(store.path, store.path.stat().st_size // 8192 * 4096)


def garbage(store: Store) -> None:
    store.path.write_bytes(b"\xa5" * store.path.stat().st_size)


def another_program(store: Store) -> None:
    other = store.path.with_name("other.db")
    shutil.copy(store.path, other)
    other.write_bytes(b"Dear diary, " * 5_000)
    other.rename(store.path)


@pytest.mark.parametrize("damage", [empty, half, garbage, another_program])
def test_damaged_database_is_reported_and_a_restored_one_is_used(
    used: Store, copy: Path, damage: Callable[[Store], None]
) -> None:
    used.add(*(f"/data/{number}" for number in range(300)))
    used.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(paths(used)) > 300
    damage(used)

    def read_all() -> object:
        used.database.release()  # as after `_REOPEN_SECONDS`
        return used.cursor, paths(used)

    with pytest.raises(StoreDamagedError):
        read_all()
    put(copy, used)
    assert paths(used) == ["/a"]
    used.add("/b")
    assert paths(used) == ["/a", "/b"]
    used.database.release()


def test_result_of_a_file_of_the_previous_database_is_not_written(used: Store, tmp_path: Path) -> None:
    """Row 1 with token 1 exists in both databases, but is another file in each."""
    other = Store(tmp_path / "other.db")
    (theirs,) = other.add("/theirs")
    other.start(theirs)
    other.database.release()
    (job,) = used.jobs.all()
    token = used.start(job)
    assert (job.row_id, token) == (theirs.row_id, 1)
    put(other.path, used)
    with pytest.raises(StoreError, match="was replaced"):
        used.finish(job, token)
    with pytest.raises(StoreError, match="was replaced"):
        used.work.give_back(job.row_id, token, now_ms=NOW)
    assert used.sql("SELECT file_path, status, lines_count FROM job") == [("/theirs", 1, None)]
    used.database.release()


def test_sent_message_is_not_noted_in_another_database(used: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other.db")
    other.add("/theirs")
    other.database.release()
    entries = used.take()
    put(other.path, used)
    with pytest.raises(StoreError, match="was replaced"):
        used.outbox.postpone(entries, until_ms=NOW)
    assert len(used.outbox_rows()) == 1
    used.database.release()


def test_commit_into_a_file_that_was_moved_away_is_an_error(used: Store) -> None:
    def write() -> None:
        with used.database.write():
            used.path.rename(used.path.with_name("away.db"))

    with pytest.raises(StoreGoneError):
        write()
    used.path.with_name("away.db").rename(used.path)
    assert paths(used) == ["/a"]
    used.database.release()


def test_commit_into_a_file_that_another_thread_no_longer_uses_is_an_error(used: Store, copy: Path) -> None:
    def read() -> None:
        with used.database.session():
            used.jobs.counts()

    def write() -> None:
        with used.database.write():
            put(copy, used)
            thread = threading.Thread(target=read)
            thread.start()
            thread.join()

    with pytest.raises(StoreGoneError):
        write()
    assert used.database.epoch == 1
    assert paths(used) == ["/a"]
    used.database.release()


def test_deleted_write_ahead_log_loses_nothing(used: Store) -> None:
    paths(used)
    used.path.with_name("jobs.db-wal").unlink()
    assert paths(used) == ["/a"]
    used.add("/b")
    used.database.release()
    assert used.sql("SELECT file_path FROM job ORDER BY id") == [("/a",), ("/b",)]


_QUERY = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    print(*(value for value, in connection.execute(sys.argv[2])))
"""


def in_another_program(store: Store, query: str) -> list[str]:
    command = [sys.executable, "-c", _QUERY, str(store.path), query]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("suffixes", [["-wal", "-shm"], ["-wal"], ["-shm"]], ids="+".join)
def test_programs_see_each_other_after_files_at_the_side_were_deleted(used: Store, suffixes: list[str]) -> None:
    """While any thread has a deleted file open, the whole program would use it, and other programs another one."""
    is_open, may_end = threading.Event(), threading.Event()

    def keep_open() -> None:
        with used.database.session():
            paths(used)
            is_open.set()
            may_end.wait(60)
            paths(used)  # its connection was closed by the other thread

    thread = threading.Thread(target=keep_open)
    thread.start()
    assert is_open.wait(10)
    used.add("/b")
    paths(used)
    for suffix in suffixes:
        used.path.with_name(used.path.name + suffix).unlink()
    paths(used)
    assert in_another_program(used, "UPDATE job SET file_path = upper(file_path)") == []
    assert paths(used) == ["/A", "/B"]
    used.add("/c")
    may_end.set()
    thread.join(10)
    assert in_another_program(used, "SELECT file_path FROM job ORDER BY id") == ["/A", "/B", "/c"]
    used.database.release()


def test_replaced_files_at_the_side_are_followed_only_once(used: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    paths(used)
    # While they are open, the new files can't have the same inodes.
    with files_of(used)[1].open("rb"), files_of(used)[2].open("rb"):
        for file in files_of(used)[1:]:
            file.unlink()
        for _ in range(3):
            used.add("/b")
    assert caplog.text.count("opening it again") == 1
    used.database.release()


def test_disk_that_was_removed_is_used_again_although_a_connection_is_left(used: Store, copy: Path) -> None:
    """The connection of an idle thread can no longer copy the write-ahead log to the file that was replaced."""
    is_open, may_end = threading.Event(), threading.Event()

    def keep_open() -> None:
        with used.database.session():
            paths(used)
            is_open.set()
            may_end.wait(60)

    thread = threading.Thread(target=keep_open)
    thread.start()
    assert is_open.wait(10)
    for connection in used.database._peewee.opened:
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)  # every statement fails
    for file in files_of(used):
        file.unlink()
    with pytest.raises(StoreGoneError):
        paths(used)
    put(copy, used)
    assert paths(used) == ["/a"]
    may_end.set()
    thread.join(10)
    used.database.release()


def test_list_that_another_program_creates_in_the_emptied_file_is_used(used: Store) -> None:
    used.database.release()  # SQLite has written everything to the file
    before = used.cursor
    empty(used)
    with pytest.raises(StoreDamagedError, match="is empty"):
        used.jobs.counts()
    new = Store(used.path.with_name("new.db"))
    new.add(*(f"/data/{number}" for number in range(300)))  # a larger file
    new.database.release()
    for file in files_of(used)[1:]:
        file.unlink(missing_ok=True)
    used.path.write_bytes(new.path.read_bytes())
    assert used.jobs.changes.since(before).replaced
    assert len(paths(used)) == 300
    used.database.release()


def test_older_copy_written_over_the_file_restarts_the_change_feed(used: Store, copy: Path) -> None:
    before = used.cursor
    used.database.release()  # SQLite has written everything to the file
    shutil.copyfile(copy, used.path)
    assert used.jobs.changes.since(before).replaced
    assert paths(used) == ["/a"]
    used.database.release()
