"""Paused batches in the window: the bar with Continue, Retry As and Remove, the sidebar, and the setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import load_settings
from desktop_app.domain.job import Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.desktop.ports import Desktop, Topic
from desktop_app.gui.filtering.groups import GroupCommands
from desktop_app.gui.processors.dialog import ProcessAsDialog
from desktop_app.gui.widgets.notice import Notice
from desktop_app.store.held_batches import HeldBatches
from tests.gui.test_desktop import FakeAwake, FakeTaskbar
from tests.gui.test_run_notifications import FakeNotifier

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QPushButton
    from pytestqt.qtbot import QtBot

    from desktop_app.domain.job import Batch
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase

EMPTY = Reason(ReasonCode.BAD_CONTENT, {"why": "it is empty"})


def pause(jobs_db: JobsDatabase, key: int) -> None:
    job = jobs_db.jobs.page([key])[key]
    assert HeldBatches(jobs_db.database).hold(job.batch_id, ReasonCode.BAD_CONTENT, now_ms=1)


@pytest.fixture
def keys(windows: WindowFactory) -> list[int]:
    """Return a paused batch: two files have failed, one has been processed, and two are waiting."""
    jobs_db = windows.jobs_db
    keys = jobs_db.add("a", "b", "c", "d", "e")
    jobs_db.intake.rename_batch(1, "photos")
    jobs_db.fail(keys[:2], EMPTY)
    jobs_db.finish(keys[2])
    pause(jobs_db, keys[0])
    return keys


@pytest.fixture
def window(windows: WindowFactory, keys: list[int], qtbot: QtBot) -> MainWindow:
    window = windows.open()
    qtbot.waitUntil(window.paused_batches.isVisible)
    return window


def label(one: QPushButton | QAction) -> str:
    return one.text().replace("&", "")


def button(window: MainWindow, text: str) -> QPushButton:
    return next(one for one in window.paused_batches.buttons if label(one) == text)


def shown(window: MainWindow) -> Notice:
    return window.paused_batches.notice or Notice("")


def paused(windows: WindowFactory) -> list[Batch]:
    return windows.jobs_db.jobs.held_batches()


def test_bar_says_what_is_paused_why_and_how_many_files_wait(window: MainWindow) -> None:
    notice = window.paused_batches.notice
    assert notice is not None
    assert notice.title == "“photos” is paused"
    assert notice.text == (
        "2 of 5 files failed for the same reason: The content is not valid: it is empty. "
        "2 files are waiting for your decision."
    )
    assert [label(one) for one in window.paused_batches.buttons] == ["Continue", "Retry As…", "Remove"]


def test_waiting_files_say_that_their_batch_is_paused(window: MainWindow, keys: list[int], qtbot: QtBot) -> None:
    row = window._list.model.row_of(keys[3])
    assert row is not None
    qtbot.waitUntil(lambda: window._list.model.job(row) is not None)
    job = window._list.model.job(row)
    assert job is not None
    assert window._wording.reason(job) == ("The batch is paused, because many of its files failed for the same reason")


def test_continue(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    button(window, "Continue").click()
    qtbot.waitUntil(window.paused_batches.isHidden)
    assert paused(windows) == []
    assert HeldBatches(windows.jobs_db.database).failures(1, ReasonCode.BAD_CONTENT) is None  # tolerated


def test_retry_as_resubmits_the_failed_and_the_waiting_files(
    window: MainWindow, windows: WindowFactory, keys: list[int], qtbot: QtBot
) -> None:
    button(window, "Retry As…").click()
    (dialog,) = window.findChildren(ProcessAsDialog)
    assert dialog.box.processor == "lines"
    dialog.box.setCurrentIndex(dialog.box.findData("words"))
    dialog.accept()
    qtbot.waitUntil(window.paused_batches.isHidden)
    jobs = windows.jobs_db.jobs.page(keys)
    assert {key: (job.processor, job.status) for key, job in jobs.items()} == {
        key: ("lines", Status.PROCESSED) if key == keys[2] else ("words", Status.PENDING) for key in keys
    }
    assert HeldBatches(windows.jobs_db.database).failures(1, ReasonCode.BAD_CONTENT) is not None  # not tolerated


def test_remove_can_be_undone_and_asks_again_then(
    window: MainWindow, windows: WindowFactory, keys: list[int], qtbot: QtBot
) -> None:
    button(window, "Remove").click()
    qtbot.waitUntil(window.paused_batches.isHidden)
    qtbot.waitUntil(lambda: list(windows.jobs_db.jobs.ids()) == [keys[2]])
    window._list.commands.undo.undo()
    qtbot.waitUntil(window.paused_batches.isVisible)
    assert len(windows.jobs_db.jobs.ids()) == 5


def test_dismissed_bar_stays_away_but_another_batch_is_shown(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    window.paused_batches._dismiss()
    keys = windows.jobs_db.add("x", "y")
    pause(windows.jobs_db, keys[0])
    qtbot.waitUntil(window.paused_batches.isVisible)
    assert window.paused_batches.notice is not None
    assert "photos" not in window.paused_batches.notice.title


def test_several_paused_batches_are_counted(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add("x", "y")
    pause(windows.jobs_db, keys[0])
    qtbot.waitUntil(lambda: "1 more batch is paused." in shown(window).text)
    button(window, "Continue").click()
    qtbot.waitUntil(lambda: "photos" in shown(window).title)


def test_bar_appears_when_another_program_pauses_a_batch(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add("a", "b")
    window = windows.open()
    assert window.paused_batches.isHidden()
    windows.jobs_db.fail(keys[0], EMPTY)
    pause(windows.jobs_db, keys[0])
    qtbot.waitUntil(window.paused_batches.isVisible)


def test_sidebar_shows_the_pause_and_its_menu_continues(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    (entry,) = window.sidebar.batches.entries.values()
    assert (entry.facts.note, entry.facts.alert) == ("Paused", "2 failed")
    commands = window.sidebar.findChild(GroupCommands)
    assert commands is not None
    group = window.sidebar._batch(1)
    menu = commands.menu(group)
    (action,) = [one for one in menu.actions() if label(one) == "Continue"]
    action.trigger()
    qtbot.waitUntil(window.paused_batches.isHidden)
    assert paused(windows) == []
    menu.close()
    assert "Continue" not in [label(one) for one in commands.menu(window.sidebar._batch(1)).actions()]


def test_brake_is_a_setting_that_applies_at_once(windows: WindowFactory) -> None:
    window = windows.open()
    window.settings.open()
    dialog = window.settings.dialog
    assert dialog is not None
    assert dialog.brake.isChecked()
    dialog.brake.click()
    control = window.settings.preferences._control
    assert [control.brakes, load_settings(window.settings.preferences._file).brake] == [False, False]
    dialog.brake.click()
    assert [control.brakes, load_settings(window.settings.preferences._file).brake] == [True, True]
    dialog.close()


def test_pause_is_a_notification_of_the_desktop_once(windows: WindowFactory, qtbot: QtBot) -> None:
    notifier = FakeNotifier()
    windows.desktop = Desktop(notifier, FakeTaskbar(), FakeAwake())
    keys = windows.jobs_db.add("a", "b", "c")
    window = windows.open()
    window.progress.notifications._is_watched = lambda: False
    windows.jobs_db.fail(keys[0], EMPTY)
    pause(windows.jobs_db, keys[0])
    qtbot.waitUntil(lambda: any(one.title.endswith(" is paused") for one in notifier.shown))
    windows.jobs_db.finish(keys[1])
    qtbot.waitUntil(lambda: "1 file is waiting" in shown(window).text)
    assert len([one for one in notifier.shown if one.topic is Topic.TROUBLE]) == 1
