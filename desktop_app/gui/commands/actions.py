"""All actions of the window, and where they appear: menu bar, context menu, shortcuts.

To add an action, add a line to `Actions`, one to `fill_menu_bar`, and one to `Actions.update` if it needs files, a
selection or a failed file (an action that needs more is enabled where it is connected); connect it in the module of its
menu.
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
    """Return an action's text without its mnemonic."""
    return _MNEMONIC.sub(r"\1", action.text())


def words_of(action: QAction) -> str:
    """Return an action's name for running text: without its mnemonic and ellipsis."""
    return text_of(action).rstrip("…")


class Actions(QObject):
    """The window's actions; the command classes connect to `triggered`.

    Attributes:
        all: Every action, in the order of the menus.
        status_views: Show all files, or those of one status, in the order of the statuses.
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
            tr("Add F&older…"), "Ctrl+Shift+O", tr("Choose a folder and which of its files to add"), "add-folder"
        )
        self.paste = new(tr("&Paste Files"), "Ctrl+V", tr("Add the files, folders or paths on the clipboard"))
        self.export = new(tr("&Export List…"), "Ctrl+Shift+E", tr("Save the list as a CSV or JSON file"), "export")
        self.quit = new(tr("&Quit"), "Ctrl+Q", tr("Close Filemill; unfinished files continue at the next start"))
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _make_edit_actions(self) -> None:
        new = self._new
        self.copy = new(tr("&Copy Rows"), "Ctrl+C", tr("Copy the selected rows for a spreadsheet"))
        self.copy_path = new(tr("Copy Pat&h"), _COPY_PATH, tr("Copy the paths of the selected files"))
        self.select_all = new(tr("Select &All"), "Ctrl+A", tr("Select all files in the list"))
        self.select_none = new(tr("Select &None"), "Ctrl+Shift+A", tr("Clear the selection"))
        self.filter = new(tr("&Filter"), "Ctrl+F", tr("Show only the files that match what you type"), "search")

    def _make_view_actions(self) -> None:
        new = self._new
        self.status_views = (
            new(tr("&All Files"), "Ctrl+1", tr("Show all files, regardless of status, reason or batch")),
            new(tr("&Pending Files"), "Ctrl+2", tr("Show only the files that are waiting")),
            new(tr("P&rocessing Files"), "Ctrl+3", tr("Show only the files that are being processed")),
            new(tr("Processe&d Files"), "Ctrl+4", tr("Show only the files that have been processed")),
            new(tr("&Failed Files"), "Ctrl+5", tr("Show only the files that have failed")),
        )
        self.sidebar = new(tr("Side&bar"), "F9", tr("Show or hide the list of statuses, problems and batches"))
        self.sidebar.setCheckable(True)
        self.details = new(tr("De&tails"), "Alt+Return", tr("Show or hide the details of the selected files"))
        self.details.setCheckable(True)
        self.next_problem = new(tr("&Next Problem"), "F8", tr("Select the next file that has failed"))
        self.previous_problem = new(tr("Previous Prob&lem"), "Shift+F8", tr("Select the failed file before this one"))
        self.follow = new(tr("F&ollow Running File"), "Ctrl+J", tr("Keep the file that is being processed in view"))
        self.follow.setCheckable(True)
        self.throughput = new(tr("T&hroughput"), "Ctrl+G", tr("Show or hide the graph of files and bytes per second"))
        self.throughput.setCheckable(True)
        self.keep_in_tray = new(
            tr("&Keep in Tray"), "", tr("Show a tray icon; Filemill then keeps running when you close the window")
        )
        self.keep_in_tray.setCheckable(True)
        self.next_pane = new(tr("Ne&xt Pane"), "F6", tr("Move to the next pane"))
        self.previous_pane = new(tr("Pre&vious Pane"), "Shift+F6", tr("Move to the previous pane"))

    def _make_queue_actions(self) -> None:
        new = self._new
        self.pause = new(tr("&Pause"), "Ctrl+P", tr("Start no more files until you resume"), "pause")
        self.stop_after_current = new(
            tr("Pause &After the Current Files"), "Ctrl+Shift+P", tr("Finish the current files, then pause")
        )
        self.process_next = new(tr("Process Ne&xt"), "Ctrl+T", tr("Process the selected files before all others"))
        self.check_queue = new(tr("Check &Queue Now"), "F5", tr("Send and receive messages now"))
        self.retry = new(tr("&Retry"), "Ctrl+R", tr("Process the selected files again"), "retry")
        self.retry_failed = new(tr("Retry &Failed"), "Ctrl+Shift+R", tr("Process all failed files again"), "retry")
        self.retry_reason = new(
            tr("Retry All With &This Reason"),
            "Ctrl+Alt+Shift+R" if _IS_MAC else "Ctrl+Alt+R",
            tr(
                "Process all files again that failed for the reason selected in the sidebar, or for the same "
                "reason as the selected file"
            ),
            "retry",
        )
        self.remove = new(
            tr("Re&move"),
            _DELETE,
            tr("Remove the selected files from the list; the files themselves are not deleted"),
            "remove",
        )
        self.open = new(tr("Op&en"), _OPEN[0], tr("Open the selected files in their default programs"))
        self.open.setShortcuts([QKeySequence(keys) for keys in _OPEN])
        self.open.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # Enter has other meanings elsewhere
        self.show_file = new(tr("&Show in Folder"), _SHOW, tr("Show the selected files in the file manager"))
        self.connection = new(
            tr("Co&nnection…"), "Ctrl+K", tr("Choose the queue to use, and test the connection to it")
        )
        self.locate = new(
            tr("Lo&cate File…"), "", tr("Choose where the selected file is now, and process it from there")
        )
        self.foreign = new(
            tr("&Other Programs' Messages…"), "", tr("Show the messages that other programs sent to the queue")
        )

    def _make_help_actions(self) -> None:
        new = self._new
        self.shortcuts = new(tr("&Keyboard Shortcuts"), "Ctrl+/", tr("Show all keyboard shortcuts"))
        self.log = new(tr("Show &Log"), "Ctrl+L", tr("Show what Filemill has logged"))
        self.report = new(
            tr("Save Support &Report…"),
            "",
            tr("Collect information for a bug report; you can review it before it is saved"),
        )
        self.about = new(tr("&About Filemill"), "", tr("Show the version and the licence"))
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def _new(self, text: str, keys: str, tip: str, icon: str = "") -> QAction:
        action = QAction(text, self._parent)
        # Spelled out: some standard keys are empty on Linux without a desktop environment.
        action.setShortcut(QKeySequence(keys))
        self.change(action, text, tip, icon)
        self._parent.addAction(action)
        self.all.append(action)
        return action

    def change(self, action: QAction, text: str, tip: str, icon: str = "") -> None:
        """Change what an action shows, on its buttons too."""
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
        """Enable the actions that make sense now.

        Args:
            total: The number of files.
            listed: The number of files shown in the list.
            selected: The number of selected files.
            failed: The number of failed files.
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
    """Return the Undo and Redo actions, which name what they would undo or redo."""
    back, again = undo.createUndoAction(window, tr("&Undo")), undo.createRedoAction(window, tr("R&edo"))
    back.setShortcut(QKeySequence("Ctrl+Z"))
    again.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
    back.setStatusTip(tr("Undo the last change to the list"))
    again.setStatusTip(tr("Redo the change that was undone"))
    return back, again


def context_menu(actions: Actions, parent: QWidget) -> QMenu:
    """Return the context menu of the selected rows; it deletes itself when closed."""
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
