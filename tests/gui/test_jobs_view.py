from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop_app.domain.job import Status
from desktop_app.gui.table.columns import PROGRESS, STATUS
from desktop_app.gui.theme.theme import DARK, LIGHT

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.theme.theme import Theme
    from tests.gui.conftest import WindowFactory


@pytest.fixture
def view(windows: WindowFactory) -> JobsView:
    keys = windows.jobs_db.add_many(12)
    windows.jobs_db.change(keys[1], status=Status.PROCESSING, bytes_done=500)
    windows.jobs_db.finish(keys[2])
    windows.jobs_db.fail(keys[3])
    window = windows.open()
    window.view.setFocus()
    return window.view


def cell(view: JobsView, row: int, column: int) -> QImage:
    return view.viewport().grab(view.visualRect(view.model().index(row, column))).toImage()


def has_colour(image: QImage, colour: str) -> bool:
    wanted = QColor(colour).rgb()
    return any(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def select(view: JobsView, *rows: int) -> None:
    view.clearSelection()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in rows:
        view.selectionModel().select(view.model().index(row, 0), flags)


def test_selected_keys_are_in_the_order_of_the_list(view: JobsView, windows: WindowFactory) -> None:
    select(view, 7, 2, 3)
    assert view.selected_rows() == [(2, 2), (3, 3), (7, 7)] or view.selected_rows() == [(2, 3), (7, 7)]
    assert list(view.selected_ids()) == [windows.controller().model.ids[row] for row in (2, 3, 7)]
    assert view.selected_count() == 3


def test_home_and_end_go_to_the_first_and_last_row(view: JobsView, qtbot: QtBot) -> None:
    view.setCurrentIndex(view.model().index(5, 2))
    QTest.keyClick(view, Qt.Key.Key_End)
    assert (view.currentIndex().row(), view.currentIndex().column()) == (11, 2)
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 0
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 1


def test_typing_does_not_search_through_all_rows(view: JobsView, qtbot: QtBot) -> None:
    view.setCurrentIndex(view.model().index(3, 0))
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view.currentIndex().row() == 3


def test_escape_clears_the_selection(view: JobsView, qtbot: QtBot) -> None:
    view.selectAll()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.selected_count() == 0
    QTest.keyClick(view, Qt.Key.Key_Escape)


def test_tab_leaves_the_table(view: JobsView) -> None:
    assert not view.tabKeyNavigation()


def test_menu_key_opens_the_menu_below_the_current_row(view: JobsView, qtbot: QtBot) -> None:
    view.setCurrentIndex(view.model().index(4, 0))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0))
    with qtbot.waitSignal(view.menu_requested) as wanted:
        QApplication.sendEvent(view.viewport(), event)
    row = view.visualRect(view.currentIndex())
    assert wanted.args == [view.viewport().mapToGlobal(row.bottomLeft())]
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.close()
    mouse = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(9, 9), QPoint(109, 99))
    with qtbot.waitSignal(view.menu_requested) as wanted:
        QApplication.sendEvent(view.viewport(), mouse)
    assert wanted.args == [QPoint(109, 99)]
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.close()


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_status_icon_has_the_colour_of_the_status_or_of_the_selection(
    view: JobsView, theme: Theme, colours: object
) -> None:
    assert colours in {LIGHT, DARK}
    theme.use(DARK if colours is DARK else LIGHT)
    try:
        assert has_colour(cell(view, 3, STATUS), theme.colours.failed)
        assert has_colour(cell(view, 2, STATUS), theme.colours.processed)
        select(view, 3)
        selected = cell(view, 3, STATUS)
        assert has_colour(selected, theme.colours.selected_text)
        assert not has_colour(selected, theme.colours.failed)
    finally:
        theme.use(LIGHT)


def test_progress_is_painted_only_for_running_files(view: JobsView) -> None:
    assert has_colour(cell(view, 1, PROGRESS), LIGHT.accent)
    assert not has_colour(cell(view, 2, PROGRESS), LIGHT.accent)
    select(view, 1)
    assert not has_colour(cell(view, 1, PROGRESS), LIGHT.failed)
    assert has_colour(cell(view, 1, PROGRESS), LIGHT.selected_text)


def test_focus_ring_is_shown_only_after_keyboard_use(view: JobsView, qtbot: QtBot) -> None:
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    view.setFocus()
    centre = view.visualRect(view.model().index(6, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    view.clearSelection()
    assert not has_colour(cell(view, 6, 0), LIGHT.accent)
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert has_colour(cell(view, 7, 0), LIGHT.accent)


def test_rows_have_a_fixed_height_that_follows_the_font(view: JobsView) -> None:
    before = view.rowHeight(0)
    font = view.font()
    font.setPointSizeF(font.pointSizeF() * 2)
    view.setFont(font)
    assert view.rowHeight(0) > before * 1.4
