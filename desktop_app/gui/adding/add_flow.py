"""The window's side of adding: asks where there is something to ask, one thing at a time, and says how it ended."""

from __future__ import annotations

from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog

from desktop_app.gui.adding.review_sheet import Decision, ReviewSheet
from desktop_app.gui.adding.review_texts import notice_of
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets import dialogs

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.adding.adder import AddReport, Proposal
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


class AddFlow(QObject):
    """Shows the review sheets, tells how each Add ended, and shows the first file of it.

    Signals:
        said(Notice): How it ended.

    Attributes:
        sheet: What is asked now; None if nothing is.
    """

    said = Signal(object)

    def __init__(
        self, workbench: ListController, view: JobsView, look: Theme, wording: Wording, window: QWidget
    ) -> None:
        super().__init__(window)
        self._workbench = workbench
        self._view = view
        self._look = look
        self._wording = wording
        self._window = window
        self._waiting: deque[Proposal] = deque()
        self.sheet: ReviewSheet | None = None
        workbench.adder.proposed.connect(self._ask)
        workbench.adder.finished.connect(self._tell)

    @Slot()
    def close(self) -> None:
        """The window closes: what is asked is answered with no."""
        for proposal in self._waiting:
            self._workbench.adder.dismiss(proposal.number)
        self._waiting.clear()
        if self.sheet is not None:
            self.sheet.reject()

    @Slot(object)
    def _ask(self, proposal: Proposal) -> None:
        self._waiting.append(proposal)
        self._ask_next()

    def _ask_next(self) -> None:
        if self.sheet is not None or not self._waiting:
            return
        proposal = self._waiting.popleft()
        sheet = ReviewSheet(proposal, self._workbench.beside.run, self._look, self._wording, self._window)
        sheet.decided.connect(self._add)
        sheet.rejected.connect(partial(self._workbench.adder.dismiss, proposal.number))
        sheet.finished.connect(self._end)
        self.sheet = sheet

    @Slot()
    def _end(self) -> None:
        self.sheet = None
        self._ask_next()

    @Slot(object)
    def _add(self, decision: Decision) -> None:
        self._workbench.adder.accept(decision.proposal, decision.picked, name=decision.name, again=decision.again)

    @Slot(object)
    def _tell(self, report: AddReport) -> None:
        model = self._workbench.model
        before = model.rowCount()
        self._workbench.feed.look()
        show = partial(dialogs.show_refused, report.refused, self._window)
        self.said.emit(notice_of(report, self._wording, show, self._workbench.commands.undo.undo))
        if report.added and model.order.is_by_adding and model.filter.is_empty:
            row = 0 if model.order.terms[0].descending else min(before, model.rowCount() - 1)
            self._view.scrollTo(model.index(row, 0))


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
