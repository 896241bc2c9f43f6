"""The throughput graphs: files and bytes per second over a span of one minute to 24 hours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPainterPath, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.run_watch import History, Span
from desktop_app.gui.widgets.dialogs import spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

_GRID_LINES = 4

_WHOLE_FROM = 100

_MARK_SECONDS = {Span.MINUTE: 15, Span.MINUTES_5: 60, Span.HOUR: 900, Span.HOURS_6: 3_600, Span.DAY: 14_400}
"""The distance between two marks on the time axis, in seconds."""

_GAP = 6

_FILL_OPACITY = 0.18

_LEAST_WIDTH, _LEAST_HEIGHT = 220, 96

_EVERY_MS = 1_000

_LEAST_FILES, _LEAST_BYTES = 0.01, 1_000.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on an axis.

    Attributes:
        at: The position, from 0 to 1.
        text: The label.
    """

    at: float
    text: str


def nice_top(highest: float, least: float = 1.0) -> float:
    """Return the value at the top of an axis, chosen so that all grid lines are at round values.

    Args:
        highest: The highest value to show.
        least: The lower limit of the result.
    """
    rough = max(highest, least) / _GRID_LINES
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _ROUND_STEPS if step * power >= rough * (1 - 1e-9)) * _GRID_LINES


def value_marks(top: float, text_of: Callable[[float], str]) -> list[Mark]:
    """Return the marks of the value axis above zero, from bottom to top."""
    return [Mark(number / _GRID_LINES, text_of(top * number / _GRID_LINES)) for number in range(1, _GRID_LINES + 1)]


def time_marks(span: Span, end_s: int) -> list[Mark]:
    """Return the marks of the time axis: times relative to now for short spans, otherwise times of day.

    Args:
        span: The span.
        end_s: The end of the axis, in seconds since 1970.
    """
    every = _MARK_SECONDS[span]
    if span.seconds < _MARK_SECONDS[Span.HOURS_6]:
        ages = range(0, span.seconds + 1, every)
        in_seconds = span is Span.MINUTE
        return [Mark(1 - age / span.seconds, _age(age, in_seconds=in_seconds)) for age in ages]
    return [
        Mark(1 - (end_s - moment) / span.seconds, _clock(moment))
        for moment in range(_first_mark(end_s - span.seconds, every), end_s + 1, every)
    ]


def _first_mark(start_s: int, every: int) -> int:
    """Return the first time not before `start_s` that is a multiple of `every` in local time."""
    offset = QDateTime.fromSecsSinceEpoch(start_s).offsetFromUtc()
    return -((-(start_s + offset)) // every) * every - offset


def _age(seconds: int, *, in_seconds: bool) -> str:
    if not seconds:
        return tr("now", "the right end of a graph's time")
    if in_seconds:
        return tr("-%Ln s", "so many seconds ago, under a graph", seconds)
    return tr("-%Ln min", "so many minutes ago, under a graph", seconds // 60)


def _clock(moment_s: int) -> str:
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(moment_s).time(), QLocale.FormatType.ShortFormat)


def graph_number(value: float) -> str:
    """Return a rate with three significant digits, or as a whole number: `0.025`, `9.1`, `1,250`."""
    if value >= _WHOLE_FROM:
        return QLocale().toString(round(value))
    return QLocale().toString(float(value), "g", 3)


def span_texts(span: Span) -> tuple[str, str]:
    """Return the text of a span's button, and its name for screen readers."""
    return {
        Span.MINUTE: (tr("1 min"), tr("last minute")),
        Span.MINUTES_5: (tr("5 min"), tr("last 5 minutes")),
        Span.HOUR: (tr("1 h"), tr("last hour")),
        Span.HOURS_6: (tr("6 h"), tr("last 6 hours")),
        Span.DAY: (tr("24 h"), tr("last 24 hours")),
    }[span]


def nothing_text(span: Span) -> str:
    """Return the text that is shown instead of a graph without values."""
    return tr("Nothing was processed in the {span}.").format(span=span_texts(span)[1])


def draw_series(
    painter: QPainter, place: QRectF, fractions: Sequence[float], colour: QColor, *, width: float, opacity: float
) -> None:
    """Draw values as a line across a rectangle, and fill the area below the line.

    Args:
        painter: The widget's painter.
        place: The rectangle.
        fractions: The values, from 0 at the bottom to 1 at the top.
        colour: The colour of the line.
        width: The width of the line in pixels.
        opacity: The opacity of the filled area, from 0 to 1.
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
    pale.setAlphaF(opacity)
    painter.fillPath(below, pale)
    painter.setPen(QPen(colour, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(line)


class Graph(QWidget):
    """A line graph with a title, and a summary for screen readers.

    Args:
        title: The title, such as `Files per second`.
        text_of: A function that formats a value.
        theme: The colours.
        parent: The parent.
        least: The smallest value that the top of the axis can have.
    """

    def __init__(
        self,
        title: str,
        text_of: Callable[[float], str],
        theme: Theme,
        parent: QWidget,
        *,
        least: float,
    ) -> None:
        super().__init__(parent)
        self._title = title
        self._text_of = text_of
        self._theme = theme
        self._least = least
        self._values: Sequence[float] = ()
        self._span: Span | None = None
        self._end_s = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)

    def show_values(self, values: Sequence[float], span: Span, end_s: int) -> None:
        """Show the values of a span.

        Args:
            values: The values, oldest first.
            span: The span.
            end_s: The end of the last value's step, in seconds since 1970.
        """
        if (values, span, end_s) == (self._values, self._span, self._end_s):
            return
        self._values, self._span, self._end_s = values, span, end_s
        self.setAccessibleDescription(self.summary)
        self.setToolTip(self.summary)
        self.update()

    @property
    def summary(self) -> str:
        """Return a summary for the tool tip and screen readers; empty if there are no values."""
        if self._span is None or not self._values:
            return ""
        if not any(self._values):
            return tr("{what}: {nothing}").format(what=self._title, nothing=nothing_text(self._span))
        return tr("{what}, {span}: now {now}, peak {highest}, average {average}").format(
            what=self._title,
            span=span_texts(self._span)[1],
            now=self._text_of(self._values[-1]),
            highest=self._text_of(max(self._values)),
            average=self._text_of(sum(self._values) / len(self._values)),
        )

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size at which the line is still recognizable."""
        return QSize(_LEAST_WIDTH, _LEAST_HEIGHT + 2 * self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """Return the minimum size, to leave the rest of the window to the list."""
        return self.minimumSizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Paint the title, axes, grid, line and focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._theme.colours
        metrics = self.fontMetrics()
        top = nice_top(max(self._values, default=0.0), self._least)
        marks = value_marks(top, self._text_of)
        side = max(metrics.horizontalAdvance(mark.text) for mark in marks) + _GAP
        head = metrics.height() + _GAP
        place = QRectF(self.rect()).adjusted(_GAP + side, head + metrics.height() / 2, -2 * _GAP, -head - 2)
        painter.setPen(QColor(colours.text))
        painter.drawText(QRectF(self.rect()).adjusted(_GAP, 2, -_GAP, 0), Qt.AlignmentFlag.AlignTop, self._title)
        if self._span is not None and not any(self._values):
            painter.setPen(QColor(colours.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(_GAP, head, -_GAP, -_GAP), flags, nothing_text(self._span))
        elif self._span is not None:
            self._draw_value_axis(painter, place, [Mark(0, ""), *marks])
            self._draw_time_axis(painter, place, time_marks(self._span, self._end_s))
            fractions, colour = [value / top for value in self._values], QColor(colours.accent)
            draw_series(painter, place, fractions, colour, width=1.8, opacity=_FILL_OPACITY)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)

    def _draw_value_axis(self, painter: QPainter, place: QRectF, marks: Sequence[Mark]) -> None:
        colours, height = self._theme.colours, self.fontMetrics().height()
        for mark in marks:
            y = round(place.bottom() - mark.at * place.height()) + 0.5
            painter.setPen(QPen(QColor(colours.line if mark.at else colours.edge), 1))
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
            painter.setPen(QColor(colours.muted))
            label = QRectF(0, y - height / 2, place.left() - _GAP, height)
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, mark.text)

    def _draw_time_axis(self, painter: QPainter, place: QRectF, marks: Sequence[Mark]) -> None:
        colours, metrics = self._theme.colours, self.fontMetrics()
        taken = -1.0
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


class ThroughputDock(QDockWidget):
    """The dock with the graphs, and with buttons that choose the time span. It is updated once a second while visible.

    Signals:
        chosen(Span): Another span was chosen.

    Attributes:
        span: The span shown.
        graphs: The graphs of files and of bytes.
        buttons: The button for each span.
    """

    chosen = Signal(object)

    def __init__(self, history: History, clock: Clock, theme: Theme, wording: Wording, parent: QWidget) -> None:
        super().__init__(tr("Throughput"), parent, features=QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.setObjectName("throughput")
        self.setAccessibleName(tr("Throughput"))
        self.setTitleBarWidget(QWidget(self))
        self._history = history
        self._clock = clock
        self.span = Span.MINUTES_5
        files = Graph(tr("Files per second"), graph_number, theme, self, least=_LEAST_FILES)
        sizes = Graph(tr("Bytes per second"), lambda value: wording.size(int(value)), theme, self, least=_LEAST_BYTES)
        self.graphs = (files, sizes)
        self._make_buttons()
        self._arrange()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.draw)

    def _make_buttons(self) -> None:
        self.buttons: dict[Span, QToolButton] = {}
        for span in Span:
            button = self.buttons[span] = QToolButton(self)
            button.setObjectName("segment")
            text, name = span_texts(span)
            button.setText(text)
            button.setAccessibleName(name)
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setChecked(span is self.span)
            button.clicked.connect(lambda _checked=False, span=span: self.choose(span))

    def _arrange(self) -> None:
        whole = QWidget(self)
        whole.setObjectName("throughputInside")
        column = spaced(QVBoxLayout(whole), 4, (10, 6, 10, 6))
        head = spaced(QHBoxLayout(), 4)
        title = QLabel(tr("Throughput").upper(), whole)
        title.setObjectName("sectionTitle")
        head.addWidget(title)
        head.addStretch(1)
        for button in self.buttons.values():
            head.addWidget(button)
        column.addLayout(head)
        row = spaced(QHBoxLayout(), 10)
        for graph in self.graphs:
            row.addWidget(graph, 1)
        column.addLayout(row, 1)
        self.setWidget(whole)

    def choose(self, span: Span) -> None:
        """Show another span."""
        self.span = span
        self.buttons[span].setChecked(True)
        self.draw()
        self.chosen.emit(span)

    @Slot()
    def draw(self) -> None:
        """Update the graphs."""
        series = self._history.series(self.span, self._clock.now_ms() / 1000)
        for graph, values in zip(self.graphs, (series.files, series.bytes), strict=True):
            graph.show_values(values, self.span, series.end_s)

    def showEvent(self, event: QShowEvent) -> None:
        """Start updating the graphs."""
        super().showEvent(event)
        self.draw()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop updating the graphs."""
        super().hideEvent(event)
        self._timer.stop()
