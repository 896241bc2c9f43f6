"""The table's header: which columns are shown, in which order, how wide; by mouse and by menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, QRect, QSignalBlocker, QSize, Qt, Slot
from PySide6.QtGui import QAction, QActionGroup, QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QMenu

from desktop_app.gui.columns import COLUMN_OF_ID, COLUMNS, NAME, STATUS
from desktop_app.gui.delegates import CELL_PADDING
from desktop_app.gui.window_memory import ColumnLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QAbstractItemModel
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.look import Look

_MIN_WIDTH = 48
_ARROW = 8
_ARROW_GAP = 7
_ELASTIC = STATUS
"""The column that takes the room that is left over: reasons are the longest texts."""
_MIN_ELASTIC_CHARACTERS = 26


class JobsHeader(QHeaderView):
    """A header whose columns can be moved, sized, hidden and sorted by; Name always stays."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._look = look
        look.changed.connect(self.viewport().update)
        self.setSectionsMovable(True)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setStretchLastSection(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setMinimumSectionSize(_MIN_WIDTH)
        self.setSortIndicatorClearable(False)
        self.setAccessibleName("Columns")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)

    def stand_alone(self, model: QAbstractItemModel) -> None:
        """Take a selection of its own, empty for ever. Call after the view got its model.

        With the view's selection a header asks of every column whether all of its rows are selected: after Ctrl+A on a
        million rows that freezes the window for seconds.
        """
        self.setSelectionModel(QItemSelectionModel(model, self))

    def paintSection(self, painter: QPainter, rect: QRect, number: int) -> None:
        """Paint one title, the arrow of the sorted column beside its words rather than on them."""
        colours = self._look.colours
        sorted_by_it = self.isSortIndicatorShown() and self.sortIndicatorSection() == number
        numeric = COLUMNS[number].numeric
        painter.fillRect(rect, QColor(colours.window))
        painter.setPen(QColor(colours.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        if self.visualIndex(number) < self.count() - 1:
            painter.drawLine(rect.topRight() + QPoint(0, 6), rect.bottomRight() - QPoint(0, 7))
        painter.setPen(QColor(colours.text if sorted_by_it else colours.muted))
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        inner = rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, 0)
        room = inner.width() - (_ARROW + _ARROW_GAP if sorted_by_it else 0)
        text = painter.fontMetrics().elidedText(COLUMNS[number].title, Qt.TextElideMode.ElideRight, max(0, room))
        side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, text)
        if sorted_by_it:
            wide = painter.fontMetrics().horizontalAdvance(text) + _ARROW_GAP
            left = inner.right() - wide - _ARROW if numeric else inner.left() + wide
            self._paint_arrow(painter, QPointF(left, rect.center().y()))

    def _paint_arrow(self, painter: QPainter, middle_left: QPointF) -> None:
        up = self.sortIndicatorOrder() is Qt.SortOrder.AscendingOrder
        tip, foot = (-_ARROW / 4, _ARROW / 4) if up else (_ARROW / 4, -_ARROW / 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(painter.pen().color(), 1.6, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(
            [
                middle_left + QPointF(0, foot),
                middle_left + QPointF(_ARROW / 2, tip),
                middle_left + QPointF(_ARROW, foot),
            ]
        )

    def sizeHint(self) -> QSize:
        """High enough to be hit easily."""
        return QSize(super().sizeHint().width(), self.fontMetrics().height() + 14)

    def fill_menu(self, menu: QMenu) -> None:
        """The columns as things to tick, then what can be done with all of them."""
        for number, column in enumerate(COLUMNS):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isSectionHidden(number))
            action.setEnabled(number != NAME)
            action.toggled.connect(partial(self.show_column, number))
        menu.addSeparator()
        menu.addAction("Reset Columns", self.reset)

    def fill_sort_menu(self, menu: QMenu) -> None:
        """Sorting without the mouse."""
        columns, orders = QActionGroup(menu), QActionGroup(menu)
        for number, column in enumerate(COLUMNS):
            action = self._choice(menu, columns, column.title, on=number == self.sortIndicatorSection())
            action.triggered.connect(partial(self._sort_by, number))
        menu.addSeparator()
        for title, order in (("Ascending", Qt.SortOrder.AscendingOrder), ("Descending", Qt.SortOrder.DescendingOrder)):
            action = self._choice(menu, orders, title, on=order == self.sortIndicatorOrder())
            action.triggered.connect(partial(self._sort_in, order))

    def _choice(self, menu: QMenu, group: QActionGroup, title: str, *, on: bool) -> QAction:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(on)
        group.addAction(action)
        return action

    def _sort_by(self, number: int) -> None:
        self.setSortIndicator(number, self.sortIndicatorOrder())

    def _sort_in(self, order: Qt.SortOrder) -> None:
        self.setSortIndicator(self.sortIndicatorSection(), order)

    def show_column(self, number: int, shown: bool) -> None:  # noqa: FBT001 - a slot of `toggled`
        """Show or hide a column."""
        self.setSectionHidden(number, not shown)
        self.fit()

    @Slot()
    def reset(self) -> None:
        """All columns in their first order and width."""
        character = self.fontMetrics().averageCharWidth()
        for number, column in enumerate(COLUMNS):
            self.setSectionHidden(number, False)
            self.moveSection(self.visualIndex(number), number)
            self.resizeSection(number, column.width * character)
        self.fit()

    def fit(self) -> None:
        """Let the elastic column take the room that the others leave, as long as it stays readable."""
        elastic = NAME if self.isSectionHidden(_ELASTIC) else _ELASTIC
        others = sum(self.sectionSize(number) for number in range(self.count()) if number != elastic)
        least = _MIN_ELASTIC_CHARACTERS * self.fontMetrics().averageCharWidth()
        self.resizeSection(elastic, max(least, self.viewport().width() - others))

    def layout_of_columns(self) -> list[ColumnLayout]:
        """The columns as they are now, in their order on the screen."""
        found = []
        for place in range(self.count()):
            number = self.logicalIndex(place)
            hidden = self.isSectionHidden(number)
            # A hidden column has no width; it gets its old one back when it is shown.
            with QSignalBlocker(self):
                self.setSectionHidden(number, False)
                width = self.sectionSize(number)
                self.setSectionHidden(number, hidden)
            found.append(ColumnLayout(COLUMNS[number].id, width, hidden))
        return found

    def take_layout(self, layout: Sequence[ColumnLayout]) -> None:
        """Arrange the columns as they were; those that are not named stay in their first place behind the others."""
        self.reset()
        known = [column for column in layout if column.id in COLUMN_OF_ID]
        for place, column in enumerate(known):
            number = COLUMN_OF_ID[column.id]
            self.moveSection(self.visualIndex(number), place)
            self.resizeSection(number, max(_MIN_WIDTH, column.width))
            self.setSectionHidden(number, column.hidden and number != NAME)
        self.fit()

    @Slot(QPoint)
    def _show_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(self.viewport().mapToGlobal(place))
