"""The empty window, which is painted before most of the program is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize

from desktop_app.config.paths import find_home
from desktop_app.domain.errors import SettingsError
from desktop_app.gui.window.main_window import MainWindow
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.window_app import show_empty_window

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.theme.theme import Theme

LATER = ("boto3", "botocore", "moto", "playhouse", "peewee", "sqlite3")
LATER_OF_QT = ("QtNetwork", "QtSvg")
SELDOM = ("concurrent", "ctypes", "jeepney", "json", "platformdirs", "subprocess", "tomllib")
"""What only some starts need: with a settings file, a network share, an X server or D-Bus, without FILEMILL_HOME."""
LATER_OF_OURS = (
    "bootstrap",
    "store",
    "queues",
    "processing",
    "services.consuming",
    "services.sending",
    "gui.table",
    "gui.startup.single_instance",
    "gui.startup.shutdown",
)
PROGRAM = """
import sys

import filelock, PySide6.QtWidgets  # what these import themselves can't be helped

before = set(sys.modules)  # a program that measures the coverage of tests has imported some

from desktop_app.__main__ import main
import desktop_app.__main__ as entry

open_window = entry._open_window

def opened(paths):
    from desktop_app.gui.window.main_window import MainWindow

    paint = MainWindow.paintEvent

    def painted(window, event):
        paint(window, event)
        MainWindow.paintEvent = paint
        print("\\n".join(set(sys.modules) - before), flush=True)
        raise SystemExit

    MainWindow.paintEvent = painted
    return open_window(paths)

entry._open_window = opened
import os
try:
    main([])
finally:
    os._exit(0)
"""


def test_first_paint_needs_neither_the_list_nor_the_queue(filemill_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", ";")  # an empty list
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    modules = done.stdout.split()
    assert "desktop_app.gui.window.main_window" in modules
    later = (*LATER, *SELDOM, *(f"PySide6.{name}" for name in LATER_OF_QT))
    later = (*later, *(f"desktop_app.{name}" for name in LATER_OF_OURS))
    assert [name for name in modules if name in later or name.startswith(tuple(f"{one}." for one in later))] == []
    assert not (filemill_home / "filemill.db").exists(), "no migration has run"


def test_empty_window_has_its_saved_place_and_is_painted(filemill_home: Path, theme: Theme, qtbot: QtBot) -> None:
    filemill_home.mkdir()
    memory = WindowMemory(filemill_home / "window.ini")
    before = MainWindow(memory, theme)
    qtbot.addWidget(before)
    before.resize(700, 500)
    memory.geometry = before.saveGeometry()
    memory.save()
    window = show_empty_window(theme)
    assert window is not None
    assert window.isVisible()
    assert window._is_painted
    assert window.size() == QSize(700, 500)
    assert window.windowTitle() == "Filemill"
    assert not window.close(), "its parts would be built for nobody"
    window.deleteLater()


def test_without_a_home_folder_there_is_no_empty_window(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILEMILL_HOME", "~nobody-of-this-name/home")
    with pytest.raises(SettingsError):
        find_home()
    assert show_empty_window(theme) is None
