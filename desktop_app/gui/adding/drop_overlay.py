"""Lies over the window while something is dragged over it, and says what letting go will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from desktop_app.gui.look.look import Look

_GROUND_ALPHA = 242
_INSET = 14
_RADIUS = 14
_ICON = 48
_GAP = 14


class DropOverlay(QWidget):
    """A veil with one line of text; the mouse goes through it."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._covered = parent
        self._text = ""
        self._welcome = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def text(self) -> str:
        """What is said."""
        return self._text

    def say(self, text: str, *, welcome: bool) -> None:
        """Cover the parent and say what a drop would do, or why it would do nothing."""
        self._text = text
        self._welcome = welcome
        self.setAccessibleName(text)
        self.setGeometry(self._covered.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - as Qt has it
        """See Qt."""
        colours = self._look.colours
        colour = QColor(colours.accent if self._welcome else colours.failed)
        ground = QColor(colours.base)
        ground.setAlpha(_GROUND_ALPHA)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), ground)
        pen = QPen(colour, 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        frame = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        painter.drawRoundedRect(frame, _RADIUS, _RADIUS)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        height = painter.fontMetrics().height()
        top = frame.center().y() - (_ICON + _GAP + height) / 2
        icon = self._look.icon("add-folder" if self._welcome else "cancel", colour.name())
        icon.paint(painter, int(frame.center().x()) - _ICON // 2, int(top), _ICON, _ICON)
        painter.setPen(QColor(colours.text))
        place = QRectF(frame.x(), top + _ICON + _GAP, frame.width(), height)
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, self._text)
        painter.end()
