"""Undo restores every cell of every column, in the same order."""

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
    from tests.gui.conftest import WindowFactory

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def snapshot(windows: WindowFactory) -> list[list[str]]:
    model = windows.controller().model
    return [[model.text(row, column) or "" for column in range(len(COLUMNS))] for row in range(model.rowCount())]


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    """Open a window with a file in each state that can be restored."""
    keys = windows.jobs_db.add(*(f"file{number}.txt" for number in range(6)))
    windows.jobs_db.finish(keys[1], lines=12)
    windows.jobs_db.fail(keys[2])
    windows.jobs_db.change(
        keys[3], attempts=2, reason_code=ReasonCode.IN_USE, reason_args='{"tries": 3}', status=Status.FAILED
    )
    return windows.open_active()


@pytest.mark.parametrize("column", ["added", "name", "status", "size"])
@pytest.mark.parametrize("rows", [(0, 1, 2, 3, 4, 5), (1, 3, 4), (0,)])
def test_undo_restores_removed_files_unchanged(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, column: str, rows: tuple[int, ...]
) -> None:
    window.view.header.setSortIndicator(COLUMN_OF_ID[column], Qt.SortOrder.DescendingOrder)
    windows.settle()
    before = snapshot(windows)
    for row in rows:
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        window.view.selectionModel().select(window.view.model().index(row, 0), flags)
    QTest.keyClick(window.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(snapshot(windows)) == len(before) - len(rows))
    left = snapshot(windows)
    for _ in range(2):
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
        qtbot.waitUntil(lambda: snapshot(windows) == before)
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL | SHIFT)
        qtbot.waitUntil(lambda: snapshot(windows) == left)


def test_undo_and_redo_of_adding_files(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "new.txt"
    file.write_text("x")
    before = snapshot(windows)
    window.add([str(file)])
    # The file is on the list as soon as it is stored; what can be undone is known when the addition has ended.
    undo = windows.controller().commands.undo
    qtbot.waitUntil(lambda: undo.canUndo() and len(snapshot(windows)) == len(before) + 1)
    after = snapshot(windows)
    for _ in range(2):
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
        qtbot.waitUntil(lambda: snapshot(windows) == before)
        QTest.keyClick(window, Qt.Key.Key_Y, CTRL)
        qtbot.waitUntil(lambda: snapshot(windows) == after)


def test_restored_file_that_was_in_the_queue_is_sent_again(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    """Its message can't be recalled, so the restored job waits for a new one."""
    key = windows.controller().model.ids[4]
    windows.jobs_db.change(key, sent_at=5, message_id="m-1")
    qtbot.waitUntil(lambda: "m-1" in snapshot(windows)[4])
    before = snapshot(windows)
    window.view.select_rows(4, 4)
    QTest.keyClick(window.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(snapshot(windows)) == len(before) - 1)
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: len(snapshot(windows)) == len(before))
    qtbot.waitUntil(lambda: snapshot(windows)[4] != before[4])  # it is shown as before until it has been written
    changed = {COLUMNS[at].id for at in range(len(COLUMNS)) if snapshot(windows)[4][at] != before[4][at]}
    assert changed == {"messageId"}
    restored = windows.controller().model.job(4)
    assert restored is not None
    assert restored.sent_at is None
