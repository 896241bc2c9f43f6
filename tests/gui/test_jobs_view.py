from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QContextMenuEvent, QImage, QPaintEvent, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from desktop_app.domain.job import Status
from desktop_app.gui.table.columns import NAME, PROGRESS, STATUS
from desktop_app.gui.table.model import JobsModel
from desktop_app.gui.theme.theme import DARK, LIGHT
from desktop_app.gui.window.main_window import MainWindow

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

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
    view.setCurrentIndex(view.model().index(5, STATUS))
    QTest.keyClick(view, Qt.Key.Key_End)
    assert (view.currentIndex().row(), view.currentIndex().column()) == (11, STATUS)
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 0
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 1


class PaintedRegion(QObject):
    """Collects what is painted of a widget."""

    def __init__(self) -> None:
        super().__init__()
        self.region = QRegion()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if isinstance(event, QPaintEvent):
            self.region += event.region()
        return False


@pytest.mark.parametrize("way", ["mouse", "key"])
def test_whole_focus_ring_is_erased_when_another_row_becomes_current(
    windows: WindowFactory, qtbot: QtBot, way: str
) -> None:
    windows.jobs_db.add_many(12)
    window = windows.open_active()
    view = window.view
    view.setFocus(Qt.FocusReason.TabFocusReason)
    view.setCurrentIndex(view.model().index(0, 0))
    view.clearSelection()
    view.viewport().repaint()
    painted = PaintedRegion()
    view.viewport().installEventFilter(painted)
    end = QPoint(view.viewport().width() - 3, view.visualRect(view.model().index(0, 0)).center().y())
    if way == "mouse":
        place = view.visualRect(view.model().index(5, 0)).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    else:
        QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    qtbot.waitUntil(lambda: painted.region.contains(end))


@pytest.mark.parametrize(
    ("key", "row"), [(Qt.Key.Key_End, 11), (Qt.Key.Key_Down, 11), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Up, 0)]
)
def test_key_selects_the_row_that_it_leads_to_even_if_it_was_current(view: JobsView, key: Qt.Key, row: int) -> None:
    view.select_rows(4, 4)
    view.selectionModel().setCurrentIndex(view.model().index(row, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
    QTest.keyClick(view, key)
    assert view.selected_rows() == [(row, row)]


def test_tool_tip_does_not_stay_on_another_row(long_view: JobsView, qtbot: QtBot) -> None:
    QToolTip.showText(long_view.mapToGlobal(QPoint(5, 5)), "a path", long_view, QRect(), 1_000_000)
    qtbot.waitUntil(QToolTip.isVisible)
    QTest.keyClick(long_view, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_typing_does_not_search_through_all_rows(view: JobsView, qtbot: QtBot) -> None:
    view.setCurrentIndex(view.model().index(3, 0))
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view.currentIndex().row() == 3


def test_escape_clears_the_selection(view: JobsView, qtbot: QtBot) -> None:
    view.selectAll()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.selected_count() == 0
    QTest.keyClick(view, Qt.Key.Key_Escape)


@pytest.fixture
def all_are_being_read(windows: WindowFactory, slow_reading: threading.Event, qtbot: QtBot) -> MainWindow:
    """A window that shows two of three files, while all of them are being read because the filter was cleared."""
    slow_reading.set()
    windows.jobs_db.add("a.csv", "b.txt", "c.txt")
    window = windows.open()
    QTest.keyClicks(window.filter, "txt")
    QTest.keyClick(window.filter, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: windows.names() == ["b.txt", "c.txt"])
    qtbot.waitUntil(lambda: window.selected.current.sums is not None)
    slow_reading.clear()
    window.view.clearSelection()
    window.filter.clear()
    window.menu_actions.filter.trigger()
    return window


def test_all_means_the_complete_list(
    all_are_being_read: MainWindow, slow_reading: threading.Event, qtbot: QtBot
) -> None:
    view = all_are_being_read.view
    QTest.keyClick(all_are_being_read.filter, Qt.Key.Key_Return)
    all_are_being_read.menu_actions.select_all.trigger()
    assert view.selected_count() == 0
    slow_reading.set()
    qtbot.waitUntil(lambda: view.selected_count() == 3)


def test_return_in_the_filter_selects_a_row_of_the_complete_list(
    all_are_being_read: MainWindow, slow_reading: threading.Event, qtbot: QtBot
) -> None:
    view = all_are_being_read.view
    QTest.keyClick(all_are_being_read.filter, Qt.Key.Key_Return)
    assert view.selected_count() == 0
    slow_reading.set()
    qtbot.waitUntil(lambda: view.selected_rows() == [(1, 1)])  # the current file, which was the first one before


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Down])
def test_selection_that_waits_gives_way_to_other_keys(
    all_are_being_read: MainWindow, slow_reading: threading.Event, windows: WindowFactory, qtbot: QtBot, key: Qt.Key
) -> None:
    view = all_are_being_read.view
    QTest.keyClick(all_are_being_read.filter, Qt.Key.Key_Return)
    all_are_being_read.menu_actions.select_all.trigger()
    QTest.keyClick(view, key)
    selected = view.selected_count()
    slow_reading.set()
    qtbot.waitUntil(lambda: len(windows.names()) == 3)
    assert view.selected_count() == selected == (key == Qt.Key.Key_Down)


@pytest.fixture
def first_rows(windows: WindowFactory, slow_reading: threading.Event, qtbot: QtBot) -> MainWindow:
    """A window with the first three of eight files by name, while the others are placeholders."""
    slow_reading.set()
    windows.jobs_db.add("b", "a", "d", "c", "h", "g", "f", "e")
    window = windows.open()
    window.view.clearSelection()
    slow_reading.clear()
    return window


def sort_by_name(window: MainWindow, qtbot: QtBot) -> None:
    model = window.view._jobs
    window.view.header.setSortIndicator(NAME, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: model.shown_order == model.order)


def test_placeholders_cannot_be_clicked_or_reached(
    first_rows: MainWindow, slow_reading: threading.Event, qtbot: QtBot
) -> None:
    view = first_rows.view
    sort_by_name(first_rows, qtbot)
    view.setFocus()
    place = view.visualRect(view.model().index(5, NAME)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert view.selected_count() == 0
    view.select_rows(1, 1)
    for _ in range(3):
        QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.selected_rows() == [(2, 2)]
    QTest.keyClick(view, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ShiftModifier)
    assert view.selected_rows() == [(2, 2)]
    slow_reading.set()
    qtbot.waitUntil(lambda: view._jobs.is_current)
    assert [view._jobs.text(row, NAME) for row, _ in view.selected_rows()] == ["c"]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert view.selected_rows() == [(5, 5)]


def test_end_waits_for_the_last_row(first_rows: MainWindow, slow_reading: threading.Event, qtbot: QtBot) -> None:
    view = first_rows.view
    sort_by_name(first_rows, qtbot)
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.selected_count() == 0
    slow_reading.set()
    qtbot.waitUntil(lambda: view.selected_rows() == [(7, 7)])


def test_current_row_is_kept_if_it_is_not_among_the_first_rows(
    first_rows: MainWindow, slow_reading: threading.Event, qtbot: QtBot
) -> None:
    view = first_rows.view
    view.selectionModel().setCurrentIndex(view.model().index(4, STATUS), QItemSelectionModel.SelectionFlag.NoUpdate)
    assert view._jobs.text(4, NAME) == "h"
    sort_by_name(first_rows, qtbot)
    assert not view.currentIndex().isValid()
    slow_reading.set()
    qtbot.waitUntil(lambda: view.currentIndex().row() == 7)
    assert view.selected_count() == 0


def test_first_rows_are_not_shown_without_the_selected_file(
    first_rows: MainWindow, slow_reading: threading.Event, qtbot: QtBot
) -> None:
    view, model = first_rows.view, first_rows.view._jobs
    view.select_rows(4, 4)
    asked: list[frozenset[int]] = []
    may_show = model.may_show_first

    def ask(keys: frozenset[int]) -> bool:
        asked.append(keys)
        return may_show(keys)

    model.may_show_first = ask
    view.header.setSortIndicator(NAME, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: asked != [])
    assert (model.text(0, NAME), view.selected_rows()) == ("b", [(4, 4)])
    slow_reading.set()
    qtbot.waitUntil(lambda: model.is_current)
    assert (model.text(0, NAME), view.selected_rows()) == ("a", [(7, 7)])


class PaintedRegions(QObject):
    """Records the rectangles that a widget repaints."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.rects: list[QRect] = []
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - the name in Qt
        if isinstance(event, QPaintEvent):
            self.rects.append(event.region().boundingRect())
        return super().eventFilter(watched, event)


def test_scrolling_repaints_only_the_new_rows(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(200)
    view = windows.open().view
    qtbot.waitUntil(lambda: view.verticalScrollBar().maximum() > 0)
    view.repaint()
    painted = PaintedRegions(view.viewport())
    view.verticalScrollBar().setValue(1)
    qtbot.waitUntil(lambda: painted.rects != [])
    assert max(rect.height() for rect in painted.rects) <= 2 * view.rowHeight(0)
    scrolled = view.viewport().grab().toImage()
    view.viewport().repaint()
    assert view.viewport().grab().toImage() == scrolled


def test_rows_added_below_the_visible_ones_repaint_nothing(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(200)
    view = windows.open().view
    bar = view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    view.repaint()
    painted, most = PaintedRegions(view.viewport()), bar.maximum()
    windows.jobs_db.add_many(50)
    windows.controller().feed.look()
    qtbot.waitUntil(lambda: bar.maximum() == most + 50)
    assert all(rect.height() < view.viewport().height() // 2 for rect in painted.rects)
    bar.setValue(bar.maximum())
    assert view.rowAt(view.viewport().height() - 1) == 249


@pytest.mark.parametrize(("count", "removed"), [(5, 0), (200, 1)])
def test_rows_that_move_or_become_visible_are_repainted(
    windows: WindowFactory, qtbot: QtBot, count: int, removed: int
) -> None:
    keys = windows.jobs_db.add_many(count)
    view = windows.open().view
    qtbot.waitUntil(lambda: view.model().rowCount() == count)
    view.repaint()
    painted = PaintedRegion()
    view.viewport().installEventFilter(painted)
    windows.jobs_db.intake.remove(keys[1 : 1 + removed])
    windows.jobs_db.add_many(3)
    windows.controller().feed.look()
    qtbot.waitUntil(lambda: painted.region.contains(view.viewport().rect()))
    assert view.model().rowCount() == count - removed + 3


def test_room_below_the_rows_has_the_colour_of_the_table(view: JobsView) -> None:
    image = view.viewport().grab().toImage()
    assert image.pixelColor(image.width() // 2, image.height() - 2) == QColor(view._theme.colours.base)


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


def test_keys_move_on_from_a_cell_whose_column_was_hidden(view: JobsView, qtbot: QtBot) -> None:
    view.setCurrentIndex(view.model().index(5, PROGRESS))
    assert view.isColumnHidden(PROGRESS)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 6
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.currentIndex().row() == 5


def test_progress_is_painted_in_the_status_unless_it_has_its_own_column(view: JobsView) -> None:
    with_bar = cell(view, 1, STATUS)
    assert has_colour(with_bar, LIGHT.accent)
    assert not has_colour(cell(view, 2, STATUS), LIGHT.accent)
    spoken = view.model().index(1, STATUS).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Status: Processing, 50%"
    view.header.show_column(PROGRESS, True)
    view.scrollTo(view.model().index(1, PROGRESS))
    assert cell(view, 1, STATUS) != with_bar
    assert has_colour(cell(view, 1, PROGRESS), LIGHT.accent)
    assert not has_colour(cell(view, 2, PROGRESS), LIGHT.accent)
    select(view, 1)
    assert has_colour(cell(view, 1, PROGRESS), LIGHT.selected_text)


def test_row_that_can_not_be_shown_is_neither_blank_nor_selected(
    view: JobsView, windows: WindowFactory, qtbot: QtBot
) -> None:
    windows.controller().feed.stop()
    windows.jobs_db.intake.remove([windows.controller().model.ids[4]])
    windows.controller().model.reread()
    view.selectAll()
    assert view.model().index(4, 0).data() == "…"
    assert view.model().index(4, 1).data() is None
    assert not has_colour(cell(view, 4, 0), LIGHT.selection)
    assert has_colour(cell(view, 5, 0), LIGHT.selection)
    blank = cell(view, 4, STATUS).pixel(0, 0)
    image = cell(view, 4, 0)
    assert any(image.pixel(x, y) != blank for x in range(image.width()) for y in range(image.height()))


# --- what is in view after a change


@pytest.fixture
def screen_reader() -> Iterator[None]:
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


@pytest.mark.usefixtures("screen_reader")
def test_selecting_and_removing_with_a_screen_reader_does_not_visit_each_row(
    windows: WindowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits, row_count = [0], JobsModel.rowCount

    def counted(model: JobsModel, *parent: QModelIndex) -> int:
        visits[0] += 1
        return row_count(model, *parent)

    monkeypatch.setattr(JobsModel, "rowCount", counted)
    rows = 2_000
    windows.jobs_db.add_many(rows)
    window = windows.open()
    visits[0] = 0
    window.view.selectAll()
    window.view.clearSelection()
    window.view.selectAll()
    window.menu_actions.remove.trigger()
    assert window.view.model().rowCount() == 0
    assert visits[0] < rows


@pytest.fixture
def long_view(windows: WindowFactory) -> JobsView:
    windows.jobs_db.add(*(f"file{number:03}.txt" for number in range(300)))
    view = windows.open_active().view
    view.verticalScrollBar().setValue(150)
    return view


def in_view(view: JobsView) -> range:
    return range(view.rowAt(0), view.rowAt(view.viewport().height() - 2) + 1)


def test_view_starts_at_the_top_after_sorting(long_view: JobsView, qtbot: QtBot) -> None:
    model = long_view.model()
    long_view.header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: model.index(0, 0).data() == "file299.txt")
    assert long_view.verticalScrollBar().value() == 0


def test_selected_row_is_kept_in_view_after_sorting_and_filtering(
    long_view: JobsView, windows: WindowFactory, qtbot: QtBot
) -> None:
    long_view.select_rows(160, 160)
    long_view.header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: [first for first, _ in long_view.selected_rows()] == [139])
    assert 139 in in_view(long_view)
    window = long_view.window()
    assert isinstance(window, MainWindow)
    window.filter.setText("file1")
    qtbot.waitUntil(lambda: windows.controller().model.rowCount() == 100)
    assert long_view.selected_rows() == [(39, 39)]
    assert 39 in in_view(long_view)
    window.filter.setText("file2")
    qtbot.waitUntil(lambda: windows.controller().model.index(0, 0).data() == "file299.txt")
    assert long_view.verticalScrollBar().value() == 0


def test_view_stays_where_it_is_when_rows_are_added(long_view: JobsView, windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("new")
    qtbot.waitUntil(lambda: windows.controller().model.rowCount() == 301)
    assert long_view.verticalScrollBar().value() == 150


@pytest.mark.parametrize(
    ("rows", "current", "name"),
    [
        ((5,), 5, "file006.txt"),
        ((3, 5, 6), 5, "file007.txt"),
        ((4, 298, 299), 299, "file297.txt"),
        ((3,), 200, None),
    ],
)
def test_keyboard_goes_on_with_the_row_after_the_removed_ones(
    long_view: JobsView, windows: WindowFactory, qtbot: QtBot, rows: tuple[int, ...], current: int, name: str | None
) -> None:
    model = long_view.model()
    select(long_view, *rows)
    long_view.selectionModel().setCurrentIndex(model.index(current, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
    QTest.keyClick(long_view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: model.rowCount() == 300 - len(rows))
    selected = [model.index(row, 0).data() for row, _ in long_view.selected_rows()]
    assert selected == ([] if name is None else [name])
    if name is not None:
        assert long_view.currentIndex().data() == name


def test_row_that_disappears_by_itself_has_no_follower(
    long_view: JobsView, windows: WindowFactory, qtbot: QtBot
) -> None:
    """A command would then act on a file that nobody chose."""
    long_view.select_rows(5, 5)
    windows.jobs_db.intake.remove([windows.controller().model.ids[5]])
    qtbot.waitUntil(lambda: long_view.model().rowCount() == 299)
    assert long_view.selected_rows() == []


def test_selected_row_stays_in_view_when_the_details_are_opened(long_view: JobsView, qtbot: QtBot) -> None:
    window = long_view.window()
    assert isinstance(window, MainWindow)
    row = in_view(long_view)[-1]
    long_view.select_rows(row, row)
    height = long_view.height()
    window.menu_actions.details.trigger()
    qtbot.waitUntil(lambda: long_view.height() < height)
    qtbot.waitUntil(lambda: row in in_view(long_view))


def test_list_that_fits_with_compact_rows_needs_no_scroll_bar(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(40)
    window = windows.open_active()
    rows = window.view.rowHeight(0) * 40
    window.resize(window.width(), window.height() - window.view.viewport().height() + rows - 20)
    bar = window.view.verticalScrollBar()
    qtbot.waitUntil(lambda: 0 < bar.maximum() < 5)
    window.menu_actions.compact.trigger()
    assert bar.maximum() == 0


def test_compact_rows_are_remembered(windows: WindowFactory) -> None:
    windows.jobs_db.add("a")
    window = windows.open()
    before = window.view.rowHeight(0)
    window.menu_actions.compact.trigger()
    compact = window.view.rowHeight(0)
    assert compact < before
    window.close()
    assert windows.open().view.rowHeight(0) == compact


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


def test_scroll_bar_begins_below_the_header(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(200)
    view = windows.open().view
    bar = view.verticalScrollBar()
    qtbot.waitUntil(bar.isVisible)

    def is_below() -> bool:
        return bar.mapTo(view, QPoint()).y() == view.viewport().mapTo(view, QPoint()).y() >= view.header.height()

    qtbot.waitUntil(is_below)
    font = view.header.font()
    font.setPointSize(20)
    height = view.header.height()
    view.header.setFont(font)
    qtbot.waitUntil(lambda: view.header.height() > height)
    qtbot.waitUntil(is_below)
