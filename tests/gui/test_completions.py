"""What the filter box offers while the user is typing, and what it says about what it does not understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton

from desktop_app.domain.job import Status
from desktop_app.domain.search import SYNTAX, Key, KnownValues
from desktop_app.gui.filtering.completions import completions, term_at
from desktop_app.gui.filtering.search_names import read_search
from desktop_app.gui.filtering.syntax_help import SyntaxHelp
from tests.gui.jobs_database import NOW_MS
from tests.gui.test_translations import speaking

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.filtering.filter_box import FilterBox
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

KEY = Qt.Key
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
VALUES = KnownValues(("json", "csv"), ("Reports", "3 files from In", 'the "final" ones', '""'), ("laptop", "server"))


def offered(typed: str, values: KnownValues = VALUES) -> list[str]:
    return [completion.text for completion in completions(typed, values)]


def terms(typed: str) -> list[str]:
    return [completion.term for completion in completions(typed, VALUES)]


def test_term_is_the_one_in_front_of_the_cursor() -> None:
    text = 'in status:fai "two words" x'
    assert term_at(text, 2) == (0, 2)
    assert term_at(text, 7) == (3, 13)
    assert term_at(text, 13) == (3, 13)
    assert term_at(text, 20) == (14, 25)
    assert term_at(text, 3) == (3, 3)
    assert term_at("", 0) == (0, 0)


def test_keys_are_offered_after_two_letters(qapp: QApplication) -> None:
    assert offered("") == offered("s") == offered("x") == offered("report") == offered('"st') == []
    assert offered("st") == ["status:"]
    assert offered("NA") == ["name:"]
    assert offered("-fo") == ["-folder:"]
    assert offered("fi") == ["finished:"]
    assert completions("ty", VALUES)[0].is_key


def test_values_are_offered_and_quoted_if_necessary(qapp: QApplication) -> None:
    assert offered("status:") == ["pending", "processing", "processed", "failed"]
    assert terms("status:f") == ["status:failed"]
    assert terms("-Status:PROCESSE") == ["-Status:processed"]
    assert offered("status:failed") == []
    assert terms("status:failed,pe") == ["status:failed,pending"]
    assert offered("type:") == offered("type:.") == ["json", "csv"]
    assert terms("type:.j") == ["type:json"]
    assert terms("type:csv,") == ["type:csv,json"]
    assert terms("batch:") == ["batch:Reports", 'batch:"3 files from In"', "batch:final"]
    assert terms('batch:"3 fi') == terms("batch:3") == ['batch:"3 files from In"']
    assert offered("worker:ser") == ["server"]
    assert offered("reason:missi") == ["missing"]
    assert offered("added:tod") == ["today", "yesterday..today"]
    assert offered("name:") == offered("colour:") == offered("size:>7") == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_everything_offered_is_understood(qapp: QApplication, language: str) -> None:
    with speaking(language):
        keys = [completion for key, _, _ in SYNTAX if key for completion in completions(str(key)[:2], VALUES)]
        assert keys
        for key in Key:
            for completion in completions(f"{key}:", VALUES):
                search = read_search(completion.term)
                assert search.terms
                assert search.problems == ()


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    a, b, c, _ = windows.jobs_db.add("/in/apple.txt", "/in/banana.json", "/out/cherry.json", "/in/date.json", size=5000)
    windows.jobs_db.fail([a, b, c])
    windows.jobs_db.change([a, b, c], attempts=2)
    windows.jobs_db.change(c, finished_at=NOW_MS - 2 * 86_400_000)
    return windows.open_active()


@pytest.fixture
def box(window: MainWindow) -> FilterBox:
    window.filter.setFocus()
    return window.filter


def shown(box: FilterBox) -> list[str]:
    popup = box.popup
    found = [popup.topLevelItem(row) for row in range(popup.topLevelItemCount())]
    return [item.text(0) for item in found if item] if popup.isVisible() else []


def test_key_and_value_are_completed_with_the_keyboard(box: FilterBox, windows: WindowFactory, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "apple st")
    assert shown(box) == ["status:"]
    QTest.keyClick(box, KEY.Key_Down)
    QTest.keyClick(box, KEY.Key_Return)
    assert box.text() == "apple status:"
    assert shown(box) == ["pending", "processing", "processed", "failed"]
    QTest.keyClick(box, KEY.Key_Up)
    assert box.popup.current == completions("status:fa", VALUES)[0]
    QTest.keyClick(box, KEY.Key_Return)
    assert box.text() == "apple status:failed "
    assert shown(box) == []
    assert QApplication.focusWidget() is box
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt"])


def test_tab_takes_the_first_completion_and_otherwise_leaves_the_box(box: FilterBox) -> None:
    QTest.keyClicks(box, "st")
    QTest.keyClick(box, KEY.Key_Tab)
    assert box.text() == "status:"
    QTest.keyClicks(box, "f")
    QTest.keyClick(box, KEY.Key_Tab)
    assert box.text() == "status:failed "
    assert QApplication.focusWidget() is box
    QTest.keyClick(box, KEY.Key_Tab)
    assert QApplication.focusWidget() is not box


def test_escape_closes_only_the_completions_and_then_clears_the_text(box: FilterBox) -> None:
    QTest.keyClicks(box, "status:f")
    QTest.keyClick(box, KEY.Key_Escape)
    assert (box.text(), shown(box)) == ("status:f", [])
    QTest.keyClick(box, KEY.Key_Escape)
    assert box.text() == ""


def test_enter_without_a_selected_completion_goes_to_the_list(
    box: FilterBox, window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    QTest.keyClicks(box, "status:f")
    QTest.keyClick(box, KEY.Key_Return)
    assert (box.text(), shown(box)) == ("status:f", [])
    assert QApplication.focusWidget() is window.view
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt", "banana.json", "cherry.json"])


def test_word_in_the_middle_is_completed(box: FilterBox) -> None:
    box.setText("one  two")
    box.setCursorPosition(4)
    QTest.keyClicks(box, "fo")
    QTest.keyClick(box, KEY.Key_Tab)
    assert box.text() == "one folder: two"
    assert box.cursorPosition() == len("one folder:")


def test_completion_is_taken_by_a_click_and_the_popup_closes_with_the_focus(box: FilterBox, window: MainWindow) -> None:
    QTest.keyClicks(box, "status:")
    item = box.popup.topLevelItem(3)
    assert item is not None
    QTest.mouseClick(box.popup.viewport(), Qt.MouseButton.LeftButton, pos=box.popup.visualItemRect(item).center())
    assert box.text() == "status:failed "
    assert QApplication.focusWidget() is box
    QTest.keyClicks(box, "si")
    assert shown(box) == ["size:"]
    window.view.setFocus()
    assert shown(box) == []


def test_values_of_the_list_are_offered(box: FilterBox, windows: WindowFactory, qtbot: QtBot) -> None:
    windows.settle()
    QTest.keyClicks(box, "type:")
    qtbot.waitUntil(lambda: shown(box) == ["json", "txt"])


def test_completions_lie_inside_a_narrow_window(box: FilterBox, window: MainWindow) -> None:
    window.resize(window.minimumSize())
    QTest.keyClicks(box, "added:")
    assert shown(box)
    assert window.rect().contains(box.popup.geometry())
    assert box.popup.y() >= box.mapTo(window, QPoint(0, box.height())).y()


def test_completions_are_announced(box: FilterBox, heard: list[str]) -> None:
    QTest.keyClicks(box, "st")
    assert heard == ["1 suggestion"]
    QTest.keyClick(box, KEY.Key_Down)
    assert heard[1:] == ["status: Pending, processing, processed or failed"]


def test_what_is_not_understood_is_said_under_the_box(
    box: FilterBox, window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    tip = box.accessibleDescription()
    QTest.keyClicks(box, "apple colour:red")
    qtbot.waitUntil(box.message.isVisible)
    said = "There is no “colour:”. To search for the text, put it in quotes."
    assert box.message.text() == box.accessibleDescription() == said
    assert windows.names() == ["apple.txt"]
    assert box.message.mapTo(window, QPoint()).y() >= box.mapTo(window, QPoint(0, box.height())).y()
    QTest.keyClick(box, KEY.Key_Escape)
    assert box.message.isHidden()
    assert box.accessibleDescription() == tip
    QTest.keyClicks(box, '"colour:red" 12:30 C:\\x https://a')
    with qtbot.waitSignal(box.searched):
        pass
    assert box.message.isHidden()


def test_list_of_what_can_be_typed_inserts_a_key(box: FilterBox, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "apple")
    QTest.keyClick(box, KEY.Key_Down, ALT)
    (syntax,) = box.findChildren(SyntaxHelp)
    assert syntax.isVisible()
    table = syntax.table
    assert table.rowCount() == len(SYNTAX)
    row = [entry.key for entry in SYNTAX].index(Key.STATUS)
    table.setCurrentCell(row, 0)
    QTest.keyClick(table, KEY.Key_Return)
    assert not syntax.isVisible()
    assert box.text() == "apple status:"
    assert shown(box) == ["pending", "processing", "processed", "failed"]


def test_list_of_what_can_be_typed_is_a_click_away(box: FilterBox) -> None:
    (button,) = [each for each in box.findChildren(QToolButton) if each.text() == "What you can type"]
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    (syntax,) = box.findChildren(SyntaxHelp)
    table = syntax.table
    item = table.item(0, 0)
    assert item is not None
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(item).center())
    assert box.text() == SYNTAX[0].example
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    (syntax,) = [each for each in box.findChildren(SyntaxHelp) if each.isVisible()]
    QTest.keyClick(syntax.table, KEY.Key_Escape)
    assert not syntax.isVisible()


def test_json_files_that_failed_today_are_found_and_retried(
    box: FilterBox, window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    QTest.keyClicks(box, "type:json status:failed finished:today")
    qtbot.waitUntil(lambda: windows.names() == ["banana.json"])
    QTest.keyClick(box, KEY.Key_Return)
    assert QApplication.focusWidget() is window.view
    QTest.keyClick(window.view, KEY.Key_A, CTRL)
    QTest.keyClick(window.view, KEY.Key_R, CTRL)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["FAILED", "PENDING", "FAILED", "PENDING"])
    qtbot.waitUntil(lambda: windows.names() == [])


def test_list_follows_the_time(box: FilterBox, windows: WindowFactory, qtbot: QtBot) -> None:
    QTest.keyClicks(box, "finished:today")
    qtbot.waitUntil(lambda: windows.names() == ["apple.txt", "banana.json"])
    windows.jobs_db.clock.now += 86_400
    windows.controller().model.reload()
    qtbot.waitUntil(lambda: windows.names() == [])
    assert windows.controller().model.filter.statuses == frozenset[Status]()
