"""The list above, its details below, and a border between them that can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.details_pane import DetailsPane
    from desktop_app.gui.window_memory import WindowMemory


class DetailsSplit(QSplitter):
    """Keeps the details as high as a person wants them; the list takes the rest."""

    def __init__(self, above: QWidget, details: DetailsPane, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._details = details
        self._height = 0
        self.setAccessibleName("Files and details")
        self.setChildrenCollapsible(False)
        self.setHandleWidth(3)
        self.addWidget(above)
        self.addWidget(details)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        details.hide()
        self.splitterMoved.connect(self._note)

    def _note(self) -> None:
        self._height = self._details.height()

    def show_details(self, *, shown: bool) -> None:
        """Show or hide the details, as high as they were last."""
        if self._details.isHidden() == shown:
            self._details.setVisible(shown)
            self.setSizes([max(1, self.height() - self._height), self._height])

    def restore(self, memory: WindowMemory) -> None:
        """Be as the user left it."""
        self._height = memory.details_height

    def remember(self, memory: WindowMemory) -> None:
        """Note the height."""
        memory.details_height = self._height
