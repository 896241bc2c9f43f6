"""Shared parts of dialogs and tables: a message box whose buttons fit, and rows of text that can be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from desktop_app.gui.i18n import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QShowEvent
    from PySide6.QtWidgets import QTableView, QWidget


class MessageBox(QMessageBox):
    """A message box that stacks its buttons where they do not fit; Qt would cut off their texts."""

    def showEvent(self, event: QShowEvent) -> None:
        """Stack the buttons if they do not fit the width of the box."""
        super().showEvent(event)
        box = self.findChild(QDialogButtonBox)
        if box is not None and any(button.width() < button.sizeHint().width() for button in self.buttons()):
            box.setOrientation(Qt.Orientation.Vertical)


def show_rows(table: QTableView) -> None:
    """Make a table a read-only list of rows: whole rows are selected, and Tab leaves the table."""
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()


_FIRST_WIDTH = 330


class PairsDialog(QDialog):
    """A dialog with two columns of text that can be copied; deletes itself when closed.

    Args:
        title: The window's title.
        explanation: A sentence above the table.
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
        text = QLabel(explanation, self)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        self._table = _table(headings, pairs, title, self)
        buttons = QDialogButtonBox(self)
        copy = buttons.addButton(tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(text)
        column.addWidget(self._table, 1)
        column.addWidget(buttons)

    def copy(self) -> None:
        """Put all rows on the clipboard."""
        QGuiApplication.clipboard().setText("".join(f"{left}\t{right}\n" for left, right in self._pairs))


def _table(headings: tuple[str, str], pairs: Sequence[tuple[str, str]], name: str, parent: QWidget) -> QTableWidget:
    table = QTableWidget(len(pairs), len(headings), parent)
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(headings))
    show_rows(table)
    table.setWordWrap(False)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    table.setColumnWidth(0, _FIRST_WIDTH)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for row, pair in enumerate(pairs):
        for place, text in enumerate(pair):
            item = QTableWidgetItem(text)
            item.setToolTip(tool_tip(text))
            table.setItem(row, place, item)
    return table
