"""A tab of the details whose content can be copied as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QBoxLayout, QPushButton, QWidget

from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent

_NARROW, _TALL = 560, 240


class CopyPage(QWidget):
    """A content with a Copy button beside it; below it where the page is narrow and tall.

    Attributes:
        copy: The button.
    """

    def __init__(self, tip: str, text: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._tip = tip
        self.setObjectName("detailsInside")
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(14, 10, 14, 10)
        self._box.setSpacing(10)

    def take_content(self, content: QWidget) -> None:
        """Show this, and the button; call it once, with all that is in it."""
        self.copy = QPushButton(tr("Copy"), self)  # here, so that Tab comes to it after the content
        self.copy.setToolTip(self._tip)
        self.copy.setAccessibleDescription(self._tip)
        self.copy.clicked.connect(self.copy_all)
        self._box.addWidget(content, 1)
        self._box.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the button where it takes the least room."""
        super().resizeEvent(event)
        is_column = event.size().width() < _NARROW and event.size().height() > _TALL
        directions = QBoxLayout.Direction
        self._box.setDirection(directions.TopToBottom if is_column else directions.LeftToRight)

    @Slot()
    def copy_all(self) -> None:
        """Put all of it on the clipboard."""
        QGuiApplication.clipboard().setText(self._text())
