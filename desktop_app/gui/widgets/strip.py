"""A framed line across the window with room around it, that takes no room at all while it is hidden."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget


class Strip(QWidget):
    """The base of the window's message lines.

    Attributes:
        frame: The visible box; named `notice` for the style sheet.
        row: Where the parts go.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.frame = QFrame(self)
        self.frame.setObjectName("notice")
        around = QVBoxLayout(self)
        around.setContentsMargins(10, 6, 10, 6)
        around.addWidget(self.frame)
        self.row = QHBoxLayout(self.frame)
        self.row.setContentsMargins(12, 6, 7, 6)
        self.row.setSpacing(10)
        self.hide()
