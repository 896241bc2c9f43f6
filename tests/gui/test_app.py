"""The window with real loops, a real queue and a real database, mostly in a separate process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QMessageBox

from desktop_app import tryout, window_app
from desktop_app.bootstrap import open_program
from desktop_app.config.paths import resource
from desktop_app.gui.startup.dialogs import StartErrorDialog
from tests.gui.jobs_database import without_display
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme


def status_of(database: Path) -> list[tuple[str, int, int]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT file_path, status, lines_count FROM job ORDER BY id").fetchall()


def test_samples_go_the_whole_way_in_the_real_window(qtbot: QtBot, theme: Theme, filemill_home: Path) -> None:
    program = open_program()
    running = window_app.assemble(program, theme)
    qtbot.addWidget(running.window)
    running.start([str(resource("samples"))])
    files = [path for path in resource("samples").rglob("*") if path.is_file()]
    qtbot.waitUntil(lambda: running.jobs.totals.counts.processed == len(files), timeout=60_000)
    rows = {Path(path).name: lines for path, _, lines in status_of(filemill_home / "filemill.db")}
    assert rows["empty.txt"] == 0
    assert rows["orders.csv"] == (resource("samples") / "orders.csv").read_bytes().count(b"\n")
    qtbot.waitUntil(lambda: running.window.status.connection.shown.text == "Local queue")
    with qtbot.waitSignal(running.ended):
        running.window.close()
    assert running.left_over == []
    program.close()  # twice is safe


def start(*words: str, **extra: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "desktop_app", *words],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_window_adds_named_files_and_ends_cleanly_by_signal(
    number: signal.Signals, filemill_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("1\n2\n3")
    database = filemill_home / "filemill.db"
    with start(str(file)) as process:
        wait_until(database.exists)
        wait_until(lambda: _quietly(lambda: status_of(database)) == [(str(file), 2, 3)], 60, "the file is processed")
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert errors == ""
    assert (filemill_home / "window.ini").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_signal_before_the_window_opens_ends_the_program(filemill_home: Path) -> None:
    with start() as process:
        wait_until(lambda: any((filemill_home / "run").glob("window-*.lock")), what="it has begun")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")


def _quietly(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except sqlite3.OperationalError:  # the table does not exist yet
        return None


@pytest.mark.expected_log("can't start")
def test_invalid_settings_are_shown_in_a_dialog_and_exit_with_1(
    filemill_home: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    filemill_home.mkdir(parents=True)
    (filemill_home / "settings.toml").write_text("concurrency = ", encoding="utf-8")
    said: list[str] = []

    def answer(problem: StartErrorDialog) -> bool:
        said.append(problem.text())
        if len(said) == 1:
            return True
        assert isinstance(problem, QMessageBox)
        return False

    monkeypatch.setattr(StartErrorDialog, "wants_another_try", answer)
    assert window_app.open_with_dialogs(os.environ) is None
    assert len(said) == 2
    assert str(filemill_home / "settings.toml") in said[0]


@pytest.mark.expected_log("can't start")
def test_program_opens_once_the_problem_is_fixed(
    filemill_home: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    filemill_home.mkdir(parents=True)
    settings = filemill_home / "settings.toml"
    settings.write_text("concurrency = ", encoding="utf-8")

    def mend(_problem: StartErrorDialog) -> bool:
        settings.unlink()
        return True

    monkeypatch.setattr(StartErrorDialog, "wants_another_try", mend)
    program = window_app.open_with_dialogs(os.environ)
    assert program is not None
    program.close()


def test_start_that_the_user_cancels_exits_with_1(filemill_home: Path) -> None:
    filemill_home.mkdir(parents=True)
    (filemill_home / "settings.toml").write_text("concurrency = ", encoding="utf-8")
    code = (
        "import sys\n"
        "from desktop_app.gui.startup.dialogs import StartErrorDialog\n"
        "StartErrorDialog.wants_another_try = lambda problem: print(problem.text()) is not None\n"
        "from desktop_app.__main__ import main\n"
        "sys.exit(main([]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120, env={**os.environ}
    )
    assert done.returncode == 1
    assert str(filemill_home / "settings.toml") in done.stdout
    assert "Traceback" not in done.stderr


def try_out(folder: Path, *paths: str, **extra: str) -> subprocess.CompletedProcess[str]:
    root = Path(tryout.__file__).resolve().parent.parent
    return subprocess.run(
        [sys.executable, "-m", "desktop_app.tryout", *paths],
        cwd=folder,
        env={**without_display(), "PYTHONPATH": str(root), **extra},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_tryout_without_a_display_does_the_main_job(tmp_path: Path, isolated_environment: Path) -> None:
    done = try_out(tmp_path, FILEMILL_QUEUE="somebody-elses", FILEMILL_DATABASE="/nowhere")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "No display was found" in done.stdout
    picture = tmp_path / "build" / "tryout" / "filemill.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if "PROCESSED" in line}
    assert rows["empty.txt"] == ["PROCESSED", "0", "0"]
    assert len(rows) == len([path for path in resource("samples").rglob("*") if path.is_file()])
    assert not (isolated_environment / "filemill").exists()


def test_tryout_on_an_invisible_platform_processes_the_samples(tmp_path: Path) -> None:
    done = try_out(tmp_path, QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "processed without one" in done.stdout
    assert "QT_QPA_PLATFORM is “offscreen”" in done.stdout
    assert "No display" not in done.stdout


def test_tryout_exits_with_1_if_a_file_is_not_processed(tmp_path: Path) -> None:
    locked = tmp_path / "locked.txt"
    locked.symlink_to(tmp_path / "nowhere")
    done = try_out(tmp_path, str(locked))
    assert done.returncode == 1
    assert "0 of 0 files were not processed" in done.stdout
