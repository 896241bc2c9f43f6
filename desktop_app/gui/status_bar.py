"""The bottom line: which queue, how many files of each status, how far all of them are."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QWidget

from desktop_app.gui.delegates import STATUS_ICONS
from desktop_app.gui.loop_states import ConnectionText, Mark
from desktop_app.gui.wording import Wording, status_word, tool_tip
from desktop_app.jobs import Status, StatusCounts

if TYPE_CHECKING:
    from PySide6.QtGui import QIcon

    from desktop_app.gui.look import Look

_ICON = 14
_BAR_WIDTH = 120
_NARROW = 900
"""In a window that is narrower than this, what is said twice is said once."""


class JobsStatusBar(QStatusBar):
    """Shows what others find out; asks nothing itself."""

    def __init__(self, wording: Wording, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wording = wording
        self._look = look
        self._connection = ConnectionText(Mark.STARTING, "Starting…", "")
        self._counts = StatusCounts()
        self._texts = ("", "")
        self.setSizeGripEnabled(False)
        self.setAccessibleName("Status")
        self._chip = QLabel(self)
        self._chip.setTextFormat(Qt.TextFormat.RichText)
        self._labels = {status: _CountLabel(self) for status in Status}
        self._overall = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._bar.setAccessibleName("Overall progress")
        line = QWidget(self)
        row = QHBoxLayout(line)
        row.setContentsMargins(10, 3, 12, 3)
        row.setSpacing(16)
        row.addWidget(self._chip)
        row.addSpacing(8)
        for label in self._labels.values():
            row.addWidget(label)
        self._foreign = QLabel(self)
        self._foreign.hide()
        row.addWidget(self._foreign)
        row.addStretch(1)
        row.addWidget(self._overall)
        row.addWidget(self._bar)
        self.addWidget(line, 1)
        look.changed.connect(self._draw)
        self._draw()

    @property
    def connection_text(self) -> str:
        """The connection's words."""
        return self._connection.text

    @property
    def overall_text(self) -> str:
        """The overall progress in words."""
        return self._overall.text()

    def count_text(self, status: Status) -> str:
        """The words that count a status."""
        return self._labels[status].text

    @Slot(object)
    def show_connection(self, text: ConnectionText) -> None:
        """Say how the connection is."""
        self._connection = text
        self._draw_chip()

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """Say how many files have each status, and how far all of them are."""
        self._counts = counts
        for status, label in self._labels.items():
            label.say(self._wording.number(counts.of(status)), status_word(status).lower())
        done = counts.total - counts.unfinished
        if counts.unfinished:
            fraction = done / counts.total
            percent = self._wording.percent(fraction)
            total = self._wording.files(counts.total)
            self._texts = (f"{self._wording.number(done)} of {total}  {percent}", percent)
            self._bar.setValue(int(fraction * 1000))
        else:
            self._texts = (self._wording.files(counts.total),) * 2
        self.fit(self.window().width())

    @Slot(int)
    def show_foreign(self, count: int) -> None:
        """Say how often a message came that is not ours; nothing if none did."""
        self._foreign.setText(f"▲ {self._wording.number(count)} not ours")
        self._foreign.setToolTip("Messages of other programs came from this queue; see the menu Queue.")
        self._foreign.setVisible(count > 0)

    def fit(self, width: int) -> None:
        """Show the bar only if something is under way and there is room; in a narrow window the percentage alone."""
        wide = width >= _NARROW
        self._bar.setVisible(bool(self._counts.unfinished) and wide)
        self._overall.setText(self._texts[0 if wide else 1])
        self._overall.setAccessibleName(self._texts[0])

    @Slot()
    def _draw(self) -> None:
        colours = self._look.colours
        for status, label in self._labels.items():
            label.draw(self._look.icon(STATUS_ICONS[status], colours.of(status)))
        self._draw_chip()

    def _draw_chip(self) -> None:
        colours = self._look.colours
        colour = {
            Mark.STARTING: colours.muted,
            Mark.RUNNING: colours.processed,
            Mark.RETRYING: colours.processing,
            Mark.NEEDED: colours.failed,
            Mark.STOPPED: colours.failed,
        }[self._connection.mark]
        words = html.escape(self._connection.text)
        self._chip.setText(f'<span style="color:{colour}">{self._connection.mark.value}</span>&nbsp;&nbsp;{words}')
        self._chip.setAccessibleName(f"Connection: {self._connection.text}")
        self._chip.setToolTip(tool_tip(self._connection.detail))
        self._chip.setAccessibleDescription(self._connection.detail)


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
