"""The actions of the window with their shortcuts, the menu bar and the context menu.

To add an action, create it in `Actions`, add it to `fill_menu_bar`, and connect it in the module for its menu. If it is
enabled only while there is something that it can act on, add it to `Actions.update` too, with the reason that its tool
tip gives while it is disabled.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence, QUndoStack
from PySide6.QtWidgets import QMainWindow, QMenu, QToolButton, QWidget

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.job import StatusCounts
    from desktop_app.gui.table.header import JobsHeader
    from desktop_app.gui.table.job_feed import Selected
    from desktop_app.gui.theme.theme import Theme


_MNEMONIC = re.compile("&(.)")

_IS_MAC = sys.platform == "darwin"

_DELETE = "Backspace" if _IS_MAC else "Del"

_COPY_PATH = "Ctrl+Alt+C" if _IS_MAC else "Ctrl+Shift+C"

_OPEN = ("Ctrl+Down",) if _IS_MAC else ("Return", "Enter")

_SHOW = "Ctrl+Alt+R" if _IS_MAC else "Ctrl+E"


def text_of(action: QAction) -> str:
    """Return an action's text without the mnemonic marker."""
    return _MNEMONIC.sub(r"\1", action.text())


def words_of(action: QAction) -> str:
    """Return an action's text without the mnemonic marker and the ellipsis."""
    return text_of(action).rstrip("…")


class Actions(QObject):
    """The actions of the window. The command classes connect to their `triggered` signals.

    Attributes:
        all: All actions, in the order of the menus.
        status_views: The action that shows all files, followed by an action for each status.
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
        theme.changed.connect(self._draw)  # the menu bars of some desktops keep pictures of the icons

    def _make_file_actions(self) -> None:
        new = self._new
        self.add_files = new(tr("&Add Files…"), "Ctrl+O", tr("Choose files to process"), "add-file")
        self.add_folder = new(
            tr("Add F&older…"),
            "Ctrl+Shift+O",
            tr("Choose a folder, and select which of its files to add"),
            "add-folder",
        )
        self.watch_folder = new(tr("&Watch Folder…"), "", tr("Choose a folder whose new files are added by themselves"))
        self.paste = new(tr("&Paste Files"), "Ctrl+V", tr("Add the files, folders or paths on the clipboard"))
        self.process_as = new(tr("Process As"), "", tr("Choose what is done to the files that you add"), "process-as")
        self.export = new(tr("&Export List…"), "Ctrl+Shift+E", tr("Save the list as a CSV or JSON file"), "export")
        self.quit = new(
            tr("&Quit"), "Ctrl+Q", tr("Quit Filemill; unfinished files will be processed the next time you start it")
        )
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _make_edit_actions(self) -> None:
        new = self._new
        self.copy = new(tr("&Copy Rows"), "Ctrl+C", tr("Copy the selected rows to paste into a spreadsheet"))
        self.copy_path = new(tr("Copy Pat&h"), _COPY_PATH, tr("Copy the paths of the selected files"))
        self.select_all = new(tr("Select &All"), "Ctrl+A", tr("Select all files in the list"))
        self.rename_batch = new(tr("Rena&me Batch…"), "F2", tr("Change the name of the batch selected in the sidebar"))
        self.select_none = new(tr("Select &None"), "Ctrl+Shift+A", tr("Clear the selection"))
        self.watched_folders = new(
            tr("Watche&d Folders…"), "", tr("Show the folders whose new files are added, and change or end that")
        )
        self.settings = new(tr("Se&ttings…"), "Ctrl+,", tr("Choose the language, the theme and other preferences"))
        self.settings.setMenuRole(QAction.MenuRole.PreferencesRole)
        self.filter = new(tr("&Filter"), "Ctrl+F", tr("Show only the files that match what you type"), "search")

    def _make_view_actions(self) -> None:
        new = self._new
        self.status_views = (
            new(tr("&All Files"), "Ctrl+1", tr("Show all files, regardless of status, reason or batch")),
            new(tr("&Pending Files"), "Ctrl+2", tr("Show only the files that are waiting to be processed")),
            new(tr("P&rocessing Files"), "Ctrl+3", tr("Show only the files that are being processed")),
            new(tr("Processe&d Files"), "Ctrl+4", tr("Show only the files that have been processed")),
            new(tr("&Failed Files"), "Ctrl+5", tr("Show only the files that have failed")),
        )
        self.sidebar = new(tr("Side&bar"), "F9", tr("Show or hide the list of statuses, problems and batches"))
        self.details = new(tr("De&tails"), "Alt+Return", tr("Show or hide the details of the selected files"))
        self.compact = new(tr("Compact Ro&ws"), "", tr("Make the rows of the list lower, so that more of them fit"))
        self.next_problem = new(tr("&Next Problem"), "F8", tr("Select the next file that has failed"))
        self.previous_problem = new(tr("Previous Prob&lem"), "Shift+F8", tr("Select the previous file that has failed"))
        self.follow = new(
            tr("F&ollow Current File"), "Ctrl+J", tr("Scroll automatically to keep the current file visible")
        )
        self.throughput = new(tr("T&hroughput"), "Ctrl+G", tr("Show or hide the graph of files and bytes per second"))
        self.keep_in_tray = new(
            tr("&Keep in Tray"), "", tr("Show a tray icon; Filemill then keeps running when you close the window")
        )
        for action in (
            self.sidebar,
            self.details,
            self.compact,
            self.follow,
            self.throughput,
            self.keep_in_tray,
        ):
            action.setCheckable(True)
        self.next_pane = new(tr("Ne&xt Pane"), "F6", tr("Move to the next pane"))
        self.previous_pane = new(tr("Pre&vious Pane"), "Shift+F6", tr("Move to the previous pane"))

    def _make_queue_actions(self) -> None:
        new = self._new
        self.pause = new(tr("&Pause"), "Ctrl+P", tr("Process no more files until you resume"), "pause")
        self.stop_after_current = new(
            tr("Pause &After the Current Files"), "Ctrl+Shift+P", tr("Finish the current files, then pause")
        )
        self.process_next = new(tr("Process Ne&xt"), "Ctrl+T", tr("Process the selected files before all others"))
        self.check_queue = new(tr("Check &Queue Now"), "F5", tr("Send and receive messages now"))
        self.retry = new(tr("&Retry"), "Ctrl+R", tr("Process the selected files again"), "retry")
        self.retry_as = new(
            tr("Retr&y As…"), "", tr("Process the selected files again, with another processor or other options")
        )
        self.retry_failed = new(tr("Retry &Failed"), "Ctrl+Shift+R", tr("Process all failed files again"), "retry")
        self.retry_reason = new(
            tr("Retry All With &This Reason"),
            "Ctrl+Alt+Shift+R" if _IS_MAC else "Ctrl+Alt+R",
            tr(
                "Retry all files that failed for the reason selected in the sidebar, or for the "
                "same reason as the selected file"
            ),
            "retry",
        )
        self.remove = new(
            tr("Re&move"),
            _DELETE,
            tr("Remove the selected files from the list; the files themselves are not deleted"),
            "remove",
        )
        self.remove_processed = new(
            tr("Remove Processe&d"),
            "",
            tr("Remove all processed files from the list; the files themselves are not deleted"),
        )
        self.open = new(tr("Op&en"), _OPEN[0], tr("Open the selected files in their default programs"))
        self.open.setShortcuts([QKeySequence(keys) for keys in _OPEN])
        self.open.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # other widgets use Enter for something else
        self.show_file = new(tr("&Show in Folder"), _SHOW, tr("Show the selected files in the file manager"))
        self.connection = new(
            tr("Co&nnection…"), "Ctrl+K", tr("Choose the queue to use, and test the connection to it")
        )
        self.locate = new(
            tr("Lo&cate File…"), "", tr("Choose the new location of the selected file, and process it from there")
        )
        self.foreign = new(
            tr("&Other Programs' Messages…"), "", tr("Show the messages that other programs sent to the queue")
        )

    def _make_help_actions(self) -> None:
        new = self._new
        self.help = new(tr("Filemill &Help"), "F1", tr("Show how to use Filemill; no network is needed"))
        self.shortcuts = new(tr("&Keyboard Shortcuts"), "Ctrl+/", tr("Show all keyboard shortcuts"))
        self.log = new(tr("Show &Log"), "Ctrl+L", tr("Show what Filemill has logged"))
        self.report = new(
            tr("Save Support &Report…"),
            "",
            tr("Collect information for a bug report; you can review it before it is saved"),
        )
        self.about = new(tr("&About Filemill"), "", tr("Show the version and the licences"))
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def _new(self, text: str, keys: str, tip: str, icon: str = "") -> QAction:
        action = QAction(text, self._parent)
        # Not a QKeySequence.StandardKey: some have no key on Linux without a desktop environment.
        action.setShortcut(QKeySequence(keys))
        self.change(action, text, tip, icon)
        self._parent.addAction(action)
        self.all.append(action)
        return action

    def change(self, action: QAction, text: str, tip: str, icon: str = "") -> None:
        """Change the text, hint and icon of an action, and the accessible names of its buttons.

        The hint is a tool tip, also in menus; a status tip would cover the status bar.
        """
        action.setText(text)
        action.setWhatsThis(tip)
        self._show_tip(action)
        action.setData(icon)
        if icon:
            action.setIcon(self._theme.icon(icon))
        for button in action.associatedObjects():
            if isinstance(button, QToolButton):
                button.setAccessibleName(words_of(action))
                button.setAccessibleDescription(tip)

    def offer(self, action: QAction, why_not: str = "") -> None:
        """Enable an action, or disable it if there is a reason, which its tool tip then shows."""
        action.setEnabled(not why_not)
        self._show_tip(action, why_not)

    def _show_tip(self, action: QAction, why_not: str = "") -> None:
        tip = why_not or action.whatsThis()
        shown_keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({shown_keys})" if shown_keys and not why_not else tip)

    @Slot()
    def _draw(self) -> None:
        for action in self.all:
            if action.data():
                action.setIcon(self._theme.icon(str(action.data())))

    def update(self, counts: StatusCounts, selected: Selected, *, listed: int, is_loaded: bool, queue: str) -> None:
        """Enable the actions that have files to act on, and disable the others.

        Args:
            counts: The number of files with each status.
            selected: The selected files.
            listed: The number of files that pass the filter.
            is_loaded: Whether the list has been loaded. Until then, it may have files that can be found.
            queue: The key of the current queue.
        """
        empty, none = tr("The list is empty"), tr("Select files first")
        for found, why_not, actions in (
            (counts.total, empty, (self.export, *self.status_views)),
            (counts.total or listed or not is_loaded, empty, (self.filter,)),
            (listed, tr("No files are shown"), (self.select_all,)),
            (selected.count, none, (self.copy, self.copy_path, self.select_none, self.remove)),
            (selected.count, none, (self.open, self.show_file, self.retry_as)),
            (counts.processed, tr("No files have been processed"), (self.remove_processed,)),
            (
                counts.failed,
                tr("No files have failed"),
                (self.retry_failed, self.next_problem, self.previous_problem),
            ),
        ):
            for action in actions:
                self.offer(action, "" if found else why_not)
        sums = selected.sums
        if sums is None:  # nothing is selected, or the sums are still being calculated
            for action in (self.process_next, self.retry):
                self.offer(action, "" if selected.count else none)
            return
        self.offer(
            self.process_next,
            "" if queue in sums.waiting_in else tr("None of the selected files is waiting in this queue"),
        )
        can_retry = bool(sums.counts.processed or sums.counts.failed or sums.waiting_in - {queue})
        self.offer(self.retry, "" if can_retry else tr("None of the selected files has finished yet"))


def fill_menu_bar(window: QMainWindow, actions: Actions, undo: QUndoStack, header: JobsHeader) -> None:
    """Add the menus to the window's menu bar."""
    bar = window.menuBar()
    bar.setAccessibleName(tr("Menus"))
    file = bar.addMenu(tr("&File"))
    _add(file, actions.add_files, actions.add_folder, actions.paste, None)
    _add(file, actions.process_as, None, actions.watch_folder, actions.watched_folders, None)
    _add(file, actions.export, None, actions.quit)
    edit = bar.addMenu(tr("&Edit"))
    _add(edit, *_undo_actions(window, undo), None)
    _add(edit, actions.copy, actions.copy_path, actions.select_all, actions.select_none, None)
    _add(edit, actions.rename_batch, None, actions.filter)
    _add(edit, None, actions.settings)
    view = bar.addMenu(tr("&View"))
    for title, fill in ((tr("&Columns"), header.fill_menu), (tr("&Sort By"), header.fill_sort_menu)):
        menu = view.addMenu(title)
        menu.aboutToShow.connect(partial(_refill, menu, fill))
    _add(view, actions.compact, None, *actions.status_views, None, actions.sidebar, actions.details)
    _add(view, actions.throughput, actions.keep_in_tray)
    _add(view, None, actions.next_problem, actions.previous_problem, actions.follow)
    _add(view, None, actions.next_pane, actions.previous_pane)
    queue = bar.addMenu(tr("&Queue"))
    _add(queue, actions.pause, actions.stop_after_current, actions.check_queue, None)
    _add(queue, actions.process_next, actions.retry, actions.retry_as, actions.retry_failed, actions.retry_reason)
    _add(queue, actions.locate)
    _add(queue, None, actions.remove, actions.remove_processed, None, actions.open, actions.show_file)
    _add(queue, None, actions.connection, actions.foreign)
    help_menu = bar.addMenu(tr("&Help"))
    for menu in (file, edit, view, queue, help_menu):
        menu.setToolTipsVisible(True)
    _add(help_menu, actions.help, actions.shortcuts, None, actions.log, actions.report, None, actions.about)


def _undo_actions(window: QMainWindow, stack: QUndoStack) -> tuple[QAction, QAction]:
    """Return the Undo and Redo actions, whose texts contain the name of the change."""
    undo, redo = stack.createUndoAction(window, tr("&Undo")), stack.createRedoAction(window, tr("R&edo"))
    undo.setShortcut(QKeySequence("Ctrl+Z"))
    redo.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
    undo.setWhatsThis(tr("Undo the last change to the list"))
    redo.setWhatsThis(tr("Redo the change that was undone"))
    return undo, redo


def context_menu(actions: Actions, parent: QWidget) -> QMenu:
    """Return a context menu for the selected rows. It is deleted when it is closed."""
    menu = QMenu(parent, toolTipsVisible=True)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    _add(menu, actions.process_next, actions.retry, actions.retry_as, actions.retry_reason, actions.locate, None)
    _add(menu, actions.open, actions.show_file, actions.copy_path, actions.copy, None)
    _add(menu, actions.select_all, None, actions.remove)
    return menu


def _refill(menu: QMenu, fill: Callable[[QMenu], None]) -> None:
    menu.clear()
    fill(menu)


def _add(menu: QMenu, *actions: QAction | None) -> None:
    """Add actions to a menu, with a separator for each None."""
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
