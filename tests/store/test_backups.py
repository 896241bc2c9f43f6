"""Backups of the database, and a damaged database."""

from __future__ import annotations

import os
import shutil
import stat
from collections import namedtuple
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.errors import StoreDamagedError, StoreError
from desktop_app.services.sending.periodic_tasks import BackupTask
from desktop_app.store.backups import KEPT, Backups
from desktop_app.store.database import open_database
from tests.helpers.fakes import FakeClock
from tests.store.kit import rows_of

if TYPE_CHECKING:
    from tests.store.kit import Store

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - what shutil gives


@pytest.fixture
def backups(store: Store) -> Backups:
    return Backups(store.path)


def rows(path: Path) -> int:
    ((count,),) = rows_of(path, "SELECT COUNT(*) FROM job")
    return int(count)


def test_backup_contains_the_write_ahead_log(store: Store, backups: Backups) -> None:
    store.add("/a", "/b")
    made = backups.make()
    assert made is not None
    assert rows(made.path) == 2
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert backups.all() == [made]


def test_only_the_newest_copies_are_kept(store: Store, backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(f"2026010{n}-000000" for n in range(1, 8))
    monkeypatch.setattr("time.strftime", lambda _: next(names))
    for _ in range(5):
        backups.make()
    assert [backup.path.name[-15:] for backup in backups.all()] == [
        "20260105-000000",
        "20260104-000000",
        "20260103-000000",
    ]
    assert len(backups.all()) == KEPT


def test_incomplete_backup_is_ignored(store: Store, backups: Backups) -> None:
    store.path.with_name(f"{store.path.name}.backup-20260101-000000.part").write_bytes(b"half")
    assert backups.all() == []


@pytest.mark.parametrize("suffix", ["-wal", "-shm", ".part-wal"])
def test_side_file_of_a_backup_that_another_program_checks_is_no_backup(
    store: Store, backups: Backups, suffix: str
) -> None:
    made = backups.make()
    assert made is not None
    made.path.with_name(f"{made.path.name}{suffix}").touch()
    assert backups.all() == [made]


def test_backup_that_another_program_deletes_meanwhile_is_left_out(
    store: Store, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backups.make()
    assert made is not None
    look = Path.glob

    def delete_after_looking(folder: Path, pattern: str) -> list[Path]:
        found = list(look(folder, pattern))
        made.path.unlink()
        return found

    monkeypatch.setattr(Path, "glob", delete_after_looking)
    assert backups.all() == []


def test_no_backup_is_made_if_it_would_fill_the_disk(
    store: Store, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 99, 1))
    assert backups.make() is None
    assert backups.all() == []


def test_failed_backup_is_reported(store: Store, backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match="could not be backed up"):
        backups.make()


def damage(path: Path) -> None:
    path.write_bytes(b"this is not a Filemill database" * 100)


def test_damaged_database_is_reported_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    damage(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamagedError):
        open_database(path, MIGRATIONS)
    assert path.read_bytes() == before


def test_newest_backup_replaces_a_damaged_database(store: Store, backups: Backups) -> None:
    store.add("/a")
    made = backups.make()
    assert made is not None
    store.database.release()
    damage(store.path)
    aside = backups.restore(made)
    assert aside.read_bytes().startswith(b"this is not a Filemill database")
    database = open_database(store.path, MIGRATIONS)
    database.release()
    assert rows(store.path) == 1
    assert backups.all() == [made], "the copy stays"


def test_damaged_database_is_moved_with_its_side_files(store: Store, backups: Backups) -> None:
    store.database.release()
    damage(store.path)
    store.path.with_name(f"{store.path.name}-wal").write_bytes(b"wal")
    store.path.with_name(f"{store.path.name}.queue").write_bytes(b"queue")
    aside = backups.set_aside()
    assert not store.path.exists()
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"wal"
    assert aside.with_name(f"{aside.name}.queue").read_bytes() == b"queue", "its messages are for these jobs"
    assert not store.path.with_name(f"{store.path.name}.queue").exists()
    open_database(store.path, MIGRATIONS).release()
    assert rows(store.path) == 0


def test_failed_move_or_copy_is_reported(store: Store, backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    made = backups.make()
    assert made is not None
    store.database.release()
    made.path.unlink()
    with pytest.raises(StoreError, match="can't be copied"):
        backups.restore(made)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(StoreError, match="can't be moved"):
        backups.set_aside()


def test_backup_is_made_once_an_hour_after_changes(store: Store, backups: Backups) -> None:
    clock = FakeClock()
    task = BackupTask(backups, store.jobs, clock)
    store.add("/a")
    task.do()
    (first,) = backups.all()
    clock.now = first.made_at / 1000 + 60
    store.add("/b")
    task.do()
    assert backups.all() == [first], "not within the hour"
    first.path.rename(first.path.with_name(f"{store.path.name}.backup-20200101-000000"))
    clock.now += 3600
    task.do()
    assert len(backups.all()) == 2
    newest = backups.all()[0]
    clock.now = newest.made_at / 1000 + 4000
    task.do()
    assert len(backups.all()) == 2, "nothing has changed"


def test_damage_in_the_middle_of_the_file_is_detected(store: Store, backups: Backups) -> None:
    store.add(*(f"/data/{number}" for number in range(500)))
    store.database.release()
    assert not backups.is_needed()
    content = bytearray(store.path.read_bytes())
    for start in range(4096 * 5, len(content), 8192):
        content[start : start + 4096] = b"x" * 4096
    store.path.write_bytes(content)
    assert backups.is_needed()
    damage(store.path)
    assert backups.is_needed()
