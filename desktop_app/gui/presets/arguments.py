"""The list of the arguments of a command, one line an argument."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyledItemDelegate,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.presets import PLACEHOLDERS
from desktop_app.domain.sentences import command_line, display_text
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import spaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtCore import QLocale, QModelIndex, QPersistentModelIndex
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QStyleOptionViewItem

_SHOWN_LINES = 6
_PLAIN = re.compile(r"""[^\s'"\\]+""")


def placeholder_help() -> dict[str, str]:
    """Return what each placeholder is replaced by."""
    return {
        "path": tr("The full path of the file"),
        "name": tr("The name of the file, with its extension"),
        "stem": tr("The name of the file without its extension"),
        "ext": tr("The extension of the file, without the dot"),
        "folder": tr("The folder that contains the file"),
        "out": tr("An empty folder for what the program writes"),
        "id": tr("The ID of the file on the list"),
    }


def shown_command(argv: Iterable[str]) -> str:
    """Return a command with placeholders as text; arguments with spaces or quotation marks are quoted."""
    return display_text(" ".join(one if _PLAIN.fullmatch(one) else command_line([one]) for one in argv))


class _ArgumentDelegate(QStyledItemDelegate):
    """Shows arguments with their control characters escaped, and edits them as they are."""

    def displayText(self, value: Any, locale: QLocale | QLocale.Language) -> str:  # noqa: ANN401, ARG002 - Qt's signature
        """Return the text of a line."""
        return display_text(str(value)) or tr("(empty)")

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,  # noqa: ARG002 - Qt's signature
        index: QModelIndex | QPersistentModelIndex,  # noqa: ARG002 - Qt's signature
    ) -> QWidget:
        """Return the field in which an argument is changed."""
        field = QLineEdit(parent)
        field.setFrame(False)
        field.setAccessibleName(tr("Argument"))
        return field


class _Lines(QListWidget):
    """The list. Enter edits an argument, Delete removes it, and pasting several lines adds several arguments."""

    removal_requested = Signal()
    pasted = Signal(list)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys for an argument; Enter never presses the default button of the dialog."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if self.state() is not QAbstractItemView.State.EditingState:
                self.editItem(self.currentItem())
        elif event.key() == Qt.Key.Key_Delete:
            self.removal_requested.emit()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.pasted.emit(QGuiApplication.clipboard().text().splitlines())
        else:
            super().keyPressEvent(event)


class ArgumentList(QWidget):
    """Shows and changes the arguments of a command.

    Signals:
        changed(): An argument was changed, added, removed or moved.

    Attributes:
        lines, add, remove, up, down: The list and its buttons.
        inserters: The buttons that insert placeholders, by the names of these.

    Args:
        parent: The parent.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.lines = _Lines(self)
        self.lines.setObjectName("lines")
        self.lines.setAccessibleName(tr("Arguments"))
        self.lines.setAccessibleDescription(tr("Each line is one argument, exactly as the program gets it."))
        self.lines.setItemDelegate(_ArgumentDelegate(self.lines))
        self.lines.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.lines.setFixedHeight(_SHOWN_LINES * (self.fontMetrics().height() + 8))
        self.add = self._button(tr("A&dd"), self._add_empty)
        self.remove = self._button(tr("&Remove"), self._remove)
        self.up = self._button(tr("Move &Up"), self._move_up)
        self.down = self._button(tr("Move Do&wn"), self._move_down)
        buttons = spaced(QVBoxLayout(), 6)
        for button in (self.add, self.remove, self.up, self.down):
            buttons.addWidget(button)
        buttons.addStretch(1)
        whole = spaced(QHBoxLayout(), 8)
        whole.addWidget(self.lines, 1, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(buttons)
        inserters = spaced(QHBoxLayout(), 4)
        self.inserters: dict[str, QToolButton] = {}
        texts = placeholder_help()
        for name in PLACEHOLDERS:
            inserter = self.inserters[name] = QToolButton(self)
            inserter.setText(f"{{{name}}}")
            inserter.setToolTip(texts[name])
            inserter.setAccessibleName(tr("Insert {placeholder}").format(placeholder=f"{{{name}}}"))
            inserter.setAccessibleDescription(texts[name])
            inserter.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus in the argument
            inserter.clicked.connect(lambda _=False, text=f"{{{name}}}": self.insert(text))
            inserters.addWidget(inserter)
        inserters.addStretch(1)
        column = spaced(QVBoxLayout(self), 6)
        column.addLayout(whole)
        column.addLayout(inserters)
        column.addStretch(1)
        self.setFocusProxy(self.lines)
        self.lines.itemChanged.connect(self.changed)
        self.lines.removal_requested.connect(self._remove)
        self.lines.pasted.connect(self._paste)
        self.lines.currentRowChanged.connect(self._update)
        self._update()

    def _button(self, text: str, act: Any) -> QPushButton:  # noqa: ANN401 - a slot
        button = QPushButton(text, self, autoDefault=False)
        button.clicked.connect(act)
        return button

    # --- the arguments

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments, including one that is being changed."""
        editor, current = self._editor(), self.lines.currentRow()
        texts = [self.lines.item(row).text() for row in range(self.lines.count())]
        if editor is not None and 0 <= current < len(texts):
            texts[current] = editor.text()
        return tuple(texts)

    def show_arguments(self, arguments: Iterable[str]) -> None:
        """Show other arguments."""
        self.lines.clear()
        for argument in arguments:
            self.lines.addItem(self._item(argument))
        if self.lines.count():
            self.lines.setCurrentRow(0)
        self._update()
        self.changed.emit()

    def insert(self, text: str) -> None:
        """Insert a text where the user is typing, or at the end of the current argument."""
        editor, item = self._editor(), self.lines.currentItem()
        if editor is not None:
            editor.insert(text)
        elif self.lines.currentRow() >= 0:
            item.setText(item.text() + text)
        else:
            self._insert_at(self.lines.count(), [text])

    @Slot()
    def _add_empty(self) -> None:
        self._insert_at(self.lines.currentRow() + 1 or self.lines.count(), [""])
        self.lines.setFocus()
        self.lines.editItem(self.lines.currentItem())

    @Slot(list)
    def _paste(self, lines: list[str]) -> None:
        if lines:
            self._insert_at(self.lines.currentRow() + 1 or self.lines.count(), lines)

    def _insert_at(self, row: int, arguments: list[str]) -> None:
        for place, argument in enumerate(arguments, row):
            self.lines.insertItem(place, self._item(argument))
        self.lines.setCurrentRow(row + len(arguments) - 1)
        self._update()
        self.changed.emit()

    @Slot()
    def _remove(self) -> None:
        row = self.lines.currentRow()
        if row >= 0:
            self.lines.takeItem(row)
            self._update()
            self.changed.emit()

    @Slot()
    def _move_up(self) -> None:
        self._move(-1)

    @Slot()
    def _move_down(self) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        row = self.lines.currentRow()
        if row >= 0 and 0 <= row + step < self.lines.count():
            self.lines.insertItem(row + step, self.lines.takeItem(row))
            self.lines.setCurrentRow(row + step)
            self.changed.emit()

    @staticmethod
    def _item(argument: str) -> QListWidgetItem:
        item = QListWidgetItem(argument)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        return item

    def _editor(self) -> QLineEdit | None:
        """Return the field in which an argument is being changed."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QLineEdit) and self.lines.isAncestorOf(focused):
            return focused
        return None

    @Slot()
    def _update(self) -> None:
        row, count = self.lines.currentRow(), self.lines.count()
        self.remove.setEnabled(row >= 0)
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < count - 1)
