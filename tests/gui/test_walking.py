"""From problem to problem, and along with what is being processed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QApplication

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Status
from desktop_app.gui.table import walking as follow_running
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import Desk

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def press(window: MainWindow, desk: Desk, *, back: bool = False) -> list[tuple[int, int]]:
    QTest.keyClick(window.view, Qt.Key.Key_F8, SHIFT if back else Qt.KeyboardModifier.NoModifier)
    desk.settle()
    return window.view.selected_rows()


def test_problems_are_gone_through_and_round(desk: Desk, qtbot: QtBot) -> None:
    keys = desk.world.add_many(9)
    desk.world.fail([keys[2], keys[5]])
    window = desk.active_window()
    assert [press(window, desk) for _ in range(3)] == [[(2, 2)], [(5, 5)], [(2, 2)]]
    assert press(window, desk, back=True) == [(5, 5)]
    window.view.header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: desk.names()[0] == "file8.txt")
    assert press(window, desk) == [(6, 6)]


def test_first_step_back_comes_to_the_last_problem(desk: Desk) -> None:
    keys = desk.world.add_many(9)
    desk.world.fail([keys[2], keys[8]])
    window = desk.window()
    window.activateWindow()
    window.menu_actions.previous_problem.trigger()
    desk.settle()
    assert window.view.selected_rows() == [(8, 8)]


def test_list_without_a_problem_says_so(desk: Desk, qtbot: QtBot) -> None:
    keys = desk.world.add_many(3)
    desk.world.fail(keys[2])
    window = desk.active_window()
    assert window.menu_actions.next_problem.isEnabled()
    window.menu_actions.status_views[1 + Status.PENDING].trigger()
    desk.settle()
    assert press(window, desk) == []
    shown = window.notices.notice
    assert shown is not None
    assert shown.text == "No file in this list has failed."
    window.filter.setText("file1")
    window.menu_actions.status_views[0].trigger()
    qtbot.waitUntil(lambda: desk.names() == ["file1.txt"])
    assert press(window, desk) == []


def test_walk_goes_on_after_trouble_with_the_database(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.world.fail(desk.world.add_many(3)[1])
    window = desk.active_window()

    def refuse(*_: object) -> None:
        raise StoreError("Locked.")

    monkeypatch.setattr(JobList, "ids", refuse)
    assert press(window, desk) == []
    monkeypatch.undo()
    assert press(window, desk) == [(1, 1)]


# --- following


@pytest.fixture
def followed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A window that follows; the 300th of 400 files is being processed."""
    monkeypatch.setattr(follow_running, "EVERY_MS", 0)
    keys = desk.world.add_many(400)
    desk.world.change(keys[300], status=Status.PROCESSING)
    window = desk.active_window()
    QTest.keyClick(window.view, Qt.Key.Key_J, CTRL)
    assert window.menu_actions.follow.isChecked()
    return window


def is_seen(window: MainWindow, row: int) -> bool:
    rect = window.view.visualRect(window.view.model().index(row, 0))
    return window.view.viewport().rect().contains(rect.center())


def test_file_that_is_processed_is_kept_in_sight(followed: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: is_seen(followed, 300))
    keys = list(desk.bench().model.ids)
    desk.world.finish(keys[300])
    desk.world.change(keys[20], status=Status.PROCESSING)
    qtbot.waitUntil(lambda: is_seen(followed, 20))
    desk.settle()
    desk.world.change(keys[22], status=Status.PROCESSING)
    before = followed.view.verticalScrollBar().value()
    desk.bench().feed.look()
    desk.settle()
    assert followed.view.verticalScrollBar().value() == before, "one that is seen already stays where it is"
    QTest.keyClick(followed.view, Qt.Key.Key_J, CTRL)
    desk.world.finish([keys[20], keys[22]])
    desk.world.change(keys[390], status=Status.PROCESSING)
    desk.bench().feed.look()
    desk.settle()
    assert not is_seen(followed, 390)


def test_scrolling_by_hand_ends_it(followed: MainWindow, qtbot: QtBot) -> None:
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


def test_dragging_the_bar_and_selecting_end_it(followed: MainWindow, qtbot: QtBot) -> None:
    followed.view.verticalScrollBar().triggerAction(QAbstractSlider.SliderAction.SliderPageStepAdd)
    assert not followed.menu_actions.follow.isChecked()
    followed.menu_actions.follow.trigger()
    assert followed.menu_actions.follow.isChecked()
    followed.view.select_rows(3, 3)
    assert not followed.menu_actions.follow.isChecked()


def test_list_that_leaves_out_what_is_processed_stays_where_it_is(followed: MainWindow, desk: Desk) -> None:
    followed.menu_actions.status_views[1 + Status.PENDING].trigger()
    desk.settle()
    followed.view.verticalScrollBar().setValue(0)
    desk.bench().feed.look()
    desk.settle()
    assert followed.view.verticalScrollBar().value() == 0
