"""How quick it goes, in the status bar: a line of the last minute and its number; pressing it shows the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop_app.gui.feedback.series import draw_series
from desktop_app.gui.texts import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from desktop_app.gui.look.look import Look

_LINE_WIDTH = 62
_LINE_HEIGHT = 16
_GAP = 7
_PADDING = 5
_GROUND = 0.16


class RateButton(QAbstractButton):
    """Paints itself; says what it shows to a screen reader."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._values: tuple[float, ...] = ()
        self._shows_line = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        look.changed.connect(self.update)

    def show_rate(self, text: str, sentence: str, values: Sequence[float]) -> None:
        """Show a pace.

        Args:
            text: As short as can be, `9.1/s`.
            sentence: The same for a tool tip and a screen reader.
            values: The last minute, the oldest first.
        """
        self._values = tuple(values)
        self.setText(text)
        self.setAccessibleName(tr("Throughput: {words}").format(words=sentence))
        self.setToolTip(tool_tip(sentence))
        self.updateGeometry()
        self.update()

    def show_line(self, *, shown: bool) -> None:
        """Show the line too, or the number alone."""
        if shown != self._shows_line:
            self._shows_line = shown
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """The line and its number; the number's room does not change with each digit."""
        metrics = self.fontMetrics()
        words = max(metrics.horizontalAdvance(self.text()), metrics.horizontalAdvance("00.0/s"))
        line = _LINE_WIDTH + _GAP if self._shows_line else 0
        return QSize(line + words + 2 * _PADDING, max(_LINE_HEIGHT, metrics.height()) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the line, the number, and who has the keyboard."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._look.colours
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
        """Whether the number stands at the right."""
        return self.layoutDirection() is not Qt.LayoutDirection.RightToLeft

    def _draw_line(self, painter: QPainter, place: QRectF) -> None:
        if len(self._values) > 1:
            highest, height = max(self._values) or 1.0, place.height()
            # A pixel above and below, so that the line is not cut where it is highest or rests.
            fractions = [(1 + value / highest * (height - 2)) / height for value in self._values]
            draw_series(painter, place, fractions, QColor(self._look.colours.accent), width=1.4, ground=_GROUND)
