"""The form of a command preset."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.presets import FOLDER, LONGEST_LIMIT_S, MOST_OUTPUT_MB, Preset, placeholders_in
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.sentences import Sentence, command_line, display_text
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.presets.arguments import ArgumentList
from desktop_app.gui.settings.dialog import ChoiceBox
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
from desktop_app.services.command_trial import example_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from PySide6.QtGui import QWheelEvent

_SIZE = (720, 640)
_NO_OUTPUT, _BESIDE, _ELSEWHERE = "none", "beside", "elsewhere"
_BESIDE_START = f"{FOLDER}/"
_LONGEST_NAME = 40
_MORE = ("ok_codes", "warn_codes", "retry_codes", "time_limit_s", "quiet_limit_s", "most_output_mb", "environment")
"""The fields that few commands need."""
_CODES = ("ok_codes", "warn_codes", "retry_codes")


class NumberBox(QSpinBox):
    """A field for a number. The wheel scrolls the dialog and changes no number."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area."""
        event.ignore()


class PresetEditor(QDialog):
    """Shows and changes a preset. It deletes itself when it is closed.

    Signals:
        trial_requested(Preset): The user wants to try the preset, as it is in the form.

    Attributes:
        title, name, program, arguments, preview: The fields of the command, and the command for an example file.
        output_kind, output, conflict: The fields of the output folder.
        fields: The other fields, by the name of the field of `Preset`.
        more: The button that shows the fields that few commands need.
        save: The button that saves.

    Args:
        preset: The preset to change or to copy; None for a new one.
        taken: The names of the other presets.
        store: Called to save the preset; can raise a `SettingsError`.
        parent: The parent.
        is_copy: Whether the preset is copied.
    """

    trial_requested = Signal(object)

    def __init__(
        self,
        preset: Preset | None,
        taken: Collection[str],
        store: Callable[[Preset], object],
        parent: QWidget,
        *,
        is_copy: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._taken = taken
        self._store = store
        self._preset = preset
        self._is_new = preset is None or is_copy
        self._is_name_typed = not self._is_new
        self._is_output_chosen = preset is not None
        self._controls: dict[str, QWidget] = {}
        self._problems: dict[str, QLabel] = {}
        self._rows: dict[str, QWidget] = {}
        self._more_rows: list[QWidget] = []
        self.fields: dict[str, QLineEdit | NumberBox] = {}
        if preset is None:
            self.setWindowTitle(tr("New Command"))
        else:
            self.setWindowTitle(tr("Copy of a Command") if is_copy else tr("Edit Command"))
        self._form = form_layout()
        self._add_command()
        self._add_output()
        self._add_rest()
        self._problem = plain_label("", self)
        self._problem.hide()
        buttons = ButtonRow(self)
        self.save = primary_button(tr("&Save"), buttons)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.trial = buttons.addButton(tr("&Try on One File…"), QDialogButtonBox.ButtonRole.ActionRole)
        self.trial.clicked.connect(self._request_trial)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        foot = spaced(QVBoxLayout(), 8)
        foot.addWidget(self._problem)
        foot.addWidget(buttons)
        self._place = arrange_dialog(self, self._form, foot, name="presetEditor", size=_SIZE)
        self._form.setContentsMargins(16, 6, 16, 8)  # the first title has room above itself
        self._show(preset or Preset("new", argv=("x",)))
        if preset is None:
            self.name.clear()
            self.program.clear()
        elif is_copy:
            self.title.setText(tr("Copy of {title}").format(title=translated(preset.shown_title)))
            self._suggest_name()
        self._connect()
        self._show_preview()
        self.title.setFocus()

    # --- the fields

    def _add_command(self) -> None:
        self.title = QLineEdit(self, placeholderText=tr("Such as: Pictures to WebP"))
        self._add("title", tr("Tit&le"), self.title)
        self.name = QLineEdit(self, maxLength=_LONGEST_NAME, readOnly=not self._is_new)
        hint = tr("Files, rules and the command line refer to it by this name, so it stays the same.")
        self._add("name", tr("&Name"), self.name, hint="" if self._is_new else hint)
        self.program = QLineEdit(self, placeholderText=tr("convert, or paste a whole command line"))
        self.browse = QPushButton(tr("&Browse…"), self, autoDefault=False)
        self.browse.setAccessibleName(tr("Choose the program"))
        self._add("program", tr("&Program"), self.program, row=SideBySide(self.program, self.browse, self))
        self.arguments = ArgumentList(self)
        self._add("arguments", tr("&Arguments"), self.arguments)
        self.preview = plain_label("", self, "detailsCaption")
        self.preview.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._form.addRow(QLabel(tr("Runs"), self), self.preview)

    def _add_output(self) -> None:
        self._add_title(tr("Output"))
        kinds = (
            (_NO_OUTPUT, tr("The program writes no files")),
            (_BESIDE, tr("Beside each file, in a folder named")),
            (_ELSEWHERE, tr("In another folder")),
        )
        self.output_kind = ChoiceBox(kinds, self)
        self._add("output_kind", tr("&Output folder"), self.output_kind)
        self.output = QLineEdit(self)
        self._add("output", tr("&Folder"), self.output)
        self.conflict = ChoiceBox(
            (("number", tr("Keep it, and number the new one")), ("replace", tr("Replace it"))), self
        )
        self._add("conflict", tr("&If a file exists"), self.conflict)

    def _add_rest(self) -> None:
        self._add_title(tr("Files"))
        self._add_text("types", tr("Offered for"), tr("*.png; *.jpg"), tr("Nothing: for all files."))
        self.more = QPushButton(tr("&More Options"), self, autoDefault=False)
        self.more.clicked.connect(self._show_more)
        self._more_row = QWidget(self)
        line = spaced(QHBoxLayout(self._more_row), 0)
        line.addWidget(self.more)
        line.addStretch(1)
        add_field(self._form, self._more_row)
        before = self._form.rowCount()
        self._add_title(tr("Result"))
        hint = tr("Numbers with commas between them.")
        self._add_text("ok_codes", tr("Exit codes of success"), "0", hint)
        self._add_text("warn_codes", tr("Success with a warning"), "1", hint)
        self._add_text("retry_codes", tr("Try again later"), "75", hint)
        self._add_title(tr("Limits"))
        self._add_number("time_limit_s", tr("Time for a file"), tr(" s", "seconds, after a number"), LONGEST_LIMIT_S)
        quiet = self._add_number(
            "quiet_limit_s", tr("Time without output"), tr(" s", "seconds, after a number"), LONGEST_LIMIT_S, least=0
        )
        quiet.setSpecialValueText(tr("No limit"))
        self._add_number(
            "most_output_mb", tr("Size of its files"), tr(" MB", "megabytes, after a number"), MOST_OUTPUT_MB
        )
        self._add_title(tr("Environment"))
        hint = tr("Names of variables that the program gets in addition. It never gets credentials of AWS.")
        self._add_text("environment", tr("&Variables"), "MAGICK_HOME; LANG", hint)
        for row in range(before, self._form.rowCount()):
            item = self._form.itemAt(row, QFormLayout.ItemRole.FieldRole) or self._form.itemAt(
                row, QFormLayout.ItemRole.SpanningRole
            )
            if item is not None and (widget := item.widget()) is not None:
                self._more_rows.append(widget)

    def _add_title(self, text: str) -> None:
        title = QLabel(text, self, textFormat=Qt.TextFormat.PlainText, indent=0)
        title.setObjectName("settingsTitle")
        self._form.addRow(title)

    def _add_text(self, key: str, text: str, example: str, hint: str) -> None:
        field = self.fields[key] = QLineEdit(self, placeholderText=example)
        self._add(key, text, field, hint=hint)

    def _add_number(self, key: str, text: str, unit: str, most: int, *, least: int = 1) -> NumberBox:
        field = NumberBox(self, minimum=least, maximum=most, suffix=unit)
        self.fields[key] = field
        self._add(key, text, field)
        return field

    def _add(self, key: str, text: str, field: QWidget, *, row: QWidget | None = None, hint: str = "") -> None:
        """Add a field with its caption, a hint, and the label for what is wrong with it."""
        self._controls[key] = field
        field.setAccessibleName(text.replace("&", ""))
        problem = self._problems[key] = plain_label("", self)
        problem.hide()
        hints = [plain_label(hint, self, "detailsCaption")] if hint else []
        field.setAccessibleDescription(hint)
        self._rows[key] = stacked(self, row or field, *hints, problem)
        self._form.addRow(caption(text, field), self._rows[key])

    # --- showing and reading

    def _show(self, preset: Preset) -> None:
        """Show a preset in the fields."""
        self.title.setText(preset.title)
        self.name.setText(preset.name)
        self.program.setText(preset.argv[0])
        self.arguments.show_arguments(preset.argv[1:])
        beside = preset.output.removeprefix(_BESIDE_START)
        is_beside = beside != preset.output and not re.search(r"[/\\]", beside)
        kind = _NO_OUTPUT if not preset.output else _BESIDE if is_beside else _ELSEWHERE
        self._show_choice(self.output_kind, kind)
        self.output.setText(beside if is_beside else preset.output)
        self._show_choice(self.conflict, preset.conflict)
        for key, field in self.fields.items():
            value = getattr(preset, key)
            if isinstance(field, NumberBox):
                field.setValue(value)
            else:
                field.setText((", " if key in _CODES else "; ").join(map(str, value)))
        usual = Preset("x", argv=("x",))
        if any(getattr(preset, key) != getattr(usual, key) for key in _MORE):
            self._show_more()
        else:
            for row in self._more_rows:
                self._form.setRowVisible(row, False)
        self._show_output()

    @staticmethod
    def _show_choice(box: QComboBox, value: str) -> None:
        box.setCurrentIndex(box.findData(value))

    def _connect(self) -> None:
        self.title.textEdited.connect(self._suggest_name)
        self.name.textEdited.connect(self._note_name)
        self.program.editingFinished.connect(self._split_command_line)
        self.browse.clicked.connect(self._browse)
        self.arguments.changed.connect(self._suggest_output)
        self.output_kind.activated.connect(self._note_output)
        for field in self.findChildren(QLineEdit):
            field.textChanged.connect(self._show_preview)
        self.arguments.changed.connect(self._show_preview)
        self.output_kind.currentIndexChanged.connect(self._show_preview)

    @Slot()
    def _suggest_name(self) -> None:
        if not self._is_name_typed:
            self.name.setText(self._name_for(self.title.text()))

    @Slot()
    def _note_name(self) -> None:
        self._is_name_typed = bool(self.name.text())

    def _name_for(self, title: str) -> str:
        """Return a free name like a title; empty if there is no letter or digit in it."""
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[: _LONGEST_NAME - 4].rstrip("-")
        if name not in self._taken:
            return name
        return next(
            f"{name}-{number}" for number in range(2, len(self._taken) + 3) if f"{name}-{number}" not in self._taken
        )

    @Slot()
    def _split_command_line(self) -> None:
        """If a whole command line was typed or pasted as the program, make its words the arguments."""
        text = self.program.text().strip()
        if not self._is_name_typed and not self.name.text():
            self.name.setText(self._name_for(Path(text.split(maxsplit=1)[0]).stem if text else ""))
        if self.arguments.arguments or not re.search(r"\s", text) or shutil.which(text):
            return
        try:
            # With `posix`, quotes are removed; a backslash in a path on Windows would be, too.
            words = (
                shlex.split(text) if "\\" not in text else [word.strip('"') for word in shlex.split(text, posix=False)]
            )
        except ValueError:  # a quotation mark without its partner
            return
        if len(words) > 1:
            self.program.setText(words[0])
            self.arguments.show_arguments(words[1:])

    @Slot()
    def _browse(self) -> None:
        dialog = QFileDialog(self, tr("Choose the Program"), str(Path(self.program.text() or Path.home()).parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.program.setText)
        open_file_dialog(dialog)

    @Slot()
    def _suggest_output(self) -> None:
        """Choose a folder beside the files once an argument uses it, unless the user has made a choice."""
        uses_output = any("out" in placeholders_in(argument) for argument in self.arguments.arguments)
        if uses_output and not self._is_output_chosen and self.output_kind.currentData() == _NO_OUTPUT:
            self._show_choice(self.output_kind, _BESIDE)
            self.output.setText(self.name.text() or tr("output", "name of a folder"))
            self._show_output()

    @Slot()
    def _note_output(self) -> None:
        self._is_output_chosen = True
        kind, text = self.output_kind.currentData(), self.output.text()
        if kind == _BESIDE and (not text or re.search(r"[/\\]", text)):
            self.output.setText(self.name.text() or tr("output", "name of a folder"))
        elif kind == _ELSEWHERE and not re.search(r"[/\\]", text):
            self.output.setText(str(Path.home() / (text or tr("output", "name of a folder"))))
        self._show_output()

    @Slot()
    def _show_more(self) -> None:
        """Show the fields that few commands need."""
        self._form.setRowVisible(self._more_row, False)
        for row in self._more_rows:
            self._form.setRowVisible(row, True)
        self._show_output()
        self.fields["ok_codes"].setFocus()

    def _show_output(self) -> None:
        """Show the fields that the kind of the output folder needs."""
        has_output = self.output_kind.currentData() != _NO_OUTPUT
        for key in ("output", "conflict"):
            self._form.setRowVisible(self._rows[key], has_output)
        self._form.setRowVisible(self._rows["most_output_mb"], has_output and self._more_row.isHidden())

    @property
    def _argv(self) -> tuple[str, ...]:
        return (self.program.text().strip(), *self.arguments.arguments)

    @property
    def _output(self) -> str:
        text = self.output.text().strip()
        return {_NO_OUTPUT: "", _BESIDE: f"{_BESIDE_START}{text}", _ELSEWHERE: text}[self.output_kind.currentData()]

    def _value_of(self, key: str) -> Any:  # noqa: ANN401 - of any type
        """Return the value of one of the other fields.

        Raises:
            ValueError: If it is not a list of numbers, but has to be.
        """
        field = self.fields[key]
        if isinstance(field, NumberBox):
            return field.value()
        words = [word for word in re.split(r"[;,\s]+", field.text()) if word]
        return tuple(map(int, words)) if key in _CODES else tuple(words)

    @Slot()
    def _show_preview(self) -> None:
        try:
            preset = Preset("x", argv=self._argv, output=self._output)
        except SettingsError:
            self.preview.setText("")
            return
        types = re.findall(r"\*(\.\w+)", self.fields["types"].text())
        path = Path.home() / f"Example 1{types[0] if types else '.txt'}"
        self.preview.setText(display_text(command_line(example_command(preset, str(path)))))

    # --- saving

    def read(self) -> Preset | None:
        """Return the preset in the form; or show what is wrong at the fields, and return None."""
        problems: dict[str, str] = {}
        values: dict[str, Any] = {}
        for key in self.fields:
            try:
                values[key] = self._value_of(key)
            except ValueError:
                problems[key] = tr("Write whole numbers, with commas between them.")
            else:
                problems[key] = _problem_with(**{key: values[key]})
        name, title, (program, *_) = self.name.text().strip(), self.title.text().strip(), self._argv
        problems |= {
            "title": _problem_with(title=title),
            "name": _problem_with(name=name) if name else tr("Type a name."),
            "program": _problem_with(argv=(program,)) if program else tr("Type or choose a program."),
            "arguments": _problem_with(argv=("x", *self.arguments.arguments), output=self._output and FOLDER),
            "output": _problem_with(output=self._output),
        }
        if name in self._taken:
            problems["name"] = tr("There is already a command of this name.")
        if self.output_kind.currentData() != _NO_OUTPUT and not self.output.text().strip():
            problems["output"] = tr("Type a folder.")
        for key, text in problems.items():
            show_problem(self._problems[key], text)
        wrong = next((key for key in self._rows if problems.get(key)), "")
        if wrong:
            self._controls[wrong].setFocus()
            return None
        version = self._preset.version if self._preset is not None and not self._is_new else 1
        conflict = self.conflict.currentData()
        return Preset(name, title, self._argv, self._output, conflict=conflict, version=version, **values)

    def accept(self) -> None:
        """Save the preset and close the form, unless something in it is wrong or the settings can't be written."""
        preset = self.read()
        if preset is None:
            return
        try:
            self._store(preset)
        except SettingsError as error:
            show_problem(self._problem, translated(error.text))
            return
        super().accept()

    @Slot()
    def _request_trial(self) -> None:
        preset = self.read()
        if preset is not None:
            self.trial_requested.emit(preset)


def _problem_with(**values: Any) -> str:  # noqa: ANN401 - the values of any field of `Preset`
    """Return what is wrong with some values of a preset, or an empty text."""
    try:
        Preset(**{"name": "x", "argv": ("x",), **values})
    except SettingsError as error:
        text = error.text
        problem = text.values.get("problem") if isinstance(text, Sentence) else None
        if not isinstance(problem, Sentence):
            return translated(text)
        shown = translated(problem)
        return f"{shown[:1].upper()}{shown[1:]}."
    return ""
