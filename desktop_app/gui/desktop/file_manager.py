"""Shows files in the system's file manager, selected where it supports that."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage
from PySide6.QtGui import QDesktopServices

from desktop_app.domain.job import display_text
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.notice import Kind, Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.gui.tasks import Tasks


_BUS_NAME = "org.freedesktop.FileManager1"

_BUS_PATH = "/org/freedesktop/FileManager1"

_ANSWER_MS = 5_000
"""Seconds to wait for the reply; a file manager that has to start takes one or two."""


def reveal(paths: Sequence[str]) -> bool:
    """Ask the file manager to show these files of one folder; return False if none supports it.

    Waits some seconds for its reply, so do not call it on the main thread.
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
    """Return the folder of a file, which may be gone; empty if the folder does not exist.

    The disk may not respond, so do not call it on the main thread.
    """
    folder = os.path.dirname(path)  # noqa: PTH120 - keep surrogates
    return folder if os.path.isdir(folder) else ""  # noqa: PTH112


MOST_AT_ONCE = 10
"""The most files that one key press opens."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The result of showing files: whether the first is gone, and the folder to open instead."""

    is_gone: bool
    folder: str = ""


class Opener(QObject):
    """Opens and shows files. Asks the disk and the file manager off the main thread: both may be slow.

    Signals:
        notice(Notice): A message for the user.
    """

    notice = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks

    def open(self, paths: Sequence[str]) -> None:
        """Open files, each in its default program."""
        if len(paths) > MOST_AT_ONCE:
            self._warn(tr("Select at most %Ln file(s) to open them.", "", MOST_AT_ONCE))
        elif paths:
            self._tasks.run(partial(_that_are_there, paths), partial(self._open, paths))

    def _open(self, paths: Sequence[str], there: Sequence[str]) -> None:
        refused = [path for path in there if not QDesktopServices.openUrl(file_url(path))]
        gone = [path for path in paths if path not in there]
        if gone:
            self._warn(_gone_text(gone))
        elif refused:
            self._warn(tr("This computer has no program to open “{name}”.").format(name=_name(refused[0])))

    def show(self, paths: Sequence[str]) -> None:
        """Show in the file manager those files that are in the first one's folder."""
        if paths:
            folder = os.path.dirname(paths[0])  # noqa: PTH120 - keep surrogates
            beside = [path for path in paths if os.path.dirname(path) == folder]  # noqa: PTH120
            self._tasks.run(partial(_show, beside), partial(self._tell_shown, beside[0]))

    def _tell_shown(self, path: str, shown: _Shown) -> None:
        opened = not shown.folder or QDesktopServices.openUrl(file_url(shown.folder))
        if shown.is_gone and shown.folder and opened:
            self._warn(_gone_text([path]))
        elif not opened or (shown.is_gone and not shown.folder):
            text = tr("The folder of “{name}” can't be opened; it may no longer exist.")
            self._warn(text.format(name=_name(path)))

    def _warn(self, text: str) -> None:
        self.notice.emit(Notice(text, Kind.WARNING))


def file_url(path: str) -> QUrl:
    """Return the URL of a path, also if it is not UTF-8."""
    return QUrl.fromEncoded(Path(path).as_uri().encode())


def _that_are_there(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110 - keep surrogates


def _show(paths: Sequence[str]) -> _Shown:
    there = _that_are_there(paths)
    if there and reveal(there):
        return _Shown(is_gone=False)
    return _Shown(is_gone=not there, folder=folder_of(paths[0]))


def _gone_text(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        text = tr("“{name}” no longer exists. It was moved, renamed or deleted after it was added.")
        return text.format(name=_name(paths[0]))
    return tr("%Ln file(s) no longer (exists. It was|exist. They were) moved, renamed or deleted.", "", len(paths))


def _name(path: str) -> str:
    return display_text(os.path.basename(path))  # noqa: PTH119 - keep surrogates
