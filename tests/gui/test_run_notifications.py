from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QAction

from desktop_app.gui.connection.status import ConnectionText, Mark, Need, Trouble
from desktop_app.gui.desktop.ports import Notification, Topic
from desktop_app.gui.progress.presenter import RunNotifications
from desktop_app.gui.progress.run import IDLE, Progress, RunEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.widgets.notice import Notice
    from desktop_app.gui.wording import Wording

NBSP = "\N{NO-BREAK SPACE}"


class FakeNotifier:
    def __init__(self) -> None:
        self.shown: list[Notification] = []
        self.clicked: Callable[[Topic], None] = lambda _: None

    def show(self, notification: Notification) -> None:
        self.shown.append(notification)

    def on_click(self, call: Callable[[Topic], None]) -> None:
        self.clicked = call

    def close(self) -> None:
        pass


class Reports:
    """The notifications of a run, and their receivers."""

    def __init__(self, wording: Wording) -> None:
        self.notifier = FakeNotifier()
        self.is_watched = False
        self.notices: list[Notice] = []
        self.exported = 0
        self.export = QAction("&Export List…")
        self.export.triggered.connect(self._note_export)
        self.has_room = True
        self.notifications = RunNotifications(
            self.notifier,
            self.export,
            wording,
            is_watched=lambda: self.is_watched,
            has_room=lambda: self.has_room,
            every_ms=30,
        )
        self.notifications.notice.connect(self.notices.append)

    def _note_export(self) -> None:
        self.exported += 1

    @property
    def topics(self) -> list[Topic]:
        return [shown.topic for shown in self.notifier.shown]


@pytest.fixture
def reports(qapp: object, wording: Wording) -> Reports:
    return Reports(wording)


def test_list_that_is_empty_by_now_is_not_offered_for_export(reports: Reports) -> None:
    reports.has_room = False
    reports.notifications.follow_end(RunEnd(248, 3, 130_000))
    reports.has_room = True
    reports.export.setEnabled(False)
    reports.notifications._show_in_window()
    assert [notice.actions for notice in reports.notices] == [()]


def test_end_of_a_run_is_reported_once_in_the_window_and_once_on_the_desktop(reports: Reports) -> None:
    reports.notifications.follow_end(RunEnd(248, 3, 130_000))
    text = f"245 files processed in 2{NBSP}min 10{NBSP}s, 3 failed."
    assert [notice.text for notice in reports.notices] == [text]
    assert reports.notices[0].passing
    reports.notices[0].actions[0].run()
    assert reports.exported == 1
    assert reports.notifier.shown == [Notification(Topic.ENDED, "Finished with problems", text, is_urgent=True)]
    assert reports.notifications.last_failed == 3


def test_no_desktop_notification_while_the_window_is_active(reports: Reports) -> None:
    reports.is_watched = True
    reports.notifications.follow_end(RunEnd(1, 0, 5_000))
    reports.notifications.follow_progress(Progress(1, 9, failed=1))
    assert len(reports.notices) == 1
    assert reports.notifier.shown == []


def test_runs_in_quick_succession_are_reported_together(reports: Reports, qtbot: QtBot) -> None:
    reports.notifications.follow_end(RunEnd(1, 0, 100))
    for _ in range(9):
        reports.notifications.follow_end(RunEnd(1, 0, 100))
    assert len(reports.notifier.shown) == 1
    qtbot.waitUntil(lambda: len(reports.notifier.shown) == 2)
    assert [notice.text for notice in reports.notices] == ["1 file processed.", "9 files processed."]


def test_report_does_not_replace_an_undo_notice(reports: Reports, qtbot: QtBot) -> None:
    reports.has_room = False
    reports.notifications.follow_end(RunEnd(12, 0, 100))
    assert reports.notices == []
    assert len(reports.notifier.shown) == 1
    reports.has_room = True
    qtbot.waitUntil(lambda: [notice.text for notice in reports.notices] == ["12 files processed."])


def test_first_failure_of_a_run_is_reported_once(reports: Reports) -> None:
    for failed in (0, 1, 2, 90):
        reports.notifications.follow_progress(Progress(failed, 100, failed=failed))
    assert reports.topics == [Topic.FAILURE]
    reports.notifications.follow_progress(IDLE)
    reports.notifications.follow_progress(Progress(1, 5, failed=1))
    assert reports.topics == [Topic.FAILURE, Topic.FAILURE]


def test_problem_that_stops_processing_is_reported_once_until_processing_resumes(reports: Reports) -> None:
    signed_out = ConnectionText(Mark.NEEDED, "Sign-in required", "Your session has ended.")
    retrying = ConnectionText(Mark.RETRYING, "Trying again in 8 s", "")
    for text in (signed_out, retrying, signed_out):
        reports.notifications.follow_connection(text)
    assert [(one.title, one.body) for one in reports.notifier.shown] == [
        ("Sign-in required", "Your session has ended.")
    ]
    reports.notifications.follow_connection(ConnectionText(Mark.RUNNING, "ingest", ""))
    reports.notifications.follow_connection(signed_out)
    assert reports.topics == [Topic.TROUBLE, Topic.TROUBLE]


def test_processing_switched_off_is_reported_only_if_it_was_on_before(reports: Reports) -> None:
    off = Trouble("Ten messages in a row were messages of another program.", need=Need.PERMISSION)
    reports.notifications.follow_trouble(off)
    assert reports.topics == []
    reports.notifications.follow_connection(ConnectionText(Mark.RUNNING, "ingest", ""))
    reports.notifications.follow_trouble(off)
    reports.notifications.follow_trouble(None)
    assert [one.body for one in reports.notifier.shown] == ["Ten messages in a row were messages of another program."]


def test_nothing_is_reported_after_the_window_was_closed(reports: Reports) -> None:
    reports.notifications.close()
    reports.notifications.follow_connection(ConnectionText(Mark.STOPPED, "Stopped", ""))
    assert reports.notifier.shown == []
