"""The dialog that lists the watched folders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.fields import Choice
from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import isolated_in, tr, translated
from desktop_app.gui.widgets.dialogs import ButtonRow, arrange_dialog, plain_label, spaced, text_table
from desktop_app.gui.wording import tool_tip
from desktop_app.services.adding.watching import FolderState, FolderStatus

if TYPE_CHECKING:
    from desktop_app.domain.watched_folder import WatchedFolder
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.watching.controller import FolderWatching
    from desktop_app.gui.wording import Wording

_SIZE = (860, 420)
_FOLDER, _PROCESS_AS, _STATE, _ADDED = range(4)
_NUMBER_SIDE = Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter
_FOLDER_WIDTH, _PROCESS_AS_WIDTH = 260, 150


class WatchedFoldersDialog(QDialog):
    """Lists the watched folders, and lets the user change them. It deletes itself when it is closed.

    Signals:
        watch_requested(): The user wants to watch another folder.
        edit_requested(WatchedFolder): The user wants to change how a folder is watched.

    Attributes:
        table: The folders.
        details: The whole texts of the selected folder.
        add, edit, pause, remove: The buttons.

    Args:
        watching: The watched folders.
        choices: The processors of this computer.
        wording: The formatter for numbers.
        parent: The parent.
    """

    watch_requested = Signal()
    edit_requested = Signal(object)

    def __init__(self, watching: FolderWatching, choices: ProcessorChoice, wording: Wording, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Watched Folders"))
        self._watching = watching
        self._choices = choices
        self._wording = wording
        headings = (tr("Folder"), tr("Process as"), tr("State"), tr("Files added"))
        self.table = text_table(headings, (), self, name=tr("Watched Folders"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setWordWrap(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        title = self.table.horizontalHeaderItem(_ADDED)
        if title is not None:
            title.setTextAlignment(_NUMBER_SIDE)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_ADDED, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setColumnWidth(_FOLDER, _FOLDER_WIDTH)
        self.table.setColumnWidth(_PROCESS_AS, _PROCESS_AS_WIDTH)
        self.table.itemSelectionChanged.connect(self._update_buttons)
        self.table.doubleClicked.connect(self._edit)
        self._hint = plain_label("", self)
        self.details = plain_label("", self, "detailsCaption")
        column = spaced(QVBoxLayout(), 12)
        column.addWidget(self._hint)
        column.addWidget(self.table, 1)
        column.addWidget(self.details)
        column.addLayout(self._make_buttons())
        buttons = ButtonRow(self)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        arrange_dialog(self, column, buttons, name="watchedFolders", size=_SIZE)
        watching.changed.connect(self._show)
        self._show()
        watching.read()

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.add = self._button(row, tr("&Watch Folder…"))
        self.edit = self._button(row, tr("&Edit…"))
        self.pause = self._button(row, tr("&Pause"))
        self.remove = self._button(row, tr("&Stop Watching"))
        row.addStretch(1)
        self.add.clicked.connect(self.watch_requested)
        self.edit.clicked.connect(self._edit)
        self.pause.clicked.connect(self._pause)
        self.remove.clicked.connect(self._remove)
        return row

    def _button(self, row: QHBoxLayout, text: str) -> QPushButton:
        button = QPushButton(text, self, autoDefault=False)
        row.addWidget(button)
        return button

    @property
    def selected(self) -> WatchedFolder | None:
        """The selected folder."""
        status = self._selected_status()
        return None if status is None else status.folder

    def _selected_status(self) -> FolderStatus | None:
        rows = [index.row() for index in self.table.selectionModel().selectedRows()]
        statuses = self._watching.statuses
        return statuses[rows[0]] if rows and rows[0] < len(statuses) else None

    @Slot()
    def _show(self) -> None:
        """Show the folders; the selected row stays selected."""
        statuses = self._watching.statuses
        self._hint.setText(
            tr("New files in these folders are added to the list while Filemill is running.")
            if statuses
            else tr("No folder is watched. New files in a watched folder are added to the list by themselves.")
        )
        self.table.setRowCount(len(statuses))
        for row, status in enumerate(statuses):
            for column, text in enumerate(self._texts(status)):
                item = self.table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(row, column, item)
                item.setText(isolated_in(text, self.layoutDirection()) if column == _FOLDER else text)
                item.setToolTip(tool_tip(text))
                if column == _ADDED:
                    item.setTextAlignment(_NUMBER_SIDE)
        if statuses and not self.table.selectedItems():
            self.table.selectRow(0)
        self._update_buttons()

    def _texts(self, status: FolderStatus) -> tuple[str, str, str, str]:
        folder = status.folder
        process_as = self._choices.title(Choice(folder.processor, folder.options))
        return display_text(folder.folder), process_as, state_text(status), self._wording.number(folder.added)

    @Slot()
    def _update_buttons(self) -> None:
        status = self._selected_status()
        shown = "" if status is None else f"{display_text(status.folder.folder)}\n{state_text(status)}"
        self.details.setText(shown)
        folder = self.selected
        for button in (self.edit, self.pause, self.remove):
            button.setEnabled(folder is not None)
        is_paused = folder is not None and folder.is_paused
        self.pause.setText(tr("&Resume") if is_paused else tr("&Pause"))

    @Slot()
    def _edit(self) -> None:
        if self.selected is not None:
            self.edit_requested.emit(self.selected)

    @Slot()
    def _pause(self) -> None:
        if self.selected is not None:
            self._watching.save(replace(self.selected, is_paused=not self.selected.is_paused))

    @Slot()
    def _remove(self) -> None:
        if self.selected is not None:
            self._watching.remove(self.selected.key)


def state_text(status: FolderStatus) -> str:
    """Return the state of a watched folder as a text."""
    match status.state:
        case FolderState.STARTING:
            return tr("Starting…")
        case FolderState.PAUSED:
            return tr("Paused")
        case FolderState.AWAY | FolderState.HINDERED:
            return translated(status.text)
        case FolderState.WATCHED:
            parts = [tr("Watching")]
            if status.waiting:
                parts.append(tr("%Ln new file(s) may still be changing", "", status.waiting))
            if status.not_opened:
                parts.append(tr("%Ln new file(s) can't be opened yet", "", status.not_opened))
            if status.text:
                parts.append(translated(status.text).rstrip("."))
            return " · ".join(parts)
