from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QToolButton, QWidget

from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.adding.review_sheet import show_refused
from desktop_app.gui.diagnostics.crash import CrashDialog
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.gui.widgets.notice import Notice, NoticeAction
from desktop_app.sources.scan import Refusal
from tests.clipping.names import INTERACTIVE, QTS_OWN, unnamed, walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory


SAMPLE = "The quick brown fox jumps over the lazy dog"
SAMPLE_WIDTH = 292
"""The pixels of 10-point DejaVu Sans, with which the smallest window was measured."""


@pytest.fixture
def window(windows: WindowFactory, qtbot: QtBot) -> MainWindow:
    keys = windows.jobs_db.add_many(5)
    windows.jobs_db.fail(keys[0])
    made = windows.open()
    made.resize(790, 560)
    made.menu_actions.details.trigger()
    made.view.select_rows(0, 0)
    made.notices.show_notice(Notice("Removed 1 file.", actions=(NoticeAction("Undo", lambda: None),)))
    operations = windows.controller().operations
    operations.begin(lambda *_: "Looking…")
    qtbot.waitUntil(made.busy.isVisible)
    made.banner.show_notice(Notice("No connection.", actions=(NoticeAction("Try Now", lambda: None),)))
    return made


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    nodes = list(walk(QAccessible.queryAccessibleInterface(window)))
    assert len([node for node in nodes if node.role() in INTERACTIVE]) > 50
    assert unnamed(window) == []


def test_every_control_of_the_empty_window_has_a_name(windows: WindowFactory) -> None:
    assert unnamed(windows.open()) == []


def test_every_control_of_the_dialogs_has_a_name(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    refused = show_refused([Refusal("/x", Reason(ReasonCode.NO_SUCH_FILE))], window)
    window.menu_actions.shortcuts.trigger()
    keys = next(dialog for dialog in window.findChildren(PairsDialog) if dialog is not refused)
    crash = CrashDialog("report", tmp_path, window)
    qtbot.addWidget(crash)
    crash.show()
    for dialog in (refused, keys, crash):
        assert unnamed(dialog) == []
        dialog.close()


def test_cells_have_accessible_names_with_row_and_column(window: MainWindow, windows: WindowFactory) -> None:
    window.resize(1100, 700)
    table = QAccessible.queryAccessibleInterface(window.view)
    assert table.text(QAccessible.Text.Name) == "Files"
    spoken = [node.text(QAccessible.Text.Name) for node in walk(table) if node.role() is QAccessible.Role.Cell]
    assert "file0.txt, Failed, The file no longer exists, 1.0 kB" in spoken
    assert "Size: 1.0 kB" in spoken


def test_arrow_key_moves_the_focus_that_screen_readers_follow(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.view.setFocus()
    window.view.setCurrentIndex(window.view.model().index(0, 0))
    QTest.keyClick(window.view, Qt.Key.Key_Down)
    focused = QAccessible.queryAccessibleInterface(window.view).focusChild()
    assert focused.text(QAccessible.Text.Name).startswith("file1.txt, Pending")


def test_tab_visits_every_control_once(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.view.setFocus()
    seen: list[QWidget] = []
    for _ in range(30):
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused in seen:
            break
        seen.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is window.view
    names = [QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) for widget in seen]
    for name in ("Files", "Add Files", "Undo", "Stop", "Try Now", "Dismiss this message"):
        assert name in names


def every_action(window: MainWindow) -> Iterator[tuple[QMenu, QAction]]:
    waiting = [action.menu() for action in window.menuBar().actions()]
    while waiting:
        menu = waiting.pop()
        assert isinstance(menu, QMenu)
        menu.aboutToShow.emit()
        for action in menu.actions():
            if action.isSeparator():
                continue
            yield menu, action
            if action.menu() is not None:
                waiting.append(action.menu())


def test_every_action_is_in_the_menu_bar_with_a_unique_key(window: MainWindow) -> None:
    actions = [action for _, action in every_action(window)]
    assert set(window.menu_actions.all) <= set(actions)
    keys = [keys.toString() for action in actions for keys in action.shortcuts()]
    assert len(keys) == len(set(keys))
    for expected in ("Ctrl+O", "Ctrl+Shift+O", "Ctrl+V", "Ctrl+R", "Ctrl+Shift+R", "Del", "Ctrl+A", "Ctrl+C", "Ctrl+Q"):
        assert expected in keys
    assert all(action.whatsThis() and not action.statusTip() for action in window.menu_actions.all)


def test_mnemonics_are_unique_in_each_menu(window: MainWindow) -> None:
    letters: dict[str, list[str]] = {"menu bar": [_mnemonic(action.text()) for action in window.menuBar().actions()]}
    for menu, action in every_action(window):
        if "&" in action.text():
            letters.setdefault(menu.title(), []).append(_mnemonic(action.text()))
    for title, found in letters.items():
        assert len(found) == len(set(found)), title


def _mnemonic(text: str) -> str:
    return text[text.index("&") + 1].lower()


@pytest.mark.parametrize("size", [(720, 440), (1100, 700)])
def test_no_text_is_cut_off(window: MainWindow, size: tuple[int, int], qtbot: QtBot) -> None:
    # Relative to the font, which differs between machines.
    wider = max(1.0, window.fontMetrics().horizontalAdvance(SAMPLE) / SAMPLE_WIDTH)
    window.resize(ceil(size[0] * wider), ceil(size[1] * wider))

    def nothing_is_cut_off() -> None:
        assert [widget for widget in _visible_texts(window) if widget.width() < widget.sizeHint().width()] == []

    qtbot.waitUntil(nothing_is_cut_off)  # a button whose style has changed gets its width with the next layout


def _visible_texts(window: MainWindow) -> Iterator[QWidget]:
    for kind in (QPushButton, QToolButton, QLabel):
        for widget in window.findChildren(kind):
            wraps = isinstance(widget, QLabel) and widget.wordWrap()
            if widget.isVisible() and not wraps and widget.objectName() not in QTS_OWN:
                yield widget
