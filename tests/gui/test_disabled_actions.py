"""An action that can do nothing is disabled, and its tool tip says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QStatusTipEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolBar

from desktop_app.gui.commands.actions import context_menu

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory


def wait_for_sums(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.selected.current.sums is not None)


def why_not(action: QAction) -> str:
    """Return the reason that a disabled action gives."""
    assert not action.isEnabled()
    return action.toolTip()


def test_without_files_and_without_a_selection_the_reason_is_given(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    actions = window.menu_actions
    assert why_not(actions.export) == "The list is empty"
    windows.jobs_db.add_many(2)
    windows.controller().feed.look()
    qtbot.waitUntil(actions.export.isEnabled)
    assert actions.export.toolTip().endswith("(Ctrl+Shift+E)")
    assert why_not(actions.remove) == why_not(actions.open) == why_not(actions.retry) == "Select files first"
    assert why_not(actions.retry_failed) == "No files have failed"
    assert why_not(actions.locate) == "Select a single file that has failed"


def test_process_next_needs_a_waiting_file_and_retry_a_finished_one(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(3)
    windows.jobs_db.fail(keys[:1])
    window = windows.open()
    actions = window.menu_actions
    names = windows.names()
    failed = names.index(windows.jobs_db.jobs.page(keys[:1])[keys[0]].name)
    window.view.select_rows(failed, failed)
    wait_for_sums(window, qtbot)
    assert actions.retry.isEnabled()
    assert why_not(actions.process_next) == "None of the selected files is waiting in this queue"
    waiting = next(row for row in range(3) if row != failed)
    window.view.select_rows(waiting, waiting)
    qtbot.waitUntil(lambda: not actions.retry.isEnabled())
    assert why_not(actions.retry) == "None of the selected files has finished yet"
    assert actions.process_next.isEnabled()
    window.view.selectAll()
    qtbot.waitUntil(lambda: actions.retry.isEnabled() and actions.process_next.isEnabled())


def test_a_file_that_waits_in_another_queue_can_be_retried_here(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(1)
    window = windows.open()
    sums = window.selected
    window.view.select_rows(0, 0)
    wait_for_sums(window, qtbot)
    counts = windows.controller().totals.counts
    window.menu_actions.update(counts, sums.current, listed=1, is_loaded=True, queue="another queue")
    assert window.menu_actions.retry.isEnabled()
    assert not window.menu_actions.process_next.isEnabled()


def test_hints_are_tool_tips_in_menus_too_and_never_cover_the_status_bar(windows: WindowFactory) -> None:
    window = windows.open()
    menus = [action.menu() for action in window.menuBar().actions()]
    assert all(isinstance(menu, QMenu) and menu.toolTipsVisible() for menu in menus)
    menu = context_menu(window.menu_actions, window)
    assert menu.toolTipsVisible()
    menu.deleteLater()
    (bar,) = window.findChildren(QToolBar)
    pause = bar.widgetForAction(window.menu_actions.pause)
    QTest.mouseMove(pause, QPoint(5, 5))
    QApplication.sendEvent(pause, QEvent(QEvent.Type.Enter))
    assert window.status.currentMessage() == ""
    assert window.status.connection.isVisible()
    for action in (*window.menu_actions.all, *window.findChildren(type(window.menu_actions.pause))):
        assert not action.statusTip()
    QApplication.sendEvent(window, QStatusTipEvent(""))
    assert window.status.connection.isVisible()
