"""The connection in the status bar: a shape and a few words; pressing it opens the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QToolButton, QWidget

from desktop_app.gui.connection.loop_states import ConnectionText, Mark
from desktop_app.gui.texts import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from desktop_app.gui.look.colours import Colours
    from desktop_app.gui.look.look import Look

_SIDE = 12


class ConnectionChip(QToolButton):
    """A flat button that says how the connection is."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self._look = look
        self._connection = ConnectionText(Mark.STARTING, "", "")
        look.changed.connect(self._draw)

    @property
    def connection(self) -> ConnectionText:
        """What it says."""
        return self._connection

    def say(self, connection: ConnectionText) -> None:
        """Say how the connection is."""
        self._connection = connection
        # Qt leaves hardly any room between a tool button's shape and its words.
        self.setText(f"\N{EN SPACE}{connection.text.replace('&', '&&')}")
        self.setAccessibleName(tr("Connection: {words}").format(words=connection.text))
        self.setAccessibleDescription(connection.detail)
        self.setToolTip(tool_tip(connection.detail))
        self._draw()

    @Slot()
    def _draw(self) -> None:
        self.setIcon(_mark(self._connection.mark, self._look.colours, self.devicePixelRatio()))


def _mark(mark: Mark, colours: Colours, ratio: float) -> QIcon:
    """The shape of a mark, drawn: fonts draw these characters each in a size of its own."""
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
