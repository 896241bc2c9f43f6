"""Says where a missing file is now: the one fix that needs to be asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog

from desktop_app.gui.texts import tr
from desktop_app.jobs import Job, Status

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.workbench import Workbench

_PURPOSE = "files"
"""As for adding: what was added together lies together, and has often moved together."""


class LocateCommand(QObject):
    """Makes the action do it, and offers it where exactly one file is selected that has failed."""

    def __init__(
        self, action: QAction, view: JobsView, bench: Workbench, memory: WindowMemory, window: QWidget
    ) -> None:
        super().__init__(window)
        self._action = action
        self._view = view
        self._bench = bench
        self._memory = memory
        self._window = window
        action.setEnabled(False)
        action.triggered.connect(self.ask)
        view.selection_changed.connect(self._offer)
        bench.model.dataChanged.connect(self._offer)
        bench.model.listed.connect(self._offer)

    def _job(self) -> Job | None:
        if self._view.selected_count() != 1:
            return None
        job = self._bench.model.job(self._view.selected_rows()[0][0])
        return job if job is not None and job.status is Status.FAILED else None

    @Slot()
    def _offer(self) -> None:
        self._action.setEnabled(self._job() is not None)

    @Slot()
    def ask(self) -> None:
        """Open the dialog; does not stop the window."""
        job = self._job()
        if job is None:
            return
        dialog = QFileDialog(
            self._window, tr("Where Is “{name}” Now?").format(name=job.name), self._memory.folder(_PURPOSE)
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, tr("Process"))
        dialog.fileSelected.connect(partial(self._take, job))
        dialog.open()

    def _take(self, job: Job, path: str) -> None:
        self._memory.set_folder(_PURPOSE, str(Path(path).parent))
        self._bench.commands.relocate(job, path)
