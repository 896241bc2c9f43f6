"""The dialogs in which files and folders are picked. They never stop the window, and remember where they were."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog

from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.window_memory import WindowMemory


class FileChooser(QObject):
    """Asks for files or a folder.

    Signals:
        chosen(list): The paths of files, as strings.
        folder_chosen(list): The same of a folder.
    """

    chosen = Signal(list)
    folder_chosen = Signal(list)

    def __init__(self, memory: WindowMemory, window: QWidget) -> None:
        super().__init__(window)
        self._memory = memory
        self._window = window

    @Slot()
    def ask_for_files(self) -> None:
        """Open the dialog for files."""
        dialog = self._dialog(tr("Add Files"), "files", self.chosen)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, tr("Add"))
        dialog.open()

    @Slot()
    def ask_for_folder(self) -> None:
        """Open the dialog for a folder."""
        dialog = self._dialog(tr("Add a Folder"), "folder", self.folder_chosen)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, tr("Add Folder"))
        dialog.open()

    def _dialog(self, title: str, purpose: str, answer: SignalInstance) -> QFileDialog:
        dialog = QFileDialog(self._window, title, self._memory.folder(purpose))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(partial(self._take, purpose, answer))
        return dialog

    def _take(self, purpose: str, answer: SignalInstance, paths: list[str]) -> None:
        if paths:
            self._memory.set_folder(purpose, str(Path(paths[0]).parent))
        answer.emit(paths)
