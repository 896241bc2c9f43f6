"""The context menus of the sidebar, whose actions concern all files with a status, with a problem or of a batch."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QMenu

from desktop_app.domain.job import Status
from desktop_app.gui.export.dialog import ExportedGroup
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.job import Batch
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.commands.file import ExportCommand
    from desktop_app.gui.commands.list_commands import ListCommands
    from desktop_app.gui.filtering.list_filter import ListFilter
    from desktop_app.gui.filtering.sidebar import Group, Sidebar


class GroupCommands(QObject):
    """Shows the context menus of the sidebar, and runs Rename Batch.

    Args:
        actions: The actions of the window; Rename Batch is enabled while a batch is chosen or has the focus.
        sidebar: The sidebar.
        list_filter: Shows only the files of a group.
        commands: The commands that change the list.
        export: The command that exports files.
    """

    def __init__(
        self, actions: Actions, sidebar: Sidebar, list_filter: ListFilter, commands: ListCommands, export: ExportCommand
    ) -> None:
        super().__init__(sidebar)
        self._actions = actions
        self._sidebar = sidebar
        self._filter = list_filter
        self._commands = commands
        self._export = export
        actions.rename_batch.triggered.connect(self._edit_name)
        sidebar.menu_requested.connect(self._show_menu)
        sidebar.rename_target_changed.connect(self._update)
        sidebar.renamed.connect(self._rename_batch)
        self._update()

    @Slot()
    def _update(self) -> None:
        why_not = "" if self._sidebar.rename_target is not None else tr("Select a batch in the sidebar first")
        self._actions.offer(self._actions.rename_batch, why_not)

    @Slot()
    def _edit_name(self) -> None:
        batch = self._sidebar.rename_target
        if batch is not None:
            self._actions.sidebar.setChecked(True)
            self._sidebar.edit_name(batch)

    @Slot(object, str)
    def _rename_batch(self, batch: Batch, name: str) -> None:
        self._commands.rename_batch(batch.id, batch.name, name)

    @Slot(object, object)
    def _show_menu(self, group: Group, place: QPoint) -> None:
        self.menu(group).popup(place)

    def menu(self, group: Group) -> QMenu:
        """Return the context menu of a group. It is deleted when it is closed."""
        menu = QMenu(self._sidebar)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        counts, commands, where = group.counts, self._commands, group.where
        no_files = "" if counts.total else tr("There are no such files in the list.")
        unfinished = "" if counts.processed or counts.failed else tr("None of these files has finished yet.")

        def add(text: str, run: Callable[[], object], why_not: str = "") -> None:
            action = menu.addAction(text)
            action.triggered.connect(lambda _checked=False: run())
            action.setEnabled(not why_not)
            action.setToolTip(why_not)

        add(tr("&Show"), partial(self._filter.show_only, where))
        if group.batch is not None and group.batch.held is not None and counts.pending:
            add(tr("&Continue"), partial(commands.resume_batch, group.batch.id))
        if group.batch is not None:
            add(tr("Re&name…"), partial(self._sidebar.edit_name, group.batch))
        menu.addSeparator()
        if not where.statuses and not where.problems:
            failed = replace(where, statuses=frozenset({Status.FAILED}))
            none_failed = "" if counts.failed else tr("No files have failed.")
            add(tr("Retry &Failed"), partial(commands.retry_filtered, failed), none_failed)
        add(tr("&Retry All"), partial(commands.retry_filtered, where), no_files or unfinished)
        exported = ExportedGroup(where, group.title, counts.total)
        add(tr("&Export…"), partial(self._export.open_for, exported), no_files)
        menu.addSeparator()
        if not where.statuses and not where.problems:
            processed = replace(where, statuses=frozenset({Status.PROCESSED}))
            none_processed = "" if counts.processed else tr("No files have been processed.")
            add(tr("Remove &Processed"), partial(commands.remove_filtered, processed), none_processed)
        add(tr("Re&move All"), partial(commands.remove_filtered, where), no_files)
        return menu
