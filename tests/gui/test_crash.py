from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMessageLogContext, Qt, QtMsgType
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from desktop_app.errors import SettingsError
from desktop_app.gui import qt_log
from desktop_app.gui.crash import CrashDialog, CrashDialogs, CrashHook, report_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def hook(qapp: object) -> Iterator[CrashHook]:
    before = sys.excepthook, threading.excepthook
    yield CrashHook()
    sys.excepthook, threading.excepthook = before


def caught(error: Exception) -> Exception:
    """The same, with a traceback."""

    def fail() -> None:
        raise error

    try:
        fail()
    except Exception as made:  # noqa: BLE001
        return made
    raise AssertionError


@pytest.mark.expected_log("a fault in Filemill", "CRITICAL")
def test_bug_is_logged_and_reported(hook: CrashHook, qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    error = caught(ZeroDivisionError("oops"))
    with qtbot.waitSignal(hook.crashed) as reported:
        hook.handle(type(error), error, error.__traceback__)
    report = reported.args[0]
    assert "ZeroDivisionError: oops" in report
    assert "test_crash.py" in report
    assert report.startswith("Filemill ")
    assert "oops" in caplog.text


@pytest.mark.expected_log("The home folder can't be used.")
def test_known_trouble_that_nobody_caught_is_only_told(hook: CrashHook, qtbot: QtBot) -> None:
    error = SettingsError("The home folder can't be used.")
    with qtbot.waitSignal(hook.known) as told:
        hook.handle(type(error), error, None)
    assert told.args == ["The home folder can't be used."]


def test_ctrl_c_is_no_fault(hook: CrashHook) -> None:
    hook.handle(KeyboardInterrupt, KeyboardInterrupt(), None)


@pytest.mark.expected_log("a fault in Filemill", "CRITICAL")
def test_fault_in_another_thread_is_shown_in_the_main_one(hook: CrashHook, qtbot: QtBot) -> None:
    hook.install()
    heard: list[int] = []
    hook.crashed.connect(lambda _: heard.append(threading.get_ident()), Qt.ConnectionType.QueuedConnection)
    with qtbot.waitSignal(hook.crashed):
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    qtbot.waitUntil(lambda: heard == [threading.get_ident()])


def test_hooks_are_taken_and_given_back(hook: CrashHook) -> None:
    hook.install()
    assert sys.excepthook == hook.handle
    hook.uninstall()
    assert sys.excepthook is sys.__excepthook__
    assert threading.excepthook is threading.__excepthook__


@pytest.mark.expected_log("a fault in Filemill", "CRITICAL")
def test_one_dialog_collects_all_faults_and_copies_them(hook: CrashHook, qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    dialogs = CrashDialogs(hook, tmp_path / "logs", window)
    for text in ("first", "second"):
        error = caught(ValueError(text))
        hook.handle(ValueError, error, error.__traceback__)
    dialog = open_dialog(dialogs)
    assert dialog is not None
    assert dialog.isVisible()
    copy = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Copy Report")
    QTest.mouseClick(copy, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert "ValueError: first" in copied
    assert "ValueError: second" in copied
    dialog.close()
    assert open_dialog(dialogs) is None
    hook.handle(ValueError, caught(ValueError("third")), None)
    again = open_dialog(dialogs)
    assert again is not None
    assert "first" not in again.report


def open_dialog(dialogs: CrashDialogs) -> CrashDialog | None:
    return dialogs.dialog


def test_report_holds_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    assert "hush-hush" not in report_of(caught(ValueError("x")))


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (QtMsgType.QtDebugMsg, logging.DEBUG),
        (QtMsgType.QtInfoMsg, logging.INFO),
        (QtMsgType.QtWarningMsg, logging.WARNING),
        (QtMsgType.QtCriticalMsg, logging.ERROR),
    ],
)
@pytest.mark.expected_log("something of Qt's", required=False)
@pytest.mark.expected_log("something of Qt's", "ERROR", required=False)
def test_qts_messages_are_logged(kind: QtMsgType, level: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "qt"):
        qt_log.log_message(kind, QMessageLogContext(), "something of Qt's")
    assert caplog.record_tuples == [("qt", level, "something of Qt's")]
