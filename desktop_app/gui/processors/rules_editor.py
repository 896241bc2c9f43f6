"""The editor for the rules by which processors are chosen by file types, in the Settings dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import leading, spaced
from desktop_app.services.adding.type_rules import TypeRule, TypeRules, written

if TYPE_CHECKING:
    from desktop_app.gui.processors.choice import ProcessorChoice

_TYPING_PAUSE_MS = 600
"""The pause in typing after which the rules are saved."""
_LONGEST = 500


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


class RulesEditor(QWidget):
    """Shows and changes the rules.

    Signals:
        changed(str): The rules have changed; the argument is the setting `type_rules`.
        resized(): Rows were added or removed.

    Args:
        choices: Lists the processors.
        parent: The parent.
    """

    changed = Signal(str)
    resized = Signal()

    def __init__(self, choices: ProcessorChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self._choices = choices
        self._rows: list[_Row] = []
        self._shown = ""
        self._column = spaced(QVBoxLayout(self), 4)
        self.add = QPushButton(tr("Add R&ule"), self)
        self.add.clicked.connect(self._add_empty)
        self._column.addWidget(self.add, 0, leading(self))
        self._pause = QTimer(self, singleShot=True, interval=_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self.save)

    def show_rules(self, text: str) -> None:
        """Show the rules of the setting `type_rules`, unless the user is changing them."""
        if text == self._shown or self._pause.isActive():
            return
        self._shown = text
        for row in list(self._rows):
            self._forget(row)
        for rule in TypeRules(text).rules:
            self._show(rule)
        self.resized.emit()

    @Slot()
    def save(self) -> None:
        """Save what was typed."""
        self._pause.stop()
        text = written(row.rule for row in self._rows)
        if text != self._shown:
            self._shown = text
            self.changed.emit(text)

    @Slot()
    def _add_empty(self) -> None:
        row = self._show(TypeRule("", DEFAULT_PROCESSOR))
        self.resized.emit()
        row.patterns.setFocus()

    def _show(self, rule: TypeRule) -> _Row:
        row = _Row(rule, self._choices, self)
        self._rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        row.typed.connect(self._pause.start)
        row.changed.connect(self.save)
        row.removed.connect(lambda: self._remove(row))
        return row

    def _remove(self, row: _Row) -> None:
        self._forget(row)
        self.save()
        self.add.setFocus()
        self.resized.emit()

    def _forget(self, row: _Row) -> None:
        self._rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
