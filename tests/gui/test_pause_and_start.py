"""A real window and queue: paused, quit, started, resumed. Nothing is lost, and prioritized files come first."""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop_app import window_app
from desktop_app.bootstrap import open_program

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.domain.job import PriorityResult
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.window_app import RunningWindow

pytestmark = pytest.mark.slow

COUNT = 80
"""More than is sent to the embedded queue at a time."""
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def started(theme: Theme, qtbot: QtBot, *paths: str) -> RunningWindow:
    running = window_app.assemble(open_program(), theme)
    qtbot.addWidget(running.window)
    running.start(paths)
    running.window.activateWindow()
    qtbot.waitUntil(running.window.isActiveWindow)
    return running


def end(running: RunningWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(running.ended):
        running.window.close()
    assert running.left_over == []


def rows(home: Path, columns: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(f"file:{home / 'filemill.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT {columns} FROM job ORDER BY id").fetchall()


def test_pause_survives_a_restart_and_prioritized_files_are_first(
    qtbot: QtBot, theme: Theme, filemill_home: Path, tmp_path: Path
) -> None:
    files = tmp_path / "in"
    files.mkdir()
    for number in range(COUNT):
        (files / f"file{number:02}.txt").write_text("1\n2\n")
    first = started(theme, qtbot)
    QTest.keyClick(first.window.view, Qt.Key.Key_P, CTRL)
    first.jobs.adder.add([str(path) for path in sorted(files.iterdir())[: COUNT // 2]])
    qtbot.waitUntil(lambda: first.jobs.totals.counts.pending == COUNT // 2)
    end(first, qtbot)

    second = started(theme, qtbot, *(str(path) for path in sorted(files.iterdir())[COUNT // 2 :]))
    assert second.window.windowTitle().startswith("[Paused] ")
    qtbot.waitUntil(lambda: second.jobs.totals.counts.pending == COUNT)
    assert {attempts for (attempts,) in rows(filemill_home, "attempts")} == {0}, "nothing is begun"
    ((last,),) = rows(filemill_home, "max(id)")
    moved: list[PriorityResult] = []
    second.jobs.commands.process_next(array("q", [last]), moved.append)
    qtbot.waitUntil(lambda: bool(moved))
    assert moved[0].is_served
    QTest.keyClick(second.window.view, Qt.Key.Key_P, CTRL)
    qtbot.waitUntil(lambda: second.jobs.totals.counts.processed == COUNT, timeout=60_000)
    done = rows(filemill_home, "started_at, attempts, lines_count")
    assert {(attempts, lines) for _, attempts, lines in done} == {(1, 2)}
    assert done[-1][0] == min(begun for begun, *_ in done)
    QTest.keyClick(second.window.view, Qt.Key.Key_P, CTRL | SHIFT)
    qtbot.waitUntil(lambda: second.window.windowTitle().startswith("[Paused] "))
    end(second, qtbot)
    program = open_program()
    assert program.settings.paused
    program.close()
