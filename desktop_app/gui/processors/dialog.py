"""The dialog in which a processor is chosen and its options are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.fields import (
    Choice,
    Option,
    OptionError,
    Value,
    checked_options,
    read_options,
    stored_options,
)
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    SideBySide,
    add_field,
    arrange_dialog,
    caption,
    form_layout,
    plain_label,
    primary_button,
    show_problem,
    spaced,
    stacked,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from desktop_app.gui.processors.choice import ProcessorChoice

_WIDTH = 520
_LONG_TEXT_LINES = 6


class ProcessorBox(QComboBox):
    """A combo box with everything that can be chosen.

    Args:
        choices: The choice of the user, which lists what can be chosen.
        parent: The parent.
        by_type: Whether the processor can be chosen by the file type.
    """

    def __init__(self, choices: ProcessorChoice, parent: QWidget, *, by_type: bool = True) -> None:
        super().__init__(parent)
        listed = choices.choices() if by_type else [Choice(one.name) for one in choices.offered()]
        for choice in listed:
            found = choices.find(choice.processor)
            if found is None or not found.unavailable:
                self.addItem(choices.title(choice), choice.processor)
        self.setAccessibleName(tr("Process as"))

    def show_choice(self, choice: Choice) -> None:
        """Select a choice; the first one if it is not offered."""
        self.setCurrentIndex(max(0, self.findData(choice.processor)))

    @property
    def processor(self) -> str:
        """The name of the chosen processor; empty to choose it by the file type."""
        return str(self.currentData())


class OptionFields:
    """The fields for the options of a processor, which are added to a form.

    Args:
        options: The options.
        values: Their values.
        form: The form.
        parent: The parent of the fields.
    """

    def __init__(
        self, options: Sequence[Option], values: Mapping[str, Value], form: QFormLayout, parent: QWidget
    ) -> None:
        self._options = options
        self._parent = parent
        self._fields: dict[str, QWidget] = {}
        for option in options:
            field = self._fields[option.name] = self._field(option, values[option.name])
            field.setAccessibleName(translated(option.title))
            field.setAccessibleDescription(translated(option.hint))
            row: QWidget = field
            if option.hint:
                row = stacked(parent, field, plain_label(translated(option.hint), parent, "detailsCaption"))
            if isinstance(field, QCheckBox):
                add_field(form, row)
            else:
                form.addRow(caption(translated(option.title), field), row)

    def _field(self, option: Option, value: Value) -> QWidget:
        if isinstance(value, bool):
            box = QCheckBox(translated(option.title), self._parent)
            box.setChecked(value)
            return box
        if isinstance(value, int):
            number = QSpinBox(self._parent, minimum=option.least, maximum=option.most)
            number.setValue(value)
            return number
        if isinstance(value, float):
            real = QDoubleSpinBox(self._parent, minimum=option.least, maximum=option.most, decimals=2)
            real.setValue(value)
            return real
        if option.choices:
            combo = QComboBox(self._parent)
            for choice, title in zip(option.choices, option.choice_titles or option.choices, strict=True):
                combo.addItem(translated(title), choice)
            combo.setCurrentIndex(combo.findData(value))
            return combo
        if option.is_long:
            area = QPlainTextEdit(value, self._parent, tabChangesFocus=True)
            area.setFixedHeight(area.fontMetrics().lineSpacing() * _LONG_TEXT_LINES)
            return area
        return QLineEdit(value, self._parent)

    def values(self) -> dict[str, Value]:
        """Return the values of the options that differ from the defaults."""
        found = {option.name: _value_of(self._fields[option.name]) for option in self._options}
        return {option.name: found[option.name] for option in self._options if found[option.name] != option.default}


def _value_of(field: QWidget) -> Value:
    match field:
        case QCheckBox():
            return field.isChecked()
        case QSpinBox() | QDoubleSpinBox():
            return field.value()
        case QComboBox():
            return str(field.currentData())
        case QPlainTextEdit():
            return field.toPlainText()
        case QLineEdit():
            return field.text()
    raise TypeError(f"{type(field).__name__} is no field of an option")


class ProcessAsDialog(QDialog):
    """Asks with which processor and options to process files. It deletes itself when it is closed.

    Signals:
        chosen(Choice): The user has confirmed.

    Attributes:
        box: The combo box with the processors.
        fields: The fields for the options of the chosen processor.
        confirm: The button that confirms.

    Args:
        choices: What can be chosen.
        first: What is chosen at first.
        parent: The parent.
        title: The title.
        button: The text of the button that confirms.
        text: A sentence at the top; may be empty.
        by_type: Whether the processor can be chosen by the file type.
    """

    chosen = Signal(object)

    def __init__(
        self,
        choices: ProcessorChoice,
        first: Choice,
        parent: QWidget,
        *,
        title: str,
        button: str,
        text: str = "",
        by_type: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._choices = choices
        self._first = first
        self.setWindowTitle(title)
        self.box = ProcessorBox(choices, self, by_type=by_type)
        self.box.show_choice(first)
        self._problem = plain_label("", self)
        self._problem.hide()
        column = spaced(QVBoxLayout(), 12)
        if text:
            column.addWidget(plain_label(text, self))
        self._form = form_layout()
        self._form.addRow(caption(tr("&Process as"), self.box), self.box)
        column.addLayout(self._form)
        column.addStretch(1)
        buttons = ButtonRow(self)
        self.confirm = primary_button(button, buttons)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        foot = spaced(QVBoxLayout(), 8)
        foot.addWidget(self._problem)
        foot.addWidget(buttons)
        self._place = arrange_dialog(self, column, foot, name="processAs", size=(_WIDTH, 0))
        self.box.currentIndexChanged.connect(self._show_options)
        self._show_options()
        self.box.setFocus()

    @Slot()
    def _show_options(self) -> None:
        while self._form.rowCount() > 1:
            self._form.removeRow(1)
        processor = self._choices.find(self.box.processor)
        options = () if processor is None else processor.options
        try:
            is_first = self.box.processor == self._first.processor
            values = checked_options(options, read_options(self._first.options) if is_first else {})
        except OptionError:  # of another version
            values = checked_options(options, {})
        self.fields = OptionFields(options, values, self._form, self)
        show_problem(self._problem, "")
        self._place.grow()

    @property
    def choice(self) -> Choice:
        """What is chosen.

        Raises:
            OptionError: If the options are too large.
        """
        return Choice(self.box.processor, stored_options(self.fields.values()))

    def accept(self) -> None:
        """Close the dialog, unless what was entered can't be used."""
        try:
            choice = self.choice
        except OptionError as error:
            show_problem(self._problem, translated(error.text))
            self._place.grow()
            return
        super().accept()
        self.chosen.emit(choice)


class ProcessorField(SideBySide):
    """A combo box with everything that can be chosen, and a button that opens the dialog with the options.

    Attributes:
        box, options: The combo box and the button.
        choice: What is chosen.

    Args:
        choices: What can be chosen.
        first: What is chosen at first.
        parent: The parent; the dialog with the options opens over its window.
    """

    def __init__(self, choices: ProcessorChoice, first: Choice, parent: QWidget) -> None:
        box = ProcessorBox(choices, parent)
        options = QPushButton(tr("&Options…"), parent, autoDefault=False)
        super().__init__(box, options, parent)
        self._choices = choices
        self.choice = first
        self.box = box
        self.box.show_choice(first)
        self.box.activated.connect(self._choose_processor)
        self.options = options
        self.options.setAccessibleName(tr("Options of the processing"))
        self.options.clicked.connect(self._open_options)
        self._update_options()

    @Slot()
    def _choose_processor(self) -> None:
        self.choice = Choice(self.box.processor)
        self._update_options()

    def _update_options(self) -> None:
        found = self._choices.find(self.choice.processor)
        self.options.setEnabled(found is not None and bool(found.options))

    @Slot()
    def _open_options(self) -> None:
        title, button = tr("Process As"), tr("&Choose")
        dialog = ProcessAsDialog(self._choices, self.choice, self.window(), title=title, button=button)
        dialog.chosen.connect(self._take_options)
        dialog.open()

    @Slot(object)
    def _take_options(self, choice: Choice) -> None:
        self.choice = choice
        self.box.show_choice(choice)
        self._update_options()
