"""The table's header: everything that can be done with columns, by mouse, by keyboard and by menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu

from desktop_app.gui.table.column_header import ColumnHeader
from desktop_app.gui.table.header_clicks import ShiftClicks
from desktop_app.gui.table.header_keys import HeaderKeys
from desktop_app.gui.table.header_menus import fill_column_menu, fill_sort_menu
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.look.look import Look


class JobsHeader(ColumnHeader):
    """A click sorts; with Shift it sorts what is equal in that, three times round: up, down, not at all.

    Attributes:
        keys: See `HeaderKeys`.
    """

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(look, parent)
        self.setAccessibleName(tr("Columns"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.keys = HeaderKeys(self)
        self.keys.menu_wanted.connect(self.open_menu)
        self._clicks = ShiftClicks(self)

    def fill_menu(self, menu: QMenu) -> None:
        """The columns as things to tick, then what can be done with all of them."""
        fill_column_menu(self, menu)

    def fill_sort_menu(self, menu: QMenu) -> None:
        """Sorting without the mouse."""
        fill_sort_menu(self, menu)

    @Slot(QPoint)
    def open_menu(self, place: QPoint) -> None:
        """Offer the columns, at this place of the screen."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(place)

    # --- what Qt asks

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """See `ShiftClicks`."""
        if not self._clicks.press(event):
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See `ShiftClicks`."""
        if not self._clicks.press(event):
            super().mouseDoubleClickEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """See `ShiftClicks`."""
        if not self._clicks.release(event):
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See `HeaderKeys`."""
        if not self.keys.press(event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """See `HeaderKeys`."""
        super().focusInEvent(event)
        self.keys.begin()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The ring goes."""
        super().focusOutEvent(event)
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Where the mouse is, or below the column that the keyboard is at."""
        by_keys = event.reason() is QContextMenuEvent.Reason.Keyboard
        self.open_menu(self.keys.menu_place() if by_keys else event.globalPos())
        event.accept()
