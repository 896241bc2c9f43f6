"""Detecting whether another program is running."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import StoreError, StoreGoneError
from desktop_app.services.worker_identity import WorkerIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from desktop_app.services.worker_identity import WorkerIdentity
identity = WorkerIdentity(Path(sys.argv[1]))
print(identity.name, flush=True)
sys.stdin.read()
"""


def test_program_is_alive_until_it_closes(tmp_path: Path) -> None:
    one, other = WorkerIdentity(tmp_path / "db"), WorkerIdentity(tmp_path / "db")
    assert one.name != other.name
    assert one.is_alive(other.name)
    assert one.is_alive(one.name)
    other.close()
    other.close()
    assert not one.is_alive(other.name)
    one.close()


@contextmanager
def killed_at_the_end(script: str, path: Path) -> Iterator[str]:
    """Run a program that has an identity; yield its name."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        try:
            yield program.stdout.readline().strip()
        finally:
            program.kill()
            program.wait()


def test_killed_program_is_not_alive(tmp_path: Path) -> None:
    observer = WorkerIdentity(tmp_path / "db")
    with killed_at_the_end(HOLD, tmp_path / "db") as name:
        assert observer.is_alive(name)
    assert not observer.is_alive(name)
    assert not observer.is_alive(name), "also when its lock file has been cleared away"
    observer.close()


def test_others_see_whose_files_a_program_processes(tmp_path: Path) -> None:
    one, other = WorkerIdentity(tmp_path / "db"), WorkerIdentity(tmp_path / "db")
    assert not other.is_served("local")
    with one.serving("local"):
        assert other.is_served("local")
        assert not other.is_served("another queue")
        assert not one.is_served("local"), "only the program itself"
    assert not other.is_served("local")
    one.close()
    other.close()


def test_killed_program_processes_nothing(tmp_path: Path) -> None:
    script = HOLD.replace("print", "note = identity.serving('local')\nnote.__enter__()\nprint")
    observer = WorkerIdentity(tmp_path / "db")
    with killed_at_the_end(script, tmp_path / "db"):
        assert observer.is_served("local")
    assert not observer.is_served("local")
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 1, "only the observer's lock file is left"
    observer.close()


def test_program_on_another_computer_counts_as_alive(tmp_path: Path) -> None:
    identity = WorkerIdentity(tmp_path / "db")
    assert identity.is_alive("elsewhere/abc123")
    identity.close()


def test_name_can_not_leave_the_folder(tmp_path: Path) -> None:
    identity = WorkerIdentity(tmp_path / "db")
    host = identity.name.partition("/")[0]
    assert identity.is_alive(f"{host}/../../etc/passwd")
    identity.close()


def test_files_of_killed_programs_are_deleted_after_a_while(tmp_path: Path) -> None:
    first = WorkerIdentity(tmp_path / "db")
    (folder,) = tmp_path.iterdir()
    (own,) = folder.iterdir()
    prefix = own.stem.removesuffix(first.name.rpartition("/")[2])
    left = folder / f"{prefix}0123456789ab.lock"
    foreign = folder / "ffffffff-0123456789ab.lock"
    fresh = folder / f"{prefix}0123456789ac.lock"
    for file in (left, foreign, fresh):
        file.touch()
    for file in (left, foreign, own):
        os.utime(file, (0, 0))
    second = WorkerIdentity(tmp_path / "db")
    assert not left.exists()
    assert foreign.exists()
    assert fresh.exists()
    assert second.is_alive(first.name)
    first.close()
    second.close()


def test_read_only_folder_is_reported_plainly(tmp_path: Path) -> None:
    (tmp_path / "db.workers").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="can't be written"):
        WorkerIdentity(tmp_path / "db")


def test_nothing_is_created_while_the_database_is_missing(tmp_path: Path) -> None:
    database = tmp_path / "disk" / "db"
    database.parent.mkdir()
    database.touch()
    identity = WorkerIdentity(database)
    database.parent.rename(tmp_path / "removed")
    database.parent.mkdir()
    with pytest.raises(StoreGoneError):
        identity.renew()
    assert list(database.parent.iterdir()) == []
    database.touch()
    identity.renew()
    assert len(list(database.with_name("db.workers").iterdir())) == 1
    identity.close()
