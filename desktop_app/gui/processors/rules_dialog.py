"""The dialog with the rules by which processors are chosen by file types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import ButtonRow, arrange_dialog, leading, plain_label, spaced
from desktop_app.services.adding.type_rules import TypeRule, TypeRules, written

if TYPE_CHECKING:
    from desktop_app.gui.processors.choice import ProcessorChoice

_TYPING_PAUSE_MS = 600
"""The pause in typing after which the rules are saved."""
_LONGEST = 500
_WIDTH = 560


class _Row(QWidget):
    """A rule: the patterns, the processor, and a button that removes the rule."""

    changed = Signal()
    typed = Signal()
    removed = Signal()

    def __init__(self, rule: TypeRule, choices: ProcessorChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self.patterns = QLineEdit(rule.patterns, self, placeholderText=tr("*.csv; *.tsv"), maxLength=_LONGEST)
        self.patterns.setAccessibleName(tr("Files that match"))
        self.processor = QComboBox(self)
        self.processor.setAccessibleName(tr("Process as"))
        for one in choices.offered():
            self.processor.addItem(choices.title_of(one.name), one.name)
        if self.processor.findData(rule.processor) < 0:  # not available on this computer now
            self.processor.addItem(rule.processor, rule.processor)
        self.processor.setCurrentIndex(self.processor.findData(rule.processor))
        remove = QToolButton(self, autoRaise=True)
        remove.setText("\N{MULTIPLICATION SIGN}")
        remove.setAccessibleName(tr("Remove this rule"))
        remove.setToolTip(tr("Remove this rule"))
        row = spaced(QHBoxLayout(self), 6)
        row.addWidget(self.patterns, 1)
        row.addWidget(QLabel("→", self))
        row.addWidget(self.processor, 1)
        row.addWidget(remove)
        self.patterns.textChanged.connect(self.typed)
        self.processor.activated.connect(self.changed)
        remove.clicked.connect(self.removed)

    @property
    def rule(self) -> TypeRule:
        """The rule as shown. A line break or an arrow can't be in a pattern."""
        return TypeRule(self.patterns.text().replace("=>", ""), str(self.processor.currentData()))


class RulesDialog(QDialog):
    """Shows and changes the rules. Each change is saved at once. It deletes itself when it is closed.

    Signals:
        changed(str): The rules have changed; the argument is the setting `type_rules`.

    Attributes:
        add: The button that adds a rule.

    Args:
        rules: The setting `type_rules`.
        choices: Lists the processors.
        parent: The parent.
    """

    changed = Signal(str)

    def __init__(self, rules: str, choices: ProcessorChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Rules by File Type"))
        self._choices = choices
        self._rows: list[_Row] = []
        self._saved = rules
        self._column = spaced(QVBoxLayout(), 6)
        hint = tr("The first rule that matches the name of an added file applies. In all others, lines are counted.")
        self._column.addWidget(plain_label(hint, self))
        self.add = QPushButton(tr("Add R&ule"), self, autoDefault=False)
        self.add.clicked.connect(self._add_empty)
        self._column.addWidget(self.add, 0, leading(self))
        self._column.addStretch(1)
        buttons = ButtonRow(self)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self._place = arrange_dialog(self, self._column, buttons, name="rules", size=(_WIDTH, 0))
        self._pause = QTimer(self, singleShot=True, interval=_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self.save)
        self.finished.connect(self.save)
        for rule in TypeRules(rules).rules:
            self._show(rule)
        (self._rows[0].patterns if self._rows else self.add).setFocus()

    @Slot()
    def save(self) -> None:
        """Save what was typed."""
        self._pause.stop()
        text = written(row.rule for row in self._rows)
        if text != self._saved:
            self._saved = text
            self.changed.emit(text)

    @Slot()
    def _add_empty(self) -> None:
        row = self._show(TypeRule("", DEFAULT_PROCESSOR))
        self._place.grow()
        row.patterns.setFocus()

    def _show(self, rule: TypeRule) -> _Row:
        row = _Row(rule, self._choices, self)
        self._rows.append(row)
        self._column.insertWidget(len(self._rows), row)
        row.typed.connect(self._pause.start)
        row.changed.connect(self.save)
        row.removed.connect(lambda: self._remove(row))
        return row

    def _remove(self, row: _Row) -> None:
        self._rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.save()
        self.add.setFocus()
