"""The support report: what it contains, what it never contains, and how it is reviewed and saved."""

from __future__ import annotations

import logging
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QWidget,
)

from desktop_app.config.settings import Settings
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.gui.desktop import file_manager
from desktop_app.logs.log import start_logging
from desktop_app.services.support.report import Part
from tests.clipping.names import unnamed
from tests.helpers.fakes import FakeClient, FakeConnector

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.diagnostics.report_dialog import ReportDialog
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

KEY_ID, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ACCOUNT = "123456789012"


def open_report(window: MainWindow, qtbot: QtBot) -> ReportDialog:
    window.menu_actions.report.trigger()
    dialog = window.help.report
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.is_complete)
    return dialog


def test_report_opens_with_the_keyboard_in_the_search(windows: WindowFactory, qtbot: QtBot) -> None:
    report = open_report(windows.open(), qtbot)
    assert report.focusWidget() is report.search


def test_report_contains_useful_information(windows: WindowFactory, qtbot: QtBot) -> None:
    keys = windows.jobs_db.add("a.txt", "b.txt", "c.txt")
    windows.jobs_db.finish(keys[0])
    windows.jobs_db.fail(keys[1])
    windows.settings = Settings(queue="orders", region="eu-west-1", concurrency=3)
    dialog = open_report(windows.open(), qtbot)
    text = dialog.content()
    for words in (
        "Filemill support report, ",
        "--- Program and computer\nFilemill 0",
        "Python 3.",
        "PySide6 6.",
        "boto3 1.",
        "peewee ",
        "queue = 'orders'",
        "region = 'eu-west-1'",
        "concurrency = 3",
        "PENDING: 1; PROCESSING: 0; PROCESSED: 1; FAILED: 1",
        "FAILED for “missing”: 1",
        "Unfinished for local: 1",
        "newest script 0",
        "q: a standard queue",
        "Messages, about: 3 visible, 1 in flight, 0 delayed",
        "✓ Settings",
        "✓ Database",
    ):
        assert words in text
    assert dialog.text.toPlainText() == text


@pytest.mark.expected_log("signed in with")
def test_report_never_contains_a_secret(windows: WindowFactory, qtbot: QtBot, isolated_environment: Path) -> None:
    folder = isolated_environment / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(f"[a]\naws_secret_access_key = kept{SECRET_KEY[:8]}\n", encoding="utf-8")
    windows.environment.update(
        AWS_ACCESS_KEY_ID=KEY_ID,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
        AWS_SESSION_TOKEN="shortish-token",
        AWS_REGION="eu-west-1",
        https_proxy="http://anna:hush@proxy:8080",
    )
    windows.settings = Settings(
        queue=f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders", endpoint_url=f"http://me:{SECRET_KEY}@host:1"
    )
    client = FakeClient()
    client.queue_state = replace(client.queue_state, dead_letter_arn=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders-dlq")
    windows.connector = FakeConnector(client)
    with start_logging(windows.log_folder, debug=False):
        logging.getLogger("desktop_app.x").warning(
            "signed in with %s and %s, token shortish-token, kept%s, account %s",
            KEY_ID,
            SECRET_KEY,
            SECRET_KEY[:8],
            ACCOUNT,
        )
        try:
            raise ValueError(SECRET_KEY, Path.home() / "in" / "plan.txt")  # noqa: TRY301
        except ValueError:
            logging.getLogger("desktop_app.x").info("oh", exc_info=True)
    dialog = open_report(windows.open(), qtbot)
    for names in (False, True):
        dialog.names.setChecked(names)
        text = dialog.content()
        for secret in (KEY_ID, SECRET_KEY, SECRET_KEY[:8], "shortish-token", "hush", ACCOUNT, str(Path.home())):
            assert secret not in text
        assert "[secret]" in text
        assert "/[account 1]/orders" in text
        assert "arn:aws:sqs:eu-west-1:[account 1]:orders-dlq" in text
        assert ("plan.txt" in text) is names
        assert "Masked: keys, passwords and tokens (" in text
        assert ("names and paths of files (" in text) is not names
    assert "AWS_SECRET_ACCESS_KEY" in text  # the name of a set variable is useful


@pytest.mark.expected_log("could not read")
def test_report_contains_file_names_only_if_selected(windows: WindowFactory, qtbot: QtBot) -> None:
    windows.jobs_db.add("my merger plan.txt")
    with start_logging(windows.log_folder, debug=False):
        logging.getLogger("desktop_app.x").warning("could not read my merger plan.txt or /in/my merger plan.txt")
    dialog = open_report(windows.open(), qtbot)
    assert not dialog.names.isChecked()
    assert "merger" not in dialog.content()
    QTest.keyClick(dialog.names, Qt.Key.Key_Space)
    assert "could not read my merger plan.txt" in dialog.text.toPlainText()


def test_deselected_part_is_neither_shown_nor_saved(windows: WindowFactory, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = open_report(windows.open(), qtbot)
    assert "--- Settings" in dialog.text.toPlainText()
    QTest.keyClick(dialog.parts[Part.SETTINGS], Qt.Key.Key_Space)
    assert "--- Settings" not in dialog.text.toPlainText()
    shown = dialog.text.toPlainText()
    dialog.save_as(str(tmp_path / "report.txt"))
    qtbot.waitUntil((tmp_path / "report.txt").exists)
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == shown


def test_report_is_saved_as_an_archive_and_shown(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = windows.open()
    dialog = open_report(window, qtbot)
    shown = dialog.text.toPlainText()
    QTest.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    chooser = dialog.findChild(QFileDialog)
    assert chooser is not None
    assert chooser.defaultSuffix() == "zip"
    chooser.filterSelected.emit("Text files (*.txt)")
    assert chooser.defaultSuffix() == "txt"
    chooser.fileSelected.emit(str(tmp_path / "report.zip"))
    chooser.reject()
    qtbot.waitUntil(lambda: window.notices.notice is not None)
    assert window.notices.notice is not None
    assert window.notices.notice.text == "Saved the support report as “report.zip”."
    assert window.notices.buttons[0].text() == "Show in Folder"
    shown_in_folder: list[list[str]] = []

    def reveal(paths: list[str]) -> bool:
        shown_in_folder.append(paths)
        return True

    monkeypatch.setattr(file_manager, "reveal", reveal)
    window.notices.buttons[0].click()
    qtbot.waitUntil(lambda: shown_in_folder == [[str(tmp_path / "report.zip")]])
    assert window.help.report is None
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        assert archive.read("filemill-report.txt").decode() == shown


def test_read_only_folder_is_reported_and_the_report_stays_open(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = open_report(windows.open(), qtbot)
    dialog.save_as(str(tmp_path / "gone" / "report.zip"))
    qtbot.waitUntil(lambda: bool(dialog.state.text()))
    assert dialog.state.text() == f"The folder {tmp_path / 'gone'} does not exist. Choose another one."
    assert dialog.isVisible()


def test_report_can_be_searched_and_copied(windows: WindowFactory, qtbot: QtBot) -> None:
    dialog = open_report(windows.open(), qtbot)
    QTest.keyClicks(dialog.search, "boto")
    first = dialog.text.textCursor().position()
    assert dialog.text.textCursor().selectedText() == "boto"
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    second = dialog.text.textCursor().position()
    assert second > first
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.text.textCursor().position() in {first, second}  # wraps around
    dialog.search.setText("not in there")
    assert dialog.state.text() == "“not in there” was not found in the report."
    assert dialog.isVisible()
    QTest.mouseClick(dialog.copy_all, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == dialog.content()


def test_unreachable_queue_is_reported_in_its_section(windows: WindowFactory, qtbot: QtBot) -> None:
    connector = FakeConnector(FakeClient())
    connector.trouble = QueueError(
        f"No queue in account {ACCOUNT}.", trouble=QueueTrouble.NO_QUEUE, detail="NonExistentQueue"
    )
    windows.connector = connector
    text = open_report(windows.open(), qtbot).content()
    assert "--- Queue\n✗ No queue in account [account 1]. NonExistentQueue" in text
    assert "✓ Database" in text


def test_error_comes_first(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    window.help.show_report(f"Traceback\n  ValueError: {KEY_ID}")
    dialog = window.help.report
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.is_complete)
    parts = dialog.content().split("--- ")
    assert parts[1] == "What happened\nTraceback\n  ValueError: [secret]\n\n"


@pytest.mark.parametrize("name", ["export", "log", "report"])
def test_every_control_has_a_name_and_is_reached_by_tab(windows: WindowFactory, qtbot: QtBot, name: str) -> None:
    windows.jobs_db.add("a.txt")
    window = windows.open_active()
    before = set(QApplication.topLevelWidgets())
    getattr(window.menu_actions, name).trigger()
    (opened,) = (one for one in QApplication.topLevelWidgets() if one not in before and one.isVisible())
    qtbot.waitUntil(opened.isActiveWindow)
    windows.settle()
    assert unnamed(opened) == []
    reached: set[QWidget] = set()
    for _ in range(30):
        focus = QApplication.focusWidget()
        assert focus is not None
        reached.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    wanted = {
        one
        for kind in (QPushButton, QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QTableView)
        for one in opened.findChildren(kind)
        if one.isVisible() and one.isEnabled()
    }
    assert wanted <= reached


def test_log_window_opens_the_report(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    window.menu_actions.log.trigger()
    assert window.help.log is not None
    button = next(one for one in window.help.log.findChildren(QPushButton) if "Report" in one.text())
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.help.report is not None
    dialog = window.help.report
    qtbot.waitUntil(lambda: dialog.is_complete)
    window.close()
    assert window.help.report is None
