from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from desktop_app.domain.job import Batch, NewFile, Status, StatusCounts
from desktop_app.domain.query import Filter, Problem
from desktop_app.domain.reasons import FileProblem, Reason, ReasonCode
from desktop_app.gui.commands.actions import text_of
from desktop_app.gui.export.dialog import Rows
from desktop_app.gui.filtering.sidebar import Sidebar, SidebarSplit
from desktop_app.gui.table.job_feed import Groups, GroupTotals
from desktop_app.gui.theme.theme import DARK, LIGHT
from desktop_app.gui.window_memory import WindowMemory
from tests.gui.jobs_database import NOW_MS
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
    assert (newest.facts.note, newest.facts.alert) == ("0 done", "")
    assert oldest.facts.text == windows.controller().model.wording.day_and_time(windows.jobs_db.clock.now_ms())
    assert (oldest.facts.note, oldest.facts.alert) == (
        windows.controller().model.wording.recent_moment(NOW_MS),
        "3 failed",
    )
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
    assert not window.menu_actions.retry_reason.isEnabled()
    QTest.mouseClick(entry, LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b"])
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
    entries = list(window.sidebar.problems.entries.values())
    for number, entry in enumerate(entries):
        QTest.mouseClick(entry, LEFT, CTRL if number else Qt.KeyboardModifier.NoModifier)
    assert [entry.inline.toolTip() for entry in entries] == ["Retry all with these reasons"] * 2
    if way == "button":
        QTest.mouseClick(entries[0].inline, LEFT)
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


def open_menu(entry: SidebarEntry, qtbot: QtBot, *, by_keyboard: bool = False) -> dict[str, QAction]:
    """Open the context menu of an entry; return its actions by their texts without the mnemonics."""
    if by_keyboard:
        entry.setFocus()
        QTest.keyClick(entry, KEY.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    else:
        reason = QContextMenuEvent.Reason.Mouse
        QApplication.sendEvent(entry, QContextMenuEvent(reason, QPoint(5, 5), entry.mapToGlobal(QPoint(5, 5))))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return {text_of(action): action for action in menu.actions() if not action.isSeparator()}


def choose_in_menu(entry: SidebarEntry, text: str, qtbot: QtBot, *, by_keyboard: bool = False) -> None:
    open_menu(entry, qtbot, by_keyboard=by_keyboard)[text].trigger()
    menu = QApplication.activePopupWidget()
    if menu is not None:  # it is closed when a dialog opens
        menu.close()


@pytest.mark.parametrize("by_keyboard", [True, False])
def test_menu_of_a_problem_acts_on_its_files(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot, *, by_keyboard: bool
) -> None:
    missing, locked = window.sidebar.problems.entries.values()
    choose_in_menu(missing, "Show", qtbot, by_keyboard=by_keyboard)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b"])
    choose_in_menu(locked, "Retry All", qtbot, by_keyboard=by_keyboard)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses().count("FAILED") == 2)
    choose_in_menu(missing, "Remove All", qtbot, by_keyboard=by_keyboard)
    qtbot.waitUntil(lambda: len(windows.jobs_db.statuses()) == 4)
    window._list.commands.undo.undo()
    qtbot.waitUntil(lambda: len(windows.jobs_db.statuses()) == 6)


def test_menu_of_a_batch_acts_on_its_files(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.fail(windows.jobs_db.jobs.ids()[5])
    qtbot.waitUntil(lambda: next(iter(window.sidebar.batches.entries.values())).facts.alert == "1 failed")
    newest, oldest = window.sidebar.batches.entries.values()
    choose_in_menu(oldest, "Remove Processed", qtbot)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["FAILED"] * 3 + ["PENDING", "FAILED"])
    choose_in_menu(newest, "Retry Failed", qtbot)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["FAILED"] * 3 + ["PENDING"] * 2)
    choose_in_menu(oldest, "Retry All", qtbot)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["PENDING"] * 5)
    choose_in_menu(newest, "Show", qtbot)
    qtbot.waitUntil(lambda: windows.names() == ["e", "f"])
    choose_in_menu(newest, "Remove All", qtbot)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b", "c"])


def test_menu_says_why_it_can_do_nothing(window: MainWindow, qtbot: QtBot) -> None:
    entries = [window.sidebar.statuses.entries[Status.PROCESSING], next(iter(window.sidebar.batches.entries.values()))]
    why = []
    for entry in entries:
        menu = open_menu(entry, qtbot)
        why.append({text: action.toolTip() for text, action in menu.items() if not action.isEnabled()})
        popup = QApplication.activePopupWidget()
        assert isinstance(popup, QMenu)
        assert popup.toolTipsVisible()
        popup.close()
    none, unfinished = "There are no such files in the list.", "None of these files has finished yet."
    assert why == [
        {"Retry All": none, "Export…": none, "Remove All": none},
        {
            "Retry Failed": "No files have failed.",
            "Retry All": unfinished,
            "Remove Processed": "No files have been processed.",
        },
    ]


def test_menu_of_all_files_and_of_a_status(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    entries = window.sidebar.statuses.entries
    choose_in_menu(entries[None], "Remove Processed", qtbot)
    qtbot.waitUntil(lambda: "d" not in windows.names())
    choose_in_menu(entries[Status.FAILED], "Show", qtbot)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b", "c"])
    choose_in_menu(entries[None], "Retry Failed", qtbot)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["PENDING"] * 5)


def test_files_of_a_group_are_exported(
    window: MainWindow, windows: WindowFactory, tmp_path: Path, qtbot: QtBot
) -> None:
    choose_in_menu(next(iter(window.sidebar.batches.entries.values())), "Export…", qtbot)
    dialog = window.export.dialog
    assert dialog is not None
    assert dialog.rows[Rows.GROUP].isChecked()
    assert dialog.rows[Rows.GROUP].text() == "&Files of “second <b>batch</b>” (2 files)"
    dialog.path.setText(str(tmp_path / "out.csv"))
    dialog.button.click()
    qtbot.waitUntil((tmp_path / "out.csv").exists)
    windows.settle()
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    window.menu_actions.export.trigger()
    assert window.export.dialog is not None
    assert window.export.dialog.rows[Rows.GROUP].isHidden()


@pytest.mark.parametrize("way", ["action", "key", "menu"])
def test_batch_is_renamed_in_its_entry(window: MainWindow, windows: WindowFactory, qtbot: QtBot, way: str) -> None:
    entry = next(iter(window.sidebar.batches.entries.values()))
    assert not window.menu_actions.rename_batch.isEnabled()
    match way:
        case "action":
            QTest.mouseClick(entry, LEFT)
            window.view.setFocus()
            window.menu_actions.rename_batch.trigger()
        case "key":
            entry.setFocus(Qt.FocusReason.TabFocusReason)
            QTest.keyClick(entry, KEY.Key_F2)
        case _:
            choose_in_menu(entry, "Rename…", qtbot)
    assert entry.editor is not None
    assert (entry.editor.text(), entry.editor.hasFocus()) == ("second <b>batch</b>", True)
    QTest.keyClicks(entry.editor, "October")
    QTest.keyClick(entry.editor, KEY.Key_Return)
    assert focused() is entry
    qtbot.waitUntil(lambda: entry.facts.text == "October")
    window._list.commands.undo.undo()
    qtbot.waitUntil(lambda: entry.facts.text == "second <b>batch</b>")
    assert window._list.commands.undo.redoText() == "Rename Batch"


def test_name_that_is_empty_or_discarded_is_not_used(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    entry = next(iter(window.sidebar.batches.entries.values()))
    for typed, key in (("other", KEY.Key_Escape), (" ", KEY.Key_Return), ("", KEY.Key_Return)):
        entry.edit("second <b>batch</b>")
        assert entry.editor is not None
        QTest.keyClicks(entry.editor, typed)
        QTest.keyClick(entry.editor, key)
        assert entry.editor is None
    windows.settle()
    assert not window._list.commands.undo.canUndo()
    entry.edit("second <b>batch</b>")
    assert entry.editor is not None
    QTest.keyClicks(entry.editor, "left")
    window.view.setFocus()
    qtbot.waitUntil(lambda: entry.facts.text == "left")


def test_batch_renamed_by_another_program_is_shown(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.intake.rename_batch(1, "elsewhere")
    qtbot.waitUntil(lambda: "elsewhere" in [text for text, _, _ in lines(window.sidebar.batches.entries)])


def test_width_chosen_by_the_user_is_kept(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    default = window.sidebar.width()
    assert default == window.sidebar.preferred_width(window.width())
    split = window.centralWidget()
    assert isinstance(split, SidebarSplit)
    split.setSizes([default + 50, split.width() - default - 50])
    split.splitterMoved.emit(default + 50, 1)
    window.resize(window.width() + 200, window.height())
    assert window.sidebar.width() == default + 50
    window.close()
    again = windows.open().sidebar
    qtbot.waitUntil(lambda: again.isVisible() and again.width() == default + 50)


def test_older_batches_are_shown_on_request(windows: WindowFactory, qtbot: QtBot) -> None:
    for number in range(100):
        windows.jobs_db.intake.add([NewFile(f"/in/{number}", 1, 1)], name=f"batch {number}")
    sidebar = windows.open().sidebar
    qtbot.waitUntil(lambda: len(sidebar.batches.entries) == 20)
    for count in (70, 100):
        QTest.mouseClick(sidebar.older, LEFT)
        qtbot.waitUntil(lambda count=count: len(sidebar.batches.entries) == count)  # type: ignore[misc]
    assert not sidebar.older.isVisible()
    assert [entry.facts.text for entry in sidebar.batches.entries.values()][::99] == ["batch 99", "batch 0"]


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
    for _ in range(3):
        QTest.keyClick(focused(), KEY.Key_Tab)
        seen.append(focused())
    assert seen == [entry, entry.inline, window.view]


def test_accessible_names_contain_the_numbers(window: MainWindow) -> None:
    spoken = [entry.accessibleName() for entry in window.sidebar.entries()]
    assert spoken[:2] == ["All, 6 files", "Pending, 2 files"]
    assert "You don't have permission to read this file, 1 file" in spoken
    assert "<b>batch" not in window.sidebar.entries()[-2].toolTip()


def test_empty_view_is_explained_and_has_a_button_that_clears_the_choice(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    window.view.setFocus()
    window.menu_actions.status_views[2].trigger()
    qtbot.waitUntil(window.no_match.isVisible)
    assert window.no_match.title == "No files here"
    assert QApplication.focusWidget() is window.no_match.all
    assert window.no_match.all.text() == "&Show All Files"
    QTest.keyClicks(window.filter, "name:e")
    qtbot.waitUntil(lambda: window.no_match.title == "No files match “name:e”")
    assert window.no_match.clear.isVisible()
    assert window.no_match.all.text() == "&Search All Files"
    QTest.mouseClick(window.no_match.all, LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["e"])
    assert window.filter.text() == "name:e"


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


def test_width_depends_on_the_words_and_not_on_the_numbers(alone: Sidebar) -> None:
    alone.resize(alone.minimumWidth(), 600)
    before = alone.width(), alone.minimumWidth(), alone.preferred_width(1_000)
    alone.show_counts(StatusCounts(999_999, 999_999, 999_999, 999_999))
    alone.show_groups(
        Groups((Problem("x", a_reason(LONG), 1_000_000),), (Batch(1, "a name " * 50, 0, StatusCounts(failed=999_999)),))
    )
    assert (alone.width(), alone.minimumWidth(), alone.preferred_width(1_000)) == before
    for entry in alone.entries():
        assert entry.width() + 16 < alone.width()
    pending = alone.statuses.entries[Status.PENDING]
    assert pending._lines == ["Pending"]


def test_long_reason_takes_two_lines_and_is_whole_in_its_tool_tip(alone: Sidebar) -> None:
    alone.show_groups(Groups((Problem("x", a_reason("Short"), 5), Problem("y", a_reason(LONG), 5, reasons=3))))
    short, long = alone.problems.entries.values()
    assert (len(short._lines), len(long._lines)) == (1, 2)
    assert long._lines[-1].endswith("…")
    assert LONG in long.toolTip()
    assert "and 2 similar reasons" in long.toolTip()
    assert long.accessibleName() == f"{LONG}, and 2 similar reasons, 5 files"
    alone.resize(alone.maximumWidth(), 600)
    assert len(short._lines) == 1


def test_files_with_different_reasons_are_not_titled_with_the_line_of_one_of_them(alone: Sidebar) -> None:
    reason = Reason(ReasonCode.BAD_CONTENT, {"why": "line 21 has 2 columns instead of 3"})
    alone.show_groups(Groups((Problem(FileProblem.BAD_CONTENT, reason, 5, reasons=4),)))
    (entry,) = alone.problems.entries.values()
    assert entry.accessibleName() == "The content is not valid, 4 different reasons, 5 files"
    alone.show_groups(Groups((Problem(FileProblem.BAD_CONTENT, reason, 5),)))
    assert "line 21" in entry.accessibleName()


def test_wrapped_text_may_contain_characters_of_every_plane(alone: Sidebar) -> None:
    alone.show_groups(Groups((Problem("x", a_reason("\N{PILE OF POO}" * 30 + " of files " * 10), 5),)))
    (entry,) = alone.problems.entries.values()
    assert entry._lines[0] == "\N{PILE OF POO}" * len(entry._lines[0])


def test_batch_shows_its_progress_until_it_is_finished(alone: Sidebar, wording: Wording) -> None:
    facts = {}
    for counts in (StatusCounts(12), StatusCounts(1, 1, 8, 2), StatusCounts(0, 0, 10, 2), StatusCounts(0, 0, 12, 0)):
        alone.show_groups(Groups((), (Batch(1, "in", NOW_MS, counts),)))
        facts[counts] = alone.batches.entries[1].facts
    when = wording.recent_moment(NOW_MS)
    assert [(fact.note, fact.alert, fact.done) for fact in facts.values()] == [
        ("0 done", "", 0.0),
        ("10 done", "2 failed", 10 / 12),
        (when, "2 failed", None),
        (when, "", None),
    ]
    assert facts[StatusCounts(1, 1, 8, 2)].spoken == "in, 10 done, 2 failed, 12 files"


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


def test_scroll_bar_takes_no_room_from_the_entries(alone: Sidebar, qtbot: QtBot) -> None:
    before = alone.entries()[0].geometry()
    alone.show_groups(Groups((), tuple(Batch(number, f"b{number}", 0, StatusCounts(1)) for number in range(30))))
    qtbot.waitUntil(alone.verticalScrollBar().isVisible)
    assert alone.entries()[0].geometry() == before
    assert alone.entries()[-1].geometry().right() < alone.viewport().width()


def test_choice_of_entries_that_no_longer_exist_is_cleared(alone: Sidebar, qtbot: QtBot) -> None:
    groups = Groups((Problem("x", None, 5),), (Batch(1, "one", 0, StatusCounts(5)),))
    alone.show_groups(groups)
    assert alone.problems.entries["x"].facts.text == "No reason given"
    alone.choose(Filter(problems=frozenset({"x"}), batches=frozenset({1})))
    with qtbot.assertNotEmitted(alone.chosen):
        alone.show_groups(groups)
    with qtbot.waitSignal(alone.chosen):
        alone.show_groups(Groups((), groups.batches))
    assert alone.choice == Filter(batches=frozenset({1}))


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_chosen_entries_are_tinted(alone: Sidebar, theme: Theme, direction: Qt.LayoutDirection) -> None:
    alone.setLayoutDirection(direction)
    alone.show_counts(StatusCounts(1, 2, 3, 4))
    alone.show_groups(Groups((Problem("x", a_reason("Gone"), 4, reasons=2),)))
    alone.choose(Filter(problems=frozenset({"x"})))
    entry = alone.problems.entries["x"]
    for colours in (DARK, LIGHT):
        theme.use(colours)
        alone.fit()
        image = entry.grab().toImage()
        assert image.pixelColor(image.width() // 2, 3).name() == colours.tint
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


def inked_rows(entry: SidebarEntry) -> list[int]:
    """Return the rows of pixels that are not all of one colour."""
    image = entry.grab().toImage()
    width, height = range(image.width()), range(image.height())
    return [y for y in height if len({image.pixel(x, y) for x in width}) > 1]


def test_descenders_are_whole_in_a_right_to_left_layout(alone: Sidebar) -> None:
    rows = []
    for direction in (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft):
        alone.setLayoutDirection(direction)
        alone.show_groups(Groups((), (Batch(1, "jumpy gyps", NOW_MS, StatusCounts(0, 0, 10, 2)),)))
        alone.fit()
        rows.append(inked_rows(alone.batches.entries[1]))
    assert rows[0] == rows[1]


def test_note_begins_on_the_side_where_reading_begins(alone: Sidebar, theme: Theme) -> None:
    alone.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    alone.show_groups(Groups((), (Batch(1, "in", NOW_MS, StatusCounts(0, 0, 10, 2)),)))
    theme.use(LIGHT)
    alone.fit()
    image = alone.batches.entries[1].grab().toImage()
    places: dict[str, list[int]] = {LIGHT.muted: [], LIGHT.failed: []}
    for x in range(image.width() // 3, image.width()):
        for y in range(image.height()):
            places.get(image.pixelColor(x, y).name(), []).append(x)
    # The dot between the two is muted, too.
    assert min(places[LIGHT.muted]) > max(places[LIGHT.failed])


def test_batches_are_counted_at_once_when_a_run_ends(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(10)
    windows.open()
    windows.settle()
    jobs = windows.controller()
    jobs.groups._task._took_ms = 60_000  # as after a count of a long list on a busy computer
    windows.jobs_db.finish(keys)
    jobs.feed.look()
    qtbot.waitUntil(lambda: jobs.groups.counts.batches[0].counts.processed == 10)
