from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    Qt,
    QThread,
    QTimer,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
    qWarning,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from desktop_app.domain.errors import SettingsError
from desktop_app.gui.diagnostics.crash import CrashDialog, CrashDialogs, CrashHook, report_of
from desktop_app.gui.startup import qt_runtime
from desktop_app.gui.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def hook(qapp: object) -> Iterator[CrashHook]:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield CrashHook()
    sys.excepthook, threading.excepthook, sys.unraisablehook = before


def caught(error: Exception) -> Exception:
    """Return the exception with a traceback."""

    def fail() -> None:
        raise error

    try:
        fail()
    except Exception as made:  # noqa: BLE001
        return made
    raise AssertionError


def test_report_contains_no_secrets() -> None:
    report = report_of(caught(ValueError("b'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=c0ffee'")))
    assert "ValueError" in report
    assert "AKIAIOSFODNN7EXAMPLE" not in report
    assert "c0ffee" not in report


@pytest.mark.expected_log("unexpected error", "CRITICAL")
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
def test_uncaught_known_error_is_only_shown(hook: CrashHook, qtbot: QtBot) -> None:
    error = SettingsError("The home folder can't be used.")
    with qtbot.waitSignal(hook.known) as told:
        hook.handle(type(error), error, None)
    assert told.args == ["The home folder can't be used."]


def test_ctrl_c_is_no_error(hook: CrashHook) -> None:
    hook.handle(KeyboardInterrupt, KeyboardInterrupt(), None)


@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_error_on_another_thread_is_shown_on_the_main_thread(hook: CrashHook, qtbot: QtBot) -> None:
    hook.install()
    heard: list[int] = []
    hook.crashed.connect(lambda _: heard.append(threading.get_ident()), Qt.ConnectionType.QueuedConnection)
    with qtbot.waitSignal(hook.crashed):
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    qtbot.waitUntil(lambda: heard == [threading.get_ident()])


def test_hooks_are_installed_and_removed(hook: CrashHook) -> None:
    hook.install()
    assert sys.excepthook == hook.handle
    hook.uninstall()
    assert sys.excepthook is sys.__excepthook__
    assert threading.excepthook is threading.__excepthook__
    assert sys.unraisablehook is sys.__unraisablehook__


@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_one_dialog_collects_all_errors_and_copies_them(hook: CrashHook, qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    dialogs = CrashDialogs(hook, tmp_path / "logs", window, lambda _: None)
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


def test_report_contains_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
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
        qt_runtime.log_message(kind, QMessageLogContext(), "something of Qt's")
    assert caplog.record_tuples == [("qt", level, "something of Qt's")]


# --- sources of errors


class Sender(QObject):
    sent = Signal()


def divide() -> float:
    return 1 / 0


@pytest.fixture
def dialogs(hook: CrashHook, qtbot: QtBot, tmp_path: Path) -> Iterator[CrashDialogs]:
    """Install the hook, with a window for its dialogs."""
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    hook.install()
    yield CrashDialogs(hook, tmp_path / "logs", window, lambda _: None)
    hook.uninstall()


def shown(dialogs: CrashDialogs, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: dialogs.dialog is not None and dialogs.dialog.isVisible())
    assert dialogs.dialog is not None
    return dialogs.dialog.report


def from_a_slot() -> None:
    sender = Sender()
    sender.sent.connect(divide)
    sender.sent.emit()


def from_a_timer() -> None:
    QTimer.singleShot(0, divide)


def from_a_python_thread() -> None:
    thread = threading.Thread(target=divide)
    thread.start()
    thread.join()


class Diving(QThread):
    def run(self) -> None:
        divide()


def from_a_qthread() -> None:
    thread = Diving()
    thread.start()
    assert thread.wait(5_000)


class Painted(QWidget):
    def paintEvent(self, event: object) -> None:  # noqa: N802 - as Qt has it
        divide()


def from_an_event_handler() -> None:
    widget = Painted()
    widget.show()
    QApplication.processEvents()  # not `grab`, which makes PySide crash here
    widget.close()


@pytest.mark.parametrize(
    "provoke", [from_a_slot, from_a_timer, from_a_python_thread, from_a_qthread, from_an_event_handler]
)
@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_error_reaches_log_and_dialog_from_everywhere(
    provoke: Callable[[], None], dialogs: CrashDialogs, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    provoke()
    report = shown(dialogs, qtbot)
    assert "in divide" in report
    assert "ZeroDivisionError: division by zero" in report
    assert "in divide" in caplog.text


@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_error_in_a_task_reaches_log_and_dialog(dialogs: CrashDialogs, qtbot: QtBot) -> None:
    tasks = Tasks(nullcontext, threads=1)
    tasks.run(divide, lambda _: None)
    assert "in divide" in shown(dialogs, qtbot)
    assert tasks.close(1_000)


@pytest.mark.expected_log("ignored exception", "ERROR")
def test_error_that_can_not_be_shown_is_logged(dialogs: CrashDialogs) -> None:
    class Dying:
        def __del__(self) -> None:
            divide()

    Dying()
    assert dialogs.dialog is None


@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_equal_errors_are_counted_and_do_not_flood_the_log(
    dialogs: CrashDialogs, hook: CrashHook, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(250):
        from_a_slot()
    from_a_python_thread()
    report = shown(dialogs, qtbot)
    assert "(250 times)" in report
    assert report.count("Filemill 0") == 1
    assert dialogs.dialog is not None
    window = dialogs.dialog.parentWidget()
    assert window is not None
    assert window.findChildren(CrashDialog) == [dialogs.dialog]
    logged = [record.getMessage() for record in caplog.records]
    assert logged[:3] == [
        "unexpected error",
        "unexpected error, occurrence 10: ZeroDivisionError: division by zero",
        "unexpected error, occurrence 100: ZeroDivisionError: division by zero",
    ]
    assert len(logged) == 4  # the fourth is that of the thread, which has another traceback


@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_number_of_errors_in_the_dialog_is_limited(dialogs: CrashDialogs, hook: CrashHook, qtbot: QtBot) -> None:
    for number in range(25):
        hook.handle(ValueError, caught(ValueError(f"number {number}")), None)
    report = shown(dialogs, qtbot)
    assert report.count("ValueError: number") == 20
    assert report.endswith("5 further ones are in the log.\n")


@pytest.mark.expected_log("unexpected error", "CRITICAL")
def test_report_is_saved_with_all_information(hook: CrashHook, qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    saved: list[str] = []
    dialogs = CrashDialogs(hook, tmp_path / "logs", window, saved.append)
    hook.handle(ValueError, caught(ValueError("oops")), None)
    assert dialogs.dialog is not None
    report = dialogs.dialog.report
    save = next(one for one in dialogs.dialog.findChildren(QPushButton) if one.text() == "&Save Support Report…")
    save.setFocus()
    QTest.keyClick(save, Qt.Key.Key_Space)
    assert saved == [report]
    assert dialogs.dialog is None


# --- Qt's messages


@pytest.fixture
def handler(qapp: object) -> Iterator[None]:
    """Install our message handler in place of pytest-qt's."""
    before = qInstallMessageHandler(qt_runtime.log_message)
    yield
    qInstallMessageHandler(before)


@pytest.mark.expected_log("said on a thread")
def test_qt_messages_from_any_thread_are_logged(handler: None, caplog: pytest.LogCaptureFixture) -> None:
    thread = threading.Thread(target=lambda: qWarning("said on a thread"), name="talker")
    thread.start()
    thread.join()
    (record,) = caplog.records
    assert (record.name, record.levelno, record.threadName) == ("qt", logging.WARNING, "talker")


@pytest.mark.expected_log("first")
def test_log_that_makes_qt_print_a_message_does_not_recurse(handler: None, caplog: pytest.LogCaptureFixture) -> None:
    class Chatty(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            qWarning("and about that too")

    chatty = Chatty()
    logging.getLogger("qt").addHandler(chatty)
    try:
        qWarning("first")
    finally:
        logging.getLogger("qt").removeHandler(chatty)
    assert [record.getMessage() for record in caplog.records] == ["first"]


def test_broken_log_does_not_prevent_the_dialog(handler: None) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError

    broken = Broken()
    logging.getLogger("qt").addHandler(broken)
    logging.getLogger("qt").propagate = False
    try:
        qWarning("nobody hears this")
    finally:
        logging.getLogger("qt").propagate = True
        logging.getLogger("qt").removeHandler(broken)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows would show a dialog of its own")
def test_fatal_message_of_qt_is_logged(tmp_path: Path) -> None:
    """A fatal message aborts the process, but has to be in the log."""
    code = """
        import sys, resource
        from pathlib import Path
        from PySide6.QtCore import qFatal
        from desktop_app.gui.startup import qt_runtime
        from desktop_app.logs.log import start_logging
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with start_logging(Path(sys.argv[1]), debug=False):
            qt_runtime.install_message_handler()
            qFatal("all is lost")
    """
    outcome = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert outcome.returncode < 0
    # PySide logs this instead of the message, which Qt itself provides when it is the caller.
    words = "[A qFatal() call was made from Python code]"
    assert f"filemill: {words}" in outcome.stderr
    line = (tmp_path / "filemill.log").read_text(encoding="utf-8").splitlines()[-1]
    assert "CRITICAL" in line
    assert f"qt: {words}" in line


@pytest.mark.skipif(sys.platform == "win32", reason="Qt has other platform plugins there")
def test_message_of_qt_after_the_end_of_python_does_not_crash() -> None:
    code = """
        from PySide6.QtWidgets import QApplication
        from desktop_app.gui.startup import qt_runtime
        qt_runtime.install_message_handler()
        application = QApplication([])
    """
    outcome = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*.debug=true"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert outcome.returncode == 0
