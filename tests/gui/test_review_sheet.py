"""The review sheet, in a window and with real folders."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QTableWidget

from desktop_app.domain.job import NewFile
from desktop_app.gui.adding.adder import Proposal
from desktop_app.gui.adding.review_sheet import ReviewSheet
from desktop_app.gui.tasks import Stream
from desktop_app.services.adding.review import Review
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import NamedFolder, ScanResult
from desktop_app.store.models import BatchRow
from tests.clipping.names import unnamed
from tests.gui.conftest import WindowFactory, notice_text

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.gui.wording import Wording

LEFT = Qt.MouseButton.LeftButton
CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with 60 `.csv` files, and 3 `.txt` files in a subfolder; each has 10 bytes."""
    top = tmp_path / "in"
    (top / "deep").mkdir(parents=True)
    for number in range(60):
        (top / f"{number:02}.csv").write_bytes(b"x" * 10)
    for number in range(3):
        (top / "deep" / f"{number}.txt").write_bytes(b"x" * 10)
    return top


def sheet_of(window: MainWindow, qtbot: QtBot) -> ReviewSheet:
    """Wait for the review sheet and return it."""
    qtbot.waitUntil(lambda: window.adding.sheet is not None and window.adding.sheet.isVisible())
    sheet = window.adding.sheet
    assert sheet is not None
    qtbot.waitUntil(sheet.isActiveWindow)
    return sheet


@pytest.fixture
def asked(windows: WindowFactory, folder: Path, qtbot: QtBot) -> ReviewSheet:
    """Return the open review sheet for the folder."""
    window = windows.open_active()
    window.add([str(folder)])
    return sheet_of(window, qtbot)


def notice(windows: WindowFactory, window: MainWindow) -> str:
    windows.settle()
    return notice_text(window)


def type_in(box: QWidget, text: str) -> None:
    QTest.keyClicks(box, text)


def focused() -> QWidget | None:
    return QApplication.focusWidget()


def batches(windows: WindowFactory) -> list[str]:
    with windows.jobs_db.database.read():
        return [name for (name,) in windows.jobs_db.database.run(BatchRow.select(BatchRow.name).tuples())]


def window_of(sheet: ReviewSheet) -> MainWindow:
    return sheet.parentWidget()  # type: ignore[return-value]


# --- texts


def test_sheet_shows_the_number_size_and_folder_of_the_files(asked: ReviewSheet, folder: Path) -> None:
    texts = [label.accessibleName() or label.text() for label in asked.findChildren(type(asked.chosen))]
    assert "Files from “in”" in texts
    assert str(folder) in [label.accessibleName() for label in asked.findChildren(type(asked.chosen))]
    assert asked.chosen.text() == "All 63 files, 630 bytes"
    assert asked.add.text() == "&Add 63 Files"
    assert (asked.name.text(), asked.name.placeholderText()) == ("", "in")
    assert asked.subfolders.isChecked()
    assert not asked.listed.isVisible()
    assert not asked.refused.isVisible()


def test_every_control_has_an_accessible_name_and_only_its_window_is_blocked(asked: ReviewSheet) -> None:
    assert unnamed(asked) == []
    assert asked.windowModality() is Qt.WindowModality.WindowModal


def test_count_follows_the_typed_patterns(asked: ReviewSheet, qtbot: QtBot) -> None:
    type_in(asked.only, "*.txt")
    qtbot.waitUntil(lambda: asked.chosen.text() == "3 of 63 files, 30 bytes")
    assert asked.add.text() == "&Add 3 Files"
    assert asked.name.placeholderText() == "3 files from in"
    asked.only.clear()
    type_in(asked.leave_out, "0*; deep")
    qtbot.waitUntil(lambda: asked.chosen.text() == "50 of 63 files, 500 bytes")
    asked.leave_out.clear()
    QTest.mouseClick(asked.subfolders, LEFT, pos=asked.subfolders.rect().center() / 4)
    qtbot.waitUntil(lambda: asked.chosen.text() == "60 of 63 files, 600 bytes")


def test_an_empty_selection_can_not_be_added(asked: ReviewSheet, qtbot: QtBot, windows: WindowFactory) -> None:
    type_in(asked.only, "*.pdf")
    QTest.keyClick(asked.only, Qt.Key.Key_Return)  # before counting ends
    qtbot.waitUntil(lambda: asked.chosen.text() == "None of the 63 files match")
    assert (asked.add.text(), asked.add.isEnabled()) == ("&Add Files", False)
    QTest.keyClick(asked.only, Qt.Key.Key_Return)
    assert asked.isVisible()
    assert windows.names() == []


def test_folder_without_subfolders_disables_the_check_box(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window._list.adder.add([str(folder / "deep")], always_review=True)
    sheet = sheet_of(window, qtbot)
    assert not sheet.subfolders.isEnabled()
    assert sheet.subfolders.text() == "Include &subfolders (there are none)"
    assert sheet.add.text() == "&Add 3 Files"


def test_subfolders_are_not_offered_for_single_files(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window.add([str(path) for path in sorted(folder.glob("*.csv"))])
    sheet = sheet_of(window, qtbot)
    assert not sheet.subfolders.isVisible()
    assert focused() is sheet.add
    QTest.keyClick(sheet.add, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(windows.names()) == 60)


# --- by keyboard and by mouse


def test_selecting_by_pattern_takes_two_steps(asked: ReviewSheet, windows: WindowFactory, qtbot: QtBot) -> None:
    window = window_of(asked)
    assert focused() is asked.only
    type_in(asked.only, "*.csv")
    QTest.keyClick(asked.only, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(windows.names()) == 60)
    assert all(name.endswith(".csv") for name in windows.names())
    qtbot.waitUntil(lambda: notice(windows, window) == "Added 60 files from in.")
    qtbot.waitUntil(lambda: window.adding.sheet is None)


def test_add_by_mouse_with_another_name(asked: ReviewSheet, windows: WindowFactory, qtbot: QtBot) -> None:
    type_in(asked.name, "october")
    QTest.mouseClick(asked.add, LEFT)
    qtbot.waitUntil(lambda: len(windows.names()) == 63)
    assert batches(windows) == ["october"]


@pytest.mark.parametrize("by_mouse", [True, False])
def test_cancel_adds_nothing(asked: ReviewSheet, windows: WindowFactory, qtbot: QtBot, *, by_mouse: bool) -> None:
    window = window_of(asked)
    if by_mouse:
        cancel = next(button for button in asked.findChildren(type(asked.add)) if "Cancel" in button.text())
        QTest.mouseClick(cancel, LEFT)
    else:
        QTest.keyClick(asked, Qt.Key.Key_Escape)
    assert window.adding.sheet is None
    assert not windows.controller().adder.busy
    windows.settle()
    assert windows.names() == []
    assert batches(windows) == []


def test_tab_order_follows_the_layout(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    os.mkfifo(folder / "pipe")
    window = windows.open_active()
    window.add([str(folder / "00.csv")])
    qtbot.waitUntil(lambda: windows.names() == ["00.csv"])
    window.add([str(folder), "/nowhere"])
    sheet = sheet_of(window, qtbot)
    QTest.keyClick(sheet, Qt.Key.Key_Tab)
    seen: list[QWidget] = [sheet.only]
    while focused() not in seen:
        here = focused()
        assert here is not None
        seen.append(here)
        QTest.keyClick(here, Qt.Key.Key_Tab)
    wanted = [sheet.only, sheet.leave_out, sheet.name, sheet.process_as.box, sheet.skip, sheet.show_refused]
    assert seen[:6] == wanted
    assert {sheet.add, sheet.subfolders} < set(seen)
    sheet.skip.setFocus()
    QTest.keyClick(sheet.skip, Qt.Key.Key_Right)
    assert sheet.again.isChecked()


# --- unusual items


def test_refused_items_are_counted_and_listed(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "there").symlink_to(folder / "deep")
    window = windows.open_active()
    window.add([str(folder / "deep"), str(folder / "pipe"), str(folder / "gone"), "https://example.org/x"])
    sheet = sheet_of(window, qtbot)
    assert sheet.refused.text == "Can't be added: 1 item that doesn't exist, 1 pipe or device, and 1 web address."
    QTest.mouseClick(sheet.show_refused, LEFT)
    dialog = next(dialog for dialog in sheet.findChildren(QDialog) if dialog.windowTitle() == "Not Added")
    table = dialog.findChildren(QTableWidget)[0]
    assert table.model().index(2, 1).data() == "Web addresses can't be added yet; download the file first"
    dialog.close()
    QTest.mouseClick(sheet.add, LEFT)
    qtbot.waitUntil(lambda: len(windows.names()) == 3)


def test_a_single_refused_item_is_named(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window.add([str(folder / "deep"), str(folder / "gone")])
    sheet = sheet_of(window, qtbot)
    assert sheet.refused.text == "“gone” can't be added: The file does not exist."
    assert not sheet.show_refused.isVisible()


def test_files_already_in_the_list_are_skipped(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window.add([str(folder / "deep")])
    qtbot.waitUntil(lambda: len(windows.names()) == 3)
    window.add([str(folder)])
    sheet = sheet_of(window, qtbot)
    assert sheet.listed.text == "3 files are already in the list and unchanged"
    assert sheet.skip.isChecked()
    assert sheet.add.text() == "&Add 60 Files"
    type_in(sheet.only, "1?.csv")
    qtbot.waitUntil(lambda: not sheet.listed.isVisible())
    sheet.only.clear()
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: notice(windows, window) == "Added 60 files from in. Skipped because already in the list: 3."
    )
    assert len(windows.names()) == 63


def test_a_file_already_in_the_list_can_be_added_again(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    file = str(folder / "00.csv")
    window.add([file])
    qtbot.waitUntil(lambda: windows.names() == ["00.csv"])
    window.add([file])
    sheet = sheet_of(window, qtbot)
    assert sheet.listed.text == "1 file is already in the list and unchanged"
    assert not sheet.add.isEnabled()
    assert focused() is sheet.skip
    QTest.keyClick(sheet.skip, Qt.Key.Key_Right)
    assert sheet.add.text() == "&Add 1 File"
    QTest.keyClick(sheet.again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: windows.names() == ["00.csv", "00.csv"])


def test_a_changed_file_is_added_without_a_review(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window.add([str(folder / "00.csv")])
    qtbot.waitUntil(lambda: windows.names() == ["00.csv"])
    (folder / "00.csv").write_text("more than there was")
    window.add([str(folder / "00.csv")])
    qtbot.waitUntil(lambda: windows.names() == ["00.csv", "00.csv"])


# --- several sheets, and closing


def test_reviews_are_shown_one_after_another(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    adder = windows.controller().adder
    adder.add([str(folder / "deep")], always_review=True)
    adder.add([str(folder)], always_review=True)
    first = sheet_of(window, qtbot)
    windows.settle()
    QTest.keyClick(first, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.adding.sheet is not None and window.adding.sheet is not first)
    second = sheet_of(window, qtbot)
    QTest.keyClick(second, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not adder.busy)
    qtbot.waitUntil(lambda: len(windows.names()) in {3, 63})


def test_closing_the_window_dismisses_all_reviews(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    adder = windows.controller().adder
    for _ in range(2):
        adder.add([str(folder)], always_review=True)
    sheet = sheet_of(window, qtbot)
    windows.settle()
    window.close()
    assert not sheet.isVisible()
    assert not adder.busy
    assert window.adding.sheet is None
    assert batches(windows) == []


def test_sheet_fits_into_the_smallest_window(asked: ReviewSheet) -> None:
    window = window_of(asked)
    assert asked.height() <= window.minimumHeight()
    assert asked.width() <= window.minimumWidth()


def test_counting_a_hundred_thousand_files_does_not_block_the_window(
    windows: WindowFactory, theme: Theme, wording: Wording, qtbot: QtBot
) -> None:
    files = FileList(NewFile(f"/in/{at % 9}/{at}.{('csv', 'txt')[at % 2]}", 1, at) for at in range(100_000))
    result = ScanResult(files, (), folders=(NamedFolder("/in", range(len(files)), range(0)),))
    proposal = Proposal(1, Review(result, bytearray(len(files))), "in", ("/in",))
    window = windows.open()
    sheet = ReviewSheet(proposal, Stream(windows.controller().tasks, window), window.processors, theme, wording, window)
    qtbot.waitUntil(sheet.isVisible)
    turns, last = [0.0], [time.thread_time()]

    def tick() -> None:
        turns.append(time.thread_time() - last[0])
        last[0] = time.thread_time()

    beat = QTimer()
    beat.timeout.connect(tick)
    beat.start(1)
    for letter in "*.csv":
        type_in(sheet.only, letter)
        sheet._count()
    qtbot.waitUntil(lambda: sheet.chosen.text() == "50,000 of 100,000 files, 50.0 kB")
    beat.stop()
    assert max(turns) < 0.05
    sheet.reject()


# --- after an add


def test_show_selects_the_batch_that_was_added(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    windows.jobs_db.add("old.txt")
    window = windows.open_active()
    window.filter.setText("old")
    qtbot.waitUntil(lambda: windows.names() == ["old.txt"])
    window.add([str(folder / "deep")])
    qtbot.waitUntil(lambda: notice(windows, window) == "3 files added to “deep”.")
    QTest.mouseClick(next(button for button in window.notices.buttons if button.text() == "Show"), LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["0.txt", "1.txt", "2.txt"])
    windows.settle()
    assert window.filter.text() == ""
    entries = window.sidebar.entries
    qtbot.waitUntil(lambda: [entry.facts.text for entry in entries() if entry.isChecked()] == ["deep"])
    assert focused() is window.view
    QTest.mouseClick(next(button for button in window.notices.buttons if button.text() == "Undo"), LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["old.txt"])


# --- undo


@pytest.mark.parametrize("by_mouse", [True, False])
def test_an_add_is_undone_and_redone(windows: WindowFactory, folder: Path, qtbot: QtBot, *, by_mouse: bool) -> None:
    windows.jobs_db.add("old.txt")
    window = windows.open_active()
    window.add([str(folder / "deep")])
    qtbot.waitUntil(lambda: notice(windows, window) == "3 files added to “deep”.")
    assert windows.controller().commands.undo.undoText() == "Add 3 Files"

    def press(text: str, keys: str) -> None:
        if by_mouse:
            QTest.mouseClick(next(button for button in window.notices.buttons if button.text() == text), LEFT)
        else:
            QTest.keySequence(window, QKeySequence(keys))

    press("Undo", "Ctrl+Z")
    qtbot.waitUntil(lambda: windows.names() == ["old.txt"])
    qtbot.waitUntil(lambda: notice(windows, window) == "Removed 3 files from the list. Nothing was changed on disk.")
    assert (folder / "deep" / "0.txt").exists()
    press("Redo", "Ctrl+Y")
    qtbot.waitUntil(lambda: len(windows.names()) == 4)
    qtbot.waitUntil(lambda: notice(windows, window) == "Restored 3 files to the list.")


def test_undoing_an_add_ignores_files_removed_by_the_user(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window.add([str(folder / "deep")])
    qtbot.waitUntil(lambda: len(windows.names()) == 3)
    windows.settle()
    keys = windows.jobs_db.jobs.ids()
    windows.jobs_db.intake.remove(keys[:1])
    window.notices.buttons[1].click()
    qtbot.waitUntil(lambda: windows.names() == [])
    windows.settle()
    window.notices.buttons[0].click()
    qtbot.waitUntil(lambda: windows.names() == ["1.txt", "2.txt"])


def test_add_and_remove_are_undone_one_after_another(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    window = windows.open_active()
    window.add([str(folder / "deep")])
    qtbot.waitUntil(lambda: len(windows.names()) == 3)
    window.view.select_rows(0, 1)
    window.menu_actions.remove.trigger()
    qtbot.waitUntil(lambda: len(windows.names()) == 1)
    for left in (3, 0):
        QTest.keySequence(window, QKeySequence("Ctrl+Z"))
        qtbot.waitUntil(lambda left=left: len(windows.names()) == left)  # type: ignore[misc]
    for left in (3, 1):
        QTest.keySequence(window, QKeySequence("Ctrl+Y"))
        qtbot.waitUntil(lambda left=left: len(windows.names()) == left)  # type: ignore[misc]


# --- paste


@pytest.mark.parametrize("as_text", [True, False])
def test_pasted_folder_opens_a_review(windows: WindowFactory, folder: Path, qtbot: QtBot, *, as_text: bool) -> None:
    window = windows.open_active()
    data = QMimeData()
    if as_text:
        data.setText(f'"{folder}"\nrelative\n')
    else:
        data.setUrls([QUrl.fromLocalFile(str(folder))])
    QGuiApplication.clipboard().setMimeData(data)
    QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    assert sheet_of(window, qtbot).add.text() == "&Add 63 Files"


def test_pasted_web_address_is_refused_with_a_reason(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open_active()
    QGuiApplication.clipboard().setText("https://example.org/a.csv")
    QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: "Web addresses can't be added yet" in notice(windows, window))
