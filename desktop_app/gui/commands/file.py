"""The File menu: adding and pasting files, exporting the list, and quitting."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.gui.adding.dropping import pasted_names
from desktop_app.gui.export.dialog import ExportDialog, ExportedGroup
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import open_file_dialog
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.atomic_write import NotWrittenError
    from desktop_app.gui.adding.adder import Adder
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.export.exporter import Exporter, ExportRequest
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.table.job_feed import Totals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


def choose_paths(
    window: QWidget,
    memory: WindowMemory,
    purpose: str,
    title: str,
    mode: QFileDialog.FileMode,
    accept: str,
    on_chosen: Callable[[list[str]], object],
) -> None:
    """Open the system's dialog for choosing files or a folder, in the folder that was last used for the same purpose.

    Args:
        window: The parent of the dialog.
        memory: Keeps the folder.
        purpose: The purpose, as in `WindowMemory.folder`.
        title: The title of the dialog.
        mode: What can be chosen.
        accept: The text of the button that accepts the choice.
        on_chosen: Called with the paths that were chosen, at least one.
    """

    def take(paths: list[str]) -> None:
        if paths:
            memory.set_folder(purpose, str(Path(paths[0]).parent))
            on_chosen(paths)

    dialog = QFileDialog(window, title, memory.folder(purpose), fileMode=mode)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, mode is QFileDialog.FileMode.Directory)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, accept)
    dialog.filesSelected.connect(take)
    open_file_dialog(dialog)


class FileCommands(QObject):
    """The commands Add Files, Add Folder, Paste Files and Quit.

    Signals:
        notice(Notice): A message for the user.
    """

    notice = Signal(object)

    def __init__(
        self, actions: Actions, adder: Adder, choice: ProcessorChoice, memory: WindowMemory, window: QWidget
    ) -> None:
        super().__init__(window)
        self._adder = adder
        self._choice = choice
        self._memory = memory
        self._window = window
        actions.add_files.triggered.connect(self.open_files_dialog)
        actions.add_folder.triggered.connect(self.open_folder_dialog)
        actions.paste.triggered.connect(self.paste)
        actions.quit.triggered.connect(window.close)

    @Slot()
    def open_files_dialog(self) -> None:
        """Open a dialog in which the user chooses files to add."""
        mode = QFileDialog.FileMode.ExistingFiles
        choose_paths(self._window, self._memory, "files", tr("Add Files"), mode, tr("Add"), self._add)

    def _add(self, paths: list[str], *, always_review: bool = False) -> None:
        self._adder.add(paths, always_review=always_review, choice=self._choice.current)

    @Slot()
    def open_folder_dialog(self) -> None:
        """Open a dialog in which the user chooses a folder, whose files are shown for review before they are added."""
        add, title = partial(self._add, always_review=True), tr("Add Folder")
        choose_paths(self._window, self._memory, "folder", title, QFileDialog.FileMode.Directory, title, add)

    @Slot()
    def paste(self) -> None:
        """Add the files, folders and paths on the clipboard."""
        paths = pasted_names(QGuiApplication.clipboard().mimeData())
        if paths:
            self._add(paths)
        else:
            self.notice.emit(Notice(tr("There are no files, folders or paths on the clipboard."), passing=True))


class ExportCommand(QObject):
    """The command Export List: opens the dialog and starts the export.

    Signals:
        notice(Notice): A message for the user.

    Attributes:
        dialog: The export dialog; None unless it is open.
    """

    notice = Signal(object)

    def __init__(
        self,
        action: QAction,
        view: JobsView,
        model: JobsModel,
        exporter: Exporter,
        totals: Totals,
        *,
        memory: WindowMemory,
        wording: Wording,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._view = view
        self._model = model
        self._exporter = exporter
        self._totals = totals
        self._memory = memory
        self._wording = wording
        self._window = window
        self.dialog: ExportDialog | None = None
        action.triggered.connect(self.open_dialog)
        view.selection_changed.connect(self._update_dialog)
        model.rows_changed.connect(self._update_dialog)
        totals.changed.connect(self._update_dialog)
        exporter.refused.connect(self._report_error)
        exporter.notice.connect(self._report_end)

    @Slot()
    def open_dialog(self) -> None:
        """Open the dialog, or bring it to the front if it is open."""
        self.open_for(None)

    def open_for(self, group: ExportedGroup | None) -> None:
        """Open the dialog, or bring it to the front, to export the files of a group if one is given."""
        if self._exporter.is_busy:
            self.notice.emit(Notice(tr("An export is in progress. Wait for it to finish, or stop it."), passing=True))
            return
        if self.dialog is None:
            self.dialog = ExportDialog(self._memory, self._wording, self._window)
            self.dialog.requested.connect(self._exporter.start)
            self.dialog.finished.connect(self._forget)
            self._update_dialog()
        if group is not None:
            self.dialog.offer_group(group)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    @Slot()
    def _update_dialog(self) -> None:
        if self.dialog is None:
            return
        self.dialog.offer(
            listed=self._model.rowCount(),
            where=self._model.filter,
            order=self._model.order,
            selected=self._view.selected_ids(),
            total=self._totals.counts.total,
            shown_fields=self._shown_fields(),
        )

    def _shown_fields(self) -> tuple[str, ...]:
        shown = self._view.header.shown_columns()
        return tuple(dict.fromkeys(field for column in shown for field in column.export_fields))

    @Slot()
    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    @Slot(object, object)
    def _report_error(self, request: ExportRequest, error: NotWrittenError) -> None:
        if self.dialog is not None:
            self.dialog.show_error(request, error)

    @Slot(object)
    def _report_end(self, notice: Notice) -> None:
        if self.dialog is not None:
            self.dialog.reject()
        self.notice.emit(notice)
