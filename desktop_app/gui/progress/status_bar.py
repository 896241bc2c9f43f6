"""The window's status bar: connection, counts, selection, and the run's progress and pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QWidget

from desktop_app.domain.job import Status, StatusCounts
from desktop_app.gui.connection.status import ConnectionText, Mark
from desktop_app.gui.i18n import tr
from desktop_app.gui.progress.run import IDLE, Progress
from desktop_app.gui.progress.status_buttons import ConnectionButton, RateButton
from desktop_app.gui.progress.texts import all_of, files_of
from desktop_app.gui.table.cells import STATUS_ICONS
from desktop_app.gui.wording import status_word, tool_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QIcon

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_ICON = 14

_BAR_WIDTH = 120

_STEPS = 1000

_NARROW = 900
"""In a window narrower than this, what is also shown elsewhere is hidden."""


class JobsStatusBar(QStatusBar):
    """The status bar. Where there is little room, it first hides what is also shown elsewhere.

    Signals:
        connection_pressed(): The connection button was pressed.
        throughput_pressed(): The pace button was pressed.
    """

    connection_pressed = Signal()
    throughput_pressed = Signal()

    def __init__(self, wording: Wording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wording = wording
        self._theme = theme
        self._counts = StatusCounts()
        self._progress = IDLE
        self._shows_statuses = False
        self.setSizeGripEnabled(False)
        self.setAccessibleName(tr("Status"))
        self._connection = ConnectionButton(theme, self)
        self._connection.clicked.connect(self.connection_pressed)
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
        self._rate = RateButton(theme, self)
        self._rate.clicked.connect(self.throughput_pressed)
        self._foreign.hide()
        self._rate.hide()
        self._arrange()
        theme.changed.connect(self._draw)
        self.show_connection(ConnectionText(Mark.STARTING, tr("Starting…"), ""))
        self._draw()

    def _arrange(self) -> None:
        self._line = QWidget(self)
        row = self._row = QHBoxLayout(self._line)
        row.setContentsMargins(4, 2, 8, 2)
        row.setSpacing(14)
        row.addWidget(self._connection)
        for label in self._labels.values():
            row.addWidget(label)
        row.addWidget(self._foreign)
        row.addWidget(self._selection)
        row.addStretch(1)
        for widget in (self._files, self._bar, self._percent, self._left, self._rate):
            row.addWidget(widget)
        self.addWidget(self._line, 1)

    # --- shown texts

    @property
    def connection_text(self) -> str:
        """Return the text of the connection."""
        return self._connection.connection.text

    @property
    def overall_text(self) -> str:
        """Return the text of the overall progress that fits."""
        shown = [label.text() for label in (self._files, self._percent) if not label.isHidden()]
        return "  ".join(shown)

    @property
    def selection_text(self) -> str:
        """Return the text of the selection."""
        return self._selection.text()

    @property
    def left_text(self) -> str:
        """Return the text of the time left; empty without an estimate."""
        return self._left.text()

    @property
    def rate_text(self) -> str:
        """Return the text of the pace; empty if none is shown."""
        return "" if self._rate.isHidden() else self._rate.text()

    def count_text(self, status: Status) -> str:
        """Return the text of a status count."""
        return self._labels[status].text

    # --- setters

    @Slot(object)
    def show_connection(self, text: ConnectionText) -> None:
        """Show the state of the connection."""
        self._connection.set_connection(text)
        self.fit()

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """Show the numbers of files."""
        self._counts = counts
        for status, label in self._labels.items():
            label.set_text(self._wording.number(counts.of(status)), status_word(status).lower())
        self._show_files()

    @Slot(object)
    def show_progress(self, progress: Progress) -> None:
        """Show the progress of the run."""
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
        """Show the pace and the time left.

        Args:
            left: The time left as text; empty without an estimate.
            text: The pace; hidden if empty.
            sentence: The pace for a screen reader.
            values: The values of the last minute.
        """
        self._left.setText(left)
        self._rate.show_rate(text, sentence, values)
        self.fit()

    @Slot(str)
    def show_selection(self, words: str) -> None:
        """Show the selection."""
        self._selection.setText(words)
        self.fit()

    @Slot(int)
    def show_foreign(self, count: int) -> None:
        """Show the number of foreign messages; hidden if there are none."""
        self._foreign.setText(tr("▲ %Ln foreign", "messages", count))
        self._foreign.setToolTip(tr("This queue contains messages from other programs; see the Queue menu."))
        self._foreign.setVisible(count > 0)
        self.fit()

    def show_statuses(self, *, shown: bool) -> None:
        """Show the counts of the statuses, for when the sidebar is hidden."""
        self._shows_statuses = shown
        self.fit()

    # --- layout

    def fit(self) -> None:
        """Show everything, then hide one part after the other until the rest fits."""
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
        # After a query of its size the layout considers itself up to date and would not move anything.
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
        colours = self._theme.colours
        for status, label in self._labels.items():
            label.set_icon(self._theme.icon(STATUS_ICONS[status], colours.of(status)))


class _CountLabel(QWidget):
    """A symbol, a number and a status word."""

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

    def set_text(self, number: str, word: str) -> None:
        self._words.setText(f"{number} {word}")

    def set_icon(self, icon: QIcon) -> None:
        self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
