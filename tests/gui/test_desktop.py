"""Desktop integration: what is requested, and when."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

from desktop_app.domain.job import Status
from desktop_app.gui.connection.status import LoopKind
from desktop_app.gui.desktop.native import DockBadge, MacAwake, WindowsAwake, WindowsTaskbar, desktop_of
from desktop_app.gui.desktop.ports import Desktop, NoDesktop, Notification, Topic
from desktop_app.gui.desktop.tray import Tray, TrayNotifier
from tests.gui.test_run_notifications import FakeNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory


class FakeTaskbar:
    def __init__(self) -> None:
        self.shown: list[tuple[float | None, int]] = []

    def show(self, fraction: float | None, failed: int) -> None:
        self.shown.append((fraction, failed))


class FakeAwake:
    def __init__(self) -> None:
        self.is_kept = False

    def keep(self, *, awake: bool) -> None:
        self.is_kept = awake


class Room:
    def __init__(self, windows: WindowFactory) -> None:
        self.notifier, self.taskbar, self.awake = FakeNotifier(), FakeTaskbar(), FakeAwake()
        windows.desktop = Desktop(self.notifier, self.taskbar, self.awake)


@pytest.fixture
def room(windows: WindowFactory) -> Room:
    return Room(windows)


def test_task_bar_follows_the_run_and_counts_its_failures(windows: WindowFactory, room: Room, qtbot: QtBot) -> None:
    window = windows.open()
    keys = windows.jobs_db.add_many(4)
    qtbot.waitUntil(lambda: room.taskbar.shown[-1:] == [(0.0, 0)])
    windows.jobs_db.finish(keys[:2])
    windows.jobs_db.fail(keys[2])
    qtbot.waitUntil(lambda: room.taskbar.shown[-1] == (0.75, 1))
    windows.jobs_db.finish(keys[3])
    qtbot.waitUntil(lambda: room.taskbar.shown[-1] == (None, 0))
    assert not window._list.run.progress.is_busy


def test_computer_stays_awake_only_while_something_is_processed(
    windows: WindowFactory, room: Room, qtbot: QtBot
) -> None:
    window = windows.open()
    (key,) = windows.jobs_db.add("a")
    qtbot.waitUntil(lambda: window._list.run.progress.is_busy)
    assert not room.awake.is_kept
    windows.jobs_db.change(key, status=Status.PROCESSING)
    qtbot.waitUntil(lambda: room.awake.is_kept)
    windows.jobs_db.finish(key)
    qtbot.waitUntil(lambda: not room.awake.is_kept)
    (other,) = windows.jobs_db.add("b")
    windows.jobs_db.change(other, status=Status.PROCESSING)
    qtbot.waitUntil(lambda: room.awake.is_kept)
    window.close()
    assert not room.awake.is_kept


def test_short_pause_between_two_files_does_not_allow_sleep(windows: WindowFactory, room: Room, qtbot: QtBot) -> None:
    window = windows.open()
    first, _ = windows.jobs_db.add("a", "b")
    windows.jobs_db.change(first, status=Status.PROCESSING)
    qtbot.waitUntil(lambda: room.awake.is_kept)
    windows.jobs_db.finish(first)
    qtbot.waitUntil(lambda: window._list.run.progress.files_done == 1)
    assert room.awake.is_kept
    window.progress._awake_timer.setInterval(1)
    window.progress._awake_timer.start()
    qtbot.waitUntil(lambda: not room.awake.is_kept)


def test_finished_batch_is_shown_in_the_window_and_its_notification_opens_the_view(
    windows: WindowFactory, room: Room, qtbot: QtBot
) -> None:
    window = windows.open()
    keys = windows.jobs_db.add_many(3)
    qtbot.waitUntil(lambda: window._list.run.progress.is_busy)
    windows.jobs_db.finish(keys[:2])
    windows.jobs_db.fail(keys[2])
    qtbot.waitUntil(lambda: window.notices.notice is not None)
    assert window.notices.notice is not None
    assert window.notices.notice.text == "2 files processed, 1 failed."
    qtbot.waitUntil(window.menu_actions.status_views[-1].isEnabled)
    window.hide()
    room.notifier.clicked(Topic.ENDED)
    assert window.isVisible()
    qtbot.waitUntil(lambda: window.view.model().rowCount() == 1)


def test_closing_window_sends_no_notifications(windows: WindowFactory, room: Room) -> None:
    window = windows.open()
    window.close()
    shown = len(room.notifier.shown)
    windows.states.set_failure(LoopKind.SENDER, "x")
    assert len(room.notifier.shown) == shown


# --- the tray


@pytest.fixture
def tray(qtbot: QtBot) -> Iterator[Tray]:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    keep = QAction("Keep in Tray", window)
    keep.setCheckable(True)
    yield Tray(window, keep, [QAction("Pause", window), QAction("Quit", window)], is_available=lambda: True)
    window.close()


def test_tray_icon_is_off_by_default(tray: Tray) -> None:
    states = [tray.is_shown]
    for wanted in (True, False):
        tray._keep.setChecked(wanted)
        states.append(tray.is_shown)
    assert states == [False, True, False]
    assert [action.text() for action in tray.menu.actions()] == ["Hide", "Pause", "Quit"]


def test_tray_is_not_offered_without_one(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    keep = QAction("Keep in Tray", window)
    keep.setCheckable(True)
    keep.setChecked(True)
    none = Tray(window, keep, [], is_available=lambda: False)
    assert not none.is_shown
    assert not keep.isVisible()


def test_icon_hides_the_window_and_brings_it_back(tray: Tray) -> None:
    tray._keep.setChecked(True)
    tray._click(QSystemTrayIcon.ActivationReason.Trigger)
    assert not tray._window.isVisible()
    tray.menu.aboutToShow.emit()
    assert tray.menu.actions()[0].text() == "Show"
    tray._click(QSystemTrayIcon.ActivationReason.Trigger)
    assert tray._window.isVisible()
    tray._click(QSystemTrayIcon.ActivationReason.Context)
    assert tray._window.isVisible()


def test_closing_hides_only_with_the_icon_and_only_by_the_window_s_own_button(tray: Tray) -> None:
    spontaneous = _Spontaneous()
    assert not tray.eventFilter(tray._window, spontaneous)
    tray._keep.setChecked(True)
    assert not tray.eventFilter(tray._window, QCloseEvent())
    assert tray.eventFilter(tray._window, spontaneous)
    assert not tray._window.isVisible()


class _Spontaneous(QCloseEvent):
    """A close event as sent for the window's close button."""

    def spontaneous(self) -> bool:
        return True


def test_tray_messages_are_used_only_with_a_tray(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    notifier = TrayNotifier()
    clicked: list[Topic] = []
    notifier.on_click(clicked.append)
    notifier.show(Notification(Topic.ENDED, "Finished", "x"))
    assert notifier._icon is None
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda: True)
    shown: list[tuple[Any, ...]] = []
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda *args: shown.append(args[1:3]))
    notifier.show(Notification(Topic.FAILURE, "A file has failed", "x"))
    assert shown == [("A file has failed", "x")]
    notifier._click()
    assert clicked == [Topic.FAILURE]
    notifier.close()


# --- other systems, as far as they can be tested here


def test_every_system_has_its_desktop(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    made = {platform: desktop_of(window, platform) for platform in ("linux", "win32", "darwin", "plan9")}
    kinds = {
        platform: tuple(type(part).__name__ for part in (one.notifier, one.taskbar, one.awake))
        for platform, one in made.items()
    }
    assert kinds["win32"] == ("TrayNotifier", "WindowsTaskbar", "WindowsAwake")
    assert kinds["darwin"] == ("TrayNotifier", "DockBadge", "MacAwake")
    assert kinds["plan9"] == ("NoDesktop",) * 3
    if sys.platform == "linux":
        assert kinds["linux"] == ("BusNotifier", "LauncherEntry", "BusAwake")


def test_services_that_another_system_lacks_are_skipped_silently(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    if sys.platform != "win32":
        taskbar = WindowsTaskbar(lambda: 1)
        taskbar.show(0.5, 1)
        assert taskbar._is_broken
        taskbar.show(None, 0)
        awake = WindowsAwake()
        awake.keep(awake=True)
        awake.keep(awake=False)
    mac = MacAwake()
    mac.keep(awake=True)
    mac.keep(awake=False)
    badge = DockBadge()
    badge.show(0.5, 3)
    badge.show(None, 0)


def test_no_desktop_does_nothing() -> None:
    none = NoDesktop()
    none.show(Notification(Topic.ENDED, "", ""))
    none.show(0.5, 1)
    none.on_click(lambda _: None)
    none.keep(awake=True)
    none.close()
