"""A worker waits while its database is away, says so once, creates nothing, and continues when it is back."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.test_terminal import PROGRAM, filemill, status
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="mounts, and files moved in use")]

SIDES = ("", "-wal", "-shm")


def remove(database: Path) -> None:
    for side in SIDES:
        database.with_name(database.name + side).unlink(missing_ok=True)


def renamed(home: Path, copy: Path) -> Iterator[None]:
    away = home.with_name("away")
    home.rename(away)
    yield
    assert not home.exists(), "nothing is created at the old place"
    away.rename(home)


def deleted(home: Path, copy: Path) -> Iterator[None]:
    remove(home / "filemill.db")
    yield
    assert not (home / "filemill.db").exists()
    copy.rename(home / "filemill.db")


def truncated(home: Path, copy: Path) -> Iterator[None]:
    os.truncate(home / "filemill.db", 0)
    yield
    remove(home / "filemill.db")
    copy.rename(home / "filemill.db")


def damaged(home: Path, copy: Path) -> Iterator[None]:
    database = home / "filemill.db"
    database.write_bytes(b"\xa5" * database.stat().st_size)
    yield
    shutil.copy(copy, home / "filemill.db.backup-20991231-000000")  # newer than the backup that the worker has made
    assert filemill("doctor", "--use-copy").returncode == 0


@pytest.mark.parametrize("way", [renamed, deleted, truncated, damaged], ids=lambda way: way.__name__)
def test_worker_waits_for_its_database(
    filemill_home: Path, tmp_path: Path, way: Callable[[Path, Path], Iterator[None]]
) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(6)]
    for file in files:
        file.write_text("a\nb\n")
    assert filemill("submit", *files[:3]).returncode == 0
    output = tmp_path / "output"
    with output.open("w") as stream, subprocess.Popen([*PROGRAM, "worker"], stderr=stream, stdout=stream) as worker:
        try:
            wait_until(lambda: all(job["status"] == "PROCESSED" for job in status().values()), 60)
            copy = tmp_path / "copy.db"
            with (
                closing(sqlite3.connect(filemill_home / "filemill.db")) as source,
                closing(sqlite3.connect(copy)) as to,
            ):
                source.backup(to)
            going = way(filemill_home, copy)
            next(going)
            wait_until(lambda: "Waiting: " in output.read_text(), 10)
            next(going, None)
            wait_until(lambda: "Running again." in output.read_text(), 10)
            assert filemill("submit", *files[3:]).returncode == 0
            wait_until(lambda: [job["status"] for job in status().values()] == ["PROCESSED"] * 6, 60)
        finally:
            worker.send_signal(signal.SIGTERM)
    assert worker.returncode == 0
    assert output.read_text().count("Waiting: ") == 1
    assert "6 files: 0 PENDING, 0 PROCESSING, 6 PROCESSED, 0 FAILED" in output.read_text()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can mount a disk")
def test_worker_waits_for_the_disk_of_its_database(filemill_home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    filemill_home.mkdir()
    mount = ["mount", "--bind", str(disk), str(filemill_home)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    output = tmp_path / "output"
    try:
        with output.open("w") as stream, subprocess.Popen([*PROGRAM, "worker"], stderr=stream, stdout=stream) as worker:
            try:
                wait_until((filemill_home / "filemill.db.queue").exists, 60)
                subprocess.run(["umount", "-l", str(filemill_home)], check=True)
                wait_until(lambda: "Waiting: " in output.read_text(), 10)
                assert list(filemill_home.iterdir()) == [], "nothing is created in the mount point"
                subprocess.run(mount, check=True)
                wait_until(lambda: "Running again." in output.read_text(), 10)
            finally:
                worker.send_signal(signal.SIGTERM)
        assert worker.returncode == 0
    finally:
        subprocess.run(["umount", "-l", str(filemill_home)], check=False, capture_output=True)
