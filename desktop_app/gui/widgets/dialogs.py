"""Parts that several windows and dialogs share: labels, text areas, tables, and message boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.i18n import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence


def spaced(box: QBoxLayout, spacing: int, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QBoxLayout:
    """Set the spacing and the margins (left, top, right, bottom) of a layout, in pixels, and return the layout."""
    box.setSpacing(spacing)
    box.setContentsMargins(*margins)
    return box


def plain_label(text: str, parent: QWidget, name: str = "") -> QLabel:
    """Return a label that wraps its text and never interprets it as HTML.

    Args:
        text: The text.
        parent: The parent.
        name: The object name, for the style sheet.
    """
    label = QLabel(text, parent, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
    label.setObjectName(name)
    return label


def caption(text: str, field: QWidget) -> QLabel:
    """Return a label whose mnemonic key moves the focus to a field, and which has the field's parent."""
    label = QLabel(text, field.parentWidget())
    label.setBuddy(field)
    return label


def read_only_text(name: str, parent: QWidget) -> QPlainTextEdit:
    """Return a text area with a fixed-width font whose text can be selected and copied but not changed.

    Args:
        name: The accessible name.
        parent: The parent.
    """
    area = QPlainTextEdit(parent, readOnly=True, tabChangesFocus=True)
    # Qt makes read-only text selectable with the mouse only.
    area.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    area.setAccessibleName(name)
    area.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return area


class MessageBox(QMessageBox):
    """A message box that stacks its buttons if they do not fit side by side, where Qt would truncate their texts."""

    def showEvent(self, event: QShowEvent) -> None:
        """Stack the buttons if one of them is too narrow for its text."""
        super().showEvent(event)
        box = self.findChild(QDialogButtonBox)
        if box is not None and any(button.width() < button.sizeHint().width() for button in self.buttons()):
            box.setOrientation(Qt.Orientation.Vertical)


def show_rows(table: QTableView) -> None:
    """Make a table a read-only list: a click selects the whole row, and Tab leaves the table."""
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setHighlightSections(False)


_FIRST_WIDTH = 330


class PairsDialog(QDialog):
    """A dialog with a two-column table that can be copied as a whole. It deletes itself when it is closed.

    Args:
        title: The window title.
        explanation: The sentence above the table.
        headings: The titles of the two columns.
        pairs: The rows.
        parent: The parent.
    """

    def __init__(
        self,
        title: str,
        explanation: str,
        headings: tuple[str, str],
        pairs: Sequence[tuple[str, str]],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._pairs = pairs
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(780, 420)
        buttons = QDialogButtonBox(self)
        buttons.addButton(tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole).clicked.connect(self.copy)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        column = spaced(QVBoxLayout(self), 10, (16, 14, 16, 14))
        column.addWidget(plain_label(explanation, self))
        column.addWidget(_table(headings, pairs, title, self), 1)
        column.addWidget(buttons)

    def copy(self) -> None:
        """Copy all rows to the clipboard, with a tab between the columns."""
        QGuiApplication.clipboard().setText("".join(f"{left}\t{right}\n" for left, right in self._pairs))


def _table(headings: tuple[str, str], pairs: Sequence[tuple[str, str]], name: str, parent: QWidget) -> QTableWidget:
    table = QTableWidget(len(pairs), len(headings), parent)
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(headings))
    show_rows(table)
    table.setWordWrap(False)
    table.setColumnWidth(0, _FIRST_WIDTH)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for row, pair in enumerate(pairs):
        for column, text in enumerate(pair):
            item = QTableWidgetItem(text)
            item.setToolTip(tool_tip(text))
            table.setItem(row, column, item)
    return table
