"""Says that something takes a while, how far it is, and lets it be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton

from desktop_app.gui.texts import tr
from desktop_app.gui.widgets.strip import Strip

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class BusyStrip(Strip):
    """A line of text, a bar that moves, and Stop.

    Signals:
        stopped(): Stop was pressed.
    """

    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Work in progress"), parent)
        self._text = QLabel(self.frame)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QProgressBar(self.frame)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(140)
        self._bar.setAccessibleName(tr("Still working"))
        self._stop = QPushButton(tr("Stop"), self.frame)
        self._stop.clicked.connect(self.stopped)
        self.row.addWidget(self._text, 1)
        self.row.addWidget(self._bar)
        self.row.addWidget(self._stop)

    @property
    def text(self) -> str:
        """What is said."""
        return self._text.text()

    def say(self, text: str, *, can_stop: bool) -> None:
        """Show a text; empty hides the strip."""
        self._text.setText(text)
        self._stop.setVisible(can_stop)
        self.setVisible(bool(text))
