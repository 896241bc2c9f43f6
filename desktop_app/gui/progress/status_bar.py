"""The connection in the status bar: a shape and a few words; pressing it opens the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from desktop_app.domain.job import Status, StatusCounts
from desktop_app.gui.connection.status import ConnectionText, Mark
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.graph import draw_series
from desktop_app.gui.progress.run import IDLE, Progress
from desktop_app.gui.progress.texts import all_of, files_of
from desktop_app.gui.table.cells import STATUS_ICONS
from desktop_app.gui.wording import Wording, status_word, tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QPaintEvent

    from desktop_app.gui.theme.colours import Colours
    from desktop_app.gui.theme.theme import Theme


_SIDE = 12


class ConnectionChip(QToolButton):
    """A flat button that says how the connection is."""

    def __init__(self, look: Theme, parent: QWidget | None = None) -> None:
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


_LINE_WIDTH = 62

_LINE_HEIGHT = 16

_GAP = 7

_PADDING = 5

_GROUND = 0.16


class RateButton(QAbstractButton):
    """Paints itself; says what it shows to a screen reader."""

    def __init__(self, look: Theme, parent: QWidget | None = None) -> None:
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


_ICON = 14

_BAR_WIDTH = 120

_STEPS = 1000

_NARROW = 900
"""In a window that is narrower than this, what is said twice is said once."""


class JobsStatusBar(QStatusBar):
    """Shows what others find out; asks nothing itself. Where there is no room, what is said twice goes first.

    Signals:
        connection_pressed(): The person wants to see the connection.
        throughput_pressed(): The person wants to see the graph.
    """

    connection_pressed = Signal()
    throughput_pressed = Signal()

    def __init__(self, wording: Wording, look: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wording = wording
        self._look = look
        self._counts = StatusCounts()
        self._progress = IDLE
        self._shows_statuses = False
        self.setSizeGripEnabled(False)
        self.setAccessibleName(tr("Status"))
        self._chip = ConnectionChip(look, self)
        self._chip.clicked.connect(self.connection_pressed)
        self._labels = {status: _CountLabel(self) for status in Status}
        self._foreign = QLabel(self)
        self._selection = QLabel(self)
        self._files = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._bar.setAccessibleName(tr("Overall progress"))
        self._percent = QLabel(self)
        self._left = QLabel(self)
        self._rate = RateButton(look, self)
        self._rate.clicked.connect(self.throughput_pressed)
        self._foreign.hide()
        self._rate.hide()
        self._arrange()
        look.changed.connect(self._draw)
        self.show_connection(ConnectionText(Mark.STARTING, tr("Starting…"), ""))
        self._draw()

    def _arrange(self) -> None:
        self._line = QWidget(self)
        row = self._row = QHBoxLayout(self._line)
        row.setContentsMargins(4, 2, 8, 2)
        row.setSpacing(14)
        row.addWidget(self._chip)
        for label in self._labels.values():
            row.addWidget(label)
        row.addWidget(self._foreign)
        row.addWidget(self._selection)
        row.addStretch(1)
        for widget in (self._files, self._bar, self._percent, self._left, self._rate):
            row.addWidget(widget)
        self.addWidget(self._line, 1)

    # --- what it says

    @property
    def connection_text(self) -> str:
        """The connection's words."""
        return self._chip.connection.text

    @property
    def overall_text(self) -> str:
        """The overall progress in words, as far as there is room for it."""
        shown = [label.text() for label in (self._files, self._percent) if not label.isHidden()]
        return "  ".join(shown)

    @property
    def selection_text(self) -> str:
        """What is selected, in words."""
        return self._selection.text()

    @property
    def left_text(self) -> str:
        """How long it still takes, in words; empty if nobody knows."""
        return self._left.text()

    @property
    def rate_text(self) -> str:
        """How quick it goes, in words; empty if nothing is shown."""
        return "" if self._rate.isHidden() else self._rate.text()

    def count_text(self, status: Status) -> str:
        """The words that count a status."""
        return self._labels[status].text

    # --- being told

    @Slot(object)
    def show_connection(self, text: ConnectionText) -> None:
        """Say how the connection is."""
        self._chip.say(text)
        self.fit()

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """Say how many files there are."""
        self._counts = counts
        for status, label in self._labels.items():
            label.say(self._wording.number(counts.of(status)), status_word(status).lower())
        self._show_files()

    @Slot(object)
    def show_progress(self, progress: Progress) -> None:
        """Say how far the run is."""
        self._progress = progress
        if progress.is_busy:
            self._bar.setValue(int(progress.fraction * _STEPS))
            self._percent.setText(self._wording.percent(progress.fraction))
            self._percent.setAccessibleName(all_of(progress, self._wording))
            for widget in (self._files, self._bar, self._percent):
                widget.setToolTip(tool_tip(all_of(progress, self._wording)))
        self._show_files()

    def _show_files(self) -> None:
        if self._progress.is_busy:
            self._files.setText(files_of(self._progress, self._wording))
        else:
            self._files.setText(self._wording.files(self._counts.total))
            self._files.setToolTip("")
        self.fit()

    def show_pace(self, *, left: str, text: str, sentence: str, values: Sequence[float]) -> None:
        """Say how quick it goes and how long it takes.

        Args:
            left: How long, in words; empty if nobody knows.
            text: How quick; empty if nothing moves, which hides it.
            sentence: The same, spoken.
            values: The last minute.
        """
        self._left.setText(left)
        self._rate.show_rate(text, sentence, values)
        self.fit()

    @Slot(str)
    def show_selection(self, words: str) -> None:
        """Say what is selected."""
        self._selection.setText(words)
        self.fit()

    @Slot(int)
    def show_foreign(self, count: int) -> None:
        """Say how often a message came that is not ours; nothing if none did."""
        self._foreign.setText(tr("▲ %Ln not ours", "messages", count))
        self._foreign.setToolTip(tr("Messages of other programs came from this queue; see the menu Queue."))
        self._foreign.setVisible(count > 0)
        self.fit()

    def show_statuses(self, *, shown: bool) -> None:
        """Count the statuses too: where the sidebar does not."""
        self._shows_statuses = shown
        self.fit()

    # --- room

    def fit(self) -> None:
        """Show all there is to say, then leave out one thing after the other until the rest has room."""
        room = self.window().width()
        busy, wide = self._progress.is_busy, room >= _NARROW
        for label in self._labels.values():
            label.setVisible(self._shows_statuses)
        self._selection.setVisible(bool(self._selection.text()))
        self._files.setVisible(wide or not busy)
        self._bar.setVisible(busy and wide)
        self._percent.setVisible(busy)
        self._left.setVisible(busy and bool(self._left.text()))
        self._rate.setVisible(bool(self._rate.text()))
        self._rate.show_line(shown=True)
        for leave_out in self._expendable(busy=busy):
            if self._needed() <= room:
                break
            leave_out()
        # Asked for its size, the layout takes itself for up to date, and would not move anything.
        self._row.invalidate()
        self._row.activate()

    def _expendable(self, *, busy: bool) -> list[Callable[[], None]]:
        statuses = [label.hide for label in self._labels.values()]
        files = [self._files.hide] if busy else []
        return [
            *statuses,
            lambda: self._rate.show_line(shown=False),
            self._bar.hide,
            *files,
            self._rate.hide,
            self._selection.hide,
            self._left.hide,
        ]

    def _needed(self) -> int:
        return self._row.sizeHint().width() + 4

    @Slot()
    def _draw(self) -> None:
        colours = self._look.colours
        for status, label in self._labels.items():
            label.draw(self._look.icon(STATUS_ICONS[status], colours.of(status)))


class _CountLabel(QWidget):
    """A shape, a number and a word."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = QLabel(self)
        self._words = QLabel(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        row.addWidget(self._icon)
        row.addWidget(self._words)

    @property
    def text(self) -> str:
        return self._words.text()

    def say(self, number: str, word: str) -> None:
        self._words.setText(f"{number} {word}")

    def draw(self, icon: QIcon) -> None:
        self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
