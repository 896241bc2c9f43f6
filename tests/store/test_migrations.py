"""Migrations of the schema, and databases that must not be changed."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import peewee
import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.config.settings import update_settings
from desktop_app.domain.errors import StoreError, StoreFullError
from desktop_app.domain.job import Status
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.store.backups import KEPT
from desktop_app.store.database import open_database
from desktop_app.store.models import (
    AttemptRow,
    BatchRow,
    CounterRow,
    FactRow,
    FieldRow,
    JobRow,
    OutboxRow,
    SeenFileRow,
    SweepRow,
    WatchRow,
    WorkerRow,
)
from desktop_app.store.rows import name_key
from tests.store.kit import Store, rows_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(script.stem for script in MIGRATIONS.glob("[0-9]*.py"))
ADD_COLUMN = "def up(migrator, db):\n    db.execute_sql('ALTER TABLE fact ADD COLUMN {name} TEXT')\n"


def schema(path: Path) -> dict[str, str]:
    """Return the SQL of all tables and indexes, in a comparable form."""
    rows = rows_of(path, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'schema_migration'")
    plain = {
        name: re.sub(r"\s+", " ", sql.replace('"', "").replace("IF NOT EXISTS ", "")).strip() for name, sql in rows
    }
    return {name: sql for name, sql in plain.items() if not name.startswith("schema_migration_")}


def scripts_with(folder: Path, **texts: str) -> Path:
    """Create a folder with the real scripts and some more."""
    scripts = folder / "scripts"
    if not scripts.exists():
        shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in texts.items():
        (scripts / f"{name.removeprefix('s')}.py").write_text(text)
    return scripts


def migrated(path: Path, scripts: Path = MIGRATIONS) -> None:
    open_database(path, scripts).release()


def test_migrated_schema_is_the_models_schema(tmp_path: Path) -> None:
    migrated(tmp_path / "migrated.db")
    made = peewee.SqliteDatabase(str(tmp_path / "made.db"))
    models = (
        *(BatchRow, JobRow, OutboxRow, AttemptRow, CounterRow, SweepRow, FactRow, FieldRow, WorkerRow),
        *(WatchRow, SeenFileRow),
    )
    with made.bind_ctx(models), made.connection_context():
        made.create_tables(models)
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "made.db")
    assert {"job", "outbox", "batch", "counter", "fact", "job_removed"} <= set(schema(tmp_path / "migrated.db"))


@pytest.mark.parametrize("version", NAMES)
def test_list_of_every_earlier_version_is_migrated(tmp_path: Path, version: str) -> None:
    """The list has a job of each status; the running one has no attempt, as before the table of attempts existed."""
    path = tmp_path / "jobs.db"
    earlier = scripts_with(tmp_path)
    for name in NAMES[NAMES.index(version) + 1 :]:
        (earlier / f"{name}.py").unlink()
    migrated(path, earlier)
    rows_of(path, "INSERT INTO batch (id, name, created_at) VALUES (1, 'Add', 5)")
    reason = "reason_args" if version >= "0005" else "reason"
    for status in range(4):
        rows_of(
            path,
            f"INSERT INTO job (uuid, batch_id, file_path, name_key, queue, status, {reason}, reason_code, bytes_done, "
            "generation, attempts, crashes, lease_token, lease_owner, lease_until, receive_count, created_at, "
            "started_at, revision) VALUES (?, 1, '/a', 'a', 'q', ?, '', '', 0, 1, 1, 1, 1, 'w1', 0, 1, 5, 6, 1)",
            f"0000000{status}-0000-4000-8000-000000000000",
            status,
        )
    store = Store(path)
    assert [store.job(key).status for key in (1, 2, 3, 4)] == list(Status)
    assert store.jobs.attempts(2) == []
    assert store.finish(store.job(2), 1)
    assert store.start(store.job(1)) == 2
    assert [attempt.token for attempt in store.jobs.attempts(1)] == [2]
    store.database.release()


def test_known_creation_time_of_the_local_queue_is_kept(tmp_path: Path) -> None:
    """A build between 0.1.0 and this script stored it beside the server instance of 0.1.0."""
    path = tmp_path / "jobs.db"
    before = tmp_path / "before"
    before.mkdir()
    for name in NAMES[: NAMES.index("0006_embedded_queue")]:
        shutil.copy(MIGRATIONS / f"{name}.py", before)
    migrated(path, before)
    with closing(sqlite3.connect(path)) as database, database:
        facts = [("instance of local-0", "an instance"), ("creation of local", "1793000000000")]
        database.executemany("INSERT INTO fact (name, value) VALUES (?, ?)", facts)
    migrated(path)
    assert rows_of(path, "SELECT name, value FROM fact WHERE name LIKE '%local%'") == [
        ("creation of local", "1793000000000")
    ]


def test_folders_and_types_of_earlier_files_are_as_those_of_new_ones(tmp_path: Path) -> None:
    names = [
        "a",
        "/",
        "/a.csv",
        "/in/.profile",
        "/in/a.tar.gz",
        "/in.d/a",
        "/ü/ß.TXT",
        "/in/a.",
        "/in/..x",
        "/in/V2.MP3",
    ]
    path, earlier = tmp_path / "jobs.db", scripts_with(tmp_path)
    for name in NAMES[NAMES.index("0008_sort_keys") :]:
        (earlier / f"{name}.py").unlink()
    migrated(path, earlier)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO batch VALUES (1, '', 5)")
        database.executemany(
            "INSERT INTO job (uuid, batch_id, file_path, name_key, queue, status, reason_args, reason_code, "
            "bytes_done, generation, attempts, crashes, lease_token, lease_until, receive_count, created_at, revision) "
            "VALUES (?1, 1, ?1, ?2, 'q', 0, '', '', 0, 1, 1, 1, 1, 0, 1, 5, 1)",
            [(name, name_key(name)) for name in names],
        )
    store = Store(path)
    store.add(*names)
    columns = "SELECT file_path, folder_length, type_key FROM job"
    assert rows_of(path, f"{columns} WHERE id <= {len(names)}") == rows_of(path, f"{columns} WHERE id > {len(names)}")
    assert rows_of(path, f"{columns} WHERE file_path IN ('/in/a.tar.gz', '/in/.profile')")[:2] == [
        ("/in/.profile", 4, ""),
        ("/in/a.tar.gz", 4, "gz"),
    ]
    store.database.release()


def test_history_names_every_script_once(tmp_path: Path) -> None:
    for _ in range(2):
        migrated(tmp_path / "jobs.db")
        assert [name for (name,) in rows_of(tmp_path / "jobs.db", "SELECT name FROM schema_migration")] == NAMES


def test_folders_above_the_file_are_made(tmp_path: Path) -> None:
    migrated(tmp_path / "a" / "b" / "jobs.db")
    assert (tmp_path / "a" / "b" / "jobs.db").stat().st_size > 0


@pytest.mark.parametrize("name", ["with space.db", "what?mode=ro#x%20.db", "[a-z]*.db", "ünïcode-日本.db", "it's.db"])
def test_odd_file_names_are_only_names(tmp_path: Path, name: str) -> None:
    migrated(tmp_path / name)
    assert rows_of(tmp_path / name, "SELECT count(*) FROM job") == [(0,)]
    assert {path.name for path in tmp_path.iterdir()} <= {name, f"{name}.lock"}


def test_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").touch()
    migrated(tmp_path / "jobs.db")
    assert rows_of(tmp_path / "jobs.db", "SELECT count(*) FROM job") == [(0,)]


def test_bundle_without_scripts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    with pytest.raises(StoreError, match="contains no migration scripts"):
        open_database(tmp_path / "jobs.db", tmp_path / "scripts")
    assert not (tmp_path / "jobs.db").stat().st_size


def test_newer_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    migrated(path, scripts_with(tmp_path, s0999_later=ADD_COLUMN.format(name="later")))
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=f"newer version of Filemill .schema 0999_later; this version supports up to {NAMES[-1]}"
    ):
        open_database(path, MIGRATIONS)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.before-*"))


def test_database_of_another_program_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "music.db"
    rows_of(path, "CREATE TABLE job (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        open_database(path, MIGRATIONS)
    assert path.read_bytes() == before


def test_failing_script_leaves_the_database_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    migrated(path)
    before = schema(path)
    broken = ADD_COLUMN.format(name="half") + "    raise ZeroDivisionError\n"
    with pytest.raises(ZeroDivisionError):
        open_database(path, scripts_with(tmp_path, s0998_next=broken))
    assert schema(path) == before
    migrated(path, scripts_with(tmp_path, s0998_next=ADD_COLUMN.format(name="whole")))
    assert "whole" in schema(path)["fact"]


def test_interrupted_first_start_continues_at_the_next(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    scripts = scripts_with(tmp_path)
    first = scripts / f"{NAMES[0]}.py"
    text = first.read_text()
    first.write_text(f"{text}\n    raise ZeroDivisionError\n")
    with pytest.raises(ZeroDivisionError):
        open_database(path, scripts)
    first.write_text(text)
    migrated(path, scripts)
    assert rows_of(path, "SELECT name, value FROM counter") == [("revision", 0)]


def test_fresh_database_needs_no_backup(tmp_path: Path) -> None:
    migrated(tmp_path / "jobs.db", scripts_with(tmp_path, s0002_more=ADD_COLUMN.format(name="more")))
    assert not list(tmp_path.glob("*.before-*"))


def test_backup_contains_the_state_before_the_migration(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    (job,) = store.add("/data/a.txt")
    store.database.release()
    migrated(store.path, scripts_with(tmp_path, s0998_next=ADD_COLUMN.format(name="next")))
    backup = tmp_path / "jobs.db.before-0998_next"
    assert rows_of(backup, "SELECT uuid FROM job") == [(job.id,)]
    assert "next" not in schema(backup)["fact"]
    assert "next" in schema(store.path)["fact"]


@pytest.mark.parametrize("name", ["jobs.db", "[jobs]*.db"])
def test_only_the_newest_backups_are_kept(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "home"
    migrated(folder / name)
    for number in range(1, KEPT + 3):
        script = f"s{900 + number:04}_x"
        migrated(folder / name, scripts_with(tmp_path, **{script: ADD_COLUMN.format(name=f"c{number}")}))
    kept = sorted(path.name for path in folder.iterdir() if ".before-" in path.name)
    assert kept == [f"{name}.before-{903 + number:04}_x" for number in range(KEPT)]


def test_database_that_can_not_be_backed_up_is_not_migrated(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    migrated(path)
    before = schema(path)
    (tmp_path / "jobs.db.before-0998_next").mkdir()
    with pytest.raises(StoreError, match="can't be written"):
        open_database(path, scripts_with(tmp_path, s0998_next=ADD_COLUMN.format(name="next")))
    assert schema(path) == before


def test_disk_that_fills_up_during_the_backup_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jobs.db"
    migrated(path)
    connect = sqlite3.connect

    def tiny(target: Path) -> sqlite3.Connection:
        connection = connect(target)
        connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(sqlite3, "connect", lambda target, **how: (connect if how else tiny)(target, **how))
    with pytest.raises(StoreFullError):
        open_database(path, scripts_with(tmp_path, s0998_next=ADD_COLUMN.format(name="next")))


def test_database_and_its_backups_are_for_their_owner_only(tmp_path: Path) -> None:
    migrated(tmp_path / "jobs.db")
    migrated(tmp_path / "jobs.db", scripts_with(tmp_path, s0998_next=ADD_COLUMN.format(name="next")))
    for name in ("jobs.db", "jobs.db.before-0998_next"):
        assert (tmp_path / name).stat().st_mode & 0o777 == (0o600 if os.name == "posix" else 0o666)


@pytest.mark.skipif(os.name == "nt", reason="of POSIX systems")
def test_lock_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Another user who can read the lock file could lock it, and the program would not start."""
    migrated(tmp_path / "jobs.db")
    update_settings(tmp_path / "settings.toml", concurrency=2)
    with closing(WorkerIdentity(tmp_path / "jobs.db")):
        locks = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.rglob("*.lock")}
    assert len(locks) == 3
    assert set(locks.values()) == {0o600}


def test_two_threads_open_a_fresh_database_at_once(tmp_path: Path) -> None:
    gate = threading.Barrier(4)

    def run(_: int) -> None:
        gate.wait(10)
        migrated(tmp_path / "jobs.db")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, range(4)))  # raises an exception of the threads
    assert [name for (name,) in rows_of(tmp_path / "jobs.db", "SELECT name FROM schema_migration")] == NAMES


def test_two_processes_open_a_fresh_database_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from desktop_app.store.database import open_database\n"
        "sys.stdin.readline(); open_database(Path(sys.argv[1]), Path(sys.argv[2])).release()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "jobs.db"), str(MIGRATIONS)]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in running] == ["", ""]
    assert [process.returncode for process in running] == [0, 0]
    assert [name for (name,) in rows_of(tmp_path / "jobs.db", "SELECT name FROM schema_migration")] == NAMES


def test_running_scripts_are_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="desktop_app")
    migrated(tmp_path / "jobs.db")
    migrated(tmp_path / "jobs.db")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("desktop_app")]
    assert ours == [f"database jobs.db: ran {', '.join(NAMES)}"]


def test_database_stays_in_wal_mode_after_it_was_closed(tmp_path: Path) -> None:
    migrated(tmp_path / "jobs.db")
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
