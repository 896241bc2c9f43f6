"""A header that shows what the list is sorted by: first, and second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QRect, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHeaderView

from desktop_app.gui.table.columns import COLUMN_OF_SORT, COLUMNS
from desktop_app.gui.table.header_title import Title, paint_title, title_size
from desktop_app.jobs import ListQuery

if TYPE_CHECKING:
    from PySide6.QtCore import QAbstractItemModel
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.look.look import Look

_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
Second = tuple[int, Qt.SortOrder]


class SortHeader(QHeaderView):
    """Titles with arrows. What the second key is goes when the list is sorted by another column.

    Signals:
        order_changed(): The list is to be sorted otherwise: see `order`.

    Attributes:
        at_keys: The column that the keyboard is at, as long as it is at the header.
    """

    order_changed = Signal()

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.at_keys = 0
        self._look = look
        self._first = -1
        self._second: Second | None = None
        look.changed.connect(self.viewport().update)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSortIndicatorClearable(False)
        self.setSortIndicatorShown(True)
        self.sortIndicatorChanged.connect(self._follow_first)

    def stand_alone(self, model: QAbstractItemModel) -> None:
        """Take a selection of its own, empty for ever. Call after the view got its model.

        With the view's selection a header asks of every column whether all of its rows are selected: after Ctrl+A on a
        million rows that freezes the window for seconds.
        """
        self.setSelectionModel(QItemSelectionModel(model, self))

    @property
    def second(self) -> Second | None:
        """The column that orders what is equal in the sorted one, and how; None = the order of adding."""
        return self._second

    def order(self) -> ListQuery:
        """What the list is to be sorted by, as a query that leaves nothing out."""
        first = self.sortIndicatorSection()
        descending = self.sortIndicatorOrder() is _DOWN
        if self._second is None:
            return ListQuery(COLUMNS[first].sort_by, descending)
        number, order = self._second
        return ListQuery(
            COLUMNS[first].sort_by, descending, then_by=COLUMNS[number].sort_by, then_descending=order is _DOWN
        )

    def take_order(self, order: ListQuery) -> None:
        """Show this order; nothing is emitted."""
        with QSignalBlocker(self):
            self._first = COLUMN_OF_SORT[order.sort_by]
            self.setSortIndicator(self._first, _DOWN if order.descending else _UP)
        then = (
            None if order.then_by is None else (COLUMN_OF_SORT[order.then_by], _DOWN if order.then_descending else _UP)
        )
        self._second = None if then and then[0] == self._first else then
        self.viewport().update()

    @Slot(int, Qt.SortOrder)
    def _follow_first(self, number: int, _order: Qt.SortOrder) -> None:
        if number != self._first:  # who sorts by something else begins anew
            self._second = None
        self._first = number
        self.viewport().update()
        self.order_changed.emit()

    def sort_second(self, second: Second | None) -> None:
        """Order what is equal in the sorted column."""
        if second != self._second and not (second and second[0] == self.sortIndicatorSection()):
            self._second = second
            self.viewport().update()
            self.order_changed.emit()

    def turn(self, number: int, *, second: bool = False) -> None:
        """What a click on a title does, and with Shift."""
        order = self.sortIndicatorOrder()
        if number == self.sortIndicatorSection():
            self.setSortIndicator(number, _UP if order is _DOWN else _DOWN)
        elif not second:
            self.setSortIndicator(number, _UP)
        elif self._second is None or self._second[0] != number:
            self.sort_second((number, _UP))
        else:
            self.sort_second((number, _DOWN) if self._second[1] is _UP else None)

    def paintSection(self, painter: QPainter, rect: QRect, number: int) -> None:
        """Paint one title."""
        order, is_second = None, False
        if number == self.sortIndicatorSection():
            order = self.sortIndicatorOrder()
        elif self._second is not None and number == self._second[0]:
            order, is_second = self._second[1], True
        has_keys = self.hasFocus() and self.at_keys == number
        is_last = rect.left() <= 0 if self.isRightToLeft() else rect.right() >= self.viewport().width() - 1
        title = Title(number, order, is_second, has_keys, is_last)
        painter.setFont(self.font())
        paint_title(painter, rect, title, self._look.colours, self.layoutDirection())

    def sectionSizeFromContents(self, number: int) -> QSize:
        """The room of a title, with its arrow."""
        return title_size(number, self.font())

    def sizeHint(self) -> QSize:
        """High enough to be hit easily."""
        return QSize(super().sizeHint().width(), self.fontMetrics().height() + 14)
