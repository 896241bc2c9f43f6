from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHeaderView, QMenu

from desktop_app.gui.columns import COLUMN_OF_ID, COLUMNS, NAME, PROGRESS, STATUS
from desktop_app.gui.window_memory import ColumnLayout
from desktop_app.jobs import SortBy

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.header import JobsHeader
    from tests.gui.conftest import Desk

SIZE = COLUMN_OF_ID["size"]


@pytest.fixture
def header(desk: Desk) -> JobsHeader:
    desk.world.add("a.txt", "b.txt")
    return desk.window().view.header


def shown(header: JobsHeader) -> list[str]:
    return [column.id for column in header.layout_of_columns() if not column.hidden]


def menu_of(header: JobsHeader, *, sorting: bool = False) -> QMenu:
    menu = QMenu(header)
    if sorting:
        header.fill_sort_menu(menu)
    else:
        header.fill_menu(menu)
    return menu


def test_columns_fill_the_width(header: JobsHeader) -> None:
    total = sum(header.sectionSize(number) for number in range(header.count()))
    assert total == header.viewport().width()


def test_no_column_asks_for_every_cell(header: JobsHeader) -> None:
    modes = {header.sectionResizeMode(number) for number in range(header.count())}
    assert modes == {QHeaderView.ResizeMode.Interactive}


def test_columns_can_be_hidden_and_shown_but_the_name_stays(header: JobsHeader) -> None:
    menu = menu_of(header)
    by_title = {action.text(): action for action in menu.actions()}
    assert not by_title["Name"].isEnabled()
    by_title["Size"].trigger()
    assert "size" not in shown(header)
    assert sum(header.sectionSize(number) for number in range(header.count())) == header.viewport().width()
    again = {action.text(): action for action in menu_of(header).actions()}
    assert not again["Size"].isChecked()
    again["Size"].trigger()
    assert shown(header) == [column.id for column in COLUMNS]


def test_name_takes_the_room_if_the_status_is_hidden(header: JobsHeader) -> None:
    header.show_column(STATUS, False)
    assert sum(header.sectionSize(number) for number in range(header.count())) == header.viewport().width()


def test_reset_brings_the_first_layout_back(header: JobsHeader) -> None:
    first = header.layout_of_columns()
    header.moveSection(0, 4)
    header.resizeSection(SIZE, 300)
    header.show_column(PROGRESS, False)
    reset = next(action for action in menu_of(header).actions() if action.text() == "Reset Columns")
    reset.trigger()
    assert header.layout_of_columns() == first


def test_layout_is_taken_by_the_columns_ids(header: JobsHeader) -> None:
    header.take_layout(
        [
            ColumnLayout("size", 133, hidden=False),
            ColumnLayout("of-another-version", 50, hidden=False),
            ColumnLayout("name", 255, hidden=True),
            ColumnLayout("took", 5, hidden=True),
        ]
    )
    assert shown(header)[:2] == ["size", "name"]
    assert "took" not in shown(header)
    assert header.sectionSize(SIZE) == 133
    assert header.sectionSize(NAME) == 255
    # Columns that the layout does not know keep their order behind those that it does.
    assert shown(header)[2:] == ["status", "progress", "lines", "added"]


def test_hidden_column_keeps_its_width(header: JobsHeader) -> None:
    header.resizeSection(SIZE, 144)
    header.show_column(SIZE, False)
    layout = {column.id: column for column in header.layout_of_columns()}
    assert layout["size"] == ColumnLayout("size", 144, hidden=True)
    assert header.isSectionHidden(SIZE)


def test_click_sorts_and_second_click_turns_around(desk: Desk, qtbot: QtBot) -> None:
    desk.world.add("b", "a")
    window = desk.window()
    model, header = desk.bench().model, window.view.header
    place = QPoint(header.sectionViewportPosition(NAME) + 30, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "a")
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "b")
    assert (model.query.sort_by, model.query.descending) == (SortBy.NAME, True)


def test_sorting_without_the_mouse(desk: Desk, qtbot: QtBot) -> None:
    desk.world.add("b", "a")
    window = desk.window()
    model = desk.bench().model
    actions = {action.text(): action for action in menu_of(window.view.header, sorting=True).actions()}
    assert actions["Added"].isChecked()
    assert actions["Ascending"].isChecked()
    actions["Name"].trigger()
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "a")
    actions["Descending"].trigger()
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "b")


def test_menu_opens_beside_the_mouse(header: JobsHeader, qtbot: QtBot) -> None:
    header.customContextMenuRequested.emit(QPoint(5, 5))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.close()


def test_header_does_not_follow_the_selection(desk: Desk) -> None:
    desk.world.add_many(3)
    window = desk.window()
    window.view.selectAll()
    assert window.view.selected_count() == 3
    assert window.view.header.selectionModel() is not window.view.selectionModel()
    assert not window.view.header.selectionModel().hasSelection()
