"""Everything that can be done in the window, each thing once, and where it stands: menu bar, context menu, keys.

Another action: a line in `Actions`, one in `fill_menu_bar`, and one in `Actions.update` if it needs files, a selection
or a failure (what needs more is enabled where it is connected); what it does is connected in the module of its menu.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QUndoStack
    from PySide6.QtWidgets import QMainWindow

    from desktop_app.gui.table.header import JobsHeader
    from desktop_app.gui.theme.theme import Theme


_MNEMONIC = re.compile("&(.)")

_IS_MAC = sys.platform == "darwin"

_DELETE = "Backspace" if _IS_MAC else "Del"

_COPY_PATH = "Ctrl+Alt+C" if _IS_MAC else "Ctrl+Shift+C"

_OPEN = ("Ctrl+Down",) if _IS_MAC else ("Return", "Enter")

_SHOW = "Ctrl+Alt+R" if _IS_MAC else "Ctrl+E"


def text_of(action: QAction) -> str:
    """Return what an action is called, without its mnemonic."""
    return _MNEMONIC.sub(r"\1", action.text())


def words_of(action: QAction) -> str:
    """Return what an action is called, to be read rather than pressed: without its mnemonic and its dots."""
    return text_of(action).rstrip("…")


class Actions(QObject):
    """The actions; who can do them connects to `triggered`.

    Attributes:
        all: Every action, in the order of the menus.
        status_views: Show all files, and those of each status, in the statuses' order.
    """

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self._parent = parent
        self._theme = theme
        self.all: list[QAction] = []
        self._make_file_actions()
        self._make_edit_actions()
        self._make_view_actions()
        self._make_queue_actions()
        self._make_help_actions()
        theme.changed.connect(self._draw)
        self._draw()

    def _make_file_actions(self) -> None:
        new = self._new
        self.add_files = new(tr("&Add Files…"), "Ctrl+O", tr("Choose files to process"), "add-file")
        self.add_folder = new(
            tr("Add F&older…"), "Ctrl+Shift+O", tr("Choose a folder, and which of its files to add"), "add-folder"
        )
        self.paste = new(tr("&Paste Files"), "Ctrl+V", tr("Add the files, folders or paths that were copied elsewhere"))
        self.export = new(tr("&Export List…"), "Ctrl+Shift+E", tr("Write the list to a file, as CSV or JSON"), "export")
        self.quit = new(tr("&Quit"), "Ctrl+Q", tr("Close Filemill; what is not done goes on at the next start"))
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _make_edit_actions(self) -> None:
        new = self._new
        self.copy = new(tr("&Copy Rows"), "Ctrl+C", tr("Copy the selected rows for a spreadsheet"))
        self.copy_path = new(tr("Copy Pat&h"), _COPY_PATH, tr("Copy where the selected files lie"))
        self.select_all = new(tr("Select &All"), "Ctrl+A", tr("Select every file in the list"))
        self.select_none = new(tr("Select &None"), "Ctrl+Shift+A", tr("Select nothing"))
        self.filter = new(tr("&Filter"), "Ctrl+F", tr("Show only the files that match what is typed"), "search")

    def _make_view_actions(self) -> None:
        new = self._new
        self.status_views = (
            new(tr("&All Files"), "Ctrl+1", tr("Show all files, whatever their status, reason or batch")),
            new(tr("&Pending Files"), "Ctrl+2", tr("Show only the files that wait")),
            new(tr("P&rocessing Files"), "Ctrl+3", tr("Show only the files that are being processed")),
            new(tr("Processe&d Files"), "Ctrl+4", tr("Show only the files that are done")),
            new(tr("&Failed Files"), "Ctrl+5", tr("Show only the files that have failed")),
        )
        self.sidebar = new(tr("Side&bar"), "F9", tr("Show or hide statuses, problems and batches beside the list"))
        self.sidebar.setCheckable(True)
        self.details = new(tr("De&tails"), "Alt+Return", tr("Show or hide what is known about the selected files"))
        self.details.setCheckable(True)
        self.next_problem = new(tr("&Next Problem"), "F8", tr("Select the next file that has failed"))
        self.previous_problem = new(tr("Previous Prob&lem"), "Shift+F8", tr("Select the failed file before this one"))
        self.follow = new(tr("F&ollow Running File"), "Ctrl+J", tr("Keep what is being processed in sight"))
        self.follow.setCheckable(True)
        self.throughput = new(tr("T&hroughput"), "Ctrl+G", tr("Show or hide how much is done in what time, as a graph"))
        self.throughput.setCheckable(True)
        self.keep_in_tray = new(
            tr("&Keep in Tray"), "", tr("Show an icon in the tray; closing the window then leaves Filemill at work")
        )
        self.keep_in_tray.setCheckable(True)
        self.next_pane = new(tr("Ne&xt Pane"), "F6", tr("Go to the next part of the window"))
        self.previous_pane = new(tr("Pre&vious Pane"), "Shift+F6", tr("Go to the part of the window before this one"))

    def _make_queue_actions(self) -> None:
        new = self._new
        self.pause = new(tr("&Pause"), "Ctrl+P", tr("Begin no file until you resume"), "pause")
        self.stop_after_current = new(
            tr("Stop &After the Current Files"), "Ctrl+Shift+P", tr("Finish the files in work, then pause")
        )
        self.process_next = new(tr("Process Ne&xt"), "Ctrl+T", tr("Process the selected files before all that wait"))
        self.check_queue = new(tr("Check &Queue Now"), "F5", tr("Send and receive now instead of at the next turn"))
        self.retry = new(tr("&Retry"), "Ctrl+R", tr("Process the selected files again"), "retry")
        self.retry_failed = new(tr("Retry &Failed"), "Ctrl+Shift+R", tr("Process every failed file again"), "retry")
        self.retry_reason = new(
            tr("Retry All With &This Reason"),
            "Ctrl+Alt+Shift+R" if _IS_MAC else "Ctrl+Alt+R",
            tr("Process every file again that has failed for the reason chosen in the sidebar, or for the file's own"),
            "retry",
        )
        self.remove = new(
            tr("Re&move"),
            _DELETE,
            tr("Take the selected files off the list; the files stay where they are"),
            "remove",
        )
        self.open = new(tr("Op&en"), _OPEN[0], tr("Open the selected files with the programs that they belong to"))
        self.open.setShortcuts([QKeySequence(keys) for keys in _OPEN])
        self.open.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # Enter means much elsewhere
        self.show_file = new(tr("&Show in Folder"), _SHOW, tr("Show the selected files in the file manager"))
        self.connection = new(tr("Co&nnection…"), "Ctrl+K", tr("Choose the queue that files go through, and test it"))
        self.locate = new(tr("Lo&cate File…"), "", tr("Say where the selected file is now, and process it from there"))
        self.foreign = new(
            tr("&Other Programs' Messages…"), "", tr("Look at the messages in the queue that are not Filemill's")
        )

    def _make_help_actions(self) -> None:
        new = self._new
        self.shortcuts = new(tr("&Keyboard Shortcuts"), "Ctrl+/", tr("All keys at a glance"))
        self.log = new(tr("Show &Log"), "Ctrl+L", tr("What Filemill has done, as it wrote it down"))
        self.report = new(
            tr("Save Support &Report…"), "", tr("Collect what helps to mend a fault; you read it before it is saved")
        )
        self.about = new(tr("&About Filemill"), "", tr("Version and licence"))
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def _new(self, text: str, keys: str, tip: str, icon: str = "") -> QAction:
        action = QAction(text, self._parent)
        # Written out: some standard keys are empty on Linux without a desktop.
        action.setShortcut(QKeySequence(keys))
        self.change(action, text, tip, icon)
        self._parent.addAction(action)
        self.all.append(action)
        return action

    def change(self, action: QAction, text: str, tip: str, icon: str = "") -> None:
        """Let an action stand for something else, on its buttons too."""
        action.setText(text)
        action.setStatusTip(tip)
        shown_keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({shown_keys})" if shown_keys else tip)
        action.setData(icon)
        if icon:
            action.setIcon(self._theme.icon(icon))
        for button in action.associatedObjects():
            if isinstance(button, QToolButton):
                button.setAccessibleName(words_of(action))
                button.setAccessibleDescription(tip)

    @Slot()
    def _draw(self) -> None:
        for action in self.all:
            if action.data():
                action.setIcon(self._theme.icon(str(action.data())))

    def update(self, *, total: int, listed: int, selected: int, failed: int) -> None:
        """Offer what makes sense now.

        Args:
            total: How many files there are.
            listed: How many of them the list shows.
            selected: How many of them are selected.
            failed: How many have failed.
        """
        on_selection = (self.copy, self.copy_path, self.select_none, self.process_next, self.retry, self.remove)
        for action in (*on_selection, self.open, self.show_file):
            action.setEnabled(selected > 0)
        self.select_all.setEnabled(listed > 0)
        self.export.setEnabled(total > 0)
        self.retry_failed.setEnabled(failed > 0)
        for action in (self.next_problem, self.previous_problem):
            action.setEnabled(failed > 0)
        self.filter.setEnabled(total > 0)
        for action in self.status_views:
            action.setEnabled(total > 0)


def fill_menu_bar(window: QMainWindow, actions: Actions, undo: QUndoStack, header: JobsHeader) -> None:
    """Build the menu bar."""
    bar = window.menuBar()
    bar.setAccessibleName(tr("Menus"))
    file = bar.addMenu(tr("&File"))
    _add(file, actions.add_files, actions.add_folder, actions.paste, None, actions.export, None, actions.quit)
    edit = bar.addMenu(tr("&Edit"))
    _add(
        edit,
        *undo_actions(window, undo),
        None,
        actions.copy,
        actions.copy_path,
        actions.select_all,
        actions.select_none,
        None,
        actions.filter,
    )
    view = bar.addMenu(tr("&View"))
    for title, fill in ((tr("&Columns"), header.fill_menu), (tr("&Sort By"), header.fill_sort_menu)):
        menu = view.addMenu(title)
        menu.aboutToShow.connect(partial(_fill_afresh, menu, fill))
    _add(view, None, *actions.status_views, None, actions.sidebar, actions.details)
    _add(view, actions.throughput, actions.keep_in_tray)
    _add(view, None, actions.next_problem, actions.previous_problem, actions.follow)
    _add(view, None, actions.next_pane, actions.previous_pane)
    queue = bar.addMenu(tr("&Queue"))
    _add(queue, actions.pause, actions.stop_after_current, actions.check_queue, None)
    _add(
        queue,
        actions.process_next,
        actions.retry,
        actions.retry_failed,
        actions.retry_reason,
        actions.locate,
        None,
        actions.remove,
        None,
    )
    _add(queue, actions.open, actions.show_file, None, actions.connection, actions.foreign)
    _add(bar.addMenu(tr("&Help")), actions.shortcuts, None, actions.log, actions.report, None, actions.about)


def undo_actions(window: QMainWindow, undo: QUndoStack) -> tuple[QAction, QAction]:
    """Undo and Redo, which name what they would undo."""
    back, again = undo.createUndoAction(window, tr("&Undo")), undo.createRedoAction(window, tr("R&edo"))
    back.setShortcut(QKeySequence("Ctrl+Z"))
    again.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
    back.setStatusTip(tr("Take back what was done to the list last"))
    again.setStatusTip(tr("Do again what was taken back"))
    return back, again


def context_menu(actions: Actions, parent: QWidget) -> QMenu:
    """Return the menu of the selected rows; it deletes itself."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    _add(
        menu,
        actions.process_next,
        actions.retry,
        actions.retry_reason,
        actions.locate,
        None,
        actions.open,
        actions.show_file,
        actions.copy_path,
        actions.copy,
        None,
        actions.select_all,
        None,
        actions.remove,
    )
    return menu


def _fill_afresh(menu: QMenu, fill: Callable[[QMenu], None]) -> None:
    menu.clear()
    fill(menu)


def _add(menu: QMenu, *actions: QAction | None) -> None:
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
