"""From an action to what it does: the actions that need to know what is selected, or what is on the clipboard."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication

from desktop_app.gui.adding.dropping import pasted_paths
from desktop_app.gui.desktop.file_manager import MOST_AT_ONCE, Opener
from desktop_app.gui.i18n import tr
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS
from desktop_app.gui.table.walking import FollowRunning, ProblemWalk
from desktop_app.gui.widgets import dialogs
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.adding.add_flow import FileChooser
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.commands.clipboard import Clip
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.window.list_controller import ListController


_MOST_SHOWN = 100


class WindowCommands(QObject):
    """Connects the actions.

    Signals:
        said(Notice): What a person should know about it.
    """

    said = Signal(object)

    def __init__(
        self, actions: Actions, view: JobsView, workbench: ListController, chooser: FileChooser, window: QWidget
    ) -> None:
        super().__init__(window)
        self._window = window
        self._view = view
        self._workbench = workbench
        for action, slot in (
            (actions.add_files, chooser.ask_for_files),
            (actions.add_folder, chooser.ask_for_folder),
            (actions.paste, self.paste),
            (actions.quit, window.close),
            (actions.copy, self.copy_rows),
            (actions.copy_path, self.copy_paths),
            (actions.open, self.open_selected),
            (actions.select_all, view.selectAll),
            (actions.select_none, view.clearSelection),
            (actions.retry, self.retry_selected),
            (actions.retry_failed, workbench.commands.retry_failed),
            (actions.remove, self.remove_selected),
            (actions.show_file, self.show_selected),
            (actions.shortcuts, self.show_shortcuts),
            (actions.about, self.show_about),
        ):
            action.triggered.connect(slot)
        chooser.chosen.connect(workbench.adder.add)
        chooser.folder_chosen.connect(partial(workbench.adder.add, must_ask=True))
        workbench.commands.copied.connect(self.put_on_clipboard)
        view.addAction(actions.open)  # where its key means it
        view.doubleClicked.connect(self.open_selected)
        self._opener = Opener(workbench.beside, self)
        walk = ProblemWalk(actions.next_problem, actions.previous_problem, view, workbench, self)
        for speaker in (self._opener, walk):
            speaker.said.connect(self.said)
        FollowRunning(actions.follow, view, workbench, self)

    @Slot()
    def paste(self) -> None:
        """Add what the clipboard names."""
        paths = pasted_paths(QGuiApplication.clipboard().mimeData())
        if paths:
            self._workbench.adder.add(paths)
        else:
            self.said.emit(Notice(tr("There are no files, folders or paths on the clipboard."), passing=True))

    @Slot()
    def retry_selected(self) -> None:
        """Process the selected files again."""
        self._workbench.commands.retry(self._view.selected_ids())

    @Slot()
    def remove_selected(self) -> None:
        """Take the selected files off the list."""
        self._workbench.commands.remove(self._view.selected_ids())

    @Slot()
    def copy_rows(self) -> None:
        """Copy the selected rows, with the columns that are shown, in their order on the screen."""
        shown = [layout for layout in self._view.header.layout_of_columns() if not layout.hidden]
        columns = [COLUMNS[COLUMN_OF_ID[layout.id]] for layout in shown]
        self._workbench.commands.copy(self._view.selected_ids(), columns)

    @Slot()
    def copy_paths(self) -> None:
        """Copy where the selected files lie."""
        self._workbench.commands.copy_paths(self._view.selected_ids())

    @Slot(object)
    def put_on_clipboard(self, clip: Clip) -> None:
        """Copy something."""
        QGuiApplication.clipboard().setMimeData(clip.mime_data())

    @Slot()
    def open_selected(self) -> None:
        """Open the selected files with their programs."""
        self._opener.open(self._selected_paths(MOST_AT_ONCE + 1))

    @Slot()
    def show_selected(self) -> None:
        """Show the selected files in the system's file manager, the current one's folder."""
        self._opener.show(self._selected_paths(_MOST_SHOWN))

    def _selected_paths(self, most: int) -> list[str]:
        """Where some of the selected files lie, the current one first."""
        current = self._view.currentIndex().row()
        rows = islice(chain.from_iterable(range(first, last + 1) for first, last in self._view.selected_rows()), most)
        jobs = [self._workbench.model.job(row) for row in sorted(rows, key=lambda row: row != current)]
        return [job.file_path for job in jobs if job is not None]

    @Slot()
    def show_shortcuts(self) -> None:
        """List the keys."""
        dialogs.show_shortcuts(self._window.findChildren(QAction), self._window)

    @Slot()
    def show_about(self) -> None:
        """Say what this program is."""
        dialogs.show_about(self._window)
