"""The window's status bar: connection, counts, selection, progress of the run and throughput."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from desktop_app.domain.job import Status, StatusCounts
from desktop_app.gui.connection.status import ConnectionText, Mark
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.run import IDLE, Progress
from desktop_app.gui.progress.texts import files_and_bytes_of, files_of, measure_of
from desktop_app.gui.progress.throughput import draw_series
from desktop_app.gui.widgets.dialogs import IconLabel, spaced
from desktop_app.gui.wording import Wording, status_word_in_text, tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QIcon

    from desktop_app.gui.theme.theme import Theme


_STATUS_ICON = 14

_BAR_WIDTH = 120

_BAR_STEPS = 1000

_NARROW = 900
"""In a window narrower than this, parts whose content can be seen elsewhere are hidden."""

_MARK_SIZE = 12

_MARK_COLOURS = {
    Mark.STARTING: "muted",
    Mark.RUNNING: "processed",
    Mark.RETRYING: "processing",
    Mark.NEEDED: "failed",
    Mark.STOPPED: "failed",
    Mark.PAUSED: "text",
}

_LINE_WIDTH, _LINE_HEIGHT = 62, 16

_GAP = 7

_PADDING = 5

_FILL_OPACITY = 0.16


class JobsStatusBar(QStatusBar):
    """The status bar. Parts that do not fit are hidden, beginning with those whose content can be seen elsewhere.

    Signals:
        connection_pressed(): The connection button was pressed.
        foreign_pressed(): The button with the number of foreign messages was pressed.
        throughput_pressed(): The throughput button was pressed.

    Attributes:
        connection, foreign, throughput: The buttons.
        counts: A label for each status.
        selection, files, percent, left: The other labels.
        bar: The progress bar.
    """

    connection_pressed = Signal()
    foreign_pressed = Signal()
    throughput_pressed = Signal()

    def __init__(self, wording: Wording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, sizeGripEnabled=False)
        self._wording = wording
        self._totals = StatusCounts()
        self._listed: int | None = None
        self._progress = IDLE
        self._shows_statuses = False
        self.setAccessibleName(tr("Status"))
        self.connection = ConnectionButton(theme, self)
        self.connection.clicked.connect(self.connection_pressed)
        self.counts = {status: CountLabel(theme.status_icon(status), self) for status in Status}
        self.foreign = QToolButton(self, autoRaise=True)
        self.foreign.setObjectName("chip")
        self.foreign.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.foreign.clicked.connect(self.foreign_pressed)
        self.selection, self.files, self.percent, self.left = (QLabel(self) for _ in range(4))
        self.bar = QProgressBar(self, maximum=_BAR_STEPS, textVisible=False)
        self.bar.setFixedWidth(_BAR_WIDTH)
        self.bar.setAccessibleName(tr("Overall progress"))
        self.throughput = ThroughputButton(theme, self)
        self.throughput.clicked.connect(self.throughput_pressed)
        self.foreign.hide()
        self._arrange()
        self.show_connection(ConnectionText(Mark.STARTING, tr("Starting…"), ""))

    def _arrange(self) -> None:
        line = QWidget(self)
        row = self._row = spaced(QHBoxLayout(line), 14, (4, 2, 8, 2))
        for widget in (self.connection, *self.counts.values(), self.foreign, self.selection):
            row.addWidget(widget)
        row.addStretch(1)
        for widget in (self.files, self.bar, self.percent, self.left, self.throughput):
            row.addWidget(widget)
        self.addWidget(line, 1)

    # --- content

    @Slot(object)
    def show_connection(self, text: ConnectionText) -> None:
        """Show the state of the connection."""
        self.connection.show_text(text)
        self.fit()

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """Show the number of files, in total and for each status."""
        self._totals = counts
        for status, label in self.counts.items():
            label.words.setText(f"{self._wording.number(counts.of(status))} {status_word_in_text(status)}")
        self._show_files()

    def show_listed(self, count: int | None) -> None:
        """Show the number of files that match the filter; None without a filter."""
        if count != self._listed:
            self._listed = count
            self._show_files()

    @Slot(object)
    def show_progress(self, progress: Progress) -> None:
        """Show the progress of the run, or the number of files if there is no run."""
        self._progress = progress
        if progress.is_busy:
            sentence = files_and_bytes_of(progress, self._wording)
            self.bar.setValue(int(progress.fraction * _BAR_STEPS))
            self.percent.setText(self._wording.percent(progress.fraction))
            self.percent.setAccessibleName(sentence)
            for widget in (self.files, self.bar, self.percent):
                widget.setToolTip(tool_tip(sentence))
        self._show_files()

    def _show_files(self) -> None:
        if self._progress.is_busy:
            self.files.setText(measure_of(self._progress, self._wording))
        else:
            total, listed = self._totals.total, self._listed
            self.files.setText(self._wording.files(total) if listed is None else files_of(listed, total, self._wording))
            self.files.setToolTip("")
        self.fit()

    def show_pace(self, *, left: str, text: str, sentence: str, values: Sequence[float]) -> None:
        """Show the throughput and the estimated time left.

        Args:
            left: The time left; empty if there is no estimate.
            text: The throughput; if empty, the button is hidden.
            sentence: The throughput for the tool tip and screen readers.
            values: The values of the last minute, oldest first.
        """
        self.left.setText(left)
        self.throughput.show_values(text, sentence, values)
        self.fit()

    @Slot(str)
    def show_selection(self, text: str) -> None:
        """Show a text about the selection. An empty text hides the label."""
        self.selection.setText(text)
        self.fit()

    @Slot(int)
    def show_foreign(self, count: int) -> None:
        """Show the number of foreign messages, unless it is zero."""
        self.foreign.setText(tr("▲ %Ln other message(s)", "messages", count))
        self.foreign.setToolTip(tr("This queue contains messages from other programs. Click to show them."))
        self.foreign.setVisible(count > 0)
        self.fit()

    def show_statuses(self, *, shown: bool) -> None:
        """Show or hide the number of files with each status, which the sidebar shows as well."""
        self._shows_statuses = shown
        self.fit()

    # --- layout

    def fit(self) -> None:
        """Show all parts, then hide one after another until the others fit into the window."""
        room = self.window().width()
        busy, wide = self._progress.is_busy, room >= _NARROW
        for status, label in self.counts.items():
            label.setVisible(self._shows_statuses and bool(self._totals.of(status)))
        self.selection.setVisible(bool(self.selection.text()))
        self.files.setVisible(wide or not busy)
        self.bar.setVisible(busy and wide)
        self.percent.setVisible(busy)
        self.left.setVisible(busy and bool(self.left.text()))
        self.throughput.setVisible(bool(self.throughput.text()))
        self.throughput.show_line(shown=True)
        for hide in self._expendable(busy=busy):
            if self.needed_width() <= room:
                break
            hide()
        # Without this, the layout keeps the old positions, because sizeHint() has marked it as up to date.
        self._row.invalidate()
        self._row.activate()

    def _expendable(self, *, busy: bool) -> list[Callable[[], None]]:
        """Return functions that each hide one part, the least important part first."""
        return [
            *(label.hide for label in self.counts.values()),
            lambda: self.throughput.show_line(shown=False),
            self.bar.hide,
            *([self.files.hide] if busy else []),
            self.throughput.hide,
            self.selection.hide,
            self.left.hide,
        ]

    def needed_width(self) -> int:
        """Return the width of all visible parts in pixels."""
        return self._row.sizeHint().width() + 4


class CountLabel(QWidget):
    """The icon of a status, followed by the number of files with that status.

    Attributes:
        words: The label with the number.
    """

    def __init__(self, icon: QIcon, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = QLabel(self)
        row = spaced(QHBoxLayout(self), 5)
        row.addWidget(IconLabel(_STATUS_ICON, self, icon))
        row.addWidget(self.words)


class ConnectionButton(QToolButton):
    """Shows the state of the connection: a symbol and a short text.

    Attributes:
        shown: The text that is currently shown.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, autoRaise=True, toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setObjectName("chip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(_MARK_SIZE, _MARK_SIZE))
        self._theme = theme
        self.shown = ConnectionText(Mark.STARTING, "", "")

    def show_text(self, text: ConnectionText) -> None:
        """Show the state of the connection."""
        self.shown = text
        # Qt leaves hardly any space between a tool button's icon and its text.
        self.setText(f"\N{EN SPACE}{text.text.replace('&', '&&')}")
        self.setAccessibleName(tr("Connection: {words}").format(words=text.text))
        self.setAccessibleDescription(text.detail)
        self.setToolTip(tool_tip(text.detail))
        self.setIcon(self._theme.icon(f"mark-{text.mark.name.lower()}", _MARK_COLOURS[text.mark]))


class ThroughputButton(QAbstractButton):
    """Shows the throughput: a line graph of the last minute, and the current value."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: Sequence[float] = ()
        self._shows_line = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_values(self, text: str, sentence: str, values: Sequence[float]) -> None:
        """Show the throughput.

        Args:
            text: The current value, such as `9.1/s`.
            sentence: The current value for the tool tip and screen readers.
            values: The values of the last minute, oldest first.
        """
        self._values = values
        self.setText(text)
        self.setAccessibleName(tr("Throughput: {words}").format(words=sentence))
        self.setToolTip(tool_tip(sentence))
        self.updateGeometry()
        self.update()

    def show_line(self, *, shown: bool) -> None:
        """Show or hide the line; the current value is always shown."""
        if shown != self._shows_line:
            self._shows_line = shown
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size that does not change with each new value."""
        metrics = self.fontMetrics()
        words = max(metrics.horizontalAdvance(self.text()), metrics.horizontalAdvance("00.0/s"))
        line = _LINE_WIDTH + _GAP if self._shows_line else 0
        return QSize(line + words + 2 * _PADDING, max(_LINE_HEIGHT, metrics.height()) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Paint the line, the value and the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, is_ltr = self._theme.colours, self.isLeftToRight()
        inside = QRectF(self.rect()).adjusted(_PADDING, 0, -_PADDING, 0)
        if self._shows_line:
            top = (self.height() - _LINE_HEIGHT) / 2
            left = inside.left() if is_ltr else inside.right() - _LINE_WIDTH
            self._draw_line(painter, QRectF(left, top, _LINE_WIDTH, _LINE_HEIGHT))
        painter.setPen(QColor(colours.text))
        side = Qt.AlignmentFlag.AlignRight if is_ltr else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute, self.text())
        if self.hasFocus() or self.underMouse():
            colour, width = (colours.accent, 2) if self.hasFocus() else (colours.edge, 1)
            painter.setPen(QPen(QColor(colour), width))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def _draw_line(self, painter: QPainter, place: QRectF) -> None:
        if len(self._values) > 1:
            highest, height = max(self._values) or 1.0, place.height()
            # One pixel above and below, so that the line is not clipped at its extremes.
            fractions = [(1 + value / highest * (height - 2)) / height for value in self._values]
            colour = QColor(self._theme.colours.accent)
            draw_series(painter, place, fractions, colour, width=1.4, opacity=_FILL_OPACITY)
