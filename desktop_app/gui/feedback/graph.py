"""A graph of one quantity over a span of time, painted by ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.gui.feedback.graph_axes import nice_top, span_sentence, time_marks, value_marks
from desktop_app.gui.feedback.series import draw_series
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QPaintEvent

    from desktop_app.gui.feedback.history import Span
    from desktop_app.gui.look.look import Look

_GAP = 6
_GROUND = 0.18
_HEIGHT = 96
_LEAST_WIDTH = 220


class Graph(QWidget):
    """Shows values of a span; says them to a screen reader in a sentence.

    Args:
        title: What is counted, `Files per second`.
        say: Writes a value.
        colour: Which of the look's colours.
        look: The colours.
        parent: Qt's owner.
        least: The axis never ends below this.
    """

    def __init__(
        self,
        title: str,
        say: Callable[[float], str],
        colour: str,
        look: Look,
        parent: QWidget | None = None,
        *,
        least: float = 1.0,
    ) -> None:
        super().__init__(parent)
        self._title = title
        self._say = say
        self._colour = colour
        self._look = look
        self._least = least
        self._values: tuple[float, ...] = ()
        self._span: Span | None = None
        self._end_s = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)
        look.changed.connect(self.update)

    def show_values(self, values: Sequence[float], span: Span, end_s: int) -> None:
        """Show these values, the oldest first; the last one ends at `end_s`, in seconds since 1970."""
        values = tuple(values)
        if (values, span, end_s) == (self._values, self._span, self._end_s):
            return
        self._values, self._span, self._end_s = values, span, end_s
        self.setAccessibleDescription(self.summary)
        self.setToolTip(self.summary)
        self.update()

    @property
    def summary(self) -> str:
        """What it shows, in a sentence."""
        if self._span is None or not self._values:
            return ""
        return tr("{what}, {span}: now {now}, highest {highest}, on average {average}").format(
            what=self._title,
            span=span_sentence(self._span),
            now=self._say(self._values[-1]),
            highest=self._say(max(self._values)),
            average=self._say(sum(self._values) / len(self._values)),
        )

    def minimumSizeHint(self) -> QSize:
        """Enough to see a line in."""
        return QSize(_LEAST_WIDTH, _HEIGHT + 2 * self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """As small as may be: what is left of the window is the list's."""
        return self.minimumSizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Title, axes, grid, line, and who has the keyboard."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._look.colours
        metrics = self.fontMetrics()
        top = nice_top(max(self._values, default=0.0), self._least)
        rows = value_marks(top, self._say)
        side = max(metrics.horizontalAdvance(mark.text) for mark in rows) + _GAP
        head = metrics.height() + _GAP
        place = QRectF(self.rect()).adjusted(_GAP + side, head + metrics.height() / 2, -2 * _GAP, -head - 2)
        painter.setPen(QColor(colours.text))
        painter.drawText(QRectF(self.rect()).adjusted(_GAP, 2, -_GAP, 0), Qt.AlignmentFlag.AlignTop, self._title)
        self._draw_rows(painter, place, [(mark.at, mark.text) for mark in rows])
        if self._span is not None:
            self._draw_times(painter, place)
            self._draw_line(painter, place, top)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)

    def _draw_rows(self, painter: QPainter, place: QRectF, rows: Sequence[tuple[float, str]]) -> None:
        colours, height = self._look.colours, self.fontMetrics().height()
        for at, text in ((0.0, ""), *rows):
            y = round(place.bottom() - at * place.height()) + 0.5
            painter.setPen(QPen(QColor(colours.edge if at == 0 else colours.line), 1))
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
            painter.setPen(QColor(colours.muted))
            label = QRectF(0, y - height / 2, place.left() - _GAP, height)
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_times(self, painter: QPainter, place: QRectF) -> None:
        if self._span is None:
            return
        colours, metrics = self._look.colours, self.fontMetrics()
        taken = -1.0
        marks = time_marks(self._span, self._end_s)
        for mark in sorted(marks, key=lambda mark: mark.at):
            x = round(place.left() + mark.at * place.width()) + 0.5
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))
            width = metrics.horizontalAdvance(mark.text)
            left = min(max(place.left() - width / 2, x - width / 2), self.width() - _GAP - width)
            if left > taken:
                painter.setPen(QColor(colours.muted))
                painter.drawText(QPointF(left, place.bottom() + metrics.ascent() + 4), mark.text)
                taken = left + width + 2 * _GAP

    def _draw_line(self, painter: QPainter, place: QRectF, top: float) -> None:
        colour = QColor(getattr(self._look.colours, self._colour))
        draw_series(painter, place, [value / top for value in self._values], colour, width=1.8, ground=_GROUND)
