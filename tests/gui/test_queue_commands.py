"""Process Next and Check Queue Now, by keyboard and by mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from desktop_app.domain.job import PriorityResult
from desktop_app.gui.commands.queue import priority_text
from desktop_app.services.loops import StopRequest
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.outbox import Outbox, Sent
from tests.gui.conftest import WindowFactory, notice_text

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow

CTRL = Qt.KeyboardModifier.ControlModifier


def order(windows: WindowFactory) -> list[str]:
    """Return the names in the outbox, in sending order."""
    with windows.jobs_db.database.read():
        query = OutboxRow.select(JobRow.file_path).join(JobRow).order_by(OutboxRow.position)
        return [path.rpartition("/")[2] for (path,) in windows.jobs_db.database.run(query.tuples())]


def select(window: MainWindow, windows: WindowFactory, *names: str) -> None:
    window.view.clearSelection()
    for name in names:
        row = windows.names().index(name)
        place = window.view.visualRect(window.view.model().index(row, 0)).center()
        QTest.mouseClick(window.view.viewport(), Qt.MouseButton.LeftButton, CTRL, place)


def send_all(windows: WindowFactory) -> None:
    outbox = Outbox(windows.jobs_db.database)
    entries = outbox.claim(queue="local", owner="s", limit=99, now_ms=1, claim_ms=1)
    outbox.mark_sent([Sent(entry, "m") for entry in entries], now_ms=1)


def test_process_next_by_keyboard(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a.txt", "b.txt", "c.txt", "d.txt")
    window = windows.open_active()
    assert order(windows) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    select(window, windows, "c.txt", "d.txt")
    QTest.keyClick(window.view, Qt.Key.Key_T, CTRL)
    qtbot.waitUntil(lambda: notice_text(window) == "2 files moved to the front.")
    assert sorted(order(windows)[:2]) == ["c.txt", "d.txt"]
    assert order(windows)[2:] == ["a.txt", "b.txt"]
    assert windows.jobs_db.control.wait_to_send(0.1, StopRequest())


def test_process_next_by_mouse_in_the_context_menu(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("a.txt", "b.txt")
    window = windows.open_active()
    select(window, windows, "b.txt")
    window.view.menu_requested.emit(window.view.viewport().mapToGlobal(QPoint(10, 10)))
    menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
    QTest.mouseClick(
        menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(window.menu_actions.process_next).center()
    )
    qtbot.waitUntil(lambda: notice_text(window) == "1 file moved to the front.")
    assert order(windows) == ["b.txt", "a.txt"]


def test_process_next_while_a_consumer_is_running(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add("a.txt", "b.txt")
    send_all(windows)
    window = windows.open_active()
    select(window, windows, "a.txt", "b.txt")
    control = windows.jobs_db.control
    with control.consuming(serves_priorities=True):
        window.menu_actions.process_next.trigger()
        qtbot.waitUntil(lambda: notice_text(window) == "2 files will be processed next.")
        assert sorted(control.take_priorities(9)) == sorted(keys)


def test_finished_files_can_not_be_processed_next(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.finish(windows.jobs_db.add("a.txt"))
    window = windows.open_active()
    assert not window.menu_actions.process_next.isEnabled()
    select(window, windows, "a.txt")
    window.menu_actions.process_next.trigger()
    qtbot.waitUntil(lambda: notice_text(window).startswith("The selected files can't be processed next"))


@pytest.mark.parametrize(
    ("moved", "may_begin", "text"),
    [
        (PriorityResult((1,), 0, is_served=True), True, "1 file will be processed next."),
        (PriorityResult((1, 2), 0, is_served=True), False, "2 files will be processed next once you resume."),
        (
            PriorityResult((1, 2, 3), 1),
            True,
            "1 file moved to the front. 2 files are already in the queue, where the order can't be changed.",
        ),
    ],
)
def test_text_about_priority(qapp: object, moved: PriorityResult, may_begin: bool, text: str) -> None:
    assert priority_text(moved, may_begin=may_begin) == text


def test_check_queue_by_keyboard(windows: WindowFactory) -> None:
    window = windows.open_active()
    QTest.keyClick(window.view, Qt.Key.Key_F5)
    assert windows.tried == 1
    assert notice_text(window) == "Checking the queue now."


def test_check_queue_by_mouse(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open_active()
    menu = next(menu for menu in window.findChildren(QMenu) if window.menu_actions.check_queue in menu.actions())
    menu.popup(window.mapToGlobal(QPoint(20, 20)))
    qtbot.waitUntil(menu.isVisible)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(window.menu_actions.check_queue).center())
    assert windows.tried == 1
