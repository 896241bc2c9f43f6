"""A dialog that is closed while its work is running: no crash, no exception, and no warning."""

from __future__ import annotations

import sys
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from desktop_app.gui import tasks
from desktop_app.gui.connection.dialog import ConnectionDialog
from tests.gui.action_scene import DONE, GONE, ActionScene
from tests.gui.running_app import queue_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory

pytestmark = pytest.mark.slow

DELAYS_MS = (0, 1, 10, 50, 100, 250, 500)
WORK_SECONDS = 0.12
"""How much longer each task takes, so that dialogs are closed before, during and after it."""


def trigger(name: str, select: str = DONE) -> Callable[[ActionScene], None]:
    def begin(scene: ActionScene) -> None:
        scene.select(select)
        scene.action(name).trigger()

    return begin


def connection(press: str) -> Callable[[ActionScene], None]:
    def begin(scene: ActionScene) -> None:
        scene.window.menu_actions.connection.trigger()
        dialog = scene.dialog(ConnectionDialog)
        assert isinstance(dialog, ConnectionDialog)
        page = queue_page(dialog)
        page.form.places[1].click()
        {"": lambda: None, "test": page.test.click, "list": page.form.list_queues.click}[press]()

    return begin


def review(scene: ActionScene) -> None:
    folder = scene.folder / "many"
    folder.mkdir(exist_ok=True)
    for number in range(60):
        (folder / f"{number}.txt").touch()
    scene.window.add([str(folder)])
    scene.windows._qtbot.waitUntil(lambda: scene.dialog() is not None)


def save_report(scene: ActionScene) -> None:
    scene.action("report").trigger()
    report = scene.window.help.report
    assert report is not None
    report.save_as(str(scene.folder / "report.zip"))


def export(scene: ActionScene) -> None:
    scene.action("export").trigger()
    dialog = scene.window.export.dialog
    assert dialog is not None
    dialog.button.click()


def foreign(scene: ActionScene) -> None:
    scene.receive_foreign()
    scene.action("foreign").trigger()


DIALOGS: dict[str, Callable[[ActionScene], None]] = {
    "support report": trigger("report"),
    "saving the support report": save_report,
    "export": export,
    "log": trigger("log"),
    "connection": connection(""),
    "connection test": connection("test"),
    "list of queues": connection("list"),
    "other programs' messages": foreign,
    "review": review,
    "locate": trigger("locate", GONE),
    "add files": trigger("add_files"),
    "add folder": trigger("add_folder"),
    "shortcuts": trigger("shortcuts"),
    "about": trigger("about"),
}


def top_windows(scene: ActionScene) -> list[QWidget]:
    """Return the open dialogs and windows beside the main window, newest last."""
    found = scene.window.findChildren(QWidget)
    return [widget for widget in found if widget.isWindow() and widget.isVisible()]


def press_esc(scene: ActionScene) -> None:
    for widget in reversed(top_windows(scene)):
        if not isinstance(widget, QDialog):  # Esc is a shortcut there, which needs an active window
            widget.activateWindow()
            scene.windows._qtbot.waitUntil(widget.isActiveWindow)
        QTest.keyClick(widget, Qt.Key.Key_Escape)


def close_by_window_manager(scene: ActionScene) -> None:
    for widget in reversed(top_windows(scene)):
        handle = widget.windowHandle()
        if handle is not None:
            handle.close()


def closes(scene: ActionScene, close: Callable[[ActionScene], None]) -> bool:
    """Close what a dialog has opened in the meantime, such as a file dialog; return whether nothing is open."""
    if top_windows(scene):
        close(scene)
    return not top_windows(scene)


@pytest.fixture
def slow_work(monkeypatch: pytest.MonkeyPatch) -> None:
    perform = tasks.Tasks._perform

    def perform_late(self: tasks.Tasks, token: int, work: Callable[[], object]) -> None:
        def late() -> object:
            Event().wait(WORK_SECONDS / 2)
            result = work()
            Event().wait(WORK_SECONDS / 2)
            return result

        perform(self, token, late)

    monkeypatch.setattr(tasks.Tasks, "_perform", perform_late)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Return the list of exceptions that would open the crash dialog."""
    seen: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: seen.append(error))
    return seen


def wait(qtbot: QtBot, milliseconds: int) -> None:
    """Run the event loop for a time; 0 handles only the events that have already arrived."""
    if milliseconds:
        qtbot.wait(milliseconds)


def delete_closed() -> None:
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.mark.parametrize("close", [press_esc, close_by_window_manager])
@pytest.mark.parametrize("name", DIALOGS)
@pytest.mark.usefixtures("slow_work")
def test_dialog_can_be_closed_while_its_work_is_running(
    scene: ActionScene,
    windows: WindowFactory,
    qtbot: QtBot,
    errors: list[BaseException],
    name: str,
    close: Callable[[ActionScene], None],
) -> None:
    for delay in DELAYS_MS:
        DIALOGS[name](scene)
        wait(qtbot, delay)
        close(scene)
        delete_closed()
        qtbot.waitUntil(partial(closes, scene, close))
        windows.settle()
        assert errors == [], f"after {delay} ms"
    scene.close()


@pytest.mark.parametrize("delay", DELAYS_MS)
@pytest.mark.parametrize("name", DIALOGS)
@pytest.mark.usefixtures("slow_work")
def test_window_can_be_closed_while_the_work_of_a_dialog_is_running(
    scene: ActionScene, windows: WindowFactory, qtbot: QtBot, errors: list[BaseException], name: str, delay: int
) -> None:
    DIALOGS[name](scene)
    wait(qtbot, delay)
    scene.window.close()
    delete_closed()
    windows.controller().stop()
    scene.close()
    windows.settle()
    assert windows.controller().close()
    delete_closed()
    assert errors == []
