"""Everything that can be done in the window, each thing once: menus, toolbar, context menu and keys share it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.look import Look

_DELETE = "Backspace" if sys.platform == "darwin" else "Del"


def words_of(action: QAction) -> str:
    """What an action is called, to be read rather than pressed: without its mnemonic and its dots."""
    return action.text().replace("&", "").rstrip("…")


class Actions(QObject):
    """The actions; who can do them connects to `triggered`.

    Attributes:
        all: Every action, in the order of the menus.
        status_views: Show all files, and those of each status, in the statuses' order.
    """

    def __init__(self, parent: QWidget, look: Look) -> None:
        super().__init__(parent)
        self._parent = parent
        self._look = look
        self.all: list[QAction] = []
        new = self._new
        self.add_files = new("&Add Files…", "Ctrl+O", "Choose files to process", "add-file")
        self.add_folder = new(
            "Add F&older…",
            "Ctrl+Shift+O",
            "Choose a folder; the files in it and in its subfolders are added",
            "add-folder",
        )
        self.paste = new("&Paste Files", "Ctrl+V", "Add the files, folders or paths that were copied elsewhere")
        self.quit = new("&Quit", "Ctrl+Q", "Close Filemill; what is not done goes on at the next start")
        self.copy = new("&Copy Rows", "Ctrl+C", "Copy the selected rows for a spreadsheet")
        self.select_all = new("Select &All", "Ctrl+A", "Select every file in the list")
        self.select_none = new("Select &None", "Ctrl+Shift+A", "Select nothing")
        self.retry = new("&Retry", "Ctrl+R", "Process the selected files again", "retry")
        self.retry_failed = new("Retry All &Failed", "Ctrl+Shift+R", "Process every failed file again", "retry")
        self.retry_reason = new(
            "Retry All With &This Reason",
            "",
            "Process every file again that has failed for the reason chosen in the sidebar",
            "retry",
        )
        self.remove = new(
            "Re&move From List",
            _DELETE,
            "Take the selected files off the list; the files stay where they are",
            "remove",
        )
        self.show_file = new("&Show in File Manager", "Ctrl+E", "Open the folder that the file lies in")
        self.filter = new("&Filter", "Ctrl+F", "Show only the files that match what is typed", "search")
        self.sidebar = new("Side&bar", "F9", "Show or hide statuses, problems and batches beside the list")
        self.sidebar.setCheckable(True)
        self.details = new("De&tails", "Alt+Return", "Show or hide what is known about the selected files")
        self.details.setCheckable(True)
        self.status_views = (
            new("&All Files", "Ctrl+1", "Show all files, whatever their status, reason or batch"),
            new("&Pending Files", "Ctrl+2", "Show only the files that wait"),
            new("P&rocessing Files", "Ctrl+3", "Show only the files that are being processed"),
            new("Processe&d Files", "Ctrl+4", "Show only the files that are done"),
            new("&Failed Files", "Ctrl+5", "Show only the files that have failed"),
        )
        self.foreign = new(
            "&Other Programs' Messages…", "", "Look at the messages in the queue that are not Filemill's"
        )
        self.shortcuts = new("&Keyboard Shortcuts", "Ctrl+/", "All keys at a glance")
        self.about = new("&About Filemill", "", "Version and licence")
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        look.changed.connect(self._draw)
        self._draw()

    def _new(self, text: str, keys: str, tip: str, icon: str = "") -> QAction:
        action = QAction(text, self._parent)
        # Written out: some standard keys are empty on Linux without a desktop.
        action.setShortcut(QKeySequence(keys))
        action.setStatusTip(tip)
        shown_keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({shown_keys})" if shown_keys else tip)
        action.setData(icon)
        self._parent.addAction(action)
        self.all.append(action)
        return action

    @Slot()
    def _draw(self) -> None:
        for action in self.all:
            if action.data():
                action.setIcon(self._look.icon(str(action.data())))

    def update(self, *, total: int, listed: int, selected: int, failed: int) -> None:
        """Offer what makes sense now.

        Args:
            total: How many files there are.
            listed: How many of them the list shows.
            selected: How many of them are selected.
            failed: How many have failed.
        """
        for action in (self.copy, self.select_none, self.retry, self.remove, self.show_file):
            action.setEnabled(selected > 0)
        self.select_all.setEnabled(listed > 0)
        self.retry_failed.setEnabled(failed > 0)
        self.filter.setEnabled(total > 0)
        for action in self.status_views:
            action.setEnabled(total > 0)
