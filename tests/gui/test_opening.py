# ruff: noqa: N802 - fakes of Qt's own have Qt's names
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop_app.gui import programs
from desktop_app.gui.desktop import file_manager
from tests.gui.action_scene import open_urls_with
from tests.gui.conftest import WindowFactory, notice_text

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QUrl
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's keys and file managers")


class FakeBus:
    """A session bus with or without a file manager."""

    def __init__(self, *, connected: bool = True, answers: bool = True) -> None:
        self.asked: list[list[Any]] = []
        self._connected = connected
        self._answers = answers

    def isConnected(self) -> bool:
        return self._connected

    def call(self, message: QDBusMessage, *_: object) -> QDBusMessage:
        self.asked.append(message.arguments())
        return message.createReply() if self._answers else message.createErrorReply("org.x.Unknown", "Nobody is there")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> FakeBus:
    made = FakeBus()
    monkeypatch.setattr(QDBusConnection, "sessionBus", lambda: made)
    return made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def open_url(url: QUrl) -> bool:
        made.append(bytes(url.toEncoded().data()).decode())
        return True

    open_urls_with(monkeypatch, open_url)
    return made


@pytest.fixture
def window(windows: WindowFactory, tmp_path: Path) -> MainWindow:
    """Open a window with three files, the last of which no longer exists."""
    for name in ("a b.txt", "b.txt"):
        (tmp_path / name).write_text("x")
    windows.jobs_db.add(*(f"{tmp_path}/{name}" for name in ("a b.txt", "b.txt", "<i>gone.txt")))
    return windows.open_active()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_opens_the_selected_files(
    window: MainWindow, windows: WindowFactory, tmp_path: Path, opened: list[str], key: Qt.Key, qtbot: QtBot
) -> None:
    window.view.select_rows(0, 1)
    QTest.keyClick(window.view, key)
    qtbot.waitUntil(lambda: opened == [f"file://{tmp_path}/a%20b.txt", f"file://{tmp_path}/b.txt"])
    assert notice_text(window) == ""


def test_double_click_opens_the_file(window: MainWindow, tmp_path: Path, opened: list[str], qtbot: QtBot) -> None:
    place = window.view.visualRect(window.view.model().index(1, 0)).center()
    QTest.mouseClick(window.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(window.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: opened == [f"file://{tmp_path}/b.txt"])


def test_enter_in_the_filter_box_opens_nothing(window: MainWindow, windows: WindowFactory, opened: list[str]) -> None:
    window.view.select_rows(0, 0)
    window.filter.setFocus()
    QTest.keyClick(window.filter, Qt.Key.Key_Return)
    windows.settle()
    assert opened == []


def test_missing_file_is_reported_and_the_others_are_opened(
    window: MainWindow, tmp_path: Path, opened: list[str], qtbot: QtBot
) -> None:
    window.view.select_rows(1, 2)
    window.menu_actions.open.trigger()
    qtbot.waitUntil(lambda: notice_text(window).startswith("“<i>gone.txt” no longer exists."))
    assert opened == [f"file://{tmp_path}/b.txt"]
    for name in ("a b.txt", "b.txt"):
        (tmp_path / name).unlink()
    window.view.selectAll()
    window.menu_actions.open.trigger()
    qtbot.waitUntil(lambda: notice_text(window).startswith("3 files no longer exist."))


def test_file_without_a_program_is_reported(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    open_urls_with(monkeypatch, lambda _: False)
    window.view.select_rows(1, 1)
    window.menu_actions.open.trigger()
    qtbot.waitUntil(lambda: notice_text(window) == "No program on this computer can open “b.txt”.")


def test_folder_without_a_program_is_reported(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QDBusConnection, "sessionBus", lambda: FakeBus(connected=False))
    monkeypatch.setattr(programs, "_OPENERS", (("false",),))
    window.view.select_rows(1, 1)
    window.menu_actions.show_file.trigger()
    qtbot.waitUntil(lambda: notice_text(window) == f"No program on this computer can show the folder “{tmp_path}”.")


def test_number_of_files_opened_at_once_is_limited(
    window: MainWindow, windows: WindowFactory, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_manager, "MOST_AT_ONCE", 2)
    window.view.selectAll()
    window.menu_actions.open.trigger()
    windows.settle()
    assert notice_text(window) == "You can open at most 2 files at once."
    assert opened == []


def test_file_manager_is_called_to_select_the_files(
    window: MainWindow, tmp_path: Path, bus: FakeBus, opened: list[str], qtbot: QtBot
) -> None:
    window.view.select_rows(0, 1)
    QTest.keyClick(window.view, Qt.Key.Key_E, CTRL)
    qtbot.waitUntil(lambda: bus.asked == [[[f"file://{tmp_path}/a%20b.txt", f"file://{tmp_path}/b.txt"], ""]])
    assert (opened, notice_text(window)) == ([], "")


def test_only_the_folder_of_the_current_file_is_shown(
    windows: WindowFactory, tmp_path: Path, bus: FakeBus, qtbot: QtBot
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a", "sub/b"):
        (tmp_path / name).touch()
    windows.jobs_db.add(f"{tmp_path}/a", f"{tmp_path}/sub/b")
    window = windows.open_active()
    window.view.selectAll()
    window.view.selectionModel().setCurrentIndex(
        window.view.model().index(1, 0), window.view.selectionModel().SelectionFlag.NoUpdate
    )
    window.menu_actions.show_file.trigger()
    qtbot.waitUntil(lambda: bus.asked == [[[f"file://{tmp_path}/sub/b"], ""]])


@pytest.mark.parametrize("made", [FakeBus(connected=False), FakeBus(answers=False)])
def test_folder_is_opened_where_no_file_manager_answers(
    window: MainWindow,
    tmp_path: Path,
    opened: list[str],
    made: FakeBus,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QDBusConnection, "sessionBus", lambda: made)
    window.view.select_rows(1, 1)
    window.menu_actions.show_file.trigger()
    qtbot.waitUntil(lambda: opened == [f"file://{tmp_path}"])
    assert notice_text(window) == ""


def test_folder_of_a_missing_file_is_opened_and_reported(
    window: MainWindow, tmp_path: Path, bus: FakeBus, opened: list[str], qtbot: QtBot
) -> None:
    window.view.select_rows(2, 2)
    window.menu_actions.show_file.trigger()
    qtbot.waitUntil(lambda: notice_text(window).startswith("“<i>gone.txt” no longer exists."))
    assert (opened, bus.asked) == ([f"file://{tmp_path}"], [])


def test_missing_folder_is_reported(windows: WindowFactory, bus: FakeBus, opened: list[str], qtbot: QtBot) -> None:
    windows.jobs_db.add("/no such folder/bad\udcff.txt")
    window = windows.open_active()
    window.view.select_rows(0, 0)
    window.menu_actions.show_file.trigger()
    qtbot.waitUntil(lambda: notice_text(window).startswith("The folder that contains “bad\\xff.txt” can't be opened"))
    assert opened == []


def test_paths_of_the_selected_files_are_copied(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    window.view.select_rows(0, 1)
    QTest.keyClick(window.view, Qt.Key.Key_C, CTRL | SHIFT)
    wanted = f"{tmp_path}/a b.txt\n{tmp_path}/b.txt"
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() == wanted)
    assert len(QGuiApplication.clipboard().mimeData().urls()) == 2
    assert notice_text(window) == "Copied 2 paths."
    QGuiApplication.clipboard().clear()
