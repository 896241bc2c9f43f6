"""Small parts of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = 14


def combo(parent: QWidget, *, editable: bool) -> QComboBox:
    """A drop-down list; one that can be typed into finds by any part of a name."""
    box = QComboBox(parent)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_SHORT)
    box.setEditable(editable)
    if editable:
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = box.completer()
        if completer is not None:
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
    return box


def line_of(box: QComboBox) -> QLineEdit:
    """Where an editable box is typed into."""
    line = box.lineEdit()
    if line is None:
        raise TypeError("this box is not editable")
    return line


def fill(box: QComboBox, names: Iterable[str]) -> None:
    """Offer other names; what is typed stays."""
    typed = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(list(names))
    box.setCurrentIndex(box.findText(typed))
    box.setEditText(typed)
    box.blockSignals(False)


def hint(parent: QWidget) -> QLabel:
    """A quiet line under a field; empty at first."""
    label = QLabel(parent)
    label.setObjectName("detailsCaption")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def say(hint: QLabel, text: str) -> None:
    """Let a hint say this, or vanish."""
    hint.setText(text)
    hint.setVisible(bool(text))


def beside(field: QWidget, button: QWidget | None, hint: QLabel | None, parent: QWidget) -> QWidget:
    """A field with its button and its hint, as one row of a form."""
    whole = QWidget(parent)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    row = QHBoxLayout()
    row.addWidget(field, 1)
    if button is not None:
        row.addWidget(button)
    column.addLayout(row)
    if hint is not None:
        column.addWidget(hint)
        hint.hide()
    return whole
