"""Files that really fail: the details describe each problem, and the first button fixes it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.gui.details.texts import Fix
from desktop_app.gui.wording import DASH
from desktop_app.processing.lines import LineProcessor
from desktop_app.processing.registry import ProcessorRegistry
from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.services.support.path_status import look_at
from desktop_app.sources.local import FileSource
from desktop_app.store.claims import MAX_CRASHES, Claims
from tests.gui.jobs_database import NOW_MS
from tests.gui.processing import process
from tests.gui.test_details_tabs import start
from tests.helpers.rights import without_special_rights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.domain.fields import Value
    from desktop_app.domain.job import Job
    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source
    from tests.gui.conftest import WindowFactory
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

LEFT = Qt.MouseButton.LeftButton
posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


def shown(windows: WindowFactory, key: int, qtbot: QtBot) -> MainWindow:
    """Open a window that shows the details of this job."""
    window = windows.open_active()
    window.menu_actions.report.setVisible(True)
    window.menu_actions.details.trigger()
    window.view.select_rows(window._list.model.ids.index(key), window._list.model.ids.index(key))
    qtbot.waitUntil(lambda: bool(window.details.summary.fixes))
    return window


def job_of(windows: WindowFactory, key: int) -> Job:
    return windows.jobs_db.jobs.page([key])[key]


def offered(window: MainWindow) -> list[str]:
    return [button.text() for button in window.details.fixes.shown]


def press_first(window: MainWindow) -> None:
    """Press the first button with the keyboard."""
    button = window.details.fixes.shown[0]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)


def choose(window: MainWindow, path: Path, qtbot: QtBot) -> None:
    """Answer the file dialog."""
    qtbot.waitUntil(lambda: bool(window.findChildren(QFileDialog)))
    (dialog,) = window.findChildren(QFileDialog)
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFile
    dialog.filesSelected.emit([str(path)])
    dialog.reject()


# --- E7: missing


def test_missing_file_can_be_located(windows: WindowFactory, folder: Path, tmp_path: Path, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add(str(folder / "a.txt"))
    process(windows.jobs_db, key)
    window = shown(windows, key, qtbot)
    assert window.details.summary.happened == f"Failed{DASH}The file no longer exists"
    assert "moved, renamed or deleted" in window.details.summary.advice
    assert offered(window) == ["Locate File…", "Retry", "Remove"]
    found = tmp_path / "found.txt"
    found.write_text("1\n2\n")
    said: list[str] = []
    windows.controller().commands.notice.connect(lambda notice: said.append(notice.text))
    press_first(window)
    choose(window, found, qtbot)
    qtbot.waitUntil(lambda: job_of(windows, key).generation == 2)
    process(windows.jobs_db, key)
    done = job_of(windows, key)
    assert (done.status, done.file_path, done.lines_count) == (Status.PROCESSED, str(found), 2)
    qtbot.waitUntil(lambda: window.details.summary.title == "found.txt")
    qtbot.waitUntil(lambda: bool(said))  # the details are updated in the event loop
    assert said == ["“a.txt” will be processed from its new location."]


def test_folder_without_the_file_is_refused_with_a_message(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add(str(folder / "a.txt"))
    process(windows.jobs_db, key)
    window = shown(windows, key, qtbot)
    QTest.mouseClick(window.details.fixes.button(Fix.LOCATE), LEFT)
    choose(window, folder / "neither", qtbot)
    qtbot.waitUntil(lambda: window.notices.notice is not None)
    assert job_of(windows, key).generation == 1


def test_missing_folder_or_drive_is_named_and_the_fix_is_to_connect_it(
    windows: WindowFactory, tmp_path: Path, qtbot: QtBot
) -> None:
    (key,) = windows.jobs_db.add(str(tmp_path / "drive" / "in" / "a.txt"))
    process(windows.jobs_db, key)
    window = shown(windows, key, qtbot)
    qtbot.waitUntil(lambda: f"The folder {tmp_path / 'drive'} does not exist" in window.details.summary.advice)
    assert "drive or network share is not connected" in window.details.summary.advice
    assert offered(window) == ["Retry", "Locate File…", "Remove"]
    (tmp_path / "drive" / "in").mkdir(parents=True)
    (tmp_path / "drive" / "in" / "a.txt").write_text("x")
    press_first(window)
    qtbot.waitUntil(lambda: job_of(windows, key).generation == 2)
    process(windows.jobs_db, key)
    assert job_of(windows, key).status is Status.PROCESSED


def test_file_that_exists_again_is_shown_as_available(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add(str(folder / "a.txt"))
    process(windows.jobs_db, key)
    (folder / "a.txt").write_text("x")
    window = shown(windows, key, qtbot)
    qtbot.waitUntil(lambda: window.details.summary.advice == "The file is available again. Choose Retry to process it.")
    assert offered(window)[0] == "Retry"


# --- E8: not allowed


@posix_only
def test_unreadable_file_shows_its_owner(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    file = folder / "a.txt"
    file.write_text("x")
    file.chmod(0)
    (key,) = windows.jobs_db.add(str(file))
    with without_special_rights():
        process(windows.jobs_db, key)
        window = shown(windows, key, qtbot)
        assert window.details.summary.happened == f"Failed{DASH}You don't have permission to read this file"
        assert offered(window) == ["Retry", "Show in Folder", "Remove"]
        qtbot.waitUntil(lambda: f"It belongs to {file.owner()}." in window.details.summary.advice)
    file.chmod(0o600)
    press_first(window)
    qtbot.waitUntil(lambda: job_of(windows, key).generation == 2)
    process(windows.jobs_db, key)
    assert job_of(windows, key).status is Status.PROCESSED


# --- E9: changed while read


class Growing(LineProcessor):
    """A file that another program keeps writing to while it is read."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        with self._file.open("a") as more:
            more.write("more\n")
        return super().process(source, options, watch)


def test_file_that_changed_while_it_was_read_is_processed_again(
    windows: WindowFactory, folder: Path, qtbot: QtBot
) -> None:
    file = folder / "a.txt"
    file.write_text("one\n")
    (key,) = windows.jobs_db.add(str(file))
    # A small file would be read at once, when it is opened.
    registry = ProcessorRegistry((Growing(file),), opener=FileSource, pause=lambda _: None)
    process(windows.jobs_db, key, registry=registry)
    assert job_of(windows, key).problem is FileProblem.CHANGED
    window = shown(windows, key, qtbot)
    assert "changed" in window.details.summary.happened
    assert "The results were discarded" in window.details.summary.advice
    assert offered(window) == ["Retry", "Show in Folder", "Remove"]
    press_first(window)
    qtbot.waitUntil(lambda: job_of(windows, key).generation == 2)
    process(windows.jobs_db, key)
    assert job_of(windows, key).lines_count == 4


# --- E10: not a file


@posix_only
def test_item_that_is_no_file_is_removed(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    os.mkfifo(folder / "pipe")
    (key,) = windows.jobs_db.add(str(folder / "pipe"))
    process(windows.jobs_db, key)
    window = shown(windows, key, qtbot)
    assert "This is a named pipe" in window.details.summary.happened
    assert offered(window) == ["Remove", "Show in Folder"]
    press_first(window)
    qtbot.waitUntil(lambda: windows.jobs_db.statuses() == [])
    assert (folder / "pipe").exists()


# --- E16: moved to the dead-letter queue


def test_dead_lettered_file_shows_its_attempts(windows: WindowFactory, sim: SimulatedSqs, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/in/a.txt")
    job = job_of(windows, key)
    sim.simulator.create_queue("dead")
    url = sim.boto().get_queue_url(QueueName="dead")["QueueUrl"]
    arn = sim.boto().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    connector = sim.connector("work", RedrivePolicy=policy)
    work = sim.boto().get_queue_url(QueueName="work")["QueueUrl"]
    sim.boto().send_message(QueueUrl=work, MessageBody=encode(FileMessage(job.id, 1)))
    start(windows.jobs_db, key, at=NOW_MS)  # the program that processes it is gone
    for _ in range(6):
        sim.boto().receive_message(QueueUrl=work, VisibilityTimeout=1)
        sim.clock.advance(2)  # type: ignore[attr-defined]
    windows.jobs_db.clock.advance(600)
    DeadLetterWatcher(Claims(windows.jobs_db.database), connector, windows.jobs_db.clock).do()
    assert job_of(windows, key).problem is FileProblem.DEAD_LETTERED
    window = shown(windows, key, qtbot)
    assert window.details.summary.happened.startswith(f"Failed{DASH}Gave up after ")
    qtbot.waitUntil(lambda: "Last attempt: Ended without a result" in window.details.summary.advice)
    assert offered(window) == ["Retry", "Show Attempts", "Remove"]
    QTest.mouseClick(window.details.fixes.button(Fix.SHOW_ATTEMPTS), LEFT)
    assert window.details.shown_tab == "attempts"
    qtbot.waitUntil(lambda: window.details.attempts.table.rowCount() == 1)
    press_first(window)
    qtbot.waitUntil(lambda: job_of(windows, key).generation == 2)


# --- E20: internal errors, and files that end the program


class Broken(LineProcessor):
    """A processor with a bug."""

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        raise ZeroDivisionError(source, options, watch)


@pytest.mark.expected_log("bug while processing", level="ERROR")
def test_bug_is_shown_as_an_error_in_filemill(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    (folder / "a.txt").write_text("x\n")
    (key,) = windows.jobs_db.add(str(folder / "a.txt"))
    process(windows.jobs_db, key, registry=ProcessorRegistry([Broken()]))
    window = shown(windows, key, qtbot)
    assert "An internal error occurred in Filemill" in window.details.summary.happened
    assert "not in your file" in window.details.summary.advice
    assert offered(window) == ["Retry", "Save Support Report…", "Show Attempts", "Remove"]
    with qtbot.waitSignal(window.menu_actions.report.triggered):
        QTest.mouseClick(window.details.fixes.button(Fix.REPORT), LEFT)
    press_first(window)
    qtbot.waitUntil(lambda: job_of(windows, key).generation == 2)
    process(windows.jobs_db, key)
    assert job_of(windows, key).status is Status.PROCESSED


def test_file_that_crashed_the_program_repeatedly_is_explained(windows: WindowFactory, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/in/a.txt")
    for number in range(MAX_CRASHES):
        start(windows.jobs_db, key, at=NOW_MS + number * 1_000)
    Claims(windows.jobs_db.database).free_dead_leases(lambda _: False, queue="local", now_ms=NOW_MS)
    assert job_of(windows, key).problem is FileProblem.CRASHED
    window = shown(windows, key, qtbot)
    assert "exited unexpectedly several times" in window.details.summary.advice
    assert offered(window) == ["Retry", "Save Support Report…", "Show Attempts", "Remove"]
    window.details.show_tab("attempts")
    qtbot.waitUntil(lambda: window.details.attempts.table.rowCount() == MAX_CRASHES)


# --- the buttons themselves


def test_unavailable_remedies_are_not_offered(windows: WindowFactory, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/in/a.txt")
    windows.jobs_db.fail(key)
    windows.jobs_db.change(key, reason_code=ReasonCode.INTERNAL)
    window = shown(windows, key, qtbot)
    window.menu_actions.report.setVisible(False)
    window.view.clearSelection()
    window.view.select_rows(0, 0)
    assert "Save Support Report…" not in offered(window)


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({"status": Status.PENDING}, ["Show in Folder", "Remove"]),
        ({"status": Status.PROCESSING}, ["Show in Folder", "Remove"]),
        ({"status": Status.PROCESSED}, ["Show in Folder", "Retry", "Remove"]),
        ({"status": Status.FAILED, "reason_code": "from a newer version"}, ["Retry", "Show in Folder", "Remove"]),
        ({"status": Status.FAILED, "reason_code": ReasonCode.IN_USE}, ["Retry", "Show in Folder", "Remove"]),
        (
            {"status": Status.FAILED, "reason_code": ReasonCode.MESSAGE_REFUSED, "reason_args": '{"why": "x"}'},
            ["Retry", "Remove"],
        ),
    ],
)
def test_buttons_suit_the_status(
    windows: WindowFactory, qtbot: QtBot, fields: dict[str, object], texts: list[str]
) -> None:
    (key,) = windows.jobs_db.add("/in/a.txt")
    windows.jobs_db.change(key, **fields)
    window = shown(windows, key, qtbot)
    assert offered(window) == texts


def test_automatic_retry_is_shown(windows: WindowFactory, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/in/a.txt")
    windows.jobs_db.change(key, next_try_at=NOW_MS)
    window = shown(windows, key, qtbot)
    assert window.details.summary.advice == "It will be retried automatically; you don't need to do anything."


def test_second_press_of_a_key_does_not_trigger_another_button(windows: WindowFactory, qtbot: QtBot) -> None:
    """Retry hides its button; pressing the same key again must not trigger Remove."""
    (key,) = windows.jobs_db.add("/in/a.txt")
    windows.jobs_db.fail(key)
    windows.jobs_db.change(key, reason_code=ReasonCode.IN_USE)
    window = shown(windows, key, qtbot)
    press_first(window)
    qtbot.waitUntil(lambda: offered(window) == ["Show in Folder", "Remove"])
    focused = QApplication.focusWidget()
    assert focused is window.details.tabs.tabBar()
    QTest.keyClick(focused, Qt.Key.Key_Space)
    assert len(windows.jobs_db.jobs.ids()) == 1


def test_only_a_single_failed_file_can_be_located(windows: WindowFactory, qtbot: QtBot) -> None:
    a, b = windows.jobs_db.add("/in/a.txt", "/in/b.txt")
    windows.jobs_db.fail(a)
    window = shown(windows, a, qtbot)
    locate = window.menu_actions.locate
    assert locate.isEnabled()
    window.view.select_rows(1, 1)
    assert not locate.isEnabled()
    window.view.selectAll()
    assert not locate.isEnabled()
    window.view.select_rows(1, 1)
    windows.jobs_db.fail(b)
    qtbot.waitUntil(locate.isEnabled)


def test_job_processed_again_meanwhile_keeps_its_path(windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
    (key,) = windows.jobs_db.add("/in/a.txt")
    windows.jobs_db.fail(key)
    (folder / "b.txt").write_text("x")
    window = shown(windows, key, qtbot)
    said: list[str] = []
    windows.controller().commands.notice.connect(lambda notice: said.append(notice.text))
    window.menu_actions.locate.trigger()
    windows.jobs_db.intake.retry([key])
    choose(window, folder / "b.txt", qtbot)
    qtbot.waitUntil(lambda: said == ["“a.txt” is already being processed."])
    assert job_of(windows, key).file_path == "/in/a.txt"


# --- the state of a path


def test_path_status_describes_the_path(folder: Path) -> None:
    file = folder / "a.txt"
    file.write_text("x")
    there = look_at(str(file))
    assert (there.is_there, there.is_readable, there.missing_folder) == (True, True, "")
    assert there.owner == (file.owner() if os.name == "posix" else "")
    assert not look_at(str(folder)).is_there
    assert look_at(str(folder / "b" / "c" / "d.txt")).missing_folder == str(folder / "b")
    assert look_at(str(folder / "b.txt")).missing_folder == ""
    assert look_at(str(file / "below a file.txt")).missing_folder == ""
    assert not look_at("/with a NUL \0").is_there
