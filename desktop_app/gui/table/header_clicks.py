"""The table's header by mouse, with Shift held: a click sorts what is equal in the sorted column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStyle

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent

    from desktop_app.gui.table.sort_header import SortHeader


_GRIP = QStyle.PixelMetric.PM_HeaderGripMargin


class ShiftClicks:
    """Takes such clicks before Qt does, which would move the column or sort by it alone."""

    def __init__(self, header: SortHeader) -> None:
        self._header = header
        self._pressed = -1

    def press(self, event: QMouseEvent) -> bool:
        """Whether this begins such a click, the second of two quick ones too."""
        self._pressed = self._column_at(event)
        return self._pressed >= 0

    def release(self, event: QMouseEvent) -> bool:
        """Whether this ends one."""
        pressed, self._pressed = self._pressed, -1
        if pressed >= 0 and self._header.logicalIndexAt(event.position().toPoint()) == pressed:
            self._header.turn(pressed, second=True)
        return pressed >= 0

    def _column_at(self, event: QMouseEvent) -> int:
        """The column that is meant; -1 if it is another click, or at an edge, where columns are sized."""
        with_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        header, place = self._header, event.position()
        number = header.logicalIndexAt(place.toPoint())
        if event.button() is not Qt.MouseButton.LeftButton or not with_shift or number < 0:
            return -1
        begin, grip = header.sectionViewportPosition(number), header.style().pixelMetric(_GRIP, None, header)
        return number if begin + grip <= place.x() < begin + header.sectionSize(number) - grip else -1
