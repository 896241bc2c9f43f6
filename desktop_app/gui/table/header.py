"""The table's header: mouse, keyboard and menus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QActionGroup,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QMenu, QStyle

from desktop_app.gui.i18n import tr
from desktop_app.gui.table.column_header import ColumnHeader
from desktop_app.gui.table.columns import COLUMNS, NAME, spoken_heading, spoken_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.theme.theme import Theme


_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder

_GRIP = QStyle.PixelMetric.PM_HeaderGripMargin

_STEP = 16
"""Pixels by which a key press resizes a column."""

_NONE, _SHIFT, _CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)

_ENTER = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})

_SIDEWAYS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right})


class ShiftClicks:
    """Handles Shift+click, which sets the second sort key.

    Handles these clicks before Qt, which would move the column or sort by it alone.
    """

    def __init__(self, header: ColumnHeader) -> None:
        self._header = header
        self._pressed = -1

    def press(self, event: QMouseEvent) -> bool:
        """Return whether this event begins a Shift+click, also as the second of a double click."""
        self._pressed = self._column_at(event)
        return self._pressed >= 0

    def release(self, event: QMouseEvent) -> bool:
        """Return whether this event ends a Shift+click."""
        pressed, self._pressed = self._pressed, -1
        if pressed >= 0 and self._header.logicalIndexAt(event.position().toPoint()) == pressed:
            self._header.turn(pressed, second=True)
        return pressed >= 0

    def _column_at(self, event: QMouseEvent) -> int:
        """Return the clicked column; -1 for other clicks and at an edge, where columns are resized."""
        with_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        header, place = self._header, event.position()
        number = header.logicalIndexAt(place.toPoint())
        if event.button() is not Qt.MouseButton.LeftButton or not with_shift or number < 0:
            return -1
        begin, grip = header.sectionViewportPosition(number), header.style().pixelMetric(_GRIP, None, header)
        return number if begin + grip <= place.x() < begin + header.sectionSize(number) - grip else -1


class HeaderKeys(QObject):
    """Handles the keyboard: Left and Right select a title, with Ctrl they move the column, with Shift they resize it.

    Space sorts by it, Shift+Space makes it the second key. The Menu key and Ctrl+Shift+F10 open the menu.

    Signals:
        reached(int): This column has the focus and has to be visible.
        menu_wanted(QPoint): The columns' menu was requested at this screen position.
    """

    reached = Signal(int)
    menu_wanted = Signal(QPoint)

    def __init__(self, header: ColumnHeader) -> None:
        super().__init__(header)
        self._header = header
        header.order_changed.connect(self._speak_order)

    def begin(self) -> None:
        """Focus the last focused title, or the sorted column."""
        if self._header.isSectionHidden(self._header.current):
            self._header.current = self._header.sortIndicatorSection()
        if self._header.isSectionHidden(self._header.current):
            self._header.current = self._shown()[0]
        self._go_to(self._header.current)

    def press(self, event: QKeyEvent) -> bool:
        """Handle a key; return False if it has no meaning here."""
        key = Qt.Key(event.key())
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in _ENTER and held in {_NONE, _SHIFT}:
            self._header.turn(self._header.current, second=held == _SHIFT)
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
        """Return the screen position below the current title."""
        header = self._header
        return header.viewport().mapToGlobal(
            QPoint(header.sectionViewportPosition(self._header.current), header.height())
        )

    def _shown(self) -> list[int]:
        """Return the shown columns in their order on the screen."""
        header = self._header
        numbers = (header.logicalIndex(place) for place in range(header.count()))
        return [number for number in numbers if header.shows(number)]

    def _sideways(self, *, forward: bool, held: Qt.KeyboardModifier) -> None:
        header, shown = self._header, self._shown()
        place = shown.index(self._header.current) + (1 if forward else -1)
        if held == _SHIFT:
            width = header.sectionSize(self._header.current) + (_STEP if forward else -_STEP)
            header.resizeSection(self._header.current, max(header.minimumSectionSize(), width))
        elif held in {_NONE, _CTRL} and 0 <= place < len(shown):
            if held == _CTRL:
                header.moveSection(header.visualIndex(self._header.current), header.visualIndex(shown[place]))
                self._go_to(self._header.current)
            else:
                self._go_to(shown[place])

    def _go_to(self, number: int) -> None:
        self._header.current = number
        self.reached.emit(number)
        self._header.viewport().update()
        self._speak()

    def _speak(self) -> None:
        text = spoken_heading(self._header.current, self._header.order())
        self._header.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._header, text))

    @Slot()
    def _speak_order(self) -> None:
        """Announce the sort order, however it was changed."""
        order = self._header.order()
        self._header.setAccessibleDescription(spoken_heading(self._header.current, order))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._header, spoken_order(order)))


class JobsHeader(ColumnHeader):
    """The header. A click sorts; Shift+click cycles the second key: ascending, descending, none.

    Attributes:
        keys: See `HeaderKeys`.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName(tr("Columns"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.keys = HeaderKeys(self)
        self.keys.menu_wanted.connect(self.open_menu)
        self._clicks = ShiftClicks(self)

    def fill_menu(self, menu: QMenu) -> None:
        """Fill a menu with a checkable action per column and the actions for all columns."""
        for number, column in enumerate(COLUMNS):
            action = menu.addAction(column.heading)
            action.setCheckable(True)
            action.setChecked(self.shows(number))
            action.setEnabled(number != NAME)
            action.toggled.connect(partial(self.show_column, number))
        menu.addSeparator()
        menu.addAction(tr("Fit Columns"), self.fit_all)
        menu.addAction(tr("Reset Columns"), self.reset)

    def fill_sort_menu(self, menu: QMenu) -> None:
        """Fill a menu with the first sort key, its direction, and a submenu for the second key."""
        first, order = self.sortIndicatorSection(), self.sortIndicatorOrder()
        _add_columns(menu, first, lambda number: self.setSortIndicator(number, self.sortIndicatorOrder()))
        menu.addSeparator()
        _add_orders(menu, order, lambda wanted: self.setSortIndicator(self.sortIndicatorSection(), wanted))
        menu.addSeparator()
        self._fill_then_menu(menu.addMenu(tr("Then By")))

    def _fill_then_menu(self, menu: QMenu) -> None:
        """Fill a menu with the second sort key: none or another column, and its direction."""
        second, choices = self.second, QActionGroup(menu)
        number, order = (-1, _UP) if second is None else second
        nothing = _choice(menu, choices, tr("Order Added"), on=second is None)
        nothing.triggered.connect(lambda _checked=False: self.sort_second(None))
        menu.addSeparator()
        first = self.sortIndicatorSection()
        _add_columns(menu, number, lambda wanted: self.sort_second((wanted, order)), group=choices, without=first)
        menu.addSeparator()
        for action in _add_orders(menu, order, lambda wanted: self.sort_second((number, wanted))):
            action.setEnabled(second is not None)

    @Slot(QPoint)
    def open_menu(self, place: QPoint) -> None:
        """Open the columns' menu at this screen position."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(place)

    # --- overrides of Qt

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
        """Draw without the focus ring."""
        super().focusOutEvent(event)
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu at the mouse, or for a key below the focused title."""
        by_keys = event.reason() is QContextMenuEvent.Reason.Keyboard
        self.open_menu(self.keys.menu_place() if by_keys else event.globalPos())
        event.accept()


def _add_columns(
    menu: QMenu,
    chosen: int,
    choose: Callable[[int], object],
    *,
    group: QActionGroup | None = None,
    without: int = -1,
) -> None:
    group = group or QActionGroup(menu)
    for number, column in enumerate(COLUMNS):
        if number != without and column.sort_key is not None:
            action = _choice(menu, group, column.heading, on=number == chosen)
            action.triggered.connect(lambda _checked=False, wanted=number: choose(wanted))


def _add_orders(menu: QMenu, chosen: Qt.SortOrder, choose: Callable[[Qt.SortOrder], object]) -> list[QAction]:
    group = QActionGroup(menu)
    found = []
    for title, order in ((tr("Ascending"), _UP), (tr("Descending"), _DOWN)):
        action = _choice(menu, group, title, on=order is chosen)
        action.triggered.connect(lambda _checked=False, wanted=order: choose(wanted))
        found.append(action)
    return found


def _choice(menu: QMenu, group: QActionGroup, title: str, *, on: bool) -> QAction:
    action = menu.addAction(title)
    action.setCheckable(True)
    action.setChecked(on)
    group.addAction(action)
    return action
