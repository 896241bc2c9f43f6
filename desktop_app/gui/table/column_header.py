"""The table's header: its column layout, sort order and painting."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSignalBlocker, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView, QStyle, QWidget

from desktop_app.domain.fields import RESULT_PREFIX
from desktop_app.domain.query import Sort, SortTerm
from desktop_app.gui.table.columns import FIRST_ORDER, LINES, NAME, PROGRESS, REASON, Column, Columns
from desktop_app.gui.table.widths import CELL_PADDING, LEAST_WIDTH, ColumnWidths
from desktop_app.gui.window_memory import ColumnLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder

_EMPTY_FOR_PROBLEMS = frozenset({PROGRESS, LINES})
"""The columns that are empty while only failed files are listed."""

_ARROW = 8

_ARROW_GAP = 5

_SECOND = "2"
"""The text beside the arrow of the second sort key."""

IndicatedColumn = tuple[int, Qt.SortOrder]
"""A sort column and its direction."""


class ColumnHeader(QHeaderView):
    """A header with sort arrows, whose columns fill the table.

    The widths and the visibility that a person chooses are kept. All others are automatic: see `widths`. The Reason
    column appears when there are reasons, and columns for which there is no room are left out. Name can't be hidden.

    Qt's sort indicator shows the first sort key. A second key orders the rows whose first keys are equal; it is cleared
    when the first key changes to another column.

    Columns that are added are hidden, unless a person has chosen to see them.

    Signals:
        order_changed(): The sort order has changed.
        shown_changed(): A column is shown or hidden.

    Attributes:
        current: The column that has the keyboard focus whenever the header does.
        second: The second sort column and its direction, or None. Use `sort_second` to set it.
        widest: The widest text seen so far in each column; see `ColumnWidths`.

    Args:
        theme: The theme.
        wording: The formatter of the cells.
        columns: The columns.
        parent: The table.
    """

    order_changed = Signal()
    shown_changed = Signal()

    def __init__(self, theme: Theme, wording: Wording, columns: Columns, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.current = 0
        self.second: IndicatedColumn | None = None
        self._theme = theme
        self._wording = wording
        self._columns = columns
        self._first: IndicatedColumn = (-1, _UP)
        self._own_widths: dict[int, int] = {}
        self._chosen: dict[int, bool] = {}  # whether a person wants to see a column
        self._not_added: dict[str, ColumnLayout] = {}  # the saved layout of columns that may be added later
        self._only_problems = self._has_reasons = False
        self._is_arranging = False
        self._fit_later = QTimer(self, singleShot=True, interval=0)
        self._fit_later.timeout.connect(self.fit)
        self.setSectionsClickable(True)
        self.setSortIndicatorShown(True)
        self.sortIndicatorChanged.connect(self._follow_indicator)
        self.sectionResized.connect(self._keep_width)
        self.setSectionsMovable(True)
        self.setMinimumSectionSize(LEAST_WIDTH)
        self.setResizeContentsPrecision(0)  # only visible rows are measured
        self._measure()
        self.sectionCountChanged.connect(self._grow)

    # --- sorting

    def order(self) -> Sort:
        """Return the sort order."""
        terms = [(self.sortIndicatorSection(), self.sortIndicatorOrder()), *filter(None, [self.second])]
        return Sort(
            tuple(
                SortTerm(key, order is _DOWN)
                for number, order in terms
                if (key := self._columns[number].sort_key) is not None
            )
        )

    def set_order(self, order: Sort) -> None:
        """Show a sort order without emitting a signal. Keys without a column are ignored."""
        self._first, *rest = [
            (number, _DOWN if term.descending else _UP)
            for term in order.terms
            if (number := self._columns.of_sort(term.key)) is not None
        ]
        with QSignalBlocker(self):
            self.setSortIndicator(*self._first)
        self.second = next((second for second in rest if second[0] != self._first[0]), None)
        self.viewport().update()

    @Slot(int, Qt.SortOrder)
    def _follow_indicator(self, number: int, order: Qt.SortOrder) -> None:
        self.viewport().update()
        if self._columns[number].sort_key is None:
            with QSignalBlocker(self):
                self.setSortIndicator(*self._first)
            return
        if number != self._first[0]:
            self.second = None
        self._first = number, order
        self.order_changed.emit()

    def sort_second(self, second: IndicatedColumn | None) -> None:
        """Set or clear the second sort key."""
        if second != self.second and not (second and second[0] == self._first[0]):
            self.second = second
            self.viewport().update()
            self.order_changed.emit()

    def sort_by(self, number: int, *, second: bool = False) -> None:
        """Sort by a column as if its title had been clicked.

        Args:
            number: The column.
            second: Whether Shift was held, so that the column becomes the second sort key.
        """
        if self._columns[number].sort_key is None:
            return
        first, order = self._first
        if number == first:
            self.setSortIndicator(number, _UP if order is _DOWN else _DOWN)
        elif not second:
            self.setSortIndicator(number, _UP)
        elif self.second is None or self.second[0] != number:
            self.sort_second((number, _UP))
        else:
            self.sort_second((number, _DOWN) if self.second[1] is _UP else None)

    # --- columns

    def show_column(self, number: int, shown: bool) -> None:  # noqa: FBT001 - a slot for `toggled`
        """Show or hide a column, as a person chose."""
        self._chosen[number] = shown
        self.fit()

    def show_reasons(self, *, has_problems: bool, only_problems: bool, may_hide: bool) -> None:
        """Follow the content of the list: show the Reason column if there are reasons, and no empty columns.

        Args:
            has_problems: Whether the list may contain failed files.
            only_problems: Whether it contains nothing else.
            may_hide: Whether the Reason column disappears if there are no reasons. It should not come and go while
                files are processed.
        """
        has_reasons = has_problems or only_problems or (self._has_reasons and not may_hide)
        if (has_reasons, only_problems) != (self._has_reasons, self._only_problems):
            self._has_reasons, self._only_problems = has_reasons, only_problems
            self.fit()

    def note_reason(self) -> None:
        """Show the Reason column soon, because a visible file waits for a reason. Called while cells are painted."""
        if not self._has_reasons:
            self._has_reasons = True
            self._fit_later.start()

    def measure_again(self) -> None:
        """Fit Name and Reason to the texts that are shown from now on."""
        self._widths.forget()
        self._fit_later.start()

    def note_width(self, number: int, width: int) -> None:
        """Make a column wider soon, because a text in it is wider than all before. Called while cells are painted."""
        self._widths.note(number, width)
        self._fit_later.start()

    def natural_width(self, number: int) -> int:
        """Return the width with which a column shows all that it has shown so far."""
        return self._widths.natural(number)

    def shows(self, number: int) -> bool:
        """Return whether a column is shown."""
        return not self.isSectionHidden(number)

    @Slot()
    def reset(self) -> None:
        """Restore the default columns, order and widths."""
        self._own_widths.clear()
        self._chosen.clear()
        self._not_added.clear()
        self._set_order(self._default_order())
        self.fit()

    def _default_order(self) -> list[int]:
        return sorted(
            range(len(self._columns)), key=lambda number: (self._columns[number].id not in FIRST_ORDER, number)
        )

    @Slot()
    def _grow(self) -> None:
        """Measure columns that were added, and restore what a person chose for them."""
        first = len(self.widest)
        self._measure_more()
        for number in range(first, len(self._columns)):
            layout = self._not_added.pop(self._columns[number].id, None)
            if layout is not None:
                self._restore_choice(number, layout)
        if first < len(self._columns):
            self.fit()

    def _set_order(self, numbers: Sequence[int]) -> None:
        for place, number in enumerate(numbers):
            self.moveSection(self.visualIndex(number), place)

    def _measure(self) -> None:
        """Start again with the usual widths of the texts in the current font."""
        self._widths = ColumnWidths(self._wording, self.fontMetrics(), self._columns)
        self.widest = self._widths.widest
        self._measure_more()

    def _measure_more(self) -> None:
        for number in range(len(self.widest), len(self._columns)):
            self._widths.add(self.sectionSizeFromContents(number).width())

    def _wanted(self) -> list[int]:
        """Return the columns to show if there is room."""
        automatic = {REASON: self._has_reasons}
        if self._only_problems:
            automatic |= dict.fromkeys(_EMPTY_FOR_PROBLEMS, False)
        return [
            number
            for number, column in enumerate(self._columns)
            if number == NAME or self._chosen.get(number, automatic.get(number, column.shown))
        ]

    @Slot()
    def fit(self) -> None:
        """Show the columns for which there is room, and let them fill the table."""
        # The table's viewport, because the header's own viewport is resized later.
        table = self.parent()
        room = (table if isinstance(table, QAbstractScrollArea) else self).viewport().width()
        wanted = self._wanted()
        dropped = self._widths.dropped(wanted, self._chosen, room)
        shown = [number for number in wanted if number not in dropped]
        widths = self._widths.shared(shown, self._own_widths, room)
        is_changed = False
        with self._arranging():
            for number in range(self.count()):
                if self.isSectionHidden(number) is (number in widths):
                    self.setSectionHidden(number, number not in widths)
                    is_changed = True
            for number, width in widths.items():
                if self.sectionSize(number) != width:
                    self.resizeSection(number, width)
        if is_changed:
            self.shown_changed.emit()

    @contextmanager
    def _arranging(self) -> Iterator[None]:
        """Mark changes of widths as not made by a person."""
        before, self._is_arranging = self._is_arranging, True
        try:
            yield
        finally:
            self._is_arranging = before

    @Slot(int, int, int)
    def _keep_width(self, number: int, _old: int, new: int) -> None:
        """Keep a width that a person chose."""
        if not self._is_arranging and new > 0:
            self._own_widths[number] = new

    @Slot()
    def fit_all(self) -> None:
        """Fit each column to its title and visible cells."""
        self.resizeSections(QHeaderView.ResizeMode.ResizeToContents)
        if self.length() < self.viewport().width():
            self._own_widths.pop(NAME, None)
        self.fit()

    def changeEvent(self, event: QEvent) -> None:
        """Measure the columns in a new font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()
            self._fit_later.start()

    # --- saved layout

    def shown_numbers(self) -> list[int]:
        """Return the logical indexes of the visible columns, in visual order."""
        numbers = (self.logicalIndex(place) for place in range(self.count()))
        return [number for number in numbers if self.shows(number)]

    def shown_columns(self) -> list[Column]:
        """Return the visible columns, in visual order."""
        return [self._columns[number] for number in self.shown_numbers()]

    def column_layout(self) -> list[ColumnLayout]:
        """Return the order of the columns and what a person chose, or nothing if all is as by default."""
        order = tuple(map(self.logicalIndex, range(self.count())))
        is_default = order == tuple(self._default_order()) and not self._own_widths and not self._chosen
        if is_default and not self._not_added:
            return []
        layout = [
            ColumnLayout(self._columns[number].id, self._own_widths.get(number), self._chosen.get(number))
            for number in order
        ]
        return [*layout, *self._not_added.values()]

    def restore_layout(self, layout: Sequence[ColumnLayout]) -> None:
        """Restore a saved layout. Columns that are missing from it are placed last."""
        self.reset()
        known = [(number, column) for column in layout if (number := self._columns.of_id(column.id)) is not None]
        self._set_order([number for number, _ in known])
        for number, column in known:
            self._restore_choice(number, column)
        self._not_added = {
            column.id: column
            for column in layout
            if column.id.startswith(RESULT_PREFIX) and self._columns.of_id(column.id) is None
        }
        self.fit()

    def _restore_choice(self, number: int, layout: ColumnLayout) -> None:
        if layout.width is not None:
            self._own_widths[number] = max(LEAST_WIDTH, layout.width)
        if layout.shown is not None:
            self._chosen[number] = layout.shown

    # --- painting

    def paintSection(self, painter: QPainter, rect: QRect, number: int) -> None:
        """Paint a title with its separators and, if it is focused, the focus ring."""
        colours, from_right = self._theme.colours, self.isRightToLeft()
        painter.fillRect(rect, QColor(colours.window))
        painter.setPen(QColor(colours.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        is_last = rect.left() <= 0 if from_right else rect.right() >= self.viewport().width() - 1
        if not is_last:
            end = rect.left() if from_right else rect.right()
            painter.drawLine(QPoint(end, rect.top() + 6), QPoint(end, rect.bottom() - 7))
        if self.hasFocus() and self.current == number:
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRect(rect.adjusted(2, 2, -3, -3))
        is_second = self.second is not None and self.second[0] == number != self._first[0]
        sorted_by = self.second if is_second else self._first
        order = sorted_by[1] if sorted_by is not None and sorted_by[0] == number else None
        painter.setFont(_title_font(self.font()))
        painter.setPen(QColor(colours.muted if order is None else colours.text))
        self._paint_heading(painter, rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, 0), number, order, second=is_second)

    def _paint_heading(
        self, painter: QPainter, rect: QRect, number: int, order: Qt.SortOrder | None, *, second: bool
    ) -> None:
        """Paint the text of a title, with an arrow beside it if the list is sorted by that column."""
        metrics, mark = painter.fontMetrics(), 0
        if order is not None:
            mark = _ARROW_GAP + _ARROW + (metrics.horizontalAdvance(_SECOND) if second else 0)
        text = metrics.elidedText(
            self._columns[number].heading, Qt.TextElideMode.ElideRight, max(0, rect.width() - mark)
        )
        side = QStyle.visualAlignment(self.layoutDirection(), self._columns[number].alignment)
        painter.drawText(rect, side, text)
        if order is not None:
            width = metrics.horizontalAdvance(text)
            is_right = bool(side & Qt.AlignmentFlag.AlignRight)
            left = rect.right() - width - mark if is_right else rect.left() + width + _ARROW_GAP
            _paint_arrow(painter, QPointF(left, rect.center().y()), order, second=second)

    def sectionSizeFromContents(self, number: int) -> QSize:
        """Return the size of a title with an arrow, but without the 2 for a second sort key, which is rare."""
        metrics = QFontMetrics(_title_font(self.font()))
        width = metrics.horizontalAdvance(self._columns[number].heading) + _ARROW_GAP + _ARROW + 2 * CELL_PADDING + 1
        return QSize(width, metrics.height() + 14)

    def sizeHint(self) -> QSize:
        """Return a size that makes the titles easy to click."""
        return QSize(super().sizeHint().width(), self.fontMetrics().height() + 14)


def _title_font(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def _paint_arrow(painter: QPainter, middle_left: QPointF, order: Qt.SortOrder, *, second: bool) -> None:
    """Paint a sort arrow, with a small 2 beside it for the second sort key."""
    tip, foot = (-_ARROW / 4, _ARROW / 4) if order is _UP else (_ARROW / 4, -_ARROW / 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(painter.pen().color(), 1.6, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
    points = ((0, foot), (_ARROW / 2, tip), (_ARROW, foot))
    painter.drawPolyline([middle_left + QPointF(x, y) for x, y in points])
    if second:
        small = QFont(painter.font())
        small.setPointSizeF(small.pointSizeF() * 0.75)
        painter.setFont(small)
        painter.drawText(middle_left + QPointF(_ARROW + 1, painter.fontMetrics().ascent() / 2 + 2), _SECOND)
