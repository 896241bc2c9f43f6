"""How a column's title is painted: its words, and beside them how the list is sorted by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QDateTime,
    QItemSelectionModel,
    QLocale,
    QPoint,
    QPointF,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView, QStyle

from desktop_app.domain.job import Status
from desktop_app.domain.query import ListQuery
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
)
from desktop_app.gui.window_memory import ColumnLayout
from desktop_app.gui.wording import Wording, status_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtCore import QAbstractItemModel
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.theme.colours import Colours
    from desktop_app.gui.theme.theme import Theme


_ARROW = 8

_ARROW_GAP = 5

_SECOND = "2"
"""Beside the arrow of the second key."""


@dataclass(frozen=True, slots=True)
class Title:
    """One title as it is now.

    Attributes:
        number: Whose.
        order: How the list is sorted by it, None = it is not.
        is_second: Whether that is the order of what is equal in another column.
        has_keys: Whether the keyboard is at it.
        is_last: Whether it stands last on the screen.
    """

    number: int
    order: Qt.SortOrder | None = None
    is_second: bool = False
    has_keys: bool = False
    is_last: bool = False


def title_font(font: QFont) -> QFont:
    """What titles are written in."""
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def title_size(number: int, font: QFont) -> QSize:
    """The room that a title takes, with its arrow. The small 2 is too rare to keep room for it."""
    metrics = QFontMetrics(title_font(font))
    mark = _ARROW_GAP + _ARROW
    return QSize(
        metrics.horizontalAdvance(COLUMNS[number].heading) + mark + 2 * CELL_PADDING + 1, metrics.height() + 14
    )


def paint_title(painter: QPainter, rect: QRect, title: Title, colours: Colours, direction: Qt.LayoutDirection) -> None:
    """Paint one title, its arrow beside its words rather than on them.

    Args:
        painter: With the header's own font.
        rect: Its place.
        title: What to paint.
        colours: Of now.
        direction: In which the window is read.
    """
    painter.fillRect(rect, QColor(colours.window))
    painter.setPen(QColor(colours.line))
    painter.drawLine(rect.bottomLeft(), rect.bottomRight())
    if not title.is_last:
        end = rect.left() if direction is Qt.LayoutDirection.RightToLeft else rect.right()
        painter.drawLine(QPoint(end, rect.top() + 6), QPoint(end, rect.bottom() - 7))
    if title.has_keys:
        painter.setPen(QPen(QColor(colours.accent), 2))
        painter.drawRect(rect.adjusted(2, 2, -3, -3))
    painter.setPen(QColor(colours.text if title.order is not None else colours.muted))
    painter.setFont(title_font(painter.font()))
    inner = rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, 0)
    mark = 0
    if title.order is not None:
        mark = _ARROW_GAP + _ARROW + (painter.fontMetrics().horizontalAdvance(_SECOND) if title.is_second else 0)
    heading = COLUMNS[title.number].heading
    text = painter.fontMetrics().elidedText(heading, Qt.TextElideMode.ElideRight, max(0, inner.width() - mark))
    side = QStyle.visualAlignment(direction, ALIGNMENTS[title.number])
    painter.drawText(inner, side, text)
    if title.order is not None:
        wide = painter.fontMetrics().horizontalAdvance(text)
        stands_right = bool(side & Qt.AlignmentFlag.AlignRight)
        left = inner.right() - wide - mark if stands_right else inner.left() + wide + _ARROW_GAP
        _paint_mark(painter, QPointF(left, rect.center().y()), title)


def _paint_mark(painter: QPainter, middle_left: QPointF, title: Title) -> None:
    up = title.order is Qt.SortOrder.AscendingOrder
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
    if title.is_second:
        small = QFont(painter.font())
        small.setPointSizeF(small.pointSizeF() * 0.75)
        painter.setFont(small)
        painter.drawText(middle_left + QPointF(_ARROW + 1, painter.fontMetrics().ascent() / 2 + 2), _SECOND)


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

    def __init__(self, look: Theme, parent: QWidget) -> None:
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


_LONG_SIZE = 999_900

_LONG_SPAN_MS = (12 * 60 + 34) * 60_000


def first_width(number: int, font: QFont) -> int:
    """In pixels; the title and what usually stands in the column fit."""
    metrics = QFontMetrics(font)
    return max(
        COLUMNS[number].width * metrics.averageCharWidth(),
        title_size(number, font).width(),
        _width_of(_samples(number), metrics),
    )


def status_word_width(font: QFont) -> int:
    """What a status takes that is only a word, in pixels."""
    words = _width_of((status_word(status) for status in Status), QFontMetrics(font))
    return max(words + ICON_ROOM, title_size(STATUS, font).width())


def _samples(number: int) -> Iterable[str]:
    """Long ones of what usually stands in a column."""
    wording = Wording(QLocale())
    now = QDateTime.currentMSecsSinceEpoch()
    return {
        COLUMN_OF_ID["size"]: (wording.size(_LONG_SIZE),),
        COLUMN_OF_ID["added"]: (wording.clock(now),),
        COLUMN_OF_ID["took"]: (wording.span(_LONG_SPAN_MS),),
    }.get(number, ())


def _width_of(texts: Iterable[str], metrics: QFontMetrics) -> int:
    return max((metrics.horizontalAdvance(text) + 2 * CELL_PADDING + 2 for text in texts), default=0)


_MIN_WIDTH = 48

_MIN_ELASTIC_CHARACTERS = 26

_FOR_PROBLEMS = {REASON: True, PROGRESS: False, LINES: False}


class ColumnHeader(SortHeader):
    """Name always stays; the columns fill the width."""

    def __init__(self, look: Theme, parent: QWidget) -> None:
        super().__init__(look, parent)
        self._least = 0
        self._for_now: dict[int, bool] = {}  # whether they are shown otherwise
        self.setSectionsMovable(True)
        self.setStretchLastSection(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setMinimumSectionSize(_MIN_WIDTH)
        self.setResizeContentsPrecision(0)  # what is to be seen; never a thousand rows

    def show_column(self, number: int, shown: bool) -> None:  # noqa: FBT001 - a slot of `toggled`
        """Show or hide a column; to stay."""
        self._for_now.pop(number, None)
        self._set_shown(number, shown=shown)

    def suit_problems(self, only_problems: bool) -> None:  # noqa: FBT001
        """While only problems are listed, show reasons, and not what is empty for all of them. Not remembered."""
        if only_problems:
            for number, shown in _FOR_PROBLEMS.items():
                if self.isSectionHidden(number) is shown:
                    self._for_now[number] = not shown
                    self._set_shown(number, shown=shown)
        else:
            for number, shown in self._for_now.items():
                self._set_shown(number, shown=shown)
            self._for_now.clear()

    def shows(self, number: int) -> bool:
        """Whether a column is to be seen."""
        return not self.isSectionHidden(number)

    def _set_shown(self, number: int, *, shown: bool) -> None:
        self.setSectionHidden(number, not shown)
        self._least = 0
        if number == REASON and shown:
            self.resizeSection(STATUS, status_word_width(self.font()))
        self.fit()

    @Slot()
    def reset(self) -> None:
        """All columns in their first order and width."""
        self._for_now.clear()
        self._least = 0
        first = [COLUMN_OF_ID[name] for name in FIRST_ORDER]
        for place, number in enumerate([*first, *(other for other in range(len(COLUMNS)) if other not in first)]):
            self.setSectionHidden(number, False)
            self.moveSection(self.visualIndex(number), place)
            self.resizeSection(number, first_width(number, self.font()))
            self.setSectionHidden(number, not COLUMNS[number].shown)
        self.fit()

    def fit(self) -> None:
        """Let the elastic column take the room that the others leave, as long as it stays readable."""
        elastic = self._elastic()
        others = sum(self.sectionSize(number) for number in range(self.count()) if number != elastic)
        least = max(self._least, _MIN_ELASTIC_CHARACTERS * self.fontMetrics().averageCharWidth())
        self.resizeSection(elastic, max(least, self._room() - others))

    def _room(self) -> int:
        """The width of the rows: the header itself follows that a moment later."""
        table = self.parent()
        return (table if isinstance(table, QAbstractScrollArea) else self).viewport().width()

    def _elastic(self) -> int:
        """Reasons are the longest texts."""
        return next((number for number in (REASON, STATUS) if self.shows(number)), NAME)

    @Slot()
    def fit_all(self) -> None:
        """Make each column as wide as its title and what is to be seen of it."""
        self.resizeSections(QHeaderView.ResizeMode.ResizeToContents)
        self._least = self.sectionSize(self._elastic())
        self.fit()

    def layout_of_columns(self) -> list[ColumnLayout]:
        """The columns as they are to be remembered, in their order on the screen."""
        found = []
        for place in range(self.count()):
            number = self.logicalIndex(place)
            hidden = self.isSectionHidden(number)
            # A hidden column has no width; it gets its old one back when it is shown.
            with QSignalBlocker(self):
                self.setSectionHidden(number, False)
                width = self.sectionSize(number)
                self.setSectionHidden(number, hidden)
            found.append(ColumnLayout(COLUMNS[number].id, width, not self._for_now.get(number, not hidden)))
        return found

    def take_layout(self, layout: Sequence[ColumnLayout]) -> None:
        """Arrange the columns as they were; those that are not named stay in their first place behind the others."""
        self.reset()
        known = [column for column in layout if column.id in COLUMN_OF_ID]
        for place, column in enumerate(known):
            number = COLUMN_OF_ID[column.id]
            self.moveSection(self.visualIndex(number), place)
            self.setSectionHidden(number, False)
            self.resizeSection(number, max(_MIN_WIDTH, column.width))
            self.setSectionHidden(number, column.hidden and number != NAME)
        self.fit()
