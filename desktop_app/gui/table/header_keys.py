"""The table's header by keyboard: everything that the mouse can do with columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from desktop_app.gui.table.headings import spoken_heading, spoken_order

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from desktop_app.gui.table.sort_header import SortHeader

_STEP = 16
"""Pixels by which a key makes a column wider."""
_NONE, _SHIFT, _CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
_ENTER = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})
_SIDEWAYS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right})


class HeaderKeys(QObject):
    """Left and Right go from title to title; with Ctrl they move the column, with Shift they size it.

    Space sorts by it, with Shift second. The Menu key and Ctrl+Shift+F10 open the columns' menu.

    Signals:
        reached(int): The keyboard is at this column: it is to be seen.
        menu_wanted(QPoint): The columns' menu, at this place of the screen.
    """

    reached = Signal(int)
    menu_wanted = Signal(QPoint)

    def __init__(self, header: SortHeader) -> None:
        super().__init__(header)
        self._header = header
        header.order_changed.connect(self._say_order)

    def begin(self) -> None:
        """The keyboard has come: to where it was, or to the sorted column."""
        if self._header.isSectionHidden(self._header.at_keys):
            self._header.at_keys = self._header.sortIndicatorSection()
        if self._header.isSectionHidden(self._header.at_keys):
            self._header.at_keys = self._shown()[0]
        self._go_to(self._header.at_keys)

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key means here; False if it means nothing."""
        key = Qt.Key(event.key())
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in _ENTER and held in {_NONE, _SHIFT}:
            self._header.turn(self._header.at_keys, second=held == _SHIFT)
        elif key in _SIDEWAYS:
            self._sideways(forward=(key is Qt.Key.Key_Right) != self._header.isRightToLeft(), held=held)
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End} and held == _NONE:
            self._go_to(self._shown()[0 if key is Qt.Key.Key_Home else -1])
        elif (key is Qt.Key.Key_F10 and held in {_SHIFT, _CTRL | _SHIFT}) or key is Qt.Key.Key_Menu:
            self.menu_wanted.emit(self.menu_place())
        else:
            return False
        return True

    def menu_place(self) -> QPoint:
        """Below the current title, on the screen."""
        header = self._header
        return header.viewport().mapToGlobal(
            QPoint(header.sectionViewportPosition(self._header.at_keys), header.height())
        )

    def _shown(self) -> list[int]:
        """The columns that are to be seen, in their order on the screen."""
        header = self._header
        numbers = (header.logicalIndex(place) for place in range(header.count()))
        return [number for number in numbers if not header.isSectionHidden(number)]

    def _sideways(self, *, forward: bool, held: Qt.KeyboardModifier) -> None:
        header, shown = self._header, self._shown()
        place = shown.index(self._header.at_keys) + (1 if forward else -1)
        if held == _SHIFT:
            width = header.sectionSize(self._header.at_keys) + (_STEP if forward else -_STEP)
            header.resizeSection(self._header.at_keys, max(header.minimumSectionSize(), width))
        elif held in {_NONE, _CTRL} and 0 <= place < len(shown):
            if held == _CTRL:
                header.moveSection(header.visualIndex(self._header.at_keys), header.visualIndex(shown[place]))
                self._go_to(self._header.at_keys)
            else:
                self._go_to(shown[place])

    def _go_to(self, number: int) -> None:
        self._header.at_keys = number
        self.reached.emit(number)
        self._header.viewport().update()
        self._say()

    def _say(self) -> None:
        text = spoken_heading(self._header.at_keys, self._header.order())
        self._header.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._header, text))

    @Slot()
    def _say_order(self) -> None:
        """Whoever changed it, and however."""
        order = self._header.order()
        self._header.setAccessibleDescription(spoken_heading(self._header.at_keys, order))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._header, spoken_order(order)))
