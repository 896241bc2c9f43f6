"""The dialog with the list of the commands. Each change is saved at once, so there is only a Close button."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.atomic_write import write_whole
from desktop_app.config.presets import (
    Preset,
    load_presets,
    offered_presets,
    preset_text,
    read_preset_file,
    remove_preset,
    save_preset,
)
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.domain.fields import Choice
from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.presets.arguments import shown_command
from desktop_app.gui.presets.editor import PresetEditor
from desktop_app.gui.presets.importing import ImportDialog
from desktop_app.gui.presets.trial import TrialDialog
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    MessageBox,
    WindowPlace,
    arrange_dialog,
    open_file_dialog,
    plain_label,
    show_problem,
    spaced,
    text_table,
)
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.window_memory import WindowMemory

_SIZE = (720, 440)
_TITLE_WIDTH, _TITLE_PART = 220, 0.4
"""The greatest width of the titles, in pixels and as a part of the list."""
_LEAST_ROWS_HEIGHT = 110
_PURPOSE = "commands"
_TRIED = "tried"


class PresetsDialog(QDialog):
    """Shows and changes the commands. It deletes itself when it is closed.

    Signals:
        changed(): The commands in the settings file have changed.
        chosen(Choice): The user wants to process files with a command from now on.

    Attributes:
        table: The list.
        add, edit, duplicate, remove, try_one, import_file, export, use: The buttons.
        problem: Why the last action failed, or which commands in the settings file are not valid.

    Args:
        file: The settings file.
        tasks: The pool for trying a command.
        memory: Keeps the folders of the file dialogs.
        parent: The parent.
    """

    changed = Signal()
    chosen = Signal(object)

    def __init__(self, file: Path, tasks: Tasks, memory: WindowMemory, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Commands"))
        self._file = file
        self._tasks = tasks
        self._memory = memory
        self._presets: list[Preset] = []
        about = tr(
            "A command runs a program on this computer for each file. Choose it under Process As. Only you decide what "
            "is run: neither the list nor a message contains a command."
        )
        self.table = text_table((tr("Title"), tr("What it runs")), (), self, name=tr("Commands"), has_tips=True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setWordWrap(False)
        self.table.setMinimumHeight(_LEAST_ROWS_HEIGHT)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.add = self._button(tr("&Add…"), self._add_new)
        self.edit = self._button(tr("&Edit…"), self._edit)
        self.duplicate = self._button(tr("&Duplicate…"), self._duplicate)
        self.remove = self._button(tr("&Remove"), self._ask_to_remove)
        self.try_one = self._button(tr("&Try on One File…"), self._try_selected)
        self.import_file = self._button(tr("&Import…"), self._choose_import)
        self.export = self._button(tr("E&xport…"), self._choose_export)
        self._suggested = QWidget(self)
        self._suggestions = spaced(QVBoxLayout(self._suggested), 4)
        self.problem = plain_label("", self)
        self.problem.hide()
        buttons = ButtonRow(self)
        self.use = buttons.addButton(tr("&Use for New Files"), QDialogButtonBox.ButtonRole.ActionRole)
        self.use.clicked.connect(self._use)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self._place = self._arrange(plain_label(about, self), buttons)
        self.table.itemSelectionChanged.connect(self._update)
        self.table.doubleClicked.connect(self._edit)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._ask_to_remove)
        self._read()
        (self.table if self._presets else self.add).setFocus()

    def _arrange(self, about: QWidget, buttons: QWidget) -> WindowPlace:
        side = spaced(QVBoxLayout(), 6)
        for button in (self.add, self.edit, self.duplicate, self.remove):
            side.addWidget(button)
        for button in (self.try_one, self.import_file, self.export):
            side.addWidget(button)
        side.addStretch(1)
        whole = spaced(QHBoxLayout(), 12)
        whole.addWidget(self.table, 1)
        whole.addLayout(side)
        column = spaced(QVBoxLayout(), 12)
        column.addWidget(about)
        column.addLayout(whole, 1)
        column.addWidget(self._suggested)
        foot = spaced(QVBoxLayout(), 8)
        foot.addWidget(self.problem)
        foot.addWidget(buttons)
        return arrange_dialog(self, column, foot, name="presets", size=_SIZE)

    def _button(self, text: str, act: Any) -> QPushButton:  # noqa: ANN401 - a slot
        button = QPushButton(text, self, autoDefault=False)
        button.clicked.connect(act)
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave room for what the commands run."""
        super().resizeEvent(event)
        self.table.setColumnWidth(0, min(_TITLE_WIDTH, int(self.table.viewport().width() * _TITLE_PART)))

    # --- the list

    def _read(self, select: str = "") -> None:
        """Read the settings file, and select the command of a name; by default, keep the row that is selected."""
        row = max(0, self.table.currentRow())
        try:
            valid, problems = load_presets(self._file)
        except SettingsError as error:
            valid, problems = {}, (error,)
        self._presets = list(valid.values())
        show_problem(self.problem, " ".join(translated(problem.text) for problem in problems))
        self.table.setRowCount(len(self._presets))
        for place, preset in enumerate(self._presets):
            texts = (display_text(translated(preset.shown_title)), shown_command(preset.argv))
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(tool_tip(text))
                self.table.setItem(place, column, item)
            if preset.name == select:
                row = place
        if self._presets:
            self.table.selectRow(min(row, len(self._presets) - 1))
        self._show_suggestions()
        self._update()

    def _show_suggestions(self) -> None:
        """Show the commands for programs that are installed, each with a button that adds it."""
        while (item := self._suggestions.takeAt(0)) is not None:
            if (before := item.widget()) is not None:
                before.hide()
                before.deleteLater()
        offered = offered_presets(self._names)
        if offered:
            self._suggestions.addWidget(
                plain_label(tr("Suggested, since the programs are installed:"), self._suggested)
            )
        before_it: QWidget = self.export
        for preset in offered:
            title = translated(preset.title)
            row = QWidget(self._suggested)
            line = spaced(QHBoxLayout(row), 8)
            button = QPushButton(tr("Add"), row, autoDefault=False)
            button.setAccessibleName(tr("Add “{title}”").format(title=title))
            button.setToolTip(tool_tip(shown_command(preset.argv)))
            button.clicked.connect(partial(self._add_offered, preset))
            line.addWidget(plain_label(title, row), 1)
            line.addWidget(button)
            self._suggestions.addWidget(row)
            self.setTabOrder(before_it, button)
            before_it = button
        self._suggested.setVisible(bool(offered))
        self._place.grow()

    @property
    def _names(self) -> list[str]:
        return [preset.name for preset in self._presets]

    @property
    def _selected(self) -> Preset | None:
        rows = self.table.selectionModel().selectedRows()
        return self._presets[rows[0].row()] if rows and rows[0].row() < len(self._presets) else None

    @Slot()
    def _update(self) -> None:
        is_any = self._selected is not None
        for button in (self.edit, self.duplicate, self.remove, self.try_one, self.export, self.use):
            button.setEnabled(is_any)

    # --- changing

    @Slot()
    def _add_new(self) -> None:
        self._open_editor(PresetEditor(None, self._names, self._store, self))

    @Slot()
    def _edit(self) -> None:
        if (preset := self._selected) is not None:
            others = [name for name in self._names if name != preset.name]
            self._open_editor(PresetEditor(preset, others, self._store, self))

    @Slot()
    def _duplicate(self) -> None:
        if (preset := self._selected) is not None:
            self._open_editor(PresetEditor(preset, self._names, self._store, self, is_copy=True))

    def _open_editor(self, editor: PresetEditor) -> None:
        editor.trial_requested.connect(partial(self._choose_file_to_try, editor))
        editor.open()

    def _store(self, preset: Preset) -> None:
        """Save a preset.

        Raises:
            SettingsError: If the settings file can't be read or written.
        """
        save_preset(self._file, preset)
        self._read(preset.name)
        self.changed.emit()

    def _add_offered(self, preset: Preset) -> None:
        self._attempt(partial(self._store, preset))
        self.table.setFocus()

    @Slot()
    def _ask_to_remove(self) -> None:
        preset = self._selected
        if preset is None:
            return
        title = display_text(translated(preset.shown_title))
        box = MessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(tr("Remove Command"))
        box.setText(tr("Remove the command “{title}”?").format(title=title))
        box.setInformativeText(tr("Files that wait for it stay on the list. Export it first to keep a copy."))
        remove = box.addButton(tr("&Remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        remove.clicked.connect(partial(self._remove, preset.name))
        box.open()

    def _remove(self, name: str) -> None:
        def remove() -> None:
            remove_preset(self._file, name)
            self._read()
            self.changed.emit()

        self._attempt(remove)

    def _attempt(self, act: Callable[[], object]) -> None:
        """Do something; if that fails, show why."""
        try:
            act()
        except KnownError as error:
            show_problem(self.problem, translated(error.text))
            self._place.grow()

    @Slot()
    def _use(self) -> None:
        if (preset := self._selected) is not None:
            self.chosen.emit(Choice(preset.processor))
            self.accept()

    def done(self, result: int) -> None:
        """Close the dialog, and stop a command that is being tried."""
        for trial in self.findChildren(TrialDialog):  # they are destroyed with this dialog, without being closed
            trial.reject()
        super().done(result)

    # --- trying

    @Slot()
    def _try_selected(self) -> None:
        if (preset := self._selected) is not None:
            self._choose_file_to_try(self, preset)

    def _choose_file_to_try(self, parent: QWidget, preset: Preset) -> None:
        title = tr("Choose a File to Try “{title}” on").format(title=display_text(translated(preset.shown_title)))
        dialog = QFileDialog(parent, title, self._memory.folder(_TRIED))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(partial(self._try, parent, preset))
        open_file_dialog(dialog)

    def _try(self, parent: QWidget, preset: Preset, path: str) -> None:
        self._memory.set_folder(_TRIED, str(Path(path).parent))
        TrialDialog(preset, path, self._tasks, parent).open()

    # --- files

    @Slot()
    def _choose_import(self) -> None:
        dialog = QFileDialog(self, tr("Import Commands"), self._memory.folder(_PURPOSE), tr("Commands (*.toml)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self._attempt(partial(self._ask_to_import, path)))
        open_file_dialog(dialog)

    def _ask_to_import(self, path: str) -> None:
        presets = read_preset_file(Path(path))
        self._memory.set_folder(_PURPOSE, str(Path(path).parent))
        dialog = ImportDialog(presets, self._names, self)
        dialog.accepted.connect(partial(self._attempt, partial(self._import, presets)))
        dialog.open()

    def _import(self, presets: Sequence[Preset]) -> None:
        for preset in presets:
            self._store(preset)

    @Slot()
    def _choose_export(self) -> None:
        preset = self._selected
        if preset is None:
            return
        suggested = str(Path(self._memory.folder(_PURPOSE)) / f"{preset.name}.toml")
        dialog = QFileDialog(self, tr("Export Command"), suggested, tr("Commands (*.toml)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.fileSelected.connect(lambda path: self._attempt(partial(self._export, preset, path)))
        open_file_dialog(dialog)

    def _export(self, preset: Preset, path: str) -> None:
        text = preset_text([preset])
        write_whole(Path(path), lambda stream: stream.write(text))
        self._memory.set_folder(_PURPOSE, str(Path(path).parent))
