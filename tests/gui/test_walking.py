"""Going from problem to problem, and following running files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QApplication

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Status
from desktop_app.gui.commands import view as view_commands
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    import threading

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def press(window: MainWindow, windows: WindowFactory, *, back: bool = False) -> list[tuple[int, int]]:
    QTest.keyClick(window.view, Qt.Key.Key_F8, SHIFT if back else Qt.KeyboardModifier.NoModifier)
    windows.settle()
    return window.view.selected_rows()


def test_next_problem_wraps_around(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(9)
    windows.jobs_db.fail([keys[2], keys[5]])
    window = windows.open_active()
    assert [press(window, windows) for _ in range(3)] == [[(2, 2)], [(5, 5)], [(2, 2)]]
    assert press(window, windows, back=True) == [(5, 5)]
    window.view.header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: windows.names()[0] == "file8.txt")
    assert press(window, windows) == [(6, 6)]


def test_next_problem_waits_until_the_order_is_known(
    windows: WindowFactory, slow_reading: threading.Event, qtbot: QtBot
) -> None:
    slow_reading.set()
    keys = windows.jobs_db.add_many(9)
    windows.jobs_db.fail(keys[0])
    window = windows.open_active()
    model = windows.controller().model
    slow_reading.clear()
    window.view.header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: model.shown_order == model.order)
    assert not model.is_current
    QTest.keyClick(window.view, Qt.Key.Key_F8)
    slow_reading.set()
    qtbot.waitUntil(lambda: window.view.selected_rows() == [(8, 8)])
    assert not window.notices.isVisible()


def test_previous_problem_starts_with_the_last_one(windows: WindowFactory) -> None:
    keys = windows.jobs_db.add_many(9)
    windows.jobs_db.fail([keys[2], keys[8]])
    window = windows.open()
    window.activateWindow()
    window.menu_actions.previous_problem.trigger()
    windows.settle()
    assert window.view.selected_rows() == [(8, 8)]


def test_list_without_problems_shows_a_notice(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(3)
    windows.jobs_db.fail(keys[2])
    window = windows.open_active()
    assert window.menu_actions.next_problem.isEnabled()
    window.menu_actions.status_views[1 + Status.PENDING].trigger()
    windows.settle()
    assert press(window, windows) == []
    shown = window.notices.notice
    assert shown is not None
    assert shown.text == "No files in this list have failed."
    window.filter.setText("file1")
    window.menu_actions.status_views[0].trigger()
    qtbot.waitUntil(lambda: windows.names() == ["file1.txt"])
    assert press(window, windows) == []


def test_next_problem_works_again_after_a_database_error(
    windows: WindowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.jobs_db.fail(windows.jobs_db.add_many(3)[1])
    window = windows.open_active()

    def refuse(*_: object) -> None:
        raise StoreError("Locked.")

    monkeypatch.setattr(JobList, "ids", refuse)
    assert press(window, windows) == []
    monkeypatch.undo()
    assert press(window, windows) == [(1, 1)]


# --- following


@pytest.fixture
def followed(windows: WindowFactory, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """Open a window that follows; the 300th of 400 files is being processed."""
    monkeypatch.setattr(view_commands, "FOLLOW_EVERY_MS", 0)
    keys = windows.jobs_db.add_many(400)
    windows.jobs_db.change(keys[300], status=Status.PROCESSING)
    window = windows.open_active()
    QTest.keyClick(window.view, Qt.Key.Key_J, CTRL)
    assert window.menu_actions.follow.isChecked()
    return window


def is_seen(window: MainWindow, row: int) -> bool:
    rect = window.view.visualRect(window.view.model().index(row, 0))
    return window.view.viewport().rect().contains(rect.center())


def test_running_file_is_kept_in_view(followed: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: is_seen(followed, 300))
    keys = list(windows.controller().model.ids)
    windows.jobs_db.finish(keys[300])
    windows.jobs_db.change(keys[20], status=Status.PROCESSING)
    qtbot.waitUntil(lambda: is_seen(followed, 20))
    windows.settle()
    windows.jobs_db.change(keys[22], status=Status.PROCESSING)
    before = followed.view.verticalScrollBar().value()
    windows.controller().feed.look()
    windows.settle()
    assert followed.view.verticalScrollBar().value() == before, "one that is seen already stays where it is"
    QTest.keyClick(followed.view, Qt.Key.Key_J, CTRL)
    windows.jobs_db.finish([keys[20], keys[22]])
    windows.jobs_db.change(keys[390], status=Status.PROCESSING)
    windows.controller().feed.look()
    windows.settle()
    assert not is_seen(followed, 390)


def test_scrolling_stops_following(followed: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: is_seen(followed, 300))
    assert followed.menu_actions.follow.isChecked(), "its own scrolling is not by hand"
    centre = QPointF(followed.view.viewport().rect().center())
    wheel = QWheelEvent(
        centre,
        followed.view.viewport().mapToGlobal(centre),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(followed.view.viewport(), wheel)
    assert not followed.menu_actions.follow.isChecked()


def test_dragging_the_scroll_bar_and_selecting_stop_following(followed: MainWindow, qtbot: QtBot) -> None:
    followed.view.verticalScrollBar().triggerAction(QAbstractSlider.SliderAction.SliderPageStepAdd)
    assert not followed.menu_actions.follow.isChecked()
    followed.menu_actions.follow.trigger()
    assert followed.menu_actions.follow.isChecked()
    followed.view.select_rows(3, 3)
    assert not followed.menu_actions.follow.isChecked()


def test_list_without_running_files_does_not_scroll(followed: MainWindow, windows: WindowFactory) -> None:
    followed.menu_actions.status_views[1 + Status.PENDING].trigger()
    windows.settle()
    followed.view.verticalScrollBar().setValue(0)
    windows.controller().feed.look()
    windows.settle()
    assert followed.view.verticalScrollBar().value() == 0
