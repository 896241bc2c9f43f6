"""Watched folders in the window: the form, the list, and files that come while the window is open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Settings
from desktop_app.domain.fields import Choice
from desktop_app.domain.job import Status
from desktop_app.domain.sentences import Sentence
from desktop_app.domain.watched_folder import WatchedFolder
from desktop_app.gui.watching.dialog import WatchedFoldersDialog, state_text
from desktop_app.services.adding.watching import FolderState, FolderStatus, WatchingLoop
from desktop_app.store.adding import Intake
from desktop_app.store.watched_folders import WatchedFolders
from tests.gui.conftest import notice_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.watching.commands import WatchCommands
    from desktop_app.gui.watching.form import WatchFolderDialog
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory
    from tests.gui.running_app import RunningApp


class Scene:
    """A window, and the stored watched folders."""

    def __init__(self, windows: WindowFactory, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.folder = folder
        self.window: MainWindow = windows.open()
        self.commands: WatchCommands = self.window.watched
        self.store = WatchedFolders(windows.jobs_db.database, Intake(windows.jobs_db.database))

    def stored(self) -> list[WatchedFolder]:
        return self.store.all()

    def form(self) -> WatchFolderDialog:
        self.window.menu_actions.watch_folder.trigger()
        assert self.commands.form is not None
        return self.commands.form

    def list(self) -> WatchedFoldersDialog:
        self.window.menu_actions.watched_folders.trigger()
        assert self.commands.list is not None
        return self.commands.list

    def watch(self, name: str = "in") -> WatchedFolder:
        """Watch a folder through the form."""
        path = self.folder / name
        path.mkdir(exist_ok=True)
        form = self.form()
        form.folder.setText(str(path))
        form.confirm.click()
        self.qtbot.waitUntil(lambda: self.commands.form is None)
        return next(one for one in self.stored() if one.folder == str(path))

    def tell(self, *statuses: FolderStatus) -> None:
        """Report as the loop does."""
        self.window._watching._reported.emit(statuses)

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition)


@pytest.fixture
def watched(windows: WindowFactory, tmp_path: Path, qtbot: QtBot) -> Scene:
    return Scene(windows, tmp_path, qtbot)


def cells(dialog: WatchedFoldersDialog) -> list[list[str]]:
    table = dialog.table
    items = [[table.item(row, column) for column in range(table.columnCount())] for row in range(table.rowCount())]
    return [[item.text() for item in row if item is not None] for row in items]


def test_form_saves_what_was_chosen(watched: Scene) -> None:
    watched.window.processors.choose(Choice("words", '{"word": "b"}'))
    form = watched.form()
    form.folder.setText(str(watched.folder))
    form.subfolders.setChecked(False)
    form.only.setText(" *.csv ")
    form.leave_out.setText("old/")
    form.settle.setValue(60)
    form.existing.setChecked(True)
    form.confirm.click()
    watched.until(lambda: watched.commands.form is None)
    (folder,) = watched.stored()
    assert folder == WatchedFolder(
        str(watched.folder),
        subfolders=False,
        only="*.csv",
        leave_out="old/",
        processor="words",
        options='{"word": "b"}',
        settle_s=60,
        adds_existing=True,
        key=folder.key,
    )


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "▲ Choose a folder."),
        ("missing", "▲ There is no such folder, or its disk or network share does not respond."),
        ("file", "▲ There is no such folder, or its disk or network share does not respond."),
    ],
)
def test_form_says_what_is_no_folder(watched: Scene, typed: str, problem: str) -> None:
    (watched.folder / "file").touch()
    form = watched.form()
    form.folder.setText(str(watched.folder / typed) if typed else "")
    form.confirm.click()
    assert form.problem.text() == problem
    assert form.isVisible()
    assert watched.stored() == []


def test_form_stays_open_with_the_error_if_the_folder_is_watched_already(watched: Scene) -> None:
    first = watched.watch()
    form = watched.form()
    form.folder.setText(first.folder)
    form.confirm.click()
    watched.until(lambda: form.problem.text() == f"▲ {first.folder} is watched already.")
    assert form.confirm.isEnabled()
    form.reject()
    assert watched.stored() == [first]


def test_list_edits_pauses_and_ends(watched: Scene) -> None:
    first = watched.watch("a")
    second = watched.watch("b")
    dialog = watched.list()
    watched.until(lambda: [row[0] for row in cells(dialog)] == [first.folder, second.folder])
    dialog.table.selectRow(1)
    dialog.pause.click()
    watched.until(lambda: [one.is_paused for one in watched.stored()] == [False, True])
    watched.until(lambda: dialog.pause.text() == "&Resume")
    dialog.edit.click()
    form = watched.commands.form
    assert form is not None
    assert form.folder.text() == second.folder
    form.settle.setValue(9)
    form.confirm.click()
    watched.until(lambda: watched.stored()[1] == replace(second, is_paused=True, settle_s=9))
    watched.until(lambda: watched.commands.form is None)
    dialog.remove.click()
    watched.until(lambda: watched.stored() == [first])
    watched.until(lambda: [row[0] for row in cells(dialog)] == [first.folder])
    assert dialog.selected == first


def test_empty_list_says_what_a_watched_folder_is(watched: Scene) -> None:
    dialog = watched.list()
    assert dialog._hint.text().startswith("No folder is watched.")
    assert not dialog.edit.isEnabled()
    dialog.add.click()
    assert watched.commands.form is not None


def test_list_shows_what_the_loop_reports(watched: Scene) -> None:
    folder = watched.watch()
    dialog = watched.list()
    watched.tell(FolderStatus(replace(folder, added=1234), FolderState.WATCHED, waiting=2))
    assert cells(dialog) == [[folder.folder, "Lines and size", "Watching · 2 new files may still be changing", "1,234"]]


def test_states_are_texts() -> None:
    folder = WatchedFolder("/in")
    why = Sentence("It is looked at every few seconds: {why}.", why=Sentence("it is on a network share"))
    assert [
        state_text(FolderStatus(folder, state, text, waiting, not_opened))
        for state, text, waiting, not_opened in (
            (FolderState.STARTING, "", 0, 0),
            (FolderState.PAUSED, "", 0, 0),
            (FolderState.AWAY, "The folder does not exist.", 0, 0),
            (FolderState.WATCHED, "", 0, 1),
            (FolderState.WATCHED, why, 0, 0),
        )
    ] == [
        "Starting…",
        "Paused",
        "The folder does not exist.",
        "Watching · 1 new file can't be opened yet",
        "Watching · It is looked at every few seconds: it is on a network share",
    ]


def test_folder_that_becomes_unusable_is_said_once(watched: Scene) -> None:
    folder = watched.watch()
    away = FolderStatus(folder, FolderState.AWAY, "The folder does not exist, or its disk is not connected.")
    watched.tell(away)
    assert notice_text(watched.window) == away.text
    watched.window.notices.clear()
    watched.tell(replace(away, text="Another reason."))
    assert notice_text(watched.window) == ""
    watched.tell(FolderStatus(folder, FolderState.WATCHED))
    watched.tell(away)
    assert notice_text(watched.window) == away.text
    watched.window.notices.buttons[0].click()
    assert watched.commands.list is not None


@pytest.mark.expected_log("watching ended", level="ERROR")
def test_bug_in_the_loop_is_said(watched: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(WatchingLoop, "run", fail)
    watching = watched.window._watching
    with watched.qtbot.waitSignal(watching.problem):
        watching.start()
    assert notice_text(watched.window).startswith("Folders are no longer watched")
    watched.until(watching.step().has_ended)


def test_files_that_come_while_the_window_is_open_are_processed(
    open_app: Callable[[Settings], RunningApp], tmp_path: Path, qtbot: QtBot
) -> None:
    app = open_app(Settings())
    folder = tmp_path / "inbox"
    folder.mkdir()
    app.window._watching.save(WatchedFolder(str(folder), settle_s=1))
    states = [FolderState.WATCHED]
    app.until(lambda: [status.state for status in app.window._watching.statuses] == states)
    (folder / "a.txt").write_text("a\nb\n")
    app.until(lambda: "a.txt" in app.jobs())
    app.until_processed("a.txt")
    assert app.jobs()["a.txt"].lines_count == 2
    assert app.jobs()["a.txt"].status is Status.PROCESSED
