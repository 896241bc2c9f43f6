from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton

from desktop_app.domain.job import Status
from desktop_app.domain.search import NO_SEARCH
from desktop_app.domain.search_parser import parse_search
from desktop_app.gui.filtering.filter_box import DELAY_MS, FilterBox
from tests.gui.test_translations import speaking

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    a, _, c = windows.jobs_db.add("/in/apple.txt", "/in/banana.txt", "/out/cherry.csv", size=5000)
    windows.jobs_db.fail(a)
    windows.jobs_db.finish(c)
    return windows.open_active()


def test_typing_searches_once_after_a_pause(theme: Theme, qtbot: QtBot) -> None:
    box = FilterBox(theme)
    qtbot.addWidget(box)
    heard: list[object] = []
    box.searched.connect(lambda: heard.append(box.search))
    QTest.keyClicks(box, "two words")
    assert heard == []
    assert box.search == NO_SEARCH
    with qtbot.waitSignal(box.searched, timeout=10 * DELAY_MS):
        pass
    assert heard == [parse_search("two words")]
    with qtbot.assertNotEmitted(box.searched):
        QTest.keyClicks(box, " ")
        QTest.keyClick(box, Qt.Key.Key_Return)


def test_ctrl_f_filters_and_escape_shows_everything_again(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    QTest.keyClick(window.view, Qt.Key.Key_F, CTRL)
    assert QApplication.focusWidget() is window.filter
    QTest.keyClicks(window.filter, "OUT che")
    qtbot.waitUntil(lambda: windows.names() == ["cherry.csv"])
    assert QApplication.focusWidget() is window.filter
    QTest.keyClick(window.filter, Qt.Key.Key_Escape)
    assert window.filter.text() == ""
    qtbot.waitUntil(lambda: len(windows.names()) == 3)
    assert QApplication.focusWidget() is window.filter
    QTest.keyClick(window.filter, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is window.view


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("status:failed", ["apple.txt"]),
        ("reason:missing", ["apple.txt"]),
        ("longer", ["apple.txt"]),
        ("size:>5kB", []),
        ("size:>4kB status:pending", ["banana.txt"]),
        ('"in/b"', ["banana.txt"]),
    ],
)
def test_conditions_can_be_typed(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, typed: str, expected: list[str]
) -> None:
    QTest.keyClicks(window.filter, typed)
    qtbot.waitUntil(lambda: windows.names() == expected)


def test_arrow_down_goes_to_the_list(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    window.filter.setFocus()
    QTest.keyClicks(window.filter, "txt")
    QTest.keyClick(window.filter, Qt.Key.Key_Down)
    assert QApplication.focusWidget() is window.view
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt", "banana.txt"])
    assert window.view.currentIndex().isValid()


def test_no_match_is_explained_and_has_a_button_to_clear_the_filter(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    window.filter.setFocus()
    QTest.keyClicks(window.filter, "abc")
    qtbot.waitUntil(window.no_match.isVisible)
    assert window.no_match.title == "No files match “abc”"
    assert window.no_match.clear.isVisible()
    assert not window.no_match.all.isVisible()
    assert QApplication.focusWidget() is window.filter
    assert not window.menu_actions.select_all.isEnabled()
    QTest.mouseClick(window.no_match.clear, LEFT)
    qtbot.waitUntil(window.view.isVisible)
    assert window.filter.text() == ""
    assert len(windows.names()) == 3


def test_clear_button_is_shown_only_beside_a_text(theme: Theme, qtbot: QtBot) -> None:
    box = FilterBox(theme)
    qtbot.addWidget(box)
    box.show()
    clear = next(button for button in box.findChildren(QToolButton) if button.text() == "Clear the filter")
    assert not clear.isVisible()
    box.setText("a")
    assert clear.isVisible()


def test_clear_button_clears_the_filter(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    QTest.keyClicks(window.filter, "banana")
    qtbot.waitUntil(lambda: len(windows.names()) == 1)
    clear = next(button for button in window.filter.findChildren(QToolButton) if button.text() == "Clear the filter")
    assert clear.isVisible()
    QTest.mouseClick(clear, LEFT)
    qtbot.waitUntil(lambda: len(windows.names()) == 3)
    assert not clear.isVisible()


def test_filtered_list_follows_changes(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    QTest.keyClicks(window.filter, "status:failed")
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt"])
    apple, banana, _ = windows.jobs_db.jobs.ids()
    windows.jobs_db.fail(banana)
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt", "banana.txt"])
    windows.jobs_db.finish(apple)
    qtbot.waitUntil(lambda: windows.names() == ["banana.txt"])


def test_order_stays_when_the_list_is_filtered(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    window.view.header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    QTest.keyClicks(window.filter, "txt")
    qtbot.waitUntil(lambda: windows.names() == ["banana.txt", "apple.txt"])


def test_files_that_do_not_match_are_deselected(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    window.view.selectAll()
    QTest.keyClicks(window.filter, "apple")
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt"])
    assert len(window.view.selected_ids()) == 1


def test_filter_is_disabled_while_the_list_is_empty(windows: WindowFactory) -> None:
    window = windows.open()
    assert not window.filter.isEnabled()
    assert not window.menu_actions.filter.isEnabled()
    assert not window.sidebar.isVisible()


def test_filter_can_be_typed_while_the_list_is_being_loaded(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    model = window._list.model
    model.clear()
    model.is_loaded = False  # as when the window has just opened
    model.rows_changed.emit()
    window.menu_actions.filter.trigger()
    QTest.keyClicks(window.filter, "banana")
    qtbot.waitUntil(lambda: windows.names() == ["banana.txt"])
    assert window.filter.hasFocus()


def test_added_files_that_do_not_match_are_not_shown(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    QTest.keyClicks(window.filter, "banana")
    qtbot.waitUntil(lambda: windows.names() == ["banana.txt"])
    windows.jobs_db.add("/in/another.txt", "/in/banana2.txt")
    qtbot.waitUntil(lambda: windows.names() == ["banana.txt", "banana2.txt"])
    qtbot.waitUntil(lambda: window.status.counts[Status.PENDING].words.text() == "3 pending")


def test_filter_box_stays_visible_in_a_window_that_becomes_narrow(windows: WindowFactory, qtbot: QtBot) -> None:
    """The texts of the buttons are longer in German, so that Qt hides the box before they are left out."""
    windows.jobs_db.fail(windows.jobs_db.add("a.txt"))
    with speaking("de"):
        window = windows.open_active()
        for width in (1000, 640, 1200, window.minimumWidth()):
            window.resize(width, 480)
            qtbot.waitUntil(partial(_shows_whole_box, window, width))


def test_buttons_lose_their_texts_before_the_filter_box_its_own(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.fail(windows.jobs_db.add("a.txt"))
    with speaking("de"):
        window = windows.open_active()
        for width in range(window.minimumWidth() + 50, 1_100, 50):
            window.resize(width, 480)
            qtbot.waitUntil(partial(_shows_whole_box, window, width))
            words = window.filter.fontMetrics().horizontalAdvance(window.filter.placeholderText())
            icons = 2 * 32
            qtbot.waitUntil(lambda: window.filter.width() >= words + icons)  # noqa: B023


def _shows_whole_box(window: MainWindow, width: int) -> bool:
    box = window.filter
    right = box.mapTo(window, QPoint(box.width(), 0)).x()
    return window.width() == width and box.isVisible() and right <= width
