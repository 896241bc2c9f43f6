"""F6 visits the panes of the window and skips those that can't take the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.gui.widgets.notice import Notice, NoticeAction

if TYPE_CHECKING:
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    windows.jobs_db.fail(windows.jobs_db.add_many(5)[:2])
    made = windows.open_active()
    made.view.select_rows(0, 0)
    made.menu_actions.details.trigger()
    return made


def place(window: MainWindow) -> str:
    """Return the pane that has the focus."""
    focused = QApplication.focusWidget()
    assert focused is not None
    parts: dict[str, QWidget] = {
        "tools": window._tools,
        "banner": window.banner,
        "sidebar": window.sidebar,
        "list": window.view,
        "details": window.details,
        "notice": window.notices,
        "status": window.status,
    }
    return next(name for name, part in parts.items() if part is focused or part.isAncestorOf(focused))


def press(*modifiers: Qt.KeyboardModifier) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, Qt.Key.Key_F6, modifiers[0] if modifiers else Qt.KeyboardModifier.NoModifier)


def visited(window: MainWindow, *modifiers: Qt.KeyboardModifier) -> list[str]:
    seen = [place(window)]
    for _ in range(8):
        press(*modifiers)
        seen.append(place(window))
        if seen[-1] == seen[0]:
            break
    return seen


def test_each_pane_is_visited_once_before_the_first_one_again(window: MainWindow) -> None:
    round_trip = [part for part in visited(window) if part != "status"]
    assert round_trip == ["list", "details", "tools", "sidebar", "list"]


def test_previous_pane_visits_panes_in_reverse_order(window: MainWindow) -> None:
    round_trip = [part for part in visited(window, Qt.KeyboardModifier.ShiftModifier) if part != "status"]
    assert round_trip == ["list", "sidebar", "tools", "details", "list"]


def test_notices_are_visited_while_they_are_shown(window: MainWindow) -> None:
    action = NoticeAction("Try Now", lambda: None)
    window.banner.show_notice(Notice("No connection.", actions=(action,)))
    window.notices.show_notice(Notice("Removed 1 file.", actions=(action,)))
    assert [part for part in visited(window) if part != "status"] == [
        "list",
        "details",
        "notice",
        "tools",
        "sidebar",
        "banner",
        "list",
    ]


def test_hidden_panes_are_skipped(window: MainWindow) -> None:
    window.menu_actions.sidebar.trigger()
    window.menu_actions.details.trigger()
    assert [part for part in visited(window) if part != "status"] == ["list", "tools", "list"]


def test_focus_returns_to_the_last_widget_of_a_pane(window: MainWindow) -> None:
    window.filter.setFocus()
    press(Qt.KeyboardModifier.ShiftModifier)
    assert place(window) != "tools"
    press()
    assert QApplication.focusWidget() is window.filter


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_presses_the_button_that_has_the_focus_as_space_does(window: MainWindow, key: Qt.Key) -> None:
    pressed: list[str] = []
    window.show_notice(Notice("text", actions=(NoticeAction("Do It", lambda: pressed.append("notice")),)))
    (button,) = window.notices.buttons
    button.setFocus()
    QTest.keyClick(button, key)
    assert pressed == ["notice"]
    tool = window.status.connection
    window.status.connection_pressed.connect(lambda: pressed.append("tool"))
    tool.setFocus()
    QTest.keyClick(tool, key)
    assert pressed == ["notice", "tool"]
