from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QProgressBar, QToolButton, QVBoxLayout, QWidget

from desktop_app.domain.errors import StoreError
from desktop_app.gui.connection.status import Need, Trouble, TroubleBanner
from desktop_app.gui.operations import Operations
from desktop_app.gui.theme.theme import DARK, LIGHT
from desktop_app.gui.widgets import notice as notice_module
from desktop_app.gui.widgets.notice import BusyStrip, Kind, Notice, NoticeAction, NoticeBar

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme


@pytest.fixture
def bar(theme: Theme, qtbot: QtBot) -> NoticeBar:
    made = NoticeBar("Message", theme)
    qtbot.addWidget(made)
    return made


def shown(bar: NoticeBar) -> str | None:
    return None if bar.notice is None else bar.notice.text


def test_new_message_replaces_the_old_one(bar: NoticeBar) -> None:
    bar.show_notice(Notice("One", actions=(NoticeAction("Do", lambda: None),)))
    bar.show_notice(Notice("Two", Kind.WARNING))
    assert bar.notice == Notice("Two", Kind.WARNING)
    assert bar.buttons == []
    assert bar.frame.property("kind") == "warning"
    assert bar.isVisible()


def test_button_runs_its_action_and_closes_the_message(bar: NoticeBar, qtbot: QtBot) -> None:
    done: list[str] = []
    bar.show_notice(Notice("One", actions=(NoticeAction("Undo", lambda: done.append("undo")),)))
    QTest.mouseClick(bar.buttons[0], Qt.MouseButton.LeftButton)
    assert done == ["undo"]
    assert shown(bar) is None
    assert not bar.isVisible()


def test_button_may_show_the_next_message(bar: NoticeBar, qtbot: QtBot) -> None:
    bar.show_notice(Notice("One", actions=(NoticeAction("Next", lambda: bar.show_notice(Notice("Two"))),)))
    QTest.mouseClick(bar.buttons[0], Qt.MouseButton.LeftButton)
    assert bar.notice == Notice("Two")


def test_dismissed_signal_contains_the_text(bar: NoticeBar, qtbot: QtBot) -> None:
    bar.show_notice(Notice("Gone soon"))
    with qtbot.waitSignal(bar.dismissed) as told:
        QTest.mouseClick(bar.frame.findChildren(QToolButton)[0], Qt.MouseButton.LeftButton)
    assert told.args == ["Gone soon"]


def test_temporary_message_disappears_unless_the_mouse_is_over_it(
    theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_module, "SHORT_MS", 1)
    bar = NoticeBar("Message", theme)
    qtbot.addWidget(bar)
    bar.show_notice(Notice("Added", passing=True))
    place = QPointF(1, 1)
    QApplication.sendEvent(bar, QEnterEvent(place, place, place))
    qtbot.wait(10)
    assert bar.isVisible()
    QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_text_is_never_shown_as_html(bar: NoticeBar) -> None:
    bar.show_notice(Notice("“<b>x</b>” can't be added"))
    texts = [label.textFormat() for label in bar.frame.findChildren(type(bar._text)) if label.text()]
    assert texts == [Qt.TextFormat.PlainText]


def test_icons_follow_the_colours(bar: NoticeBar, theme: Theme) -> None:
    bar.show_notice(Notice("x", Kind.PROBLEM))
    light = bar._icon.grab().toImage()
    theme.use(DARK)
    assert bar._icon.grab().toImage() != light
    theme.use(LIGHT)
    assert bar._icon.grab().toImage() == light


@pytest.fixture
def banner(bar: NoticeBar) -> TroubleBanner:
    return TroubleBanner(bar, lambda trouble: (NoticeAction(trouble.need.value, lambda: None, keeps=True),))


def test_problem_stays_until_it_is_over(bar: NoticeBar, banner: TroubleBanner, qtbot: QtBot) -> None:
    banner.set_loop_trouble(Trouble("No connection."))
    assert shown(bar) == "No connection."
    QTest.mouseClick(bar.buttons[0], Qt.MouseButton.LeftButton)
    assert shown(bar) == "No connection."
    banner.set_loop_trouble(None)
    assert shown(bar) is None


@pytest.mark.parametrize(
    ("need", "kind"),
    [(Need.PATIENCE, Kind.WARNING), (Need.RESTART, Kind.PROBLEM), (Need.PERMISSION, Kind.INFO)],
)
def test_icon_shows_the_severity(bar: NoticeBar, banner: TroubleBanner, need: Need, kind: Kind) -> None:
    banner.set_loop_trouble(Trouble("Processing has stopped.", need=need))
    assert bar.notice is not None
    assert bar.notice.kind is kind
    assert [button.text() for button in bar.buttons] == [need.value]


def test_dismissed_problem_stays_hidden_until_it_is_over(bar: NoticeBar, banner: TroubleBanner, qtbot: QtBot) -> None:
    banner.set_loop_trouble(Trouble("No connection."))
    QTest.mouseClick(bar.frame.findChildren(QToolButton)[0], Qt.MouseButton.LeftButton)
    banner.set_loop_trouble(Trouble("No connection."))
    assert shown(bar) is None
    banner.set_loop_trouble(Trouble("Your session has ended."))
    assert shown(bar) == "Your session has ended."
    banner.set_loop_trouble(None)
    banner.set_loop_trouble(Trouble("No connection."))
    assert shown(bar) == "No connection."


def test_database_problem_comes_before_queue_problem(bar: NoticeBar, banner: TroubleBanner) -> None:
    banner.set_loop_trouble(Trouble("No connection."))
    banner.set_database_error(StoreError("The list can't be read."))
    assert shown(bar) == "The list can't be read."
    banner.clear_database_error()
    assert shown(bar) == "No connection."


def test_tab_visits_the_buttons_in_order_and_close_last(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    before, bar, after = QLineEdit(), NoticeBar("Problem", theme), QLineEdit()
    for widget in (before, bar, after):
        column.addWidget(widget)
    nothing = NoticeAction("", lambda: None)
    bar.show_notice(Notice("Old", actions=(nothing,)))
    bar.show_notice(Notice("New", actions=(replace(nothing, text="One"), replace(nothing, text="Two"))))
    window.show()
    before.setFocus()
    order = []
    for _ in range(4):
        focused = window.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        order.append(window.focusWidget())
    assert order[:2] == bar.buttons
    assert order[2] is bar._close
    assert order[3] is after


def test_operation_without_a_total_moves_nothing(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    operations = Operations()
    strip = BusyStrip(operations, window)
    window.show()
    operation = operations.begin(lambda done, _: f"{done} files found")
    qtbot.waitUntil(strip.isVisible)
    (bar,) = strip.findChildren(QProgressBar)
    assert not bar.isVisible()
    operation.proceed(3, 10)
    qtbot.waitUntil(bar.isVisible)
    assert (bar.value(), bar.maximum()) == (3, 10)
