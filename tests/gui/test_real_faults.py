"""Real faults of this computer: a full disk, a lock, a damaged file, permissions, a killed process.

The tests that cause each problem by a real fault (without `test_`):

| id | problem | test |
|---|---|---|
| E1 | not signed in, no such profile | test_remedies: missing_sign_in_…, missing_profile_… |
| E2 | the session has expired | test_remedies: ended_session_…, failed_sign_in_… |
| E2b, E2c | rejected keys, wrong clock | test_remedies: refused_keys_…, wrong_clock_… |
| E3 | no region, unknown region | test_remedies: region_is_requested |
| E3b | another account | test_real_network_faults: queue_of_another_account_is_reported_by_the_test |
| E4 | no such queue | test_remedies: queue_is_searched_in_the_other_regions, queue_that_is_in_no_region_… |
| E5 | a permission is missing | test_remedies: missing_permission_…, permission_granted_…; each: queues/test_checks |
| E6 | no connection | test_remedies: no_connection_offers_… |
| E6b | proxy, certificate | test_real_network_faults: proxy_that_refuses_…, unknown_certificate_… |
| E6c | throttled | test_remedies: throttling_is_only_shown_in_the_status_bar |
| E7 | the file is missing | test_details_fixes: missing_file_can_be_located, missing_folder_or_drive_… |
| E8 | no permission to read | test_details_fixes: unreadable_file_shows_its_owner |
| E9 | changed while it was read | test_details_fixes: file_that_changed_while_it_was_read_… |
| E10 | not a file | test_details_fixes: item_that_is_no_file_is_removed |
| E12 | disk full | here: full_disk_is_waited_for |
| E13 | database locked | here: lock_of_another_program_is_waited_for |
| E13b | database damaged | here: damage_while_the_window_is_open_…; at the start: test_damaged_list |
| E13c | no permission to write | here: read_only_files_…, list_that_can_not_be_written_… |
| E14 | second start | test_single_instance: second_start_passes_its_paths_on_…, hung_program_can_be_stopped |
| E15 | foreign messages | test_remedies: foreign_messages_stop_the_processing_… |
| E16 | moved to the dead-letter queue | test_details_fixes: dead_lettered_file_… |
| E17 | the lease was lost | not shown; services/consuming/test_consumer: lost_lease_cancels_the_work_… |
| E18 | the local queue can't be used | here: local_queue_… |
| E19 | a web address | test_review_sheet: pasted_web_address_is_reported_plainly |
| E20 | a bug in Filemill | test_details_fixes: bug_…, file_that_crashed_the_program_… |
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop_app.config.settings import Connection, Settings
from desktop_app.domain.job import NewFile
from desktop_app.gui.startup.dialogs import StartErrorDialog
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.store.backends import sqlite
from desktop_app.store.database import Database
from desktop_app.window_app import open_with_dialogs
from tests.gui.running_app import SOON
from tests.gui.test_damaged_list import answer
from tests.helpers.rights import without_special_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.gui.running_app import RunningApp

pytestmark = pytest.mark.slow

OpenApp = Any
_SPOIL = """
import os, sys
for file in sys.argv[1:]:
    with open(file, "r+b") as opened:
        opened.write(b"garbage!" * (max(os.path.getsize(file), 200_000) // 8))
"""


def shown(app: RunningApp) -> str:
    notice = app.window.banner.notice
    return "" if notice is None else f"{notice.title} {notice.text}".strip()


def until_shown(app: RunningApp, text: str) -> list[str]:
    app.until(lambda: text in shown(app))
    assert app.window.banner.isVisible()
    return [button.text() for button in app.window.banner.buttons]


def until_gone(app: RunningApp) -> None:
    app.until(lambda: not app.window.banner.isVisible())


class Disk:
    """SQLite's limit on the file size, set on every connection: beyond it, SQLite reports a full disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes_left = sys.maxsize
        write = Database.write

        @contextmanager
        def limited(database: Database, **options: Any) -> Iterator[int]:
            with write(database, **options) as revision:
                # SQLite uses the file's current size if the limit is smaller.
                self.writes_left -= 1
                pages = 1 if self.writes_left < 0 else 1_000_000
                database._peewee.execute_sql(f"PRAGMA max_page_count = {pages}")  # type: ignore[no-untyped-call]
                yield revision

        monkeypatch.setattr(Database, "write", limited)


def press(dialog: QMessageBox, text: str) -> None:
    next(button for button in dialog.buttons() if button.text().replace("&", "") == text).click()


def in_dialog(kind: type[QMessageBox], act: Callable[[Any], None]) -> None:
    """Call a function with the next dialog that opens."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            act(dialog)
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)


def fill(app: RunningApp, count: int) -> list[str]:
    """Add this many files at once."""
    names = [f"{number}.txt" for number in range(count)]
    files = [app.path(name) for name in names]
    for file in files:
        file.write_text("a\n")
    app.program.editor.add([NewFile(str(file), 2, None) for file in files])
    return names


def test_full_disk_is_waited_for(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, opened: list[str], filemill_home: Path
) -> None:
    disk = Disk(monkeypatch)
    app = open_app(Settings())
    names = fill(app, 400)
    disk.writes_left = 8  # far less than these files need, so it fills up while they are processed
    assert until_shown(app, "is full or not writable. Free some space or check the disk, then try again.") == [
        "Open Folder",
        "Try Now",
    ]
    app.press("Open Folder")
    assert opened == [str(filemill_home)]
    disk.writes_left = sys.maxsize
    app.until_processed(*names)
    until_gone(app)


def test_lock_of_another_program_is_waited_for(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite.PRAGMAS, "busy_timeout", 20)
    app = open_app(Settings())
    names = fill(app, 30)
    with closing(sqlite3.connect(app.program.database.path, isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 10000")
        other.execute("BEGIN EXCLUSIVE")
        assert until_shown(app, "and has locked it. You can safely try again.") == ["Try Now", "Details"]
        app.press("Details")
        (dialog,) = app.window.findChildren(PairsDialog)
        dialog.copy()
        assert "database is locked" in QGuiApplication.clipboard().text()
        dialog.close()
        app.press("Try Now")
        assert app.window.banner.isVisible()
        other.execute("ROLLBACK")
    app.until_processed(*names)
    until_gone(app)


@pytest.mark.expected_log("Thread ended: .* is damaged", required=False)
@pytest.mark.expected_log("database is damaged")
def test_damage_while_the_window_is_open_leads_to_the_choice_at_the_next_start(open_app: OpenApp, qtbot: QtBot) -> None:
    app = open_app(Settings())
    app.add("one.txt")
    app.until_processed("one.txt")
    # By another program: SQLite's locks belong to the process, which loses them when it closes any of its files.
    path = app.program.database.path
    subprocess.run([sys.executable, "-c", _SPOIL, path, f"{path}-wal"], check=True, timeout=120)
    app.window.menu_actions.check_queue.trigger()  # damage is noticed when something is read that is not in the cache
    assert until_shown(app, "is damaged or is not a Filemill database") == ["Quit", "Open Folder"]
    with qtbot.waitSignal(app.running.ended, timeout=SOON):
        app.press("Quit")
    answer("Start With")
    program = open_with_dialogs(os.environ)
    assert program is not None
    assert program.jobs.counts().total == 0
    program.close()
    assert app.path("one.txt").exists()


@pytest.mark.expected_log("can't start")
@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("", "can't be used: Permission denied. Make it writable, or set FILEMILL_HOME to another folder."),
        ("filemill.db", "filemill.db can't be written. Check the permissions of the file and its folder."),
    ],
)
def test_read_only_files_are_reported_at_the_start_and_retried(
    filemill_home: Path, opened: list[str], qapp: QApplication, place: str, text: str
) -> None:
    filemill_home.mkdir(parents=True)
    thing = filemill_home / place
    if place:
        thing.touch()
    thing.chmod(0o500)

    def first(problem: StartErrorDialog) -> None:
        assert problem.text().endswith(text)
        thing.chmod(0o700)
        in_dialog(StartErrorDialog, lambda again: press(again, "Try Again"))
        press(problem, "Open Folder")

    in_dialog(StartErrorDialog, first)
    with without_special_rights():
        program = open_with_dialogs(os.environ)
    assert opened == [str(filemill_home)]
    assert program is not None
    program.close()


def test_list_that_can_not_be_written_is_waited_for(open_app: OpenApp, filemill_home: Path, opened: list[str]) -> None:
    with without_special_rights():
        app = open_app(Settings())
        app.add("one.txt")
        app.until_processed("one.txt")
        app.window.menu_actions.pause.trigger()
        app.add("two.txt")
        app.until(lambda: app.jobs()["two.txt"].sent_at is not None)
        files = [filemill_home / f"filemill.db{end}" for end in ("", "-wal", "-shm")]
        for file in files:
            file.chmod(0o400)
        app.connection.choose(Connection(), process_here=True)  # new loops, which open it again
        app.until(lambda: app.connection._ending is None)
        app.window.menu_actions.pause.trigger()  # waiting files are claimed, which writes
        assert until_shown(app, "can't be written. Check the permissions") == ["Open Folder", "Try Now"]
        for file in files:
            file.chmod(0o600)
        app.until_processed("two.txt")
        until_gone(app)


def test_local_queue_that_can_not_be_opened_is_retried(open_app: OpenApp, filemill_home: Path) -> None:
    file = filemill_home / "filemill.db.queue"  # something else is in its place
    file.mkdir(parents=True)
    app = open_app(Settings())
    app.add("one.txt")
    assert app.until_banner("The local queue can't be used") == ["Try Now", "Details", "Choose Queue…"]
    assert "can't be written. Check the permissions" in shown(app)
    file.rmdir()
    app.press("Try Now")
    app.until_processed("one.txt")
    until_gone(app)


def test_damaged_local_queue_is_deleted_and_everything_is_sent_again(open_app: OpenApp, filemill_home: Path) -> None:
    filemill_home.mkdir(parents=True)
    file = filemill_home / "filemill.db.queue"
    file.write_bytes(b"garbage!" * 1000)
    app = open_app(Settings())
    app.add("one.txt")
    assert app.until_banner("The local queue can't be used") == ["Try Now", "Details", "Choose Queue…"]
    assert f"{file} is damaged. Delete it, then try again" in shown(app)
    file.unlink()
    app.press("Try Now")
    app.until_processed("one.txt")
    until_gone(app)
