from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from desktop_app.domain.job import Batch, NewFile, Status, StatusCounts
from desktop_app.domain.query import Filter, Problem
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.filtering.sidebar import Sidebar
from desktop_app.gui.table.job_feed import Groups, GroupTotals
from desktop_app.gui.theme.theme import DARK, LIGHT
from desktop_app.gui.window_memory import WindowMemory
from tests.helpers import a_reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.filtering.sidebar_entry import SidebarEntry
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.gui.wording import Wording
    from tests.gui.conftest import WindowFactory

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
KEY = Qt.Key


def lines(entries: Mapping[Any, SidebarEntry]) -> list[tuple[str, str, bool]]:
    return [(entry.facts.text, entry.facts.count, entry.isChecked()) for entry in entries.values()]


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


@pytest.fixture
def window(windows: WindowFactory, qtbot: QtBot) -> MainWindow:
    jobs_db = windows.jobs_db
    a, b, c, d = jobs_db.add("a", "b", "c", "d")
    jobs_db.intake.add([NewFile("/in/e", 1, 1), NewFile("/in/f", 1, 1)], name="second <b>batch</b>")
    jobs_db.fail([a, b])
    jobs_db.fail(c, Reason(ReasonCode.MAY_NOT_READ))
    jobs_db.finish(d)
    made = windows.open()
    qtbot.waitUntil(lambda: len(made.sidebar.problems.entries) == 2)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_statuses_problems_and_batches_are_counted(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    sidebar = window.sidebar
    assert lines(sidebar.statuses.entries) == [
        ("All", "6", True),
        ("Pending", "2", False),
        ("Processing", "0", False),
        ("Processed", "1", False),
        ("Failed", "3", False),
    ]
    assert lines(sidebar.problems.entries) == [
        ("The file no longer exists", "2", False),
        ("You don't have permission to read this file", "1", False),
    ]
    newest, oldest = sidebar.batches.entries.values()
    assert (newest.facts.text, newest.facts.count) == ("second <b>batch</b>", "2")
    assert newest.facts.note == windows.controller().model.wording.day_and_time(windows.jobs_db.clock.now_ms())
    assert oldest.facts.text == newest.facts.note
    windows.jobs_db.finish(windows.jobs_db.jobs.ids(Filter(problems=frozenset({"missing"}))))
    qtbot.waitUntil(lambda: list(sidebar.problems.entries) == ["not_allowed"])
    qtbot.waitUntil(lambda: sidebar.statuses.entries[Status.PROCESSED].facts.count == "3")


def test_problems_are_shown_only_while_there_are_any(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    assert window.sidebar.problems.isVisible()
    windows.jobs_db.finish(windows.jobs_db.jobs.ids())
    qtbot.waitUntil(lambda: not window.sidebar.problems.isVisible())


def test_click_narrows_the_list_and_ctrl_click_adds(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    entries = window.sidebar.statuses.entries
    QTest.mouseClick(entries[Status.PROCESSED], LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["d"])
    QTest.mouseClick(entries[Status.PENDING], LEFT, CTRL)
    qtbot.waitUntil(lambda: windows.names() == ["d", "e", "f"])
    assert [entry.isChecked() for entry in entries.values()] == [False, True, False, True, False]
    batch = list(window.sidebar.batches.entries.values())[1]
    QTest.mouseClick(batch, LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["d"])
    QTest.mouseClick(entries[None], LEFT)
    qtbot.waitUntil(lambda: len(windows.names()) == 6)
    assert not batch.isChecked()


@pytest.mark.parametrize(
    ("key", "expected"),
    [(KEY.Key_2, ["e", "f"]), (KEY.Key_3, []), (KEY.Key_4, ["d"]), (KEY.Key_5, ["a", "b", "c"])],
)
def test_status_views_have_shortcuts(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, key: Qt.Key, expected: list[str]
) -> None:
    QTest.keyClick(window, key, CTRL)
    qtbot.waitUntil(lambda: windows.names() == expected)
    QTest.keyClick(window, KEY.Key_1, CTRL)
    qtbot.waitUntil(lambda: len(windows.names()) == 6)


def test_files_with_one_reason_are_retried_by_the_button_beside_it(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    entry = window.sidebar.problems.entries["missing"]
    assert not entry.inline.isVisible()
    assert not window.sidebar.retry.isVisible()
    assert not window.menu_actions.retry_reason.isEnabled()
    QTest.mouseClick(entry, LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b"])
    assert window.sidebar.retry.isVisible()
    assert window.menu_actions.retry_reason.isEnabled()
    QTest.mouseClick(entry.inline, LEFT)
    qtbot.waitUntil(lambda: window.notices.notice is not None)
    assert window.notices.notice is not None
    assert window.notices.notice.text == "2 files will be processed again."
    # The problem is gone, and so is the choice.
    qtbot.waitUntil(lambda: list(window.sidebar.problems.entries) == ["not_allowed"])
    qtbot.waitUntil(lambda: len(windows.names()) == 6)
    assert windows.jobs_db.statuses() == ["PENDING", "PENDING", "FAILED", "PROCESSED", "PENDING", "PENDING"]
    assert not window.menu_actions.retry_reason.isEnabled()


@pytest.mark.parametrize("way", ["button", "menu bar"])
def test_files_with_the_selected_reasons_are_retried_at_once(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, way: str
) -> None:
    for number, entry in enumerate(window.sidebar.problems.entries.values()):
        QTest.mouseClick(entry, LEFT, CTRL if number else Qt.KeyboardModifier.NoModifier)
    assert window.sidebar.retry.text() == "&Retry All With These Reasons"
    if way == "button":
        QTest.mouseClick(window.sidebar.retry, LEFT)
    else:
        window.menu_actions.retry_reason.trigger()
    qtbot.waitUntil(lambda: windows.jobs_db.statuses().count("PENDING") == 5)


def test_files_with_the_reason_of_the_selected_file_are_retried_by_key(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    failed = windows.names().index("a")
    pending = windows.names().index("e")
    window.view.select_rows(pending, pending)
    assert not window.menu_actions.retry_reason.isEnabled()
    window.view.select_rows(failed, failed)
    assert window.menu_actions.retry_reason.isEnabled()
    QTest.keyClick(window.view, KEY.Key_R, CTRL | Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: list(window.sidebar.problems.entries) == ["not_allowed"])
    qtbot.waitUntil(lambda: not window.menu_actions.retry_reason.isEnabled())
    assert windows.jobs_db.statuses() == ["PENDING", "PENDING", "FAILED", "PROCESSED", "PENDING", "PENDING"]


def open_menu(window: MainWindow, code: str, reason: QContextMenuEvent.Reason, qtbot: QtBot) -> QMenu:
    entry = window.sidebar.problems.entries[code]
    QApplication.sendEvent(entry, QContextMenuEvent(reason, QPoint(5, 5), entry.mapToGlobal(QPoint(5, 5))))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def test_context_menu_of_a_problem_acts_on_it(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    menu = open_menu(window, "missing", QContextMenuEvent.Reason.Mouse, qtbot)
    retry, show = menu.actions()
    assert retry.text() == "&Retry 2 Files With This Reason"
    show.trigger()
    menu.close()
    qtbot.waitUntil(lambda: windows.names() == ["a", "b"])
    menu = open_menu(window, "not_allowed", QContextMenuEvent.Reason.Keyboard, qtbot)
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(lambda: windows.jobs_db.statuses().count("FAILED") == 2)


def test_sidebar_can_be_used_with_the_keyboard(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    sidebar = window.sidebar
    everything = sidebar.entries()
    assert [entry.focusPolicy() & Qt.FocusPolicy.TabFocus for entry in everything].count(Qt.FocusPolicy.TabFocus) == 1
    everything[0].setFocus(Qt.FocusReason.TabFocusReason)
    for key, goal in (
        (KEY.Key_Up, 0),
        (KEY.Key_Down, 1),
        (KEY.Key_End, len(everything) - 1),
        (KEY.Key_Down, len(everything) - 1),
        (KEY.Key_Home, 0),
    ):
        QTest.keyClick(focused(), key)
        assert QApplication.focusWidget() is everything[goal]
    QTest.keyClick(everything[0], KEY.Key_Down)
    QTest.keyClick(everything[1], KEY.Key_Space)
    qtbot.waitUntil(lambda: windows.names() == ["e", "f"])
    QTest.keyClick(everything[1], KEY.Key_End)
    QTest.keyClick(focused(), KEY.Key_Return)
    qtbot.waitUntil(lambda: windows.names() == [])
    QTest.keyClick(everything[3], KEY.Key_Space, CTRL)
    qtbot.waitUntil(lambda: windows.names() == ["d"])
    assert not window.no_match.isVisible()


def test_tab_visits_filter_sidebar_and_list(window: MainWindow, qtbot: QtBot) -> None:
    entry = window.sidebar.problems.entries["missing"]
    QTest.mouseClick(entry, LEFT)
    window.filter.setFocus()
    seen: list[QWidget] = []
    for _ in range(4):
        QTest.keyClick(focused(), KEY.Key_Tab)
        seen.append(focused())
    assert seen == [entry, entry.inline, window.sidebar.retry, window.view]


def test_accessible_names_contain_the_numbers(window: MainWindow) -> None:
    spoken = [entry.accessibleName() for entry in window.sidebar.entries()]
    assert spoken[:2] == ["All, 6 files", "Pending, 2 files"]
    assert "You don't have permission to read this file, 1 file" in spoken
    assert "second &lt;b&gt;batch" not in window.sidebar.entries()[-2].toolTip()


def test_empty_view_is_explained_and_has_a_button_to_show_all(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    window.view.setFocus()
    window.menu_actions.status_views[2].trigger()
    qtbot.waitUntil(window.no_match.isVisible)
    assert window.no_match.title == "No files here"
    assert QApplication.focusWidget() is window.no_match.all
    QTest.keyClicks(window.filter, "zzz")
    qtbot.waitUntil(lambda: window.no_match.title == "No files match “zzz”")
    assert window.no_match.clear.isVisible()
    QTest.mouseClick(window.no_match.all, LEFT)
    qtbot.waitUntil(lambda: len(windows.names()) == 6)
    assert window.filter.text() == ""


def test_list_of_problems_without_problems_says_so(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a")
    window = windows.open()
    window.menu_actions.status_views[4].trigger()
    qtbot.waitUntil(window.no_match.isVisible)
    assert window.no_match.title == "No problems"


def test_sidebar_can_be_hidden_and_stays_hidden(
    window: MainWindow, windows: WindowFactory, tmp_path: Path, qtbot: QtBot
) -> None:
    assert window.sidebar.isVisible()
    QTest.keyClick(window, KEY.Key_F9)
    assert not window.sidebar.isVisible()
    window.close()
    assert not WindowMemory(tmp_path / "window.ini").shows_sidebar
    again = windows.open()
    assert not again.sidebar.isVisible()
    again.menu_actions.sidebar.trigger()
    assert again.sidebar.isVisible()
    again.close()
    assert WindowMemory(tmp_path / "window.ini").shows_sidebar


# --- the widget alone


@pytest.fixture
def alone(theme: Theme, wording: Wording, qtbot: QtBot) -> Sidebar:
    made = Sidebar(wording, theme)
    qtbot.addWidget(made)
    made.resize(200, 600)
    made.show()
    return made


LONG = "A reason that goes on and on, and tells all there is to tell about what went wrong with this one file"


def test_sidebar_widens_to_its_texts_and_wraps_the_longest(alone: Sidebar, qtbot: QtBot) -> None:
    narrow = alone.width()
    alone.show_groups(Groups((Problem("x", a_reason("A reason of some length"), 5),)))
    qtbot.waitUntil(lambda: alone.width() > narrow)
    entry = alone.problems.entries["x"]
    assert entry.width() >= entry.natural_width()
    low = entry.height()
    alone.show_groups(Groups((Problem("x", a_reason(LONG), 5, reasons=3), Problem("y", a_reason("W" * 90), 1_000_000))))
    qtbot.waitUntil(lambda: entry.height() > 3 * low)
    assert entry.facts.note == "and 2 similar reasons"
    assert alone.width() < 300
    assert entry.sizeHint() == entry.size()


def test_larger_font_makes_larger_entries(alone: Sidebar, theme: Theme, qapp: QApplication, qtbot: QtBot) -> None:
    entry, before = alone.entries()[0], QFont(qapp.font())
    low = entry.height()
    larger = QFont(before)
    larger.setPointSize(20)
    qapp.setFont(larger)
    theme.use(theme.colours)
    qtbot.waitUntil(lambda: entry.height() > low)
    qapp.setFont(before)
    theme.use(theme.colours)
    qtbot.waitUntil(lambda: entry.height() == low)


def test_scroll_bar_does_not_narrow_the_entries(alone: Sidebar, qtbot: QtBot) -> None:
    before = alone.width()
    alone.show_groups(Groups((), tuple(Batch(number, f"b{number}", 0, 1) for number in range(30))))
    qtbot.waitUntil(lambda: alone.width() > before)
    assert alone.viewport().width() >= alone.widget().minimumSizeHint().width()  # type: ignore[union-attr]


def test_choice_of_entries_that_no_longer_exist_is_cleared(alone: Sidebar, qtbot: QtBot) -> None:
    groups = Groups((Problem("x", None, 5),), (Batch(1, "one", 0, 5),))
    alone.show_groups(groups)
    assert alone.problems.entries["x"].facts.text == "No reason given"
    alone.choose(Filter(problems=frozenset({"x"}), batches=frozenset({1})))
    with qtbot.assertNotEmitted(alone.chosen):
        alone.show_groups(groups)
    with qtbot.waitSignal(alone.chosen):
        alone.show_groups(Groups((), groups.batches))
    assert alone.choice == Filter(batches=frozenset({1}))


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_chosen_entries_are_painted_in_the_colour_of_the_selection(
    alone: Sidebar, theme: Theme, direction: Qt.LayoutDirection
) -> None:
    alone.setLayoutDirection(direction)
    alone.show_counts(StatusCounts(1, 2, 3, 4))
    alone.show_groups(Groups((Problem("x", a_reason("Gone"), 4, reasons=2),)))
    alone.choose(Filter(problems=frozenset({"x"})))
    entry = alone.problems.entries["x"]
    for colours in (DARK, LIGHT):
        theme.use(colours)
        alone.fit()
        image = entry.grab().toImage()
        assert image.pixelColor(image.width() // 2, 3).name() == colours.selection
        side = (
            range(image.width() // 2)
            if direction is Qt.LayoutDirection.LeftToRight
            else range(image.width() // 2, image.width())
        )
        inked = {image.pixelColor(x, y).name() for x in side for y in range(image.height())}
        assert len(inked) > 3


def test_old_batch_is_counted_while_the_list_is_filtered_by_it(windows: WindowFactory, qtbot: QtBot) -> None:
    for number in range(22):
        windows.jobs_db.intake.add([NewFile(f"/in/{number}", 1, 1)], name=f"batch {number}")
    window = windows.open()
    qtbot.waitUntil(lambda: len(window.sidebar.batches.entries) == 20)
    entry = list(window.sidebar.batches.entries.values())[-1]
    assert entry.facts.text == "batch 2"
    QTest.mouseClick(entry, LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["2"])
    windows.jobs_db.intake.add([NewFile("/in/new", 1, 1)], name="newest")
    qtbot.waitUntil(lambda: next(iter(window.sidebar.batches.entries.values())).facts.text == "newest")
    assert entry.isChecked()
    assert windows.names() == ["2"]
    assert isinstance(windows.controller().groups, GroupTotals)
