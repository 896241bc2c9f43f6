"""Shows a file in the system's file manager, with the file itself selected where that can be asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QDesktopServices

_BUS_NAME = "org.freedesktop.FileManager1"
_BUS_PATH = "/org/freedesktop/FileManager1"


def reveal(path: str) -> bool:
    """Show a file; False if neither it nor its folder can be shown. Main thread; does not wait for the file manager."""
    if sys.platform == "win32":
        subprocess.Popen(["explorer", f"/select,{path}"])  # noqa: S603, S607 - the system's own, by its well-known name
        return True
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", path])  # noqa: S603, S607
        return True
    return _ask_file_manager(path) or _open_folder(path)


def _ask_file_manager(path: str) -> bool:
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    if _BUS_NAME not in _known_names(bus):
        return False
    message = QDBusMessage.createMethodCall(_BUS_NAME, _BUS_PATH, _BUS_NAME, "ShowItems")
    message.setArguments([[Path(path).as_uri()], ""])
    return bool(bus.send(message))


def _known_names(bus: QDBusConnection) -> list[str]:
    reply = bus.interface().activatableServiceNames()
    return list(reply.value()) if reply.isValid() else []


def _open_folder(path: str) -> bool:
    folder = Path(path).parent
    return folder.is_dir() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
