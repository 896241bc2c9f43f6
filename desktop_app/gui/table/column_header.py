"""The state of the table's header: shown columns, their order and widths, and the sort order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QRect, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView

from desktop_app.domain.query import Sort, SortTerm
from desktop_app.gui.table.columns import (
    COLUMN_OF_ID,
    COLUMN_OF_SORT,
    COLUMNS,
    FIRST_ORDER,
    LINES,
    NAME,
    PROGRESS,
    REASON,
    STATUS,
    Column,
)
from desktop_app.gui.table.header_title import Title, first_width, paint_title, status_word_width, title_size
from desktop_app.gui.window_memory import ColumnLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QAbstractItemModel
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.theme.theme import Theme


_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder

_MIN_WIDTH = 48

_MIN_ELASTIC_CHARACTERS = 26

_FOR_PROBLEMS = {REASON: True, PROGRESS: False, LINES: False}

IndicatedColumn = tuple[int, Qt.SortOrder]
"""A sorted column and its direction."""


class ColumnHeader(QHeaderView):
    """A header with sort arrows whose columns fill the table's width; Name is always shown.

    Qt's sort indicator is the first key. The second key, which orders rows equal in the first, is cleared when the
    list is sorted by another column.

    Signals:
        order_changed(): `order` has changed.

    Attributes:
        current: The column with the keyboard focus while the header has it.
    """

    order_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.current = 0
        self._theme = theme
        self._first: IndicatedColumn = (-1, _UP)
        self._second: IndicatedColumn | None = None
        self._least = 0
        self._temporary: dict[int, bool] = {}  # whether they are otherwise shown
        theme.changed.connect(self.viewport().update)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSortIndicatorClearable(False)
        self.setSortIndicatorShown(True)
        self.sortIndicatorChanged.connect(self._follow_indicator)
        self.setSectionsMovable(True)
        self.setStretchLastSection(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setMinimumSectionSize(_MIN_WIDTH)
        self.setResizeContentsPrecision(0)  # only visible rows are measured

    def stand_alone(self, model: QAbstractItemModel) -> None:
        """Use a separate selection that is always empty. Call after the view got its model.

        With the view's selection, a header checks for each column whether all its rows are selected: after Ctrl+A on a
        million rows, that freezes the window for seconds.
        """
        self.setSelectionModel(QItemSelectionModel(model, self))

    # --- sorting

    @property
    def second(self) -> IndicatedColumn | None:
        """Return the second sort column and its direction; None for the order added."""
        return self._second

    def order(self) -> Sort:
        """Return the sort order."""
        terms = [(self.sortIndicatorSection(), self.sortIndicatorOrder()), *filter(None, [self._second])]
        return Sort(
            tuple(
                SortTerm(key, order is _DOWN)
                for number, order in terms
                if (key := COLUMNS[number].sort_key) is not None
            )
        )

    def set_order(self, order: Sort) -> None:
        """Show a sort order as far as there are columns for it; emits nothing."""
        first, *rest = [
            (COLUMN_OF_SORT[term.key], _DOWN if term.descending else _UP)
            for term in order.terms
            if term.key in COLUMN_OF_SORT
        ]
        self._first = first
        with QSignalBlocker(self):
            self.setSortIndicator(*first)
        self._second = next((second for second in rest if second[0] != first[0]), None)
        self.viewport().update()

    @Slot(int, Qt.SortOrder)
    def _follow_indicator(self, number: int, order: Qt.SortOrder) -> None:
        if COLUMNS[number].sort_key is None:
            with QSignalBlocker(self):
                self.setSortIndicator(*self._first)
            self.viewport().update()
            return
        if number != self._first[0]:  # sorting by another column clears the second key
            self._second = None
        self._first = number, order
        self.viewport().update()
        self.order_changed.emit()

    def sort_second(self, second: IndicatedColumn | None) -> None:
        """Set the second sort key."""
        if second != self._second and not (second and second[0] == self._first[0]):
            self._second = second
            self.viewport().update()
            self.order_changed.emit()

    def turn(self, number: int, *, second: bool = False) -> None:
        """Sort as a click on a title does, or with `second` as a Shift+click does."""
        if COLUMNS[number].sort_key is None:
            return
        first, order = self._first
        if number == first:
            self.setSortIndicator(number, _UP if order is _DOWN else _DOWN)
        elif not second:
            self.setSortIndicator(number, _UP)
        elif self._second is None or self._second[0] != number:
            self.sort_second((number, _UP))
        else:
            self.sort_second((number, _DOWN) if self._second[1] is _UP else None)

    # --- columns

    def show_column(self, number: int, shown: bool) -> None:  # noqa: FBT001 - a slot of `toggled`
        """Show or hide a column until the user changes it."""
        self._temporary.pop(number, None)
        self._set_shown(number, shown=shown)

    def suit_problems(self, only_problems: bool) -> None:  # noqa: FBT001
        """Show reasons while only problems are listed, and hide columns that are empty for them. Not saved."""
        if only_problems:
            for number, shown in _FOR_PROBLEMS.items():
                if self.isSectionHidden(number) is shown:
                    self._temporary[number] = not shown
                    self._set_shown(number, shown=shown)
        else:
            for number, shown in self._temporary.items():
                self._set_shown(number, shown=shown)
            self._temporary.clear()

    def shows(self, number: int) -> bool:
        """Return whether a column is shown."""
        return not self.isSectionHidden(number)

    def _set_shown(self, number: int, *, shown: bool) -> None:
        self.setSectionHidden(number, not shown)
        self._least = 0
        if number == REASON and shown:
            self.resizeSection(STATUS, status_word_width(self.font()))
        self.fit()

    @Slot()
    def reset(self) -> None:
        """Reset the columns' order and widths."""
        self._temporary.clear()
        self._least = 0
        first = [COLUMN_OF_ID[name] for name in FIRST_ORDER]
        for place, number in enumerate([*first, *(other for other in range(len(COLUMNS)) if other not in first)]):
            self.setSectionHidden(number, False)
            self.moveSection(self.visualIndex(number), place)
            self.resizeSection(number, first_width(number, self.font()))
            self.setSectionHidden(number, not COLUMNS[number].shown)
        self.fit()

    def fit(self) -> None:
        """Give the stretching column the remaining width, as long as it stays readable."""
        elastic = self._elastic()
        others = sum(self.sectionSize(number) for number in range(self.count()) if number != elastic)
        least = max(self._least, _MIN_ELASTIC_CHARACTERS * self.fontMetrics().averageCharWidth())
        self.resizeSection(elastic, max(least, self._room() - others))

    def _room(self) -> int:
        """Return the viewport's width; the header's own follows a moment later."""
        table = self.parent()
        return (table if isinstance(table, QAbstractScrollArea) else self).viewport().width()

    def _elastic(self) -> int:
        """Return the stretching column: reasons are the longest texts."""
        return next((number for number in (REASON, STATUS) if self.shows(number)), NAME)

    @Slot()
    def fit_all(self) -> None:
        """Fit each column to its title and visible cells."""
        self.resizeSections(QHeaderView.ResizeMode.ResizeToContents)
        self._least = self.sectionSize(self._elastic())
        self.fit()

    # --- saved layout

    def shown_columns(self) -> list[Column]:
        """Return the shown columns in their order on the screen."""
        numbers = (self.logicalIndex(place) for place in range(self.count()))
        return [COLUMNS[number] for number in numbers if not self.isSectionHidden(number)]

    def layout_of_columns(self) -> list[ColumnLayout]:
        """Return the layout to save, in the order on the screen."""
        found = []
        for place in range(self.count()):
            number = self.logicalIndex(place)
            hidden = self.isSectionHidden(number)
            # A hidden column has no width; it gets its old width back when shown.
            with QSignalBlocker(self):
                self.setSectionHidden(number, False)
                width = self.sectionSize(number)
                self.setSectionHidden(number, hidden)
            found.append(ColumnLayout(COLUMNS[number].id, width, not self._temporary.get(number, not hidden)))
        return found

    def take_layout(self, layout: Sequence[ColumnLayout]) -> None:
        """Restore a saved layout; columns not in it stay behind the others."""
        self.reset()
        known = [column for column in layout if column.id in COLUMN_OF_ID]
        for place, column in enumerate(known):
            number = COLUMN_OF_ID[column.id]
            self.moveSection(self.visualIndex(number), place)
            self.setSectionHidden(number, False)
            self.resizeSection(number, max(_MIN_WIDTH, column.width))
            self.setSectionHidden(number, column.hidden and number != NAME)
        self.fit()

    # --- painting

    def paintSection(self, painter: QPainter, rect: QRect, number: int) -> None:
        """Paint one title."""
        order, is_second = None, False
        if number == self._first[0]:
            order = self._first[1]
        elif self._second is not None and number == self._second[0]:
            order, is_second = self._second[1], True
        has_keys = self.hasFocus() and self.current == number
        is_last = rect.left() <= 0 if self.isRightToLeft() else rect.right() >= self.viewport().width() - 1
        title = Title(number, order, is_second, has_keys, is_last)
        painter.setFont(self.font())
        paint_title(painter, rect, title, self._theme.colours, self.layoutDirection())

    def sectionSizeFromContents(self, number: int) -> QSize:
        """Return the size of a title with its arrow."""
        return title_size(number, self.font())

    def sizeHint(self) -> QSize:
        """Return a height that is easy to hit."""
        return QSize(super().sizeHint().width(), self.fontMetrics().height() + 14)
