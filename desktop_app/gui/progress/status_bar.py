"""The window's status bar: the connection, counts, the selection, and how far and how quick the run is."""

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
"""In a window that is narrower than this, what is shown twice is shown once."""


class JobsStatusBar(QStatusBar):
    """Shows what it is given. Where there is no room, what is shown elsewhere too goes first.

    Signals:
        connection_pressed(): The person wants to see the connection.
        throughput_pressed(): The person wants to see the graph.
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

    # --- what it shows

    @property
    def connection_text(self) -> str:
        """The connection's words."""
        return self._connection.connection.text

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
        """Return the words that count a status."""
        return self._labels[status].text

    # --- what to show

    @Slot(object)
    def show_connection(self, text: ConnectionText) -> None:
        """Show how the connection is."""
        self._connection.set_connection(text)
        self.fit()

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """Show how many files there are."""
        self._counts = counts
        for status, label in self._labels.items():
            label.set_text(self._wording.number(counts.of(status)), status_word(status).lower())
        self._show_files()

    @Slot(object)
    def show_progress(self, progress: Progress) -> None:
        """Show how far the run is."""
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
        """Show how quick it goes and how long it takes.

        Args:
            left: How long, in words; empty if nobody knows.
            text: How quick; empty if nothing moves, which hides it.
            sentence: The same for a screen reader.
            values: The last minute.
        """
        self._left.setText(left)
        self._rate.show_rate(text, sentence, values)
        self.fit()

    @Slot(str)
    def show_selection(self, words: str) -> None:
        """Show what is selected."""
        self._selection.setText(words)
        self.fit()

    @Slot(int)
    def show_foreign(self, count: int) -> None:
        """Show how often a message came that is not ours; nothing if none did."""
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
        """Show all there is, then leave out one thing after the other until the rest has room."""
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
        colours = self._theme.colours
        for status, label in self._labels.items():
            label.set_icon(self._theme.icon(STATUS_ICONS[status], colours.of(status)))


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

    def set_text(self, number: str, word: str) -> None:
        self._words.setText(f"{number} {word}")

    def set_icon(self, icon: QIcon) -> None:
        self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
