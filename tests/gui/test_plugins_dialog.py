"""The dialog with the plug-ins: what it lists, the consent, and that the loops use the plug-in at once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton

from desktop_app.gui.settings.plugins import PluginsDialog
from desktop_app.services.plugins import Plugins

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

TEMPLATE = Path(__file__).resolve().parents[2] / "resources" / "plugins" / "words.py"


@pytest.fixture
def window(windows: WindowFactory) -> MainWindow:
    return windows.open()


@pytest.fixture
def plugins(window: MainWindow) -> Plugins:
    made = Plugins(window.settings._home)
    made.create_folder()
    return made


def opened(window: MainWindow, qtbot: QtBot, count: int) -> PluginsDialog:
    window.settings.open()
    assert window.settings.dialog is not None
    window.settings.dialog.plugins.click()
    dialog = window.findChildren(PluginsDialog)[-1]
    qtbot.waitUntil(lambda: len(dialog.rows) == count and (bool(count) or dialog.empty.isVisible()))
    return dialog


def texts(dialog: PluginsDialog, name: str) -> str:
    return "\n".join(label.text() for label in dialog.rows[name].findChildren(QLabel))


def press(dialog: PluginsDialog, name: str, text: str) -> None:
    (button,) = [one for one in dialog.rows[name].findChildren(QPushButton) if one.text() == text]
    button.click()


def answer(dialog: PluginsDialog, text: str) -> str:
    """Press a button of the question; return what it says."""
    (box,) = dialog.findChildren(QMessageBox)
    said = f"{box.text()}\n{box.informativeText()}"
    next(button for button in box.buttons() if button.text().replace("&", "") == text).click()
    return said


def test_without_plug_ins_it_says_so(window: MainWindow, qtbot: QtBot) -> None:
    dialog = opened(window, qtbot, 0)
    assert dialog.empty.text() == "There are no plug-ins."


def test_plug_in_is_used_only_after_consent_that_names_file_and_digest(
    window: MainWindow, plugins: Plugins, qtbot: QtBot
) -> None:
    file = plugins.folder / "words.py"
    file.write_bytes(TEMPLATE.read_bytes())
    digest = hashlib.sha256(TEMPLATE.read_bytes()).hexdigest()
    dialog = opened(window, qtbot, 1)
    assert texts(dialog, "words.py").splitlines() == ["words.py", "Not allowed", str(file), f"SHA-256: {digest}"]
    press(dialog, "words.py", "Allow…")
    said = answer(dialog, "Allow")
    assert str(file) in said
    assert digest in said
    assert "A plug-in can do anything that you can do on this computer" in said
    with qtbot.waitSignal(window.settings.processors_changed):
        pass
    qtbot.waitUntil(lambda: "words" in dialog.rows)
    assert texts(dialog, "words").splitlines()[:2] == ["Words (words), version 1", "Allowed"]
    assert [one.name for one in plugins.processors()] == ["words"]
    press(dialog, "words", "Stop Using")
    qtbot.waitUntil(lambda: "words.py" in dialog.rows)
    assert plugins.processors() == []


def test_cancelled_consent_executes_nothing(window: MainWindow, plugins: Plugins, qtbot: QtBot, tmp_path: Path) -> None:
    (plugins.folder / "a.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')")
    dialog = opened(window, qtbot, 1)
    press(dialog, "a.py", "Allow…")
    answer(dialog, "Cancel")
    dialog.look()
    assert not (tmp_path / "executed").exists()
    assert plugins.processors() == []


def test_broken_plug_in_is_shown_with_its_error(window: MainWindow, plugins: Plugins, qtbot: QtBot) -> None:
    (plugins.folder / "broken.py").write_text("import no_such_module")
    dialog = opened(window, qtbot, 1)
    press(dialog, "broken.py", "Allow…")
    answer(dialog, "Allow")
    error = "It can't be used: ModuleNotFoundError: No module named 'no_such_module'"
    qtbot.waitUntil(lambda: error in texts(dialog, "broken.py"))


def test_file_that_changes_while_asking_is_not_allowed(window: MainWindow, plugins: Plugins, qtbot: QtBot) -> None:
    file = plugins.folder / "words.py"
    file.write_bytes(TEMPLATE.read_bytes())
    dialog = opened(window, qtbot, 1)
    press(dialog, "words.py", "Allow…")
    file.write_bytes(TEMPLATE.read_bytes() + b"\n")
    answer(dialog, "Allow")
    qtbot.waitUntil(dialog.problem.isVisible)
    assert dialog.problem.text() == "▲ The plug-in has changed in the meantime. Look at it again."
    dialog.look_again.click()
    assert plugins.processors() == []


def test_change_restarts_the_loops(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window._controller.changed):
        window.settings.processors_changed.emit()
