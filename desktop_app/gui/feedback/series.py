"""A row of values as a line over a pale ground: the graphs' and the status bar's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QRectF


def draw_series(
    painter: QPainter, place: QRectF, fractions: Sequence[float], colour: QColor, *, width: float, ground: float
) -> None:
    """Draw it from the left edge to the right one; nothing if there are no values.

    Args:
        painter: Of the widget.
        place: Where; the ground reaches down to its bottom.
        fractions: The values, 0 at the bottom and 1 at the top.
        colour: The line's.
        width: The line's, in pixels.
        ground: How much of the colour the ground has, 0…1.
    """
    step = place.width() / max(1, len(fractions) - 1)
    points = [
        QPointF(place.left() + at * step, place.bottom() - value * place.height()) for at, value in enumerate(fractions)
    ]
    if not points:
        return
    line = QPainterPath(points[0])
    for point in points[1:]:
        line.lineTo(point)
    below = QPainterPath(line)
    below.lineTo(place.bottomRight())
    below.lineTo(place.bottomLeft())
    pale = QColor(colour)
    pale.setAlphaF(ground)
    painter.fillPath(below, pale)
    painter.setPen(QPen(colour, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(line)
