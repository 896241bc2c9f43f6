"""What is taken back is as if it had never been done: every cell of every column, in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import ReasonCode
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import Desk

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def snapshot(desk: Desk) -> list[list[str]]:
    model = desk.bench().model
    return [[model.text(row, column) for column in range(len(COLUMNS))] for row in range(model.rowCount())]


@pytest.fixture
def window(desk: Desk) -> MainWindow:
    """Files in each state that can be brought back as it was."""
    keys = desk.world.add(*(f"file{number}.txt" for number in range(6)))
    desk.world.finish(keys[1], lines=12)
    desk.world.fail(keys[2])
    desk.world.change(
        keys[3], attempts=2, reason_code=ReasonCode.IN_USE, reason_args='{"tries": 3}', status=Status.FAILED
    )
    return desk.active_window()


@pytest.mark.parametrize("column", ["added", "name", "status", "size"])
@pytest.mark.parametrize("rows", [(0, 1, 2, 3, 4, 5), (1, 3, 4), (0,)])
def test_removed_files_come_back_as_they_were(
    window: MainWindow, desk: Desk, qtbot: QtBot, column: str, rows: tuple[int, ...]
) -> None:
    window.view.header.setSortIndicator(COLUMN_OF_ID[column], Qt.SortOrder.DescendingOrder)
    desk.settle()
    before = snapshot(desk)
    for row in rows:
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        window.view.selectionModel().select(window.view.model().index(row, 0), flags)
    QTest.keyClick(window.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(snapshot(desk)) == len(before) - len(rows))
    left = snapshot(desk)
    for _ in range(2):
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
        qtbot.waitUntil(lambda: snapshot(desk) == before)
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL | SHIFT)
        qtbot.waitUntil(lambda: snapshot(desk) == left)


def test_added_files_go_and_come_back(window: MainWindow, desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "new.txt"
    file.write_text("x")
    before = snapshot(desk)
    window.add([str(file)])
    qtbot.waitUntil(lambda: len(snapshot(desk)) == len(before) + 1)
    after = snapshot(desk)
    for _ in range(2):
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
        qtbot.waitUntil(lambda: snapshot(desk) == before)
        QTest.keyClick(window, Qt.Key.Key_Y, CTRL)
        qtbot.waitUntil(lambda: snapshot(desk) == after)


def test_file_that_was_in_the_queue_is_sent_again_and_says_so(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    """Its message can't be called back, so what comes back waits for another one."""
    key = desk.bench().model.ids[4]
    desk.world.change(key, sent_at=5, message_id="m-1")
    qtbot.waitUntil(lambda: "In queue" in snapshot(desk)[4][1])
    before = snapshot(desk)
    window.view.select_rows(4, 4)
    QTest.keyClick(window.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(snapshot(desk)) == len(before) - 1)
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: len(snapshot(desk)) == len(before))
    changed = {COLUMNS[at].id for at in range(len(COLUMNS)) if snapshot(desk)[4][at] != before[4][at]}
    assert changed == {"status", "reason", "messageId"}
    assert snapshot(desk)[4][COLUMN_OF_ID["reason"]] == "Waiting to be sent"
