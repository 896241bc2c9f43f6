"""Pause, Resume, and Pause After the Current Files, by keyboard and by mouse."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolBar, QToolButton

from desktop_app.domain.errors import SettingsError
from desktop_app.gui.connection.status import LoopKind, Mark
from desktop_app.services.control import RunMode
from desktop_app.services.loops import LoopState, Phase
from tests.gui.conftest import WindowFactory, notice_text

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def button_of(window: MainWindow) -> QToolButton:
    (bar,) = window.findChildren(QToolBar)
    button = bar.widgetForAction(window.menu_actions.pause)
    assert isinstance(button, QToolButton)
    return button


def test_pause_and_resume_by_keyboard_are_shown_everywhere(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a.txt")
    window = windows.open_active()
    for loop in LoopKind:
        windows.states.set_state(loop, LoopState(Phase.RUNNING))
    QTest.keyClick(window.view, Qt.Key.Key_P, CTRL)
    assert windows.control.mode is RunMode.PAUSED
    assert windows.remembered == [True]
    qtbot.waitUntil(lambda: window.windowTitle().startswith("[Paused] 0"))
    assert (windows.states.text.mark, window.status.connection.shown.text) == (Mark.PAUSED, "Paused")
    assert notice_text(window).startswith("Paused.")
    assert button_of(window).text() == "Resume"
    assert button_of(window).accessibleName() == "Resume"
    assert not window.menu_actions.stop_after_current.isEnabled()
    QTest.keyClick(window.view, Qt.Key.Key_P, CTRL)
    assert windows.control.mode.value == RunMode.RUNNING
    assert windows.remembered == [True, False]
    assert window.windowTitle().startswith("0")
    assert window.status.connection.shown.text == "Local queue"
    assert button_of(window).accessibleName() == "Pause"
    assert window.menu_actions.stop_after_current.isEnabled()


def test_pause_and_resume_by_mouse(windows: WindowFactory) -> None:
    window = windows.open()
    QTest.mouseClick(button_of(window), Qt.MouseButton.LeftButton)
    assert windows.control.mode is RunMode.PAUSED
    QTest.mouseClick(button_of(window), Qt.MouseButton.LeftButton)
    assert windows.control.mode.value == RunMode.RUNNING


def test_pause_after_the_current_files_is_reported(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a.txt", "b.txt")
    window = windows.open_active()
    with windows.control.consuming(serves_priorities=True):
        QTest.keyClick(window.view, Qt.Key.Key_P, CTRL | SHIFT)
        assert (windows.control.mode, windows.remembered) == (RunMode.FINISHING, [True])
        assert window.windowTitle().startswith("[Pausing] ")
        assert window.status.connection.shown.text == "Pausing…"
        assert "when the current files are finished" in notice_text(window)
        threading.Thread(target=windows.control.note_idle).start()  # as the consumer does
        qtbot.waitUntil(lambda: window.windowTitle().startswith("[Paused] "))
    assert notice_text(window) == "Paused after the current files. 2 files are waiting."
    (resume,) = window.notices.buttons
    QTest.mouseClick(resume, Qt.MouseButton.LeftButton)
    assert windows.control.mode.value == RunMode.RUNNING
    assert windows.remembered == [True, False]


def test_pause_after_the_current_files_can_be_cancelled(windows: WindowFactory) -> None:
    window = windows.open_active()
    with windows.control.consuming(serves_priorities=True):
        window.menu_actions.stop_after_current.trigger()
        assert window.menu_actions.pause.text() == "Res&ume"
        QTest.keyClick(window.view, Qt.Key.Key_P, CTRL)
    assert windows.control.mode is RunMode.RUNNING


def test_window_reports_at_the_start_that_it_is_still_paused(windows: WindowFactory) -> None:
    windows.control.pause()
    window = windows.open()
    assert window.windowTitle().startswith("[Paused] ")
    assert window.status.connection.shown.text == "Paused"
    assert "is still paused" in notice_text(window)
    QTest.mouseClick(window.notices.buttons[0], Qt.MouseButton.LeftButton)
    assert windows.control.mode.value == RunMode.RUNNING


def test_closed_window_does_not_follow_the_run_mode(windows: WindowFactory) -> None:
    windows.open().close()
    windows.control.pause()
    assert windows.open().windowTitle().startswith("[Paused] ")


def test_pause_that_can_not_be_saved_is_reported_and_takes_effect(
    windows: WindowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: bool) -> None:
        raise SettingsError("The settings can't be written.")

    window = windows.open()
    monkeypatch.setattr(window.pausing, "_save_paused", refuse)
    window.menu_actions.pause.trigger()
    assert windows.control.mode is RunMode.PAUSED
    assert notice_text(window) == "The settings can't be written."


def test_last_state_of_a_paused_consumer_is_not_shown_as_a_problem(windows: WindowFactory) -> None:
    window = windows.open()
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.WAITING, "Amazon SQS can't be reached."))
    assert window.banner.notice is not None
    window.menu_actions.pause.trigger()
    assert window.banner.notice is None
