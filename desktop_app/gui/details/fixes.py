"""Says where a missing file is now: the one fix that needs to be asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from desktop_app.domain.job import Job, Status
from desktop_app.gui.details.advice import Fix
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window_memory import WindowMemory


_PURPOSE = "files"
"""As for adding: what was added together lies together, and has often moved together."""


class LocateCommand(QObject):
    """Makes the action do it, and offers it where exactly one file is selected that has failed."""

    def __init__(
        self, action: QAction, view: JobsView, bench: ListController, memory: WindowMemory, window: QWidget
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


class FixButtons(QWidget):
    """A row of buttons, of which some are shown. Each does what its action does, and can when that can.

    Signals:
        left_alone(): The button that had the keyboard is not there any more.
    """

    left_alone = Signal()

    def __init__(self, actions: Actions, show_attempts: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Fix, ...] = ()
        self._emphasised: QPushButton | None = None
        self._actions = {
            Fix.RETRY: actions.retry,
            Fix.PROCESS_AGAIN: actions.retry,
            Fix.LOCATE: actions.locate,
            Fix.SHOW_FILE: actions.show_file,
            Fix.SHOW_ATTEMPTS: show_attempts,
            Fix.REPORT: actions.report,
            Fix.REMOVE: actions.remove,
        }
        texts = {
            Fix.RETRY: tr("Retry"),
            Fix.PROCESS_AGAIN: tr("Process Again"),
            Fix.LOCATE: tr("Locate…"),
            Fix.SHOW_FILE: tr("Show File"),
            Fix.SHOW_ATTEMPTS: tr("Show Attempts"),
            Fix.REPORT: tr("Save Report…"),
            Fix.REMOVE: tr("Remove"),
        }
        self._buttons = {fix: self._button(texts[fix], action) for fix, action in self._actions.items()}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addStretch(1)

    def _button(self, text: str, action: QAction) -> QPushButton:
        button = QPushButton(text, self)
        button.setAccessibleDescription(action.statusTip())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        button.hide()
        return button

    @property
    def shown(self) -> tuple[QPushButton, ...]:
        """The buttons that are shown, in their order."""
        return tuple(self._buttons[fix] for fix in self._shown)

    def button(self, fix: Fix) -> QPushButton:
        """The button of this fix, shown or not."""
        return self._buttons[fix]

    def show_fixes(self, fixes: tuple[Fix, ...], *, emphasise: bool) -> None:
        """Show these buttons.

        Args:
            fixes: In their order; what can't be done in this window at all is left out.
            emphasise: True to have the first one stand out.
        """
        fixes = tuple(fix for fix in fixes if self._actions[fix].isVisible())
        if fixes != self._shown:
            self._arrange(fixes)
        self._emphasise(self.shown[0] if emphasise and self._shown else None)

    def _arrange(self, fixes: tuple[Fix, ...]) -> None:
        had_keyboard = any(button.hasFocus() for button in self.shown)
        self._shown = fixes
        for button in self._buttons.values():
            self._row.removeWidget(button)
        for place, button in enumerate(self.shown):
            self._row.insertWidget(place, button)
        for before, after in zip(self.shown, self.shown[1:], strict=False):
            QWidget.setTabOrder(before, after)
        if had_keyboard and not any(button.hasFocus() for button in self.shown):
            # Else Qt would hand it to a neighbour, and a second press of the same key would do something else.
            self.left_alone.emit()
        for button in self._buttons.values():
            button.setVisible(button in self.shown)

    def _emphasise(self, button: QPushButton | None) -> None:
        if button is self._emphasised:
            return
        for one, name in ((self._emphasised, ""), (button, "primary")):
            if one is not None:
                one.setObjectName(name)
                one.style().unpolish(one)
                one.style().polish(one)
        self._emphasised = button
