"""Shows files in the system's file manager, selected there where that can be asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

_BUS_NAME = "org.freedesktop.FileManager1"
_BUS_PATH = "/org/freedesktop/FileManager1"
_ANSWER_MS = 5_000
"""A file manager that is started for this takes a second or two."""


def reveal(paths: Sequence[str]) -> bool:
    """Ask the file manager to show these files of one folder; False if there is none that can be asked.

    Waits for its answer, at most some seconds: not for the main thread.
    """
    if sys.platform == "win32":
        subprocess.Popen(["explorer", f"/select,{paths[0]}"])  # noqa: S603, S607 - the system's own, by its known name
        return True
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", *paths])  # noqa: S603, S607
        return True
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    message = QDBusMessage.createMethodCall(_BUS_NAME, _BUS_PATH, _BUS_NAME, "ShowItems")
    message.setArguments([[Path(path).as_uri() for path in paths], ""])
    answer = bus.call(message, QDBus.CallMode.Block, _ANSWER_MS)
    return answer.type() is QDBusMessage.MessageType.ReplyMessage


def folder_of(path: str) -> str:
    """The folder that a file lies in, or lay in; empty if that is not there.

    It may be on a disk that does not answer: not for the main thread.
    """
    folder = os.path.dirname(path)  # noqa: PTH120 - keep surrogates
    return folder if os.path.isdir(folder) else ""  # noqa: PTH112
