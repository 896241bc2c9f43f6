"""The two custom-painted buttons of the status bar: the connection and the pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QToolButton

from desktop_app.gui.connection.status import ConnectionText, Mark
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.throughput import draw_series
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.theme.theme import Colours, Theme


_SIDE = 12

_LINE_WIDTH = 62

_LINE_HEIGHT = 16

_GAP = 7

_PADDING = 5

_GROUND = 0.16


class ConnectionButton(QToolButton):
    """Shows the state of the connection: a symbol and a short text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self._theme = theme
        self._connection = ConnectionText(Mark.STARTING, "", "")
        theme.changed.connect(self._draw)

    @property
    def connection(self) -> ConnectionText:
        """Return the shown content."""
        return self._connection

    def set_connection(self, connection: ConnectionText) -> None:
        """Show the state of the connection."""
        self._connection = connection
        # Qt leaves hardly any space between a tool button's icon and its text.
        self.setText(f"\N{EN SPACE}{connection.text.replace('&', '&&')}")
        self.setAccessibleName(tr("Connection: {words}").format(words=connection.text))
        self.setAccessibleDescription(connection.detail)
        self.setToolTip(tool_tip(connection.detail))
        self._draw()

    @Slot()
    def _draw(self) -> None:
        self.setIcon(_mark(self._connection.mark, self._theme.colours, self.devicePixelRatio()))


class RateButton(QAbstractButton):
    """Shows the pace of the last minute: a sparkline and a number."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: tuple[float, ...] = ()
        self._shows_line = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def show_rate(self, text: str, sentence: str, values: Sequence[float]) -> None:
        """Show the pace.

        Args:
            text: A short text such as `9.1/s`.
            sentence: The same for the tool tip and screen readers.
            values: The values of the last minute, oldest first.
        """
        self._values = tuple(values)
        self.setText(text)
        self.setAccessibleName(tr("Throughput: {words}").format(words=sentence))
        self.setToolTip(tool_tip(sentence))
        self.updateGeometry()
        self.update()

    def show_line(self, *, shown: bool) -> None:
        """Show the line and the number, or only the number."""
        if shown != self._shows_line:
            self._shows_line = shown
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return the size of line and number; it does not change with each digit."""
        metrics = self.fontMetrics()
        words = max(metrics.horizontalAdvance(self.text()), metrics.horizontalAdvance("00.0/s"))
        line = _LINE_WIDTH + _GAP if self._shows_line else 0
        return QSize(line + words + 2 * _PADDING, max(_LINE_HEIGHT, metrics.height()) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the line, the number and the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._theme.colours
        inside = QRectF(self.rect()).adjusted(_PADDING, 0, -_PADDING, 0)
        if self._shows_line:
            top = (self.height() - _LINE_HEIGHT) / 2
            left = inside.left() if self.isLeftToRight() else inside.right() - _LINE_WIDTH
            self._draw_line(painter, QRectF(left, top, _LINE_WIDTH, _LINE_HEIGHT))
        painter.setPen(QColor(colours.text))
        side = Qt.AlignmentFlag.AlignRight if self.isLeftToRight() else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute, self.text())
        if self.hasFocus() or self.underMouse():
            painter.setPen(
                QPen(QColor(colours.accent if self.hasFocus() else colours.edge), 2 if self.hasFocus() else 1)
            )
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def isLeftToRight(self) -> bool:
        """Return whether the number is on the right."""
        return self.layoutDirection() is not Qt.LayoutDirection.RightToLeft

    def _draw_line(self, painter: QPainter, place: QRectF) -> None:
        if len(self._values) > 1:
            highest, height = max(self._values) or 1.0, place.height()
            # One pixel above and below, so that the line is not clipped at its extremes.
            fractions = [(1 + value / highest * (height - 2)) / height for value in self._values]
            draw_series(painter, place, fractions, QColor(self._theme.colours.accent), width=1.4, ground=_GROUND)


# --- the symbols of the connection's state


def _mark(mark: Mark, colours: Colours, ratio: float) -> QIcon:
    """Return the drawn symbol of a mark: in fonts these characters differ in size."""
    pixmap = QPixmap(QSize(_SIDE, _SIDE) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(_colour(mark, colours))
    painter.setPen(QPen(colour, 1.6))
    _SHAPES.get(mark, _circle)(painter, colour)
    painter.end()
    return QIcon(pixmap)


def _colour(mark: Mark, colours: Colours) -> str:
    return {
        Mark.STARTING: colours.muted,
        Mark.RUNNING: colours.processed,
        Mark.RETRYING: colours.processing,
        Mark.NEEDED: colours.failed,
        Mark.STOPPED: colours.failed,
        Mark.PAUSED: colours.text,
    }.get(mark, colours.text)


_ROUND = QRectF(1.8, 1.8, 8.4, 8.4)


def _circle(painter: QPainter, colour: QColor) -> None:  # noqa: ARG001 - the shapes are called alike
    painter.drawEllipse(_ROUND)


def _disc(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawEllipse(_ROUND)


def _half(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(_ROUND)
    painter.setBrush(colour)
    painter.drawPie(_ROUND, -90 * 16, 180 * 16)


def _triangle(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(6, 1.8), QPointF(10.4, 10), QPointF(1.6, 10)]))


def _square(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawRect(QRectF(2.4, 2.4, 7.2, 7.2))


def _bars(painter: QPainter, colour: QColor) -> None:
    painter.fillRect(QRectF(2.5, 1.5, 2.6, 9), colour)
    painter.fillRect(QRectF(6.9, 1.5, 2.6, 9), colour)


_SHAPES = {
    "○": _circle,
    "●": _disc,
    "◑": _half,
    "▲": _triangle,
    "■": _square,
    "‖": _bars,
}
