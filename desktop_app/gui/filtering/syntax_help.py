"""The list of what can be typed into the filter box, in a popup under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QLabel,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import WrappedCells, plain_label, spaced, text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from desktop_app.gui.filtering.search_names import HelpRow

_WIDTH, _HEIGHT, _LEAST_HEIGHT = 560, 660, 320

_EDGE, _GAP = 8, 4


class SyntaxHelp(QFrame):
    """A popup that lists what can be typed. It closes when it loses the focus, and deletes itself.

    Signals:
        picked(HelpRow): A row was clicked, or Enter was pressed on it.

    Args:
        box: The filter box.
        rows: What can be typed.
    """

    picked = Signal(object)

    def __init__(self, box: QWidget, rows: Sequence[HelpRow]) -> None:
        super().__init__(box, Qt.WindowType.Popup)
        self._rows = rows
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("syntaxHelp")
        self.setWindowTitle(tr("What you can type"))
        title = QLabel(tr("What you can type"), self)
        title.setObjectName("syntaxTitle")
        self.table = self._table()
        note = plain_label(
            tr("Numbers, sizes, durations and times can be compared with <, >, <= and >=, or be a range: 5..10"),
            self,
            "sheetText",
        )
        column = spaced(QVBoxLayout(self), 8, (12, 10, 12, 10))
        column.addWidget(title)
        column.addWidget(self.table, 1)
        column.addWidget(note)
        self.setFocusProxy(self.table)

    def _table(self) -> QTableWidget:
        rows = [(row.example, row.meaning) for row in self._rows]
        name = tr("What you can type")
        table = text_table((tr("Example"), tr("Finds")), rows, self, name=name, style="syntaxRows")
        table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.setItemDelegate(WrappedCells(table))
        table.setCurrentCell(0, 0)
        table.cellClicked.connect(lambda row, _column: self._pick(row))
        return table

    def open_under(self, box: QWidget) -> None:
        """Show the popup under the box, inside the screen."""
        area = box.screen().availableGeometry()
        size = self.sizeHint().expandedTo(self.minimumSizeHint())
        width = min(max(_WIDTH, size.width()), area.width() - 2 * _EDGE)
        corner = box.mapToGlobal(QPoint(box.width(), box.height() + _GAP))
        below = area.bottom() - corner.y() - _EDGE
        # On a small screen, the popup covers the box rather than being too low to read.
        height = min(_HEIGHT, max(below, min(_LEAST_HEIGHT, area.height() - 2 * _EDGE)))
        left = max(area.left() + _EDGE, min(corner.x() - width, area.right() - width - _EDGE))
        top = min(corner.y(), area.bottom() - height - _EDGE)
        self.setGeometry(QRect(left, top, width, height))
        self.show()
        self.table.setFocus()

    def _pick(self, row: int) -> None:
        picked: HelpRow = self._rows[row]
        self.close()
        self.picked.emit(picked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Insert the current row on Enter; the table passes this key on."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.table.currentRow() >= 0:
            self._pick(self.table.currentRow())
            return
        super().keyPressEvent(event)
