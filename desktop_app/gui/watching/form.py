"""The dialog in which the user says how to watch a folder."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.fields import Choice
from desktop_app.domain.watched_folder import LEAST_SETTLE_S, MOST_SETTLE_S, WatchedFolder
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.processors.dialog import ProcessorField
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    SideBySide,
    add_field,
    arrange_dialog,
    caption,
    form_layout,
    open_file_dialog,
    plain_label,
    primary_button,
    show_problem,
    spaced,
    stacked,
)
from desktop_app.sources.share_access import is_folder

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.processors.choice import ProcessorChoice

_WIDTH = 660
_MAX_LENGTH = 1_000


class WatchFolderDialog(QDialog):
    """Asks how to watch a folder. It stays open until `close_saved` is called, and deletes itself then.

    Signals:
        accepted_folder(WatchedFolder): The user has confirmed.

    Attributes:
        folder, browse, subfolders, only, leave_out, process_as, settle, existing, confirm: The controls.

    Args:
        folder: What is shown at first; its path is empty for a new one.
        choices: What can be done with the files.
        parent: The parent.
    """

    accepted_folder = Signal(object)

    def __init__(self, folder: WatchedFolder, choices: ProcessorChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Edit Watched Folder") if folder.key else tr("Watch Folder"))
        self._first = folder
        self._choices = choices
        self._make_controls()
        self.problem = plain_label("", self)
        self.problem.hide()
        buttons = ButtonRow(self)
        self.confirm = primary_button(tr("&Save") if folder.key else tr("&Watch"), buttons)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        foot = spaced(QVBoxLayout(), 8)
        foot.addWidget(self.problem)
        foot.addWidget(buttons)
        self._place = arrange_dialog(self, self._arranged(), foot, name="watchFolder", size=(_WIDTH, 0))
        self.finished.connect(self.deleteLater)
        (self.only if folder.folder else self.browse).setFocus()

    def _make_controls(self) -> None:
        folder = self._first
        self.folder = QLineEdit(folder.folder, self)
        self.browse = QPushButton(tr("&Browse…"), self, autoDefault=False)
        self.browse.clicked.connect(self._browse)
        self.subfolders = QCheckBox(tr("Include &subfolders"), self)
        self.subfolders.setChecked(folder.subfolders)
        self.only = self._patterns(folder.only, tr("*.csv; *.txt"), tr("Include files that match"))
        self.leave_out = self._patterns(folder.leave_out, tr("~*; .git"), tr("Exclude files that match"))
        first = Choice(folder.processor, folder.options)
        self.process_as = ProcessorField(self._choices, first, self)
        self.settle = QSpinBox(self, minimum=LEAST_SETTLE_S, maximum=MOST_SETTLE_S)
        self.settle.setSuffix(tr(" s", "seconds, after a number"))
        self.settle.setValue(folder.settle_s)
        self.existing = QCheckBox(tr("&Add the files that are already in the folder"), self)
        self.existing.setChecked(folder.adds_existing)

    def _patterns(self, text: str, example: str, name: str) -> QLineEdit:
        box = QLineEdit(text, self, placeholderText=example, maxLength=_MAX_LENGTH, clearButtonEnabled=True)
        box.setAccessibleName(name)
        box.setCursorPosition(0)
        return box

    def _arranged(self) -> QVBoxLayout:
        form = form_layout()
        form.addRow(caption(tr("&Folder"), self.folder), SideBySide(self.folder, self.browse, self))
        add_field(form, self.subfolders)
        form.addRow(caption(tr("&Include"), self.only), self.only)
        form.addRow(caption(tr("&Exclude"), self.leave_out), self.leave_out)
        form.addRow(caption(tr("&Process as"), self.process_as.box), self.process_as)
        hint = tr("A file is added once it has not changed for this time and no program keeps it from being opened.")
        self.settle.setAccessibleDescription(hint)
        waiting = stacked(self, self.settle, plain_label(hint, self, "detailsCaption"))
        form.addRow(caption(tr("Unchanged fo&r"), self.settle), waiting)
        add_field(form, self.existing)
        whole = QVBoxLayout()
        whole.addLayout(form)
        whole.addStretch(1)
        return whole

    @Slot()
    def _browse(self) -> None:
        start = self.folder.text() if is_folder(self.folder.text()) else ""
        dialog = QFileDialog(self, tr("Watch Folder"), start, fileMode=QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.folder.setText)
        open_file_dialog(dialog)

    @property
    def chosen(self) -> WatchedFolder:
        """What the user has entered."""
        typed = self.folder.text()
        return replace(
            self._first,
            folder=os.path.abspath(typed) if typed else "",  # noqa: PTH100 - keeps every name as it is
            subfolders=self.subfolders.isChecked(),
            only=self.only.text().strip(),
            leave_out=self.leave_out.text().strip(),
            processor=self.process_as.choice.processor,
            options=self.process_as.choice.options,
            settle_s=self.settle.value(),
            adds_existing=self.existing.isChecked(),
        )

    def accept(self) -> None:
        """Confirm, unless there is no such folder. One that was watched before may be away."""
        folder = self.chosen
        if not self.folder.text():
            self._show_problem(tr("Choose a folder."))
        elif folder.folder != self._first.folder and not is_folder(folder.folder):
            self._show_problem(tr("There is no such folder, or its disk or network share does not respond."))
        else:
            self._show_problem("")
            self.confirm.setEnabled(False)
            self.accepted_folder.emit(folder)

    @Slot()
    def close_saved(self) -> None:
        """Close the dialog, since the folder was saved."""
        super().accept()

    def show_error(self, error: KnownError) -> None:
        """Show why the folder could not be saved."""
        self.confirm.setEnabled(True)
        self._show_problem(translated(error.text))

    def _show_problem(self, text: str) -> None:
        show_problem(self.problem, text)
        self._place.grow()
