"""Painting and measuring of column titles, independent of the header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle

from desktop_app.domain.job import Status
from desktop_app.gui.table.cells import CELL_PADDING, ICON_ROOM
from desktop_app.gui.table.columns import ALIGNMENTS, COLUMN_OF_ID, COLUMNS, STATUS
from desktop_app.gui.wording import Wording, status_word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop_app.gui.theme.theme import Colours


_ARROW = 8

_ARROW_GAP = 5

_SECOND = "2"
"""The number beside the arrow of the second key."""

_LONG_SIZES = (999, 999_900)
"""In bytes: without a unit the word is longer, with one the number."""

_LONG_SPAN_MS = (12 * 60 + 34) * 60_000


@dataclass(frozen=True, slots=True)
class Title:
    """The content of a painted title.

    Attributes:
        number: The column.
        order: Its sort direction; None if the list is not sorted by it.
        is_second: Whether it is the second sort key.
        has_keys: Whether it has the focus.
        is_last: Whether it is the last one on the screen.
    """

    number: int
    order: Qt.SortOrder | None = None
    is_second: bool = False
    has_keys: bool = False
    is_last: bool = False


def title_font(font: QFont) -> QFont:
    """Return the font of titles."""
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def title_size(number: int, font: QFont) -> QSize:
    """Return the size of a title with its arrow. The small 2 is too rare to reserve space for."""
    metrics = QFontMetrics(title_font(font))
    mark = _ARROW_GAP + _ARROW
    return QSize(
        metrics.horizontalAdvance(COLUMNS[number].heading) + mark + 2 * CELL_PADDING + 1, metrics.height() + 14
    )


def paint_title(painter: QPainter, rect: QRect, title: Title, colours: Colours, direction: Qt.LayoutDirection) -> None:
    """Paint one title with its arrow beside the text.

    Args:
        painter: The painter, with the header's font.
        rect: The title's rectangle.
        title: What to paint.
        colours: The theme's.
        direction: The layout direction.
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


def first_width(number: int, font: QFont) -> int:
    """Return a default width in pixels that fits the title and typical content."""
    metrics = QFontMetrics(font)
    return max(
        COLUMNS[number].width * metrics.averageCharWidth(),
        title_size(number, font).width(),
        _width_of(_samples(number), metrics),
    )


def status_word_width(font: QFont) -> int:
    """Return the width in pixels of a status without details."""
    words = _width_of((status_word(status) for status in Status), QFontMetrics(font))
    return max(words + ICON_ROOM, title_size(STATUS, font).width())


def _samples(number: int) -> Iterable[str]:
    """Return long samples of a column's typical content."""
    wording = Wording(QLocale())
    now = QDateTime.currentMSecsSinceEpoch()
    return {
        COLUMN_OF_ID["size"]: map(wording.size, _LONG_SIZES),
        COLUMN_OF_ID["added"]: (wording.clock(now),),
        COLUMN_OF_ID["took"]: (wording.span(_LONG_SPAN_MS),),
    }.get(number, ())


def _width_of(texts: Iterable[str], metrics: QFontMetrics) -> int:
    return max((metrics.horizontalAdvance(text) + 2 * CELL_PADDING + 2 for text in texts), default=0)
