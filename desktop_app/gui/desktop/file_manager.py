"""Open files in their default programs, and show them in the system's file manager."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage

from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import tr
from desktop_app.gui.programs import open_url, start_detached
from desktop_app.gui.widgets.notice import Kind, Notice
from desktop_app.sources.share_access import SHARES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.gui.tasks import Tasks


MOST_AT_ONCE = 10
"""The maximum number of files to open at once."""
_BUS_NAME = "org.freedesktop.FileManager1"
_BUS_PATH = "/org/freedesktop/FileManager1"
_REPLY_MS = 5_000
"""The timeout for the file manager's reply. If it is not running, it needs one or two seconds to start."""


def reveal(paths: Sequence[str]) -> bool:
    """Show files in the file manager and select them; return False if the file manager does not support this.

    This function blocks until the file manager replies, so do not call it on the main thread.

    Args:
        paths: The files, all in the same folder.
    """
    if sys.platform == "win32":
        return start_detached("explorer", [f"/select,{paths[0]}"])
    if sys.platform == "darwin":
        return start_detached("open", ["-R", *paths])
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    message = QDBusMessage.createMethodCall(_BUS_NAME, _BUS_PATH, _BUS_NAME, "ShowItems")
    message.setArguments([[Path(path).as_uri() for path in paths], ""])
    reply = bus.call(message, QDBus.CallMode.Block, _REPLY_MS)
    return reply.type() is QDBusMessage.MessageType.ReplyMessage


class Opener(QObject):
    """Opens and shows files. Slow calls to the disk and the file manager run on another thread.

    Signals:
        notice(Notice): A message for the user.
    """

    notice = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks

    def open(self, paths: Sequence[str]) -> None:
        """Open each file in its default program. If there are more than `MOST_AT_ONCE` files, open none."""
        if len(paths) > MOST_AT_ONCE:
            self._warn(tr("You can open at most %Ln file(s) at once.", "", MOST_AT_ONCE))
        elif paths:
            self._tasks.run(partial(_existing, paths), partial(self._open, paths))

    def _open(self, paths: Sequence[str], existing: Sequence[str]) -> None:
        missing = [path for path in paths if path not in existing]
        if missing:
            self._warn(_missing_text(missing))
        for path in existing:
            text = tr("No program on this computer can open “{name}”.").format(name=_name(path))
            open_url(file_url(path), self, partial(self._warn, text))

    def show(self, paths: Sequence[str]) -> None:
        """Show the first file, and the other given files in its folder, in the file manager.

        If the first file is missing, or the file manager can't select files, the folder is opened.
        """
        if paths:
            folder = os.path.dirname(paths[0])  # noqa: PTH120 - keep surrogates
            same_folder = [path for path in paths if os.path.dirname(path) == folder]  # noqa: PTH120
            self._tasks.run(partial(_show, folder, same_folder), partial(self._open_folder, paths[0]))

    def _open_folder(self, path: str, result: tuple[str | None, bool]) -> None:
        folder, is_missing = result
        if folder is None:
            return
        if not folder:
            self._warn(
                tr("The folder that contains “{name}” can't be opened; it may no longer exist.").format(
                    name=_name(path)
                )
            )
            return
        if is_missing:
            self._warn(_missing_text([path]))
        text = tr("No program on this computer can show the folder “{name}”.").format(name=display_text(folder))
        open_url(file_url(folder), self, partial(self._warn, text))

    def _warn(self, text: str) -> None:
        self.notice.emit(Notice(text, Kind.WARNING))


def file_url(path: str) -> QUrl:
    """Return the URL of a path, which need not be UTF-8."""
    return QUrl.fromEncoded(Path(path).as_uri().encode())


def _existing(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if SHARES.run_or(path, partial(os.path.exists, path), default=False)]


def _show(folder: str, paths: Sequence[str]) -> tuple[str | None, bool]:
    """Show files from one folder in the file manager.

    Returns:
        The folder to open instead (None if the files are shown, empty if the folder does not exist), and whether all
        files are missing.
    """
    existing = _existing(paths)
    if existing and reveal(existing):
        return None, False
    is_folder = SHARES.run_or(folder, partial(os.path.isdir, folder), default=False)
    return folder if is_folder else "", not existing


def _missing_text(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        text = tr("“{name}” no longer exists. It was moved, renamed or deleted after it was added.")
        return text.format(name=_name(paths[0]))
    return tr("%Ln file(s) no longer (exists. It was|exist. They were) moved, renamed or deleted.", "", len(paths))


def _name(path: str) -> str:
    return display_text(os.path.basename(path))  # noqa: PTH119 - keep surrogates
