"""The list, its details below it or beside it, and a border between them that can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter

from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.details.pane import DetailsPane
    from desktop_app.gui.window_memory import WindowMemory

WIDE = 1_500
"""In a window this wide or wider there is more room beside the list than below it."""

_LEAST_LIST = 110


class DetailsSplit(QSplitter):
    """Keeps the details as large as a person wants them, below and beside; the list takes the rest."""

    def __init__(self, above: QWidget, details: DetailsPane, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._details = details
        self._sizes = {Qt.Orientation.Vertical: 0, Qt.Orientation.Horizontal: 0}
        self.setAccessibleName(tr("Files and details"))
        self.setChildrenCollapsible(False)
        self.setHandleWidth(3)
        self.addWidget(above)
        self.addWidget(details)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        # Its own would be that of its tallest page, which is never beside the details.
        above.setMinimumHeight(_LEAST_LIST)
        details.hide()
        self.splitterMoved.connect(self._note)

    def _is_beside(self) -> bool:
        return self.orientation() is Qt.Orientation.Horizontal

    def _note(self) -> None:
        self._sizes[self.orientation()] = self._details.width() if self._is_beside() else self._details.height()

    def show_details(self, *, shown: bool) -> None:
        """Show or hide the details, as large as they were last."""
        if self._details.isHidden() == shown:
            self._details.setVisible(shown)
            self._take_size()

    def fit(self, window_width: int) -> None:
        """Stand where there is room in a window of this width, in pixels."""
        wanted = Qt.Orientation.Horizontal if window_width >= WIDE else Qt.Orientation.Vertical
        if wanted is not self.orientation():
            self.setOrientation(wanted)
            self._details.setProperty("beside", self._is_beside())
            self._details.style().unpolish(self._details)  # the style sheet knows both
            self._details.style().polish(self._details)
            self._take_size()

    def _take_size(self) -> None:
        size = self._sizes[self.orientation()]
        whole = self.width() if self._is_beside() else self.height()
        self.setSizes([max(1, whole - size), size])

    def restore(self, memory: WindowMemory) -> None:
        """Be as the user left it."""
        self._sizes = {
            Qt.Orientation.Vertical: memory.details_height,
            Qt.Orientation.Horizontal: memory.details_width,
        }
        self._details.show_tab(memory.details_tab)

    def remember(self, memory: WindowMemory) -> None:
        """Note the sizes and the tab."""
        memory.details_height = self._sizes[Qt.Orientation.Vertical]
        memory.details_width = self._sizes[Qt.Orientation.Horizontal]
        memory.details_tab = self._details.wanted_tab
