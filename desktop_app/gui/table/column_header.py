"""The table's header: its column layout, sort order and painting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QPoint, QPointF, QRect, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView, QStyle, QWidget

from desktop_app.domain.job import Status
from desktop_app.domain.query import Sort, SortTerm
from desktop_app.gui.table.cells import CELL_PADDING, ICON_ROOM
from desktop_app.gui.table.columns import (
    ALIGNMENTS,
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
from desktop_app.gui.window_memory import ColumnLayout
from desktop_app.gui.wording import Wording, status_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desktop_app.gui.theme.theme import Theme


_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder

_MIN_WIDTH = 48

_MIN_ELASTIC_CHARACTERS = 26

_SHOWN_FOR_PROBLEMS = {REASON: True, PROGRESS: False, LINES: False}

_ARROW = 8

_ARROW_GAP = 5

_SECOND = "2"
"""The text beside the arrow of the second sort key."""

_LONG_SIZES = (999, 999_900)
"""Sizes in bytes whose texts are long: `999 bytes` has the longest unit, and `999.9 kB` the longest number."""

_MANY_LINES = 9_999_999
"""The lines of a file of several hundred megabytes."""

_LONG_SPAN_MS = (12 * 60 + 34) * 60_000

IndicatedColumn = tuple[int, Qt.SortOrder]
"""A sort column and its direction."""


class ColumnHeader(QHeaderView):
    """A header with sort arrows. One column is stretched so that the columns fill the table.

    Qt's sort indicator shows the first sort key. A second key orders the rows whose first keys are equal; it is cleared
    when the first key changes to another column. The Name column can't be hidden.

    Signals:
        order_changed(): The sort order has changed.

    Attributes:
        current: The column that has the keyboard focus whenever the header does.
        second: The second sort column and its direction, or None. Use `sort_second` to set it.
    """

    order_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.current = 0
        self.second: IndicatedColumn | None = None
        self._theme = theme
        self._first: IndicatedColumn = (-1, _UP)
        self._least = 0
        self._temporary: dict[int, bool] = {}  # the visibility to be restored, by column
        theme.changed.connect(self.viewport().update)
        self.setSectionsClickable(True)
        self.setSortIndicatorShown(True)
        self.sortIndicatorChanged.connect(self._follow_indicator)
        self.setSectionsMovable(True)
        self.setMinimumSectionSize(_MIN_WIDTH)
        self.setResizeContentsPrecision(0)  # only visible rows are measured

    # --- sorting

    def order(self) -> Sort:
        """Return the sort order."""
        terms = [(self.sortIndicatorSection(), self.sortIndicatorOrder()), *filter(None, [self.second])]
        return Sort(
            tuple(
                SortTerm(key, order is _DOWN)
                for number, order in terms
                if (key := COLUMNS[number].sort_key) is not None
            )
        )

    def set_order(self, order: Sort) -> None:
        """Show a sort order without emitting a signal. Keys without a column are ignored."""
        self._first, *rest = [
            (COLUMN_OF_SORT[term.key], _DOWN if term.descending else _UP)
            for term in order.terms
            if term.key in COLUMN_OF_SORT
        ]
        with QSignalBlocker(self):
            self.setSortIndicator(*self._first)
        self.second = next((second for second in rest if second[0] != self._first[0]), None)
        self.viewport().update()

    @Slot(int, Qt.SortOrder)
    def _follow_indicator(self, number: int, order: Qt.SortOrder) -> None:
        self.viewport().update()
        if COLUMNS[number].sort_key is None:
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
        if COLUMNS[number].sort_key is None:
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
        """Show or hide a column. The choice is part of the saved layout."""
        self._temporary.pop(number, None)
        self._set_shown(number, shown=shown)

    def show_problem_columns(self, *, only_problems: bool) -> None:
        """Temporarily show the Reason column and hide columns that would be empty, or restore the user's choice.

        Args:
            only_problems: Whether the list shows only problems; if not, the user's choice is restored.
        """
        if only_problems:
            for number, shown in _SHOWN_FOR_PROBLEMS.items():
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
            self.resizeSection(STATUS, self._status_word_width())
        self.fit()

    @Slot()
    def reset(self) -> None:
        """Restore the default columns, order and widths."""
        self._temporary.clear()
        self._least = 0
        first = [COLUMN_OF_ID[name] for name in FIRST_ORDER]
        for place, number in enumerate([*first, *(other for other in range(len(COLUMNS)) if other not in first)]):
            self.setSectionHidden(number, False)
            self.moveSection(self.visualIndex(number), place)
            self.resizeSection(number, self._default_width(number))
            self.setSectionHidden(number, not COLUMNS[number].shown)
        self.fit()

    def fit(self) -> None:
        """Let the stretched column fill the remaining width, but keep it wide enough to read."""
        elastic = self._elastic()
        others = sum(self.sectionSize(number) for number in range(self.count()) if number != elastic)
        least = max(self._least, _MIN_ELASTIC_CHARACTERS * self.fontMetrics().averageCharWidth())
        # The table's viewport, because the header's own viewport is resized later.
        table = self.parent()
        width = (table if isinstance(table, QAbstractScrollArea) else self).viewport().width()
        self.resizeSection(elastic, max(least, width - others))

    def _elastic(self) -> int:
        """Return the stretched column, which is the visible one with the longest texts."""
        return next((number for number in (REASON, STATUS) if self.shows(number)), NAME)

    @Slot()
    def fit_all(self) -> None:
        """Fit each column to its title and visible cells."""
        self.resizeSections(QHeaderView.ResizeMode.ResizeToContents)
        self._least = self.sectionSize(self._elastic())
        self.fit()

    def _default_width(self, number: int) -> int:
        """Return a width in pixels that fits a column's title and typical content."""
        wording, metrics = Wording(QLocale()), self.fontMetrics()
        samples: dict[int, Iterable[str]] = {
            LINES: [wording.number(_MANY_LINES)],
            COLUMN_OF_ID["size"]: map(wording.size, _LONG_SIZES),
            COLUMN_OF_ID["added"]: [wording.clock(QDateTime.currentMSecsSinceEpoch())],
            COLUMN_OF_ID["took"]: [wording.span(_LONG_SPAN_MS)],
        }
        return max(
            COLUMNS[number].width * metrics.averageCharWidth(),
            self.sectionSizeFromContents(number).width(),
            *(_cell_width(text, metrics) for text in samples.get(number, ())),
        )

    def _status_word_width(self) -> int:
        """Return the width in pixels that the Status column needs for the status words alone."""
        metrics = self.fontMetrics()
        words = max(_cell_width(status_word(status), metrics) for status in Status)
        return max(words + ICON_ROOM, self.sectionSizeFromContents(STATUS).width())

    # --- saved layout

    def shown_numbers(self) -> list[int]:
        """Return the logical indexes of the visible columns, in visual order."""
        numbers = (self.logicalIndex(place) for place in range(self.count()))
        return [number for number in numbers if self.shows(number)]

    def shown_columns(self) -> list[Column]:
        """Return the visible columns, in visual order."""
        return [COLUMNS[number] for number in self.shown_numbers()]

    def column_layout(self) -> list[ColumnLayout]:
        """Return the order, widths and visibility of the columns, as `restore_layout` expects them."""
        layout = []
        for number in map(self.logicalIndex, range(self.count())):
            hidden = self.isSectionHidden(number)
            # Qt reports a width of 0 for a hidden column, although it remembers the column's width.
            with QSignalBlocker(self):
                self.setSectionHidden(number, False)
                width = self.sectionSize(number)
                self.setSectionHidden(number, hidden)
            layout.append(ColumnLayout(COLUMNS[number].id, width, not self._temporary.get(number, not hidden)))
        return layout

    def restore_layout(self, layout: Sequence[ColumnLayout]) -> None:
        """Restore a saved layout. Columns that are missing from it are placed last."""
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
        text = metrics.elidedText(COLUMNS[number].heading, Qt.TextElideMode.ElideRight, max(0, rect.width() - mark))
        side = QStyle.visualAlignment(self.layoutDirection(), ALIGNMENTS[number])
        painter.drawText(rect, side, text)
        if order is not None:
            width = metrics.horizontalAdvance(text)
            is_right = bool(side & Qt.AlignmentFlag.AlignRight)
            left = rect.right() - width - mark if is_right else rect.left() + width + _ARROW_GAP
            _paint_arrow(painter, QPointF(left, rect.center().y()), order, second=second)

    def sectionSizeFromContents(self, number: int) -> QSize:
        """Return the size of a title with an arrow, but without the 2 for a second sort key, which is rare."""
        metrics = QFontMetrics(_title_font(self.font()))
        width = metrics.horizontalAdvance(COLUMNS[number].heading) + _ARROW_GAP + _ARROW + 2 * CELL_PADDING + 1
        return QSize(width, metrics.height() + 14)

    def sizeHint(self) -> QSize:
        """Return a size that makes the titles easy to click."""
        return QSize(super().sizeHint().width(), self.fontMetrics().height() + 14)


def _title_font(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def _cell_width(text: str, metrics: QFontMetrics) -> int:
    return metrics.horizontalAdvance(text) + 2 * CELL_PADDING + 2


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
