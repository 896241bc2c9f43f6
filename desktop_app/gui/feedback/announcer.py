"""Has a screen reader say what happens in the list, seldom enough to be listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

EVERY_MS = 5_000
"""What is said sooner after the last word waits; only the newest of what waits is said."""


class Announcer(QObject):
    """Says things politely: after what is being read, at most one each `EVERY_MS`.

    Args:
        window: In whose name it speaks.
        every_ms: How long it is silent after each.
    """

    def __init__(self, window: QWidget, *, every_ms: int = EVERY_MS) -> None:
        super().__init__(window)
        self._window = window
        self._waiting = ""
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(every_ms)
        self._silence.timeout.connect(self._say_waiting)

    @Slot(str)
    def say(self, text: str) -> None:
        """Say this now, or when the silence is over, unless something newer is said then."""
        if self._silence.isActive():
            self._waiting = text
            return
        self._waiting = ""
        self._silence.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))

    @Slot()
    def _say_waiting(self) -> None:
        if self._waiting:
            self.say(self._waiting)
