"""Captions and values that can be selected with the mouse and the keyboard, in one column or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.details.words import Facts


_TWO_COLUMNS_FROM = 760


def leading(widget: QWidget) -> Qt.AlignmentFlag:
    """The side on which a line begins in this language, also of names and numbers, which have their own direction."""
    side = Qt.AlignmentFlag.AlignRight if widget.isRightToLeft() else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter


def caption_label(text: str, parent: QWidget) -> QLabel:
    """What a value is."""
    label = QLabel(text, parent)
    label.setObjectName("detailsCaption")
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def value_field(name: str, parent: QWidget) -> QLineEdit:
    """A value that is read and copied, not changed; long ones can be scrolled."""
    field = QLineEdit(parent)
    field.setObjectName("detailsValue")
    field.setReadOnly(True)
    field.setAlignment(leading(field))
    field.setAccessibleName(name)
    return field


class FactsGrid(QWidget):
    """Shows `Facts`; keeps what is selected in a value for as long as that stays the same.

    Args:
        most: How many facts there can be.
        parent: Qt's owner.
    """

    def __init__(self, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: Facts = ()
        self._columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        # All at once, so that Tab goes through them in their order whenever they are shown.
        self._fields = [(caption_label("", self), value_field("", self)) for _ in range(most)]
        for pair in self._fields:
            for widget in pair:
                widget.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    @property
    def facts(self) -> Facts:
        """What is shown."""
        return self._facts

    def show_facts(self, facts: Facts) -> None:
        """Show these."""
        if facts == self._facts:
            return
        is_same_form = [caption for caption, _ in facts] == [caption for caption, _ in self._facts]
        self._facts = facts
        if not is_same_form:
            self._place()
        for (_, field), (_, value) in zip(self._fields, facts, strict=False):
            if field.text() != value:
                field.setText(value)
                field.setToolTip(tool_tip(value))
                field.setCursorPosition(0)

    def _place(self) -> None:
        rows = -(-len(self._facts) // self._columns)
        for number, (caption, field) in enumerate(self._fields):
            self._grid.removeWidget(caption)
            self._grid.removeWidget(field)
            is_used = number < len(self._facts)
            if is_used:
                name = self._facts[number][0]
                caption.setText(name)
                field.setAccessibleName(name)
                column, row = divmod(number, rows)
                self._grid.addWidget(caption, row, 2 * column)
                self._grid.addWidget(field, row, 2 * column + 1)
            caption.setVisible(is_used)
            field.setVisible(is_used)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, self._columns - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns where there is room."""
        super().resizeEvent(event)
        columns = 2 if event.size().width() >= _TWO_COLUMNS_FROM else 1
        if columns != self._columns:
            self._columns = columns
            self._place()
