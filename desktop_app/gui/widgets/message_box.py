"""A message box whose buttons are never cut off: Qt's own makes them narrower than their words on a small screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QMessageBox

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent


class MessageBox(QMessageBox):
    """Puts its buttons below each other where they do not fit beside each other."""

    def showEvent(self, event: QShowEvent) -> None:
        """Now it is known how wide it may be."""
        super().showEvent(event)
        box = self.findChild(QDialogButtonBox)
        if box is not None and any(button.width() < button.sizeHint().width() for button in self.buttons()):
            box.setOrientation(Qt.Orientation.Vertical)
