from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QMessageBox

from desktop_app.domain.errors import StoreError
from desktop_app.gui.desktop import file_manager
from desktop_app.gui.desktop.file_manager import reveal
from desktop_app.gui.startup.dialogs import StartErrorDialog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QAbstractButton


def press(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """Press these buttons of successive message boxes."""
    waiting = list(texts)
    pressed: list[QAbstractButton] = []

    def execute(box: QMessageBox) -> int:
        pressed.append(next(button for button in box.buttons() if button.text() == waiting[0]))
        waiting.pop(0)
        return 0

    monkeypatch.setattr(QMessageBox, "exec", execute)
    monkeypatch.setattr(QMessageBox, "clickedButton", lambda _box: pressed[-1])


@pytest.mark.parametrize(("buttons", "again"), [(["Quit"], False), (["Try Again"], True)])
def test_failed_start_can_be_retried(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buttons: list[str], again: bool
) -> None:
    press(monkeypatch, *buttons)
    problem = StartErrorDialog(StoreError("Written by a newer <b>Filemill</b>.", detail="0009"), tmp_path)
    assert problem.text() == "Written by a newer <b>Filemill</b>."
    assert problem.detailedText() == "0009"
    assert problem.wants_another_try() is again


def test_folder_can_be_opened_before_deciding(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    press(monkeypatch, "Open Folder", "Open Folder", "Quit")
    assert not StartErrorDialog(StoreError("x"), tmp_path).wants_another_try()
    assert opened == [str(tmp_path)] * 2


def test_missing_folder_is_not_offered(qapp: object, tmp_path: Path) -> None:
    problem = StartErrorDialog(StoreError("x"), tmp_path / "gone")
    assert "Open Folder" not in [button.text() for button in problem.buttons()]


@pytest.mark.parametrize(
    ("platform", "command"),
    [("win32", ["explorer", "/select,/in/a b"]), ("darwin", ["open", "-R", "/in/a b"])],
)
def test_other_systems_have_their_own_way(platform: str, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def start_detached(program: str, arguments: Sequence[str]) -> bool:
        started.append([program, *arguments])
        return True

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(file_manager, "start_detached", start_detached)
    assert reveal(["/in/a b"])
    assert started == [command]
