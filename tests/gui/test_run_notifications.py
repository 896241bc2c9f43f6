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


class NotificationSetup:
    """The notifications of a run, and their receivers."""

    def __init__(self, wording: Wording) -> None:
        self.notifier = FakeNotifier()
        self.is_watched = False
        self.said: list[Notice] = []
        self.exported = 0
        self.export = QAction("&Export List…")
        self.export.triggered.connect(self._note_export)
        self.has_room = True
        self.news = RunNotifications(
            self.notifier,
            self.export,
            wording,
            is_watched=lambda: self.is_watched,
            has_room=lambda: self.has_room,
            every_ms=30,
        )
        self.news.notice.connect(self.said.append)

    def _note_export(self) -> None:
        self.exported += 1

    @property
    def topics(self) -> list[Topic]:
        return [one.topic for one in self.notifier.shown]


@pytest.fixture
def setup(qapp: object, wording: Wording) -> NotificationSetup:
    return NotificationSetup(wording)


def test_end_of_a_run_is_reported_once_in_the_window_and_once_on_the_desktop(setup: NotificationSetup) -> None:
    setup.news.take_end(RunEnd(248, 3, 130_000))
    text = f"248 files processed in 2{NBSP}min 10{NBSP}s, 3 failed."
    assert [notice.text for notice in setup.said] == [text]
    assert setup.said[0].passing
    setup.said[0].actions[0].run()
    assert setup.exported == 1
    assert setup.notifier.shown == [Notification(Topic.ENDED, "Finished with problems", text, is_urgent=True)]
    assert setup.news.last_failed == 3


def test_active_window_gets_no_notification(setup: NotificationSetup) -> None:
    setup.is_watched = True
    setup.news.take_end(RunEnd(1, 0, 5_000))
    setup.news.take_progress(Progress(1, 9, failed=1))
    assert len(setup.said) == 1
    assert setup.notifier.shown == []


def test_runs_in_quick_succession_are_reported_as_one(setup: NotificationSetup, qtbot: QtBot) -> None:
    setup.news.take_end(RunEnd(1, 0, 100))
    for _ in range(9):
        setup.news.take_end(RunEnd(1, 0, 100))
    assert len(setup.notifier.shown) == 1
    qtbot.waitUntil(lambda: len(setup.notifier.shown) == 2)
    assert [notice.text for notice in setup.said] == ["1 file processed.", "9 files processed."]


def test_end_of_a_run_does_not_replace_an_undo(setup: NotificationSetup, qtbot: QtBot) -> None:
    setup.has_room = False
    setup.news.take_end(RunEnd(12, 0, 100))
    assert setup.said == []
    assert len(setup.notifier.shown) == 1
    setup.has_room = True
    qtbot.waitUntil(lambda: [notice.text for notice in setup.said] == ["12 files processed."])


def test_first_failure_of_a_run_is_reported_once(setup: NotificationSetup) -> None:
    for failed in (0, 1, 2, 90):
        setup.news.take_progress(Progress(failed, 100, failed=failed))
    assert setup.topics == [Topic.FAILURE]
    setup.news.take_progress(IDLE)
    setup.news.take_progress(Progress(1, 5, failed=1))
    assert setup.topics == [Topic.FAILURE, Topic.FAILURE]


def test_problem_that_stops_everything_is_reported_once_until_it_is_over(setup: NotificationSetup) -> None:
    signed_out = ConnectionText(Mark.NEEDED, "Sign-in needed", "Your session has ended.")
    retrying = ConnectionText(Mark.RETRYING, "Trying again in 8 s", "")
    for text in (signed_out, retrying, signed_out):
        setup.news.take_connection(text)
    assert [(one.title, one.body) for one in setup.notifier.shown] == [("Sign-in needed", "Your session has ended.")]
    setup.news.take_connection(ConnectionText(Mark.RUNNING, "ingest", ""))
    setup.news.take_connection(signed_out)
    assert setup.topics == [Topic.TROUBLE, Topic.TROUBLE]


def test_stopped_processing_is_reported_but_missing_permission_is_not(setup: NotificationSetup) -> None:
    off = Trouble("Ten messages in a row were messages of another program.", need=Need.PERMISSION)
    setup.news.take_trouble(off)
    assert setup.topics == []
    setup.news.take_connection(ConnectionText(Mark.RUNNING, "ingest", ""))
    setup.news.take_trouble(off)
    setup.news.take_trouble(None)
    assert [one.body for one in setup.notifier.shown] == ["Ten messages in a row were messages of another program."]


def test_problems_while_the_window_closes_are_not_reported(setup: NotificationSetup) -> None:
    setup.news.close()
    setup.news.take_connection(ConnectionText(Mark.STOPPED, "Stopped", ""))
    assert setup.notifier.shown == []
