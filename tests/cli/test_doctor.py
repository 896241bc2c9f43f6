"""`filemill doctor`."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain import connection_checks as reach
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.processing import line_feeds
from desktop_app.processing.line_feeds import describe_counting
from desktop_app.store.backups import Backups

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Cli


@dataclass
class Connector:
    """A connector for a queue that responds or raises an exception."""

    is_fifo: bool = False
    error: QueueError | None = None
    is_closed: bool = False
    findings: tuple[reach.Finding, ...] = ()

    def connect(self) -> SimpleNamespace:
        if self.error is not None:
            raise self.error
        return SimpleNamespace(info=SimpleNamespace(is_fifo=self.is_fifo))

    def interrupt(self) -> None:
        """Do nothing: no program provides credentials."""

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Connector:
    made = Connector()
    monkeypatch.setattr("desktop_app.bootstrap.connect_queue", lambda *_: made)
    monkeypatch.setattr("desktop_app.queues.checks.probe", lambda *_: iter(made.findings))
    return made


def test_json_has_one_object_for_each_check(cli: Cli, connector: Connector, filemill_home: Path) -> None:
    connector.error = QueueError("The queue is gone.", trouble=QueueTrouble.NO_QUEUE)
    outcome = cli("doctor", "--json")
    found = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.code == 1
    assert found[0] == {"verdict": "fine", "topic": "Folder", "text": str(filemill_home)}
    assert found[-1] == {"verdict": "trouble", "topic": "Queue", "text": "The queue is gone."}


@pytest.mark.parametrize("call", ["connect", "probe"])
def test_ctrl_c_stops_a_check_while_a_call_does_not_return(
    cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """As while the operating system waits for a name server: a signal handler can't run on that thread."""
    may_return = threading.Event()

    def resolve() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        may_return.wait(60)

    def probe(*_: object) -> Iterator[reach.Finding]:
        resolve()
        yield from connector.findings

    monkeypatch.setenv("FILEMILL_QUEUE", "my-queue")
    if call == "connect":
        monkeypatch.setattr(connector, "connect", resolve)
    else:
        monkeypatch.setattr("desktop_app.queues.checks.probe", probe)
    monkeypatch.setattr("desktop_app.cli.queue_calls.INTERRUPT_SECONDS", 0)
    outcome = cli("doctor")
    may_return.set()
    assert (outcome.code, outcome.err) == (1, "filemill: Stopped.\n")


def test_healthy_set_up_has_only_good_marks(cli: Cli, connector: Connector, filemill_home: Path) -> None:
    outcome = cli("doctor")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        f"✓ Folder: {filemill_home}",
        "✓ Settings: the defaults; queue: Local queue",
        f"✓ Database: {filemill_home / 'filemill.db'}, 0 files in the list",
        f"✓ Processing: {describe_counting()}",
        "✓ Queue: Local queue responds; it is a standard queue",
    ]
    assert connector.is_closed


def test_named_queue_and_settings_file_are_named(
    cli: Cli, connector: Connector, filemill_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filemill_home.mkdir()
    (filemill_home / "settings.toml").write_text('region = "eu-west-1"', encoding="utf-8")
    monkeypatch.setenv("FILEMILL_QUEUE", "orders.fifo")
    connector.is_fifo = True
    outcome = cli("doctor")
    assert f"✓ Settings: {filemill_home / 'settings.toml'}; queue: orders.fifo · eu-west-1" in outcome.out
    assert "✓ Queue: orders.fifo · eu-west-1 responds; it is a FIFO queue" in outcome.out


def test_each_permission_is_reported(cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILEMILL_QUEUE", "orders")
    connector.findings = (
        reach.Finding(reach.Check.SERVER, reach.Verdict.FINE, "said already"),
        reach.Finding(reach.Check.SEND, reach.Verdict.FINE, "Can send messages"),
        reach.Finding(reach.Check.RECEIVE, reach.Verdict.TROUBLE, "You may not receive."),
    )
    outcome = cli("doctor")
    assert outcome.code == 1
    assert outcome.out.splitlines()[-2:] == [
        "✓ Connection: Can send messages",
        "✗ Connection: You may not receive.",
    ]
    assert "said already" not in outcome.out


def test_queue_that_does_not_respond_blocks(cli: Cli, connector: Connector) -> None:
    connector.error = QueueError("Sign in first.", trouble=QueueTrouble.SIGNED_OUT, detail="ExpiredToken")
    outcome = cli("doctor")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.splitlines()[-1] == "✗ Queue: Sign in first. (ExpiredToken)"
    assert connector.is_closed


def test_invalid_settings_file_blocks_and_ends_the_check(cli: Cli, filemill_home: Path) -> None:
    filemill_home.mkdir()
    (filemill_home / "settings.toml").write_text("concurrency = 1000", encoding="utf-8")
    outcome = cli("doctor")
    assert outcome.code == 1
    good, bad = outcome.out.splitlines()
    assert good.startswith("✓ Folder")
    assert bad.startswith("✗ Settings: ")
    assert "concurrency must be between 0 and 64" in bad


def test_damaged_database_blocks(cli: Cli, filemill_home: Path) -> None:
    filemill_home.mkdir()
    (filemill_home / "filemill.db").write_bytes(b"no database" * 1000)
    outcome = cli("doctor")
    assert outcome.code == 1
    assert outcome.out.splitlines()[-1].startswith("✗ Database: ")


def test_folder_that_can_not_be_created_blocks(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FILEMILL_HOME", str(tmp_path / "file" / "home"))
    outcome = cli("doctor")
    assert outcome.code == 1
    (line,) = outcome.out.splitlines()
    assert line.startswith("✗ Folder: ")
    assert "FILEMILL_HOME" in line


def test_plain_terminal_gets_plain_marks(cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert cli("doctor").code == 0
    plain.seek(0)
    assert plain.read().startswith("[ok] Folder: ")


def damage(home: Path) -> Path:
    database = home / "filemill.db"
    database.write_bytes(b"this is not a database" * 100)
    return database


def back_up_one_file(cli: Cli, home: Path, folder: Path) -> None:
    """Add a file to the list, and make a backup of the database."""
    (folder / "a.txt").touch()
    cli.submit(folder / "a.txt")
    assert Backups(home / "filemill.db").make() is not None


def test_damaged_database_is_reported_with_a_remedy(cli: Cli, filemill_home: Path, connector: Connector) -> None:
    cli("status")
    damage(filemill_home)
    done = cli("doctor")
    assert done.code == 1
    assert "is damaged" in done.out
    assert "filemill doctor --help" in done.out


def test_newest_backup_replaces_a_damaged_database(
    cli: Cli, filemill_home: Path, tmp_path: Path, connector: Connector
) -> None:
    back_up_one_file(cli, filemill_home, tmp_path)
    damage(filemill_home)
    done = cli("doctor", "--use-copy")
    assert done.code == 0, done.err
    assert "replaces it" in done.out
    assert "1 file in the list" in done.out
    assert len(list(filemill_home.glob("filemill.db.damaged-*"))) >= 1


def test_without_a_backup_it_can_start_with_an_empty_list(cli: Cli, filemill_home: Path, connector: Connector) -> None:
    cli("status")
    damage(filemill_home)
    done = cli("doctor", "--use-copy")
    assert (done.code, done.err) == (
        1,
        "filemill: There is no backup of the database. Use --start-empty to start with an empty list.\n",
    )
    done = cli("doctor", "--start-empty")
    assert done.code == 0
    assert "was moved to" in done.out


def test_intact_database_is_not_replaced(cli: Cli, filemill_home: Path) -> None:
    cli("status")
    done = cli("doctor", "--start-empty")
    assert (done.code, done.err) == (1, "filemill: The database is not damaged, so nothing was done.\n")
    assert (filemill_home / "filemill.db").exists()


def test_damage_outside_the_pages_that_are_counted_blocks(
    cli: Cli, filemill_home: Path, tmp_path: Path, connector: Connector
) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(60)]
    for file in files:
        file.touch()
    cli.submit(*files)
    database = filemill_home / "filemill.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'attempt'").fetchone()
    content = bytearray(database.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    database.write_bytes(content)
    done = cli("doctor")
    assert done.code == 1
    assert "✗ Database: " in done.out
    assert "is damaged" in done.out


def test_large_database_is_checked_quickly_and_says_how_long(
    cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_app.store.backups.LARGE_BYTES", 0)
    done = cli("doctor")
    assert done.code == 0
    assert re.search(r"✓ Database: .*, 0 files in the list; quick check done in \d+\.\d s\n", done.out)


def test_damaged_queue_file_blocks(cli: Cli, filemill_home: Path) -> None:
    assert cli("doctor").code == 0
    (filemill_home / "filemill.db.queue").write_bytes(b"no database" * 1000)
    done = cli("doctor")
    assert done.code == 1
    assert "✗ Queue: " in done.out
    assert "filemill.db.queue is damaged. Delete it, then try again" in done.out


def test_empty_database_can_be_replaced_by_a_backup(
    cli: Cli, filemill_home: Path, tmp_path: Path, connector: Connector
) -> None:
    back_up_one_file(cli, filemill_home, tmp_path)
    for suffix in ("-wal", "-shm"):
        (filemill_home / f"filemill.db{suffix}").unlink(missing_ok=True)
    (filemill_home / "filemill.db").write_bytes(b"")
    assert "1 file in the list" in cli("doctor", "--use-copy").out


def test_note_has_a_mark_of_its_own_and_blocks_nothing(
    cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILEMILL_QUEUE", "orders")
    connector.findings = (reach.Finding(reach.Check.DEAD_LETTERS, reach.Verdict.NOTE, "It has no dead-letter queue"),)
    done = cli("doctor")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "! Connection: It has no dead-letter queue"


def test_full_disk_and_missing_temporary_folder_are_named(
    cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=3 * 1024**2))
    monkeypatch.setenv("TMPDIR", "/nowhere")
    done = cli("doctor")
    assert done.code == 1
    assert "only 3 MiB are free on its disk. Free some space." in done.out
    assert "! Temporary folder: TMPDIR is “/nowhere”, which is not a folder that can be written to" in done.out


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("DROP TABLE attempt", "the table attempt is missing"),
        ("DROP INDEX job_modified", "the index job_modified is missing"),
        ("UPDATE job SET status = 7", "job.status has an invalid value"),
    ],
)
def test_logical_damage_blocks_and_can_be_repaired(
    cli: Cli, filemill_home: Path, tmp_path: Path, connector: Connector, statement: str, detail: str
) -> None:
    back_up_one_file(cli, filemill_home, tmp_path)
    with closing(sqlite3.connect(filemill_home / "filemill.db")) as connection, connection:
        connection.execute(statement)
    for command in ("status", "export"):
        done = cli(command, *([str(tmp_path / "list.csv")] if command == "export" else []))
        assert done.code == 1
        assert "filemill.db is damaged or is not a Filemill database" in done.err
    done = cli("doctor")
    assert done.code == 1
    assert "✗ Database: " in done.out
    assert f"({detail})" in done.out
    assert "1 file in the list" in cli("doctor", "--use-copy").out


def test_log_that_can_not_be_written_is_noted(cli: Cli, filemill_home: Path, connector: Connector) -> None:
    (filemill_home / "logs" / "filemill.log").mkdir(parents=True)
    done = cli("doctor")
    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if line.startswith("! Log: ")]
    assert line.startswith(f"! Log: {filemill_home / 'logs' / 'filemill.log'} can't be written: ")
    assert line.endswith(". Until it can, nothing is logged.")


@pytest.mark.parametrize("command", [("status",), ("doctor",), ("doctor", "--use-copy")])
def test_folder_in_place_of_the_database_is_named(cli: Cli, filemill_home: Path, command: tuple[str, ...]) -> None:
    (filemill_home / "filemill.db").mkdir(parents=True)
    done = cli(*command)
    assert done.code == 1
    text = f"{filemill_home / 'filemill.db'} is a folder, not a database. Move it, or set FILEMILL_DATABASE to a file."
    assert text in done.out + done.err


def test_program_without_a_compiled_module_is_fine(
    cli: Cli, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_feeds, "count_compiled", None)

    outcome = cli("doctor")

    assert outcome.code == 0
    assert "✓ Processing: Lines are counted by Python, because there was no C compiler" in outcome.out
