"""One thing that a person should know before files are added, with what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

if TYPE_CHECKING:
    from desktop_app.gui.look.look import Look

_ICON = 18


class ReviewLine(QFrame):
    """A symbol, a sentence, and controls behind it; hidden while there is nothing to say."""

    def __init__(self, icon: str, controls: tuple[QWidget, ...], look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("kind", "warning")
        self._icon = icon
        self._look = look
        self._symbol = QLabel(self)
        self._symbol.setFixedSize(_ICON, _ICON)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 10, 7)
        row.setSpacing(12)
        row.addWidget(self._symbol)
        row.addWidget(self._text, 1)
        for control in controls:
            row.addWidget(control)
        look.changed.connect(self._draw)
        self._draw()
        self.hide()

    @property
    def text(self) -> str:
        """What is said."""
        return self._text.text()

    def say(self, text: str) -> None:
        """Say something; nothing if it is empty."""
        self._text.setText(text)
        self.setVisible(bool(text))
        self.updateGeometry()  # at once: the sheet asks next how much room is needed

    @Slot()
    def _draw(self) -> None:
        icon = self._look.icon(self._icon)
        self._symbol.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
