"""The entries of the desktop icon's menu reach the existing window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QFileDialog

from desktop_app.config.paths import ADD_FILES, ADD_FOLDER
from desktop_app.sources.location import from_here

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory


@pytest.mark.parametrize(("name", "title"), [(ADD_FILES, "Add Files"), (ADD_FOLDER, "Add Folder")])
def test_requested_action_is_performed_and_the_other_names_are_added(
    windows: WindowFactory, qtbot: QtBot, tmp_path: Path, name: str, title: str
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    window = windows.open()
    window.add(from_here([name, str(file)]))
    qtbot.waitUntil(lambda: windows.names() == ["a.txt"])
    [dialog] = window.findChildren(QFileDialog)
    assert dialog.isVisible()
    assert dialog.windowTitle() == title
    dialog.reject()
