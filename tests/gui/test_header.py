from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHeaderView, QMenu

from desktop_app.domain.job import Status
from desktop_app.domain.query import Sort
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS, LINES, NAME, PROGRESS, REASON, STATUS
from desktop_app.gui.table.view import JobsView
from desktop_app.gui.table.widths import CELL_PADDING
from desktop_app.gui.window_memory import ColumnLayout
from desktop_app.gui.wording import Wording

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.table.header import JobsHeader
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

SIZE = COLUMN_OF_ID["size"]
NUMBERS = (LINES, SIZE, COLUMN_OF_ID["added"], COLUMN_OF_ID["took"])
FIRST_SHOWN = ["name", "status", "lines", "size", "added", "took"]
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def open_wide(windows: WindowFactory, *, active: bool = False) -> MainWindow:
    """Open a window without the sidebar, so that there is room for all columns."""
    window = windows.open_active() if active else windows.open()
    window.menu_actions.sidebar.setChecked(False)
    window.resize(900, 500)
    return window


@pytest.fixture
def header(windows: WindowFactory) -> JobsHeader:
    windows.jobs_db.add("a.txt", "b.txt")
    return open_wide(windows).view.header


def shown(header: JobsHeader) -> list[str]:
    return [column.id for column in header.shown_columns()]


def widths(header: JobsHeader) -> dict[str, int]:
    return {column.id: header.sectionSize(COLUMN_OF_ID[column.id]) for column in header.shown_columns()}


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


def test_size_column_fits_its_content_by_default(header: JobsHeader) -> None:
    metrics = header.fontMetrics()
    room = header.sectionSize(SIZE) - 2 * CELL_PADDING
    for text in (Wording(QLocale()).size(size) for size in (888, 888_800, 888_800_000)):
        assert metrics.horizontalAdvance(text) <= room, text


def test_no_column_measures_all_cells(header: JobsHeader) -> None:
    modes = {header.sectionResizeMode(number) for number in range(header.count())}
    assert modes == {QHeaderView.ResizeMode.Interactive}


def test_columns_can_be_hidden_and_shown_except_the_name(header: JobsHeader) -> None:
    menu = menu_of(header)
    by_title = {action.text(): action for action in menu.actions()}
    assert not by_title["Name"].isEnabled()
    by_title["Size"].trigger()
    assert "size" not in shown(header)
    assert sum(header.sectionSize(number) for number in range(header.count())) == header.viewport().width()
    again = {action.text(): action for action in menu_of(header).actions()}
    assert not again["Size"].isChecked()
    again["Size"].trigger()
    assert shown(header) == FIRST_SHOWN


def test_name_is_stretched_if_the_status_is_hidden(header: JobsHeader) -> None:
    header.show_column(STATUS, False)
    assert sum(header.sectionSize(number) for number in range(header.count())) == header.viewport().width()


def test_reset_restores_the_default_layout(header: JobsHeader) -> None:
    first = widths(header)
    header.moveSection(0, 4)
    header.resizeSection(SIZE, 300)
    header.show_column(PROGRESS, True)
    assert widths(header) != first
    reset = next(action for action in menu_of(header).actions() if action.text() == "Reset Columns")
    reset.trigger()
    assert widths(header) == first
    assert header.column_layout() == []


def test_layout_is_restored_by_column_id(header: JobsHeader) -> None:
    header.restore_layout(
        [
            ColumnLayout("size", 133),
            ColumnLayout("of-another-version", 50),
            ColumnLayout("name", 255, shown=False),
            ColumnLayout("took", 5, shown=False),
        ]
    )
    assert shown(header)[:2] == ["size", "name"]
    assert "took" not in shown(header)
    assert header.sectionSize(SIZE) == 133
    assert header.sectionSize(NAME) == 255
    # Columns not in the layout keep their order behind the others.
    assert shown(header)[2:] == ["status", "lines", "added"]


def test_hidden_column_keeps_its_width(header: JobsHeader) -> None:
    header.resizeSection(SIZE, 144)
    header.show_column(SIZE, False)
    layout = {column.id: column for column in header.column_layout()}
    assert layout["size"] == ColumnLayout("size", 144, shown=False)
    assert header.isSectionHidden(SIZE)


def test_click_sorts_and_second_click_reverses_the_order(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("b", "a")
    window = open_wide(windows)
    model, header = windows.controller().model, window.view.header
    place = QPoint(header.sectionViewportPosition(NAME) + 30, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "a")
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "b")
    assert model.order == Sort.by("name", descending=True)


def test_sorting_without_the_mouse(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("b", "a")
    window = open_wide(windows)
    model = windows.controller().model
    actions = {action.text(): action for action in menu_of(window.view.header, sorting=True).actions()}
    assert actions["Added"].isChecked()
    assert actions["Ascending"].isChecked()
    actions["Name"].trigger()
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "a")
    actions["Descending"].trigger()
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "b")


def popup(qtbot: QtBot) -> QMenu:
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def test_menu_opens_at_the_mouse_pointer(header: JobsHeader, qtbot: QtBot) -> None:
    place = header.viewport().mapToGlobal(QPoint(5, 5))
    QApplication.sendEvent(header.viewport(), QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), place))
    menu = popup(qtbot)
    assert menu.pos() == place
    assert [action.text() for action in menu.actions()][-2:] == ["Fit Columns", "Reset Columns"]
    menu.close()


# --- the second key


def click(header: JobsHeader, number: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = QPoint(header.sectionViewportPosition(number) + 30, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, held, place)


@pytest.fixture
def three(windows: WindowFactory) -> MainWindow:
    """Two files of equal size, added in reverse order of their names, and a smaller one."""
    windows.jobs_db.add("b", "a", size=2)
    windows.jobs_db.add("c", size=1)
    return open_wide(windows)


def then_of(header: JobsHeader) -> tuple[int, Qt.SortOrder] | None:
    return header.second


def test_shift_click_sorts_rows_with_equal_first_keys(three: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    header = three.view.header
    click(header, SIZE)
    qtbot.waitUntil(lambda: windows.names() == ["c", "b", "a"])
    click(header, NAME, SHIFT)
    qtbot.waitUntil(lambda: windows.names() == ["c", "a", "b"])
    assert then_of(header) == (NAME, UP)
    assert header.sortIndicatorSection() == SIZE
    click(header, NAME, SHIFT)
    qtbot.waitUntil(lambda: windows.names() == ["c", "b", "a"])
    assert then_of(header) == (NAME, DOWN)
    click(header, NAME, SHIFT)
    assert then_of(header) is None
    click(header, NAME, SHIFT)
    click(header, SIZE, SHIFT)
    assert then_of(header) == (NAME, UP)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b", "c"])


def test_second_key_stays_when_the_first_is_reversed_and_is_cleared_by_another(
    three: MainWindow, windows: WindowFactory
) -> None:
    header = three.view.header
    click(header, SIZE)
    click(header, NAME, SHIFT)
    click(header, SIZE)
    assert (header.sortIndicatorOrder(), header.second) == (DOWN, (NAME, UP))
    click(header, NAME)
    assert (header.sortIndicatorSection(), header.second) == (NAME, None)
    assert windows.controller().model.order == Sort.by("name")


def test_shift_click_at_an_edge_resizes(three: MainWindow) -> None:
    header = three.view.header
    edge = QPoint(header.sectionViewportPosition(SIZE) + header.sectionSize(SIZE) - 1, 5)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, SHIFT, edge)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.RightButton, SHIFT, QPoint(30, 5))
    QTest.mousePress(header.viewport(), Qt.MouseButton.LeftButton, SHIFT, QPoint(30, 5))
    QTest.mouseRelease(header.viewport(), Qt.MouseButton.LeftButton, SHIFT, edge + QPoint(-30, 0))
    assert header.second is None
    assert header.sortIndicatorSection() == COLUMN_OF_ID["added"]


def test_second_key_is_chosen_in_the_menu(three: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    header = three.view.header
    header.setSortIndicator(SIZE, UP)

    def then() -> dict[str, QAction]:
        menus = (action.menu() for action in menu_of(header, sorting=True).actions())
        menu = next(menu for menu in menus if isinstance(menu, QMenu))
        return {action.text(): action for action in menu.actions()}

    assert "Size" not in then()
    assert then()["Order Added"].isChecked()
    assert not then()["Descending"].isEnabled()
    then()["Name"].trigger()
    qtbot.waitUntil(lambda: windows.names() == ["c", "a", "b"])
    assert then()["Name"].isChecked()
    then()["Descending"].trigger()
    qtbot.waitUntil(lambda: windows.names() == ["c", "b", "a"])
    then()["Order Added"].trigger()
    assert header.second is None


def test_order_and_columns_are_restored_after_a_restart(
    three: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    header = three.view.header
    click(header, SIZE)
    click(header, NAME, SHIFT)
    click(header, NAME, SHIFT)
    header.show_column(COLUMN_OF_ID["folder"], True)
    three.close()
    again = open_wide(windows).view.header
    assert (again.sortIndicatorSection(), again.sortIndicatorOrder(), again.second) == (SIZE, UP, (NAME, DOWN))
    qtbot.waitUntil(lambda: windows.names() == ["c", "b", "a"])
    assert "folder" in shown(again)


def test_accessible_heading_tells_the_sort_order(three: MainWindow, windows: WindowFactory) -> None:
    header, model = three.view.header, windows.controller().model
    click(header, SIZE)
    click(header, SIZE)
    click(header, NAME, SHIFT)

    def spoken(number: int) -> object:
        return model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole)

    assert spoken(SIZE) == "Size, sorted in descending order"
    assert spoken(NAME) == "Name, second sort column, ascending"
    click(header, NAME, SHIFT)
    assert spoken(NAME) == "Name, second sort column, descending"
    assert spoken(STATUS) == "Status"
    table = QAccessible.queryAccessibleInterface(three.view)
    texts = [table.child(at).text(QAccessible.Text.Name) for at in range(table.childCount())]
    assert "Size, sorted in descending order" in texts


# --- by keyboard


def view_of(header: JobsHeader) -> JobsView:
    view = header.parent()
    assert isinstance(view, JobsView)
    return view


@pytest.fixture
def keyed(windows: WindowFactory, qtbot: QtBot) -> JobsHeader:
    windows.jobs_db.add("b", "a", size=2)
    header = open_wide(windows, active=True).view.header
    QTest.keyClick(view_of(header), Qt.Key.Key_Tab)
    assert header.hasFocus()
    return header


def test_keys_move_between_titles_and_sort(keyed: JobsHeader, windows: WindowFactory, qtbot: QtBot) -> None:
    QTest.keyClick(keyed, Qt.Key.Key_Home)
    assert (keyed.current, keyed.accessibleDescription()) == (NAME, "Name")
    QTest.keyClick(keyed, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b"])
    assert keyed.accessibleDescription() == "Name, sorted in ascending order"
    QTest.keyClick(keyed, Qt.Key.Key_Right)
    QTest.keyClick(keyed, Qt.Key.Key_Return, SHIFT)
    assert keyed.second == (STATUS, UP)
    QTest.keyClick(keyed, Qt.Key.Key_End)
    assert keyed.current == COLUMN_OF_ID["took"]
    QTest.keyClick(keyed, Qt.Key.Key_Right)
    QTest.keyClick(keyed, Qt.Key.Key_Left)
    assert keyed.current == COLUMN_OF_ID["added"]
    QTest.keyClick(keyed, Qt.Key.Key_X)
    assert keyed.hasFocus()


def test_new_order_is_always_announced(keyed: JobsHeader, heard: list[str]) -> None:
    click(keyed, SIZE)
    QTest.keyClick(keyed, Qt.Key.Key_Home)
    QTest.keyClick(keyed, Qt.Key.Key_Space, SHIFT)
    QTest.keyClick(keyed, Qt.Key.Key_Space, SHIFT)
    assert heard == [
        "Sorted by Size",
        "Name",
        "Sorted by Size, then by Name",
        "Sorted by Size, then by Name (descending)",
    ]


def test_keys_move_and_resize_columns(keyed: JobsHeader) -> None:
    QTest.keyClick(keyed, Qt.Key.Key_Home)
    QTest.keyClick(keyed, Qt.Key.Key_Right, CTRL)
    QTest.keyClick(keyed, Qt.Key.Key_Left, CTRL)
    QTest.keyClick(keyed, Qt.Key.Key_Right, CTRL)
    assert shown(keyed)[:3] == ["status", "name", "lines"]
    before = keyed.sectionSize(NAME)
    QTest.keyClick(keyed, Qt.Key.Key_Right, SHIFT)
    assert keyed.sectionSize(NAME) > before
    QTest.keyClick(keyed, Qt.Key.Key_Left, SHIFT)
    assert keyed.sectionSize(NAME) == before


@pytest.mark.parametrize(("key", "held"), [(Qt.Key.Key_F10, CTRL | SHIFT), (Qt.Key.Key_Menu, None)])
def test_menu_opens_by_key_below_the_title(
    keyed: JobsHeader, qtbot: QtBot, key: Qt.Key, held: Qt.KeyboardModifier | None
) -> None:
    QTest.keyClick(keyed, Qt.Key.Key_Home)
    QTest.keyClick(keyed, key, held or Qt.KeyboardModifier.NoModifier)
    menu = popup(qtbot)
    assert menu.pos() == keyed.viewport().mapToGlobal(QPoint(keyed.sectionViewportPosition(NAME), keyed.height()))
    menu.close()


def test_column_menu_opens_from_the_list_too(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a")
    window = open_wide(windows, active=True)
    QTest.keyClick(window.view, Qt.Key.Key_F10, CTRL | SHIFT)
    menu = popup(qtbot)
    assert menu.actions()[0].text() == "Name"
    menu.close()


def test_focused_title_is_scrolled_into_view(keyed: JobsHeader, qtbot: QtBot) -> None:
    for number in range(len(COLUMNS)):
        keyed.show_column(number, True)
    qtbot.waitUntil(lambda: view_of(keyed).horizontalScrollBar().maximum() > keyed.width())
    QTest.keyClick(keyed, Qt.Key.Key_End)
    end = keyed.sectionViewportPosition(keyed.current) + keyed.sectionSize(keyed.current)
    assert 0 < end <= keyed.viewport().width()
    QTest.keyClick(keyed, Qt.Key.Key_Home)
    assert keyed.sectionViewportPosition(NAME) == 0


def test_hidden_title_does_not_keep_the_focus(keyed: JobsHeader) -> None:
    QTest.keyClick(keyed, Qt.Key.Key_End)
    keyed.show_column(keyed.current, False)
    keyed.show_column(COLUMN_OF_ID["added"], False)
    view_of(keyed).setFocus()
    keyed.setFocus()
    assert keyed.current == NAME


# --- shown columns


def test_fit_columns_fits_visible_cells(windows: WindowFactory) -> None:
    windows.jobs_db.add("a name that is quite a bit longer than its column is at first.txt", size=10**9)
    header = open_wide(windows).view.header
    header.resizeSection(SIZE, 300)
    header.resizeSection(NAME, before := 90)
    next(action for action in menu_of(header).actions() if action.text() == "Fit Columns").trigger()
    assert header.sectionSize(NAME) > before
    assert header.sectionSize(SIZE) < 150


def test_reason_column_is_shown_when_files_have_failed(windows: WindowFactory, qtbot: QtBot) -> None:
    a, _ = windows.jobs_db.add("a", "b")
    windows.jobs_db.fail(a)
    window = open_wide(windows, active=True)
    header = window.view.header
    with_reason = ["name", "status", "reason", "lines", "size", "added", "took"]
    qtbot.waitUntil(lambda: shown(header) == with_reason)
    QTest.keyClick(window.view, Qt.Key.Key_5, CTRL)
    assert shown(header) == [name for name in with_reason if name != "lines"]
    QTest.keyClick(window.view, Qt.Key.Key_4, CTRL)
    qtbot.waitUntil(lambda: shown(header) == FIRST_SHOWN)
    QTest.keyClick(window.view, Qt.Key.Key_1, CTRL)
    qtbot.waitUntil(lambda: shown(header) == with_reason)
    windows.jobs_db.finish(a)
    qtbot.waitUntil(lambda: windows.controller().totals.counts.failed == 0)
    assert shown(header) == with_reason  # it does not come and go while files are unfinished
    assert header.column_layout() == []  # no choice of a person


def test_reason_column_is_hidden_when_there_are_no_reasons(windows: WindowFactory, qtbot: QtBot) -> None:
    a, b = windows.jobs_db.add("a", "b")
    windows.jobs_db.fail(a)
    windows.jobs_db.finish(b)
    window = open_wide(windows, active=True)
    header = window.view.header
    qtbot.waitUntil(lambda: header.shows(REASON))
    QTest.keyClick(window.view, Qt.Key.Key_4, CTRL)
    qtbot.waitUntil(lambda: not header.shows(REASON))
    QTest.keyClick(window.view, Qt.Key.Key_1, CTRL)
    assert header.shows(REASON)
    windows.jobs_db.finish(a)
    qtbot.waitUntil(lambda: not header.shows(REASON))


def test_reason_column_is_shown_for_a_visible_file_that_waits_for_a_reason(
    windows: WindowFactory, qtbot: QtBot
) -> None:
    a, _ = windows.jobs_db.add("a", "b")
    window = open_wide(windows, active=True)
    header = window.view.header
    assert not header.shows(REASON)
    windows.jobs_db.change(a, next_try_at=5)
    qtbot.waitUntil(lambda: header.shows(REASON))


def test_choice_of_the_user_for_the_reason_column_is_kept(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.fail(windows.jobs_db.add("a", "b")[0])
    window = open_wide(windows, active=True)
    header = window.view.header
    qtbot.waitUntil(lambda: header.shows(REASON))
    header.show_column(REASON, False)
    QTest.keyClick(window.view, Qt.Key.Key_5, CTRL)
    header.show_column(REASON, False)
    QTest.keyClick(window.view, Qt.Key.Key_1, CTRL)
    assert not header.shows(REASON)


def test_columns_fill_the_width_again_when_few_rows_are_left(windows: WindowFactory, qtbot: QtBot) -> None:
    """The scroll bar disappears and frees its space."""
    windows.jobs_db.fail(windows.jobs_db.add_many(200)[0])
    window = open_wide(windows, active=True)
    view = window.view
    qtbot.waitUntil(view.verticalScrollBar().isVisible)
    window.menu_actions.status_views[4].trigger()
    qtbot.waitUntil(lambda: not view.verticalScrollBar().isVisible())
    assert sum(view.header.sectionSize(number) for number in range(view.header.count())) == view.viewport().width()


def test_column_of_a_later_version_has_its_default_visibility(header: JobsHeader) -> None:
    """A layout saved before a column was added does not contain it."""
    known = [ColumnLayout(name, 100, shown=name != "lines") for name in ("took", "name", "status", "lines")]
    header.restore_layout(known)
    assert shown(header) == ["took", "name", "status", "size", "added"]


# --- automatic widths


def cell_room(header: JobsHeader, number: int) -> int:
    return header.sectionSize(number) - 2 * CELL_PADDING


def fits(header: JobsHeader, number: int, text: str) -> bool:
    return header.fontMetrics().horizontalAdvance(text) <= cell_room(header, number)


@pytest.mark.parametrize("width", [420, 640, 1100, 1900])
def test_numbers_are_never_cut_and_the_columns_fill_the_table(windows: WindowFactory, qtbot: QtBot, width: int) -> None:
    keys = windows.jobs_db.add(*(f"{number} {'x' * 150}.txt" for number in range(3)), size=999_900)
    windows.jobs_db.finish(keys[0], lines=9_876_543)
    windows.jobs_db.fail(keys[1])
    view = open_wide(windows).view
    header = view.header
    qtbot.waitUntil(lambda: header.shows(REASON))
    view.setParent(None)
    view.resize(width, 300)
    view.show()
    qtbot.addWidget(view)
    texts = [(number, str(view.model().index(row, number).data() or "")) for row in range(3) for number in NUMBERS]
    qtbot.waitUntil(lambda: all(fits(header, number, text) for number, text in texts if header.shows(number)))
    assert header.length() == view.viewport().width() == width
    assert header.sectionSize(NAME) >= (180 if width >= 640 else 140)
    # Duration is left out first, and Lines last.
    there = [header.shows(number) for number in NUMBERS]
    assert there == sorted(there, reverse=True)
    assert (sum(there) < 4) is (width < 700)


def test_column_grows_for_a_wider_number_and_does_not_shrink_again(windows: WindowFactory, qtbot: QtBot) -> None:
    key = windows.jobs_db.add("a")[0]
    windows.jobs_db.finish(key, lines=5)
    header = open_wide(windows).view.header
    before = header.sectionSize(LINES)
    assert not fits(header, LINES, "123,456,789,012")
    windows.jobs_db.change(key, lines_count=123_456_789_012)
    qtbot.waitUntil(lambda: fits(header, LINES, "123,456,789,012"))
    wide = header.sectionSize(LINES)
    assert before < wide
    assert header.length() == header.viewport().width()
    windows.jobs_db.change(key, lines_count=5)
    qtbot.waitUntil(lambda: view_of(header).model().index(0, LINES).data() == "5")
    assert header.sectionSize(LINES) == wide


def test_name_gets_what_a_person_takes_from_another_column(header: JobsHeader) -> None:
    before = header.sectionSize(NAME)
    edge = QPoint(header.sectionViewportPosition(SIZE) + header.sectionSize(SIZE) - 1, 5)
    QTest.mousePress(header.viewport(), Qt.MouseButton.LeftButton, pos=edge)
    QTest.mouseMove(header.viewport(), edge + QPoint(40, 0))
    QTest.mouseRelease(header.viewport(), Qt.MouseButton.LeftButton, pos=edge + QPoint(40, 0))
    assert header.sectionSize(NAME) == before - 40
    assert header.length() == header.viewport().width()


def test_own_widths_are_kept_and_the_others_stay_automatic(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a")
    first = open_wide(windows)
    own = first.view.header.sectionSize(SIZE) + 9
    first.view.header.resizeSection(SIZE, own)
    first.close()
    header = open_wide(windows).view.header
    assert header.sectionSize(SIZE) == own
    assert header.length() == header.viewport().width()
    header.resizeSection(NAME, 5_000)
    header.fit()
    assert header.length() > 5_000
    assert shown(header) == FIRST_SHOWN


def test_name_and_reason_share_the_room(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.fail(windows.jobs_db.add("x" * 200)[0], Reason(ReasonCode.TEXT, {"text": "y" * 20}))
    header = open_wide(windows).view.header
    qtbot.waitUntil(lambda: header.shows(REASON))
    view_of(header).grab()
    view_of(header).window().resize(1800, 500)
    assert fits(header, REASON, "y" * 20)
    assert header.sectionSize(NAME) > header.sectionSize(REASON)
    windows.jobs_db.fail(windows.jobs_db.add("b")[0], Reason(ReasonCode.TEXT, {"text": "y" * 200}))
    qtbot.waitUntil(lambda: not fits(header, NAME, "x" * 200) and not fits(header, REASON, "y" * 200))
    qtbot.waitUntil(lambda: abs(2 * header.sectionSize(NAME) - 3 * header.sectionSize(REASON)) <= 5)


def test_name_is_wider_than_the_reason_in_a_new_window(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.fail(windows.jobs_db.add("x" * 200)[0], Reason(ReasonCode.TEXT, {"text": "y" * 200}))
    windows.jobs_db.finish(windows.jobs_db.add("x" * 200)[0], lines=7)
    window = windows.open()
    window.resize(1100, 700)
    header = window.view.header
    qtbot.waitUntil(lambda: header.shows(REASON))
    view_of(header).grab()
    qtbot.waitUntil(lambda: header.sectionSize(NAME) >= 1.4 * header.sectionSize(REASON))
    assert header.length() == header.viewport().width()


def test_reason_gets_the_room_that_the_failed_files_do_not_need(windows: WindowFactory, qtbot: QtBot) -> None:
    reason = "y" * 30
    windows.jobs_db.fail(windows.jobs_db.add("a")[0], Reason(ReasonCode.TEXT, {"text": reason}))
    windows.jobs_db.add("x" * 200)
    window = open_wide(windows, active=True)
    header = window.view.header
    qtbot.waitUntil(lambda: header.shows(REASON))
    qtbot.waitUntil(lambda: header.sectionSize(NAME) > header.sectionSize(REASON))
    assert not fits(header, REASON, reason)
    window.sidebar.choose_status(Status.FAILED)
    qtbot.waitUntil(lambda: fits(header, REASON, reason))


def test_header_does_not_follow_the_selection(windows: WindowFactory) -> None:
    windows.jobs_db.add_many(3)
    window = open_wide(windows)
    window.view.selectAll()
    assert window.view.selected_count() == 3
    assert window.view.header.selectionModel() is not window.view.selectionModel()
    assert not window.view.header.selectionModel().hasSelection()


def test_column_without_an_order_does_not_sort(three: MainWindow) -> None:
    header = three.view.header
    columns = header._columns.all
    columns[SIZE] = replace(columns[SIZE], sort_key=None)
    before = header.order()
    click(header, SIZE)
    click(header, SIZE, SHIFT)
    assert (header.order(), header.sortIndicatorSection()) == (before, COLUMN_OF_ID["added"])
    assert "Size" not in [action.text() for action in menu_of(header, sorting=True).actions()]
