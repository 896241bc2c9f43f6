"""The dialog for a damaged database, and the effect of each button."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication

from desktop_app.bootstrap import open_program
from desktop_app.domain.errors import StoreDamagedError, StoreError
from desktop_app.domain.job import NewFile
from desktop_app.gui.startup.dialogs import DamageChoice, DamagedDatabaseDialog, StartErrorDialog
from desktop_app.store.backups import Backups
from desktop_app.window_app import open_with_dialogs

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

ERROR = StoreDamagedError("It is damaged.", detail="file is not a database")


def press(dialog: DamagedDatabaseDialog, text: str) -> None:
    """Press the button whose text begins with this, once the dialog is open."""
    button = next(button for button in dialog.buttons() if button.text().replace("&", "").startswith(text))
    QTimer.singleShot(0, dialog, button.click)


@pytest.mark.parametrize(
    ("text", "choice"),
    [("Use the Backup", DamageChoice.USE_COPY), ("Start With", DamageChoice.START_EMPTY), ("Quit", DamageChoice.QUIT)],
)
def test_each_button_has_its_effect(qtbot: QtBot, text: str, choice: DamageChoice) -> None:
    dialog = DamagedDatabaseDialog(ERROR, 1_700_000_000_000, QLocale("en_GB"))
    qtbot.addWidget(dialog)
    press(dialog, text)
    assert dialog.choose() is choice


def test_without_a_copy_none_is_offered_and_quit_is_the_default(qtbot: QtBot) -> None:
    dialog = DamagedDatabaseDialog(ERROR, None, QLocale("en_GB"))
    qtbot.addWidget(dialog)
    texts = [button.text().replace("&", "") for button in dialog.buttons()]
    assert not any(text.startswith("Use") for text in texts)
    default = dialog.defaultButton()
    assert isinstance(default, QAbstractButton)
    assert default.text().replace("&", "") == "Quit"


def test_backup_is_shown_with_its_time_and_is_the_default(qtbot: QtBot) -> None:
    dialog = DamagedDatabaseDialog(ERROR, 1_700_000_000_000, QLocale("en_GB"))
    qtbot.addWidget(dialog)
    assert "2023" in dialog.defaultButton().text() or "/23" in dialog.defaultButton().text()


def answer(text: str) -> None:
    """Press a button of the dialog that opens next."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, DamagedDatabaseDialog):
            press(dialog, text)
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)


@pytest.mark.expected_log("database is damaged")
@pytest.mark.parametrize(("text", "files"), [("Use the Backup", 1), ("Start With", 0)])
def test_window_opens_with_the_chosen_database_and_the_damaged_file_is_kept(
    qtbot: QtBot, filemill_home: Path, tmp_path: Path, text: str, files: int
) -> None:
    program = open_program()
    program.editor.add([NewFile(str(tmp_path / "a"), 1, None)])
    Backups(program.database.path).make()
    program.close()
    program.database.path.write_bytes(b"this is not a database" * 100)
    answer(text)
    opened = open_with_dialogs(os.environ)
    assert opened is not None
    assert opened.jobs.counts().total == files
    opened.close()
    (aside,) = (path for path in filemill_home.glob("filemill.db.damaged-*") if path.name[-4] != "-")
    assert aside.read_bytes().startswith(b"this is not")


@pytest.mark.expected_log("database is damaged")
@pytest.mark.expected_log("can't start: It can't be moved away.")
def test_damaged_file_that_can_not_be_moved_is_reported_in_a_dialog(
    qtbot: QtBot, filemill_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = open_program()
    program.close()
    program.database.path.write_bytes(b"this is not a database" * 100)

    def refuse(_backups: Backups) -> None:
        raise StoreError("It can't be moved away.")

    said: list[str] = []
    monkeypatch.setattr(Backups, "set_aside", refuse)
    monkeypatch.setattr(StartErrorDialog, "wants_another_try", lambda problem: said.append(problem.text()))
    answer("Start With")
    assert open_with_dialogs(os.environ) is None
    assert said == ["It can't be moved away."]


@pytest.mark.expected_log("database is damaged")
def test_quitting_changes_nothing(qtbot: QtBot, filemill_home: Path) -> None:
    program = open_program()
    program.close()
    program.database.path.write_bytes(b"this is not a database" * 100)
    answer("Quit")
    assert open_with_dialogs(os.environ) is None
    assert program.database.path.read_bytes().startswith(b"this is not")
