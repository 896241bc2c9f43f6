from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QToolBar,
    QToolButton,
    QTreeView,
)

from desktop_app.domain.job import Status
from desktop_app.gui import operations as operations_module
from desktop_app.gui.connection.status import LoopKind
from desktop_app.gui.progress.run import RunEnd
from desktop_app.gui.widgets.notice import Kind
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.services.loops import LoopState, Phase
from tests.gui.conftest import WindowFactory, notice_text

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def clean_clipboard(qapp: QApplication) -> None:
    QGuiApplication.clipboard().clear()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "in"
    folder.mkdir()
    paths = []
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("x\n")
        paths.append(str(folder / name))
    return paths


def tool(window: MainWindow, action: QAction) -> QToolButton:
    button = window.findChildren(QToolBar)[0].widgetForAction(action)
    assert isinstance(button, QToolButton)
    return button


def pairs_in(dialog: QDialog) -> list[tuple[str, str]]:
    model = dialog.findChildren(QTableWidget)[0].model()
    return [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]


# --- empty and full


def test_empty_list_invites_to_add_files(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert not window.view.isVisible()
    buttons = [button for button in window.findChildren(QPushButton) if button.isVisible()]
    assert [button.text() for button in buttons] == ["&Add Files…", "Add F&older…", "Use my AWS &queue instead…"]
    assert QApplication.focusWidget() is buttons[0]
    for action in (
        window.menu_actions.retry,
        window.menu_actions.remove,
        window.menu_actions.copy,
        window.menu_actions.select_all,
    ):
        assert not action.isEnabled()
    QTest.mouseClick(buttons[0], LEFT)
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    dialog.close()
    window.menu_actions.connection.triggered.disconnect()
    asked = QSignalSpy(window.menu_actions.connection.triggered)
    QTest.mouseClick(buttons[2], LEFT)
    assert asked.count() == 1


def test_list_appears_with_the_first_file_and_disappears_with_the_last(
    windows: WindowFactory, files: list[str], qtbot: QtBot
) -> None:
    window = windows.open()
    window.add(files)
    qtbot.waitUntil(window.view.isVisible)
    qtbot.waitUntil(lambda: notice_text(window) == "Added 2 files from in.")
    window.view.selectAll()
    window.menu_actions.remove.trigger()
    qtbot.waitUntil(lambda: not window.view.isVisible())


def test_other_programs_writes_show_up_by_themselves(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    key = windows.jobs_db.add("from-elsewhere.txt")[0]
    qtbot.waitUntil(lambda: windows.names() == ["from-elsewhere.txt"])
    windows.jobs_db.finish(key)
    qtbot.waitUntil(lambda: window.status.counts[Status.PROCESSED].words.text() == "1 processed")


def test_status_bar_and_title_show_the_overall_progress(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add_many(4)
    windows.jobs_db.finish(keys[:3])
    window = windows.open()
    window.resize(1100, 700)
    assert [window.status.counts[status].words.text() for status in Status] == [
        "1 pending",
        "0 processing",
        "3 processed",
        "0 failed",
    ]
    qtbot.waitUntil(lambda: window.status.files.text() == "3 of 4 files")
    assert window.status.percent.text() == "75%"
    assert window.windowTitle().startswith("75%")
    window.resize(720, 440)
    assert not window.status.files.isVisible()
    assert window.status.percent.isVisible()
    windows.jobs_db.fail(keys[3])
    qtbot.waitUntil(lambda: window.status.files.text() == "4 files")
    assert window.windowTitle() == "Local queue \N{EN DASH} Filemill"
    qtbot.waitUntil(lambda: window.menu_actions.retry_failed.iconText() == "Retry Failed (1)")


def test_connection_is_shown_and_problems_appear_under_the_toolbar(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    assert window.status.connection.shown.text == "Starting…"
    windows.states.set_state(LoopKind.SENDER, LoopState(Phase.RUNNING))
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.RUNNING))
    assert window.status.connection.shown.text == "Local queue"
    windows.states.set_state(LoopKind.SENDER, LoopState(Phase.WAITING, "The local queue could not start."))
    assert window.banner.isVisible()
    QTest.mouseClick(window.banner.buttons[0], LEFT)
    assert windows.tried == 1
    windows.states.set_state(LoopKind.SENDER, LoopState(Phase.RUNNING))
    assert not window.banner.isVisible()


# --- actions by keyboard and by mouse


def test_select_all_and_none_by_keyboard(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add_many(5)
    window = windows.open_active()
    assert not window.menu_actions.remove.isEnabled()
    QTest.keyClick(window.view, Qt.Key.Key_A, CTRL)
    assert window.view.selected_count() == 5
    assert window.menu_actions.remove.isEnabled()
    QTest.keyClick(window.view, Qt.Key.Key_A, CTRL | SHIFT)
    assert window.view.selected_count() == 0


def test_retry_by_keyboard_and_all_failed_by_mouse(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add("a", "b", "c")
    windows.jobs_db.fail(keys)
    window = windows.open_active()
    window.view.select_rows(1, 1)
    QTest.keyClick(window.view, Qt.Key.Key_R, CTRL)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["FAILED", "PENDING", "FAILED"])
    QTest.mouseClick(tool(window, window.menu_actions.retry_failed), LEFT)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == ["PENDING"] * 3)
    qtbot.waitUntil(lambda: notice_text(window) == "2 files will be processed again.")
    qtbot.waitUntil(lambda: not window.menu_actions.retry_failed.isEnabled())


def test_remove_by_key_and_undo_by_key(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a", "b", "c")
    window = windows.open_active()
    window.view.select_rows(0, 1)
    QTest.keyClick(window.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: windows.names() == ["c"])
    QTest.keyClick(window.view, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b", "c"])
    QTest.keyClick(window.view, Qt.Key.Key_Y, CTRL)
    qtbot.waitUntil(lambda: windows.names() == ["c"])


def test_remove_by_mouse_and_undo_in_the_message(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a", "b")
    window = windows.open_active()
    row = window.view.visualRect(windows.controller().model.index(1, 0)).center()
    QTest.mouseClick(window.view.viewport(), LEFT, pos=row)
    QTest.mouseClick(tool(window, window.menu_actions.remove), LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["a"])
    qtbot.waitUntil(lambda: [button.text() for button in window.notices.buttons] == ["Undo"])
    QTest.mouseClick(window.notices.buttons[0], LEFT)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b"])
    qtbot.waitUntil(lambda: notice_text(window) == "Restored 1 file to the list.")


def test_undo_of_many_works_while_the_list_is_sorted(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("b", "c", "a")
    window = windows.open_active()
    window.view.header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: windows.names() == ["a", "b", "c"])
    window.view.select_rows(0, 1)
    window.menu_actions.remove.trigger()
    qtbot.waitUntil(lambda: windows.names() == ["c"])
    windows.controller().commands.undo.undo()
    qtbot.waitUntil(lambda: windows.names() == ["a", "b", "c"])


def test_rows_are_copied_for_a_spreadsheet(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a", "b", size=5)
    window = windows.open_active()
    for number in (3, 5, 6):
        window.view.header.show_column(number, False)
    window.view.header.moveSection(window.view.header.visualIndex(4), 0)
    window.view.selectAll()
    QTest.keyClick(window.view, Qt.Key.Key_C, CTRL)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() == "Size\tName\tStatus\n5\ta\tPending\n5\tb\tPending\n")
    assert notice_text(window) == "Copied 2 rows."


def test_paths_are_pasted(windows: WindowFactory, files: list[str], qtbot: QtBot) -> None:
    window = windows.open_active()
    QGuiApplication.clipboard().setText("\n".join(files))
    QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: windows.names() == ["a.txt", "b.txt"])


def test_pasting_other_data_shows_a_message(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open_active()
    QGuiApplication.clipboard().setText("just words")
    QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    assert notice_text(window) == "There are no files, folders or paths on the clipboard."
    QGuiApplication.clipboard().setText("https://example.org/a.csv")
    QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: "Web addresses can't be added yet" in notice_text(window))


def test_result_of_a_run_does_not_replace_a_warning(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a")
    window = windows.open_active()
    window.add(["https://example.org/a.csv"])
    qtbot.waitUntil(lambda: "Web addresses can't be added yet" in notice_text(window))
    window.progress.notifications.follow_end(RunEnd(1, 0, 100))
    assert "Web addresses can't be added yet" in notice_text(window)
    window.notices.clear()
    qtbot.waitUntil(lambda: notice_text(window) == "1 file processed.")


def test_context_menu_has_the_same_actions_as_the_menu_bar(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a")
    window = windows.open_active()
    window.view.select_rows(0, 0)
    window.view.menu_requested.emit(QPoint(50, 50))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert window.menu_actions.retry in menu.actions()
    assert all(action in window.menu_actions.all for action in menu.actions() if not action.isSeparator())
    assert len([action for action in menu.actions() if not action.isSeparator()]) <= 12
    menu.close()


def test_menus_of_the_view_are_filled_when_they_open(windows: WindowFactory) -> None:
    window = windows.open()
    view = next(action.menu() for action in window.menuBar().actions() if action.text() == "&View")
    assert isinstance(view, QMenu)
    submenus = [submenu for action in view.actions() if isinstance(submenu := action.menu(), QMenu)]
    assert len(submenus) == 2
    for submenu in submenus:
        submenu.aboutToShow.emit()
        submenu.aboutToShow.emit()
        titles = [action.text() for action in submenu.actions() if not action.isSeparator()]
        assert titles[:7] == ["Name", "Status", "Progress", "Lines", "Size", "Added", "Duration"]
        assert len(titles) == len(set(titles))


def test_shortcuts_and_about_open_beside_the_window(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open_active()
    QTest.keyClick(window, Qt.Key.Key_Slash, CTRL)
    dialog = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())
    rows = dict(pairs_in(dialog))
    assert rows["Add Folder"] == "Ctrl+Shift+O"
    assert rows["Undo"] == "Ctrl+Z"
    dialog.close()
    window.menu_actions.about.trigger()
    about = next(dialog for dialog in window.findChildren(QDialog) if dialog.windowTitle() == "About Filemill")
    about.close()


# --- adding by dialog and by drop


def choose(window: MainWindow, qtbot: QtBot, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> QFileDialog:
    QTest.keyClick(window, key, modifiers)
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def test_files_chosen_in_the_dialog_are_added_and_its_folder_remembered(
    windows: WindowFactory, files: list[str], qtbot: QtBot, tmp_path: Path
) -> None:
    window = windows.open_active()
    dialog = choose(window, qtbot, Qt.Key.Key_O, CTRL)
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFiles
    dialog.filesSelected.emit(files)
    dialog.close()
    qtbot.waitUntil(lambda: windows.names() == ["a.txt", "b.txt"])
    window.close()
    assert WindowMemory(tmp_path / "window.ini").folder("files") == str(tmp_path / "in")


def test_folder_chosen_in_the_dialog_is_reviewed_first(
    windows: WindowFactory, files: list[str], qtbot: QtBot, tmp_path: Path
) -> None:
    window = windows.open_active()
    dialog = choose(window, qtbot, Qt.Key.Key_O, CTRL | SHIFT)
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.filesSelected.emit([str(tmp_path / "in")])
    dialog.close()
    qtbot.waitUntil(lambda: window.adding.sheet is not None and window.adding.sheet.isVisible())
    assert window.adding.sheet is not None
    assert window.adding.sheet.subfolders.isVisible()
    QTest.keyClick(window.adding.sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: windows.names() == ["a.txt", "b.txt"])
    assert files


def test_sizes_and_times_in_the_dialog_are_not_cut(
    windows: WindowFactory, files: list[str], qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "in" / "large.bin").write_bytes(bytes(10_000_000))
    dialog = choose(windows.open_active(), qtbot, Qt.Key.Key_O, CTRL)
    dialog.resize(640, 400)
    dialog.setDirectory(str(tmp_path / "in"))
    (view,) = (tree for tree in dialog.findChildren(QTreeView) if tree.isVisible())
    qtbot.waitUntil(lambda: view.model().rowCount(view.rootIndex()) == len(files) + 1)
    columns = range(1, 4)
    qtbot.waitUntil(lambda: all(view.columnWidth(column) >= view.sizeHintForColumn(column) for column in columns))
    assert view.horizontalScrollBar().maximum() == 0


def test_cancelled_dialog_adds_nothing(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open_active()
    dialog = choose(window, qtbot, Qt.Key.Key_O, CTRL)
    dialog.reject()
    assert not windows.controller().adder.busy
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))


def drag(urls: list[QUrl]) -> tuple[QMimeData, QDragEnterEvent, QDragMoveEvent, QDropEvent]:
    data = QMimeData()
    data.setUrls(urls)
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    return (
        data,
        QDragEnterEvent(QPoint(40, 40), copy, data, LEFT, none),
        QDragMoveEvent(QPoint(60, 60), copy, data, LEFT, none),
        QDropEvent(QPointF(60, 60), copy, data, LEFT, none),
    )


def test_drop_announces_what_it_will_do_and_does_it(
    windows: WindowFactory, files: list[str], qtbot: QtBot, tmp_path: Path
) -> None:
    window = windows.open()
    data, enter, move, drop = drag([QUrl.fromLocalFile(str(tmp_path / "in"))])
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert window.overlay.isVisible()
    assert window.overlay.text == "Drop to add 1 folder"
    assert not window.overlay.grab().toImage().isNull()
    QApplication.sendEvent(window, move)
    assert move.isAccepted()
    QApplication.sendEvent(window, drop)
    assert not window.overlay.isVisible()
    qtbot.waitUntil(lambda: windows.names() == ["a.txt", "b.txt"])
    assert data.hasUrls()
    assert files


def test_table_lets_a_drop_through_to_the_window(windows: WindowFactory, files: list[str], qtbot: QtBot) -> None:
    windows.jobs_db.add("x")
    window = windows.open()
    data, enter, _, drop = drag([QUrl.fromLocalFile(files[0])])
    QApplication.sendEvent(window.view.viewport(), enter)
    assert window.overlay.text == "Drop to add 1 file"
    QApplication.sendEvent(window.view.viewport(), drop)
    qtbot.waitUntil(lambda: windows.names() == ["x", "a.txt"])
    assert data.hasUrls()


def test_cancelled_drag_changes_nothing(windows: WindowFactory, files: list[str]) -> None:
    window = windows.open()
    data, enter, *_ = drag([QUrl.fromLocalFile(files[0])])
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.overlay.isVisible()
    assert not windows.controller().adder.busy
    assert data.hasUrls()


def test_drag_of_other_data_is_refused_with_a_message(windows: WindowFactory) -> None:
    window = windows.open()
    data, enter, move, drop = drag([QUrl("https://example.org/x")])
    QApplication.sendEvent(window, enter)
    assert "Only files and folders" in window.overlay.text
    QApplication.sendEvent(window, move)
    assert not move.isAccepted()
    QApplication.sendEvent(window, drop)
    assert not window.overlay.isVisible()
    assert not windows.controller().adder.busy
    assert data.hasUrls()


def test_refused_things_are_listed_with_their_reasons(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    window.add(["/nowhere/<b>x</b>\n", "/dev/null"])
    qtbot.waitUntil(lambda: notice_text(window) == "None of these 2 items can be added.")
    QTest.mouseClick(window.notices.buttons[0], LEFT)
    dialog = next(dialog for dialog in window.findChildren(QDialog) if dialog.windowTitle() == "Not Added")
    rows = pairs_in(dialog)
    assert rows[0] == ("/nowhere/<b>x</b>\\n", "The file does not exist")
    assert rows[1][0] == "/dev/null"
    copy = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Copy")
    QTest.mouseClick(copy, LEFT)
    assert QGuiApplication.clipboard().text().count("\n") == 2
    dialog.close()


def test_added_files_are_scrolled_to(windows: WindowFactory, files: list[str], qtbot: QtBot) -> None:
    windows.jobs_db.add_many(300)
    window = windows.open()
    window.view.scrollToTop()
    window.add(files)
    qtbot.waitUntil(lambda: notice_text(window) == "Added 2 files from in.")
    row = window.view.visualRect(windows.controller().model.index(300, 0))
    assert window.view.viewport().rect().contains(row)


def test_long_operations_are_shown_with_their_progress_and_a_stop_button(
    windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations_module, "SHOWN_AFTER_MS", 0)
    window = windows.open()
    operations = windows.controller().operations
    adding = operations.begin(lambda done, _: f"Scanning in… {done} files")
    removing = operations.begin(lambda done, total: f"Removing {done} of {total}…", 100_000)
    assert not window.busy.isVisible()
    removing.proceed(34_000)
    qtbot.waitUntil(lambda: len(window.busy.findChildren(QProgressBar)) == 2)
    assert [label.text() for label in window.busy.findChildren(QLabel)] == [
        "Scanning in… 0 files",
        "Removing 34000 of 100000…",
    ]
    assert [(bar.value(), bar.maximum()) for bar in window.busy.findChildren(QProgressBar)] == [
        (0, 0),
        (34_000, 100_000),
    ]
    stops = window.busy.findChildren(QPushButton)
    assert [stop.isVisible() for stop in stops] == [True, True]
    QTest.mouseClick(stops[0], LEFT)
    assert adding.is_stopped
    assert [stop.isEnabled() for stop in stops] == [False, True]
    assert not removing.is_stopped
    operations.end(adding)
    assert window.busy.isVisible()
    operations.end(removing)
    assert not window.busy.isVisible()


def test_error_without_another_place_is_shown_once(windows: WindowFactory) -> None:
    window = windows.open()
    windows.controller().problem.emit("The list can't be read.")
    first = window.notices.notice
    windows.controller().problem.emit("The list can't be read.")
    assert window.notices.notice is first
    assert first is not None
    assert first.kind is Kind.PROBLEM


# --- coming back


def test_window_restores_its_layout(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("b", "c", "a")
    first = windows.open()
    first.resize(760, 480)  # fits on the offscreen platform's screen
    header = first.view.header
    header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    header.show_column(2, False)
    header.moveSection(header.visualIndex(6), 1)
    header.resizeSection(4, 123)
    layout = header.column_layout()
    closed = QSignalSpy(first.closed)
    first.close()
    first.close()
    assert closed.count() == 1
    second = windows.open()
    qtbot.waitUntil(lambda: windows.names() == ["c", "b", "a"])
    assert second.size() == first.size()
    assert second.view.header.column_layout() == layout


def test_quit_closes_the_window(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open_active()
    with qtbot.waitSignal(window.closed):
        QTest.keyClick(window, Qt.Key.Key_Q, CTRL)
    assert not window.isVisible()


def test_list_has_the_focus_in_a_window_opened_with_files(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a", "b")
    window = windows.open()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.waitUntil(window.view.hasFocus)
    QTest.keyClick(window.view, Qt.Key.Key_Home)
    assert window.view.selected_rows() == [(0, 0)]


def test_empty_page_shows_its_text_rather_than_its_icon_in_a_low_window(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    page = window._empty
    icon = page._icon
    qtbot.waitUntil(lambda: page.isVisible() and icon.isVisible())
    window.setMinimumHeight(1)  # as on a screen of 1920 by 1080 pixels at 300 %
    window.resize(620, 330)
    qtbot.waitUntil(icon.isHidden)
    qtbot.waitUntil(lambda: page.words.height() >= page.words.heightForWidth(page.words.width()))
    window.resize(900, 600)
    qtbot.waitUntil(icon.isVisible)
