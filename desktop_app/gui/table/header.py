"""The table's header: its mouse handling, keyboard handling and menus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
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
from PySide6.QtWidgets import QMenu, QStyle, QWidget

from desktop_app.gui.i18n import tr
from desktop_app.gui.table.column_header import ColumnHeader
from desktop_app.gui.table.columns import NAME, Column, Columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.fields import ResultField
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder

_GRIP = QStyle.PixelMetric.PM_HeaderGripMargin

_RESIZE_STEP = 16
"""The number of pixels by which a key press resizes a column."""

_NONE, _SHIFT, _CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)

_ENTER = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})


class JobsHeader(ColumnHeader):
    """A column header that can be operated with the mouse, with the keyboard, and through menus.

    Clicking a title sorts the list by that column. Shift+clicking a title sorts by that column second: in ascending
    order, then in descending order, then not at all.

    Left and Right move the focus between titles; with Ctrl, they move the focused column, and with Shift, they resize
    it. Space and Enter have the effect of a click. The Menu key, Shift+F10 and Ctrl+Shift+F10 open the menu.

    Signals:
        reached(int): A column has received the focus and should be scrolled into view.
        fast_requested(str, bool): The column of a field of results should become fast, or no longer be.
    """

    reached = Signal(int)
    fast_requested = Signal(str, bool)

    def __init__(self, theme: Theme, wording: Wording, columns: Columns, parent: QWidget) -> None:
        super().__init__(theme, wording, columns, parent)
        self._pressed = -1
        self.setAccessibleName(tr("Columns"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.order_changed.connect(self._announce_order)

    # --- menus

    def fill_menu(self, menu: QMenu) -> None:
        """Add a checkable action for each column, followed by the actions for all columns.

        The columns of results are in a submenu, in which each processor has its own.
        """
        results: QMenu | None = None
        submenus: dict[str, QMenu] = {}
        for number, column in enumerate(self._columns):
            if column.field is None:
                self._add_column(menu, number)
                continue
            for processor, _ in column.field.units:
                results = results or menu.addMenu(tr("Results"))
                if processor not in submenus:
                    submenus[processor] = results.addMenu(self._wording.processor(processor).replace("&", "&&"))
                self._add_column(submenus[processor], number)
        menu.addSeparator()
        menu.addAction(tr("Fit Columns"), self.fit_all)
        menu.addAction(tr("Reset Columns"), self.reset)

    def _add_column(self, menu: QMenu, number: int) -> None:
        title = self._columns[number].heading.replace("&", "&&")
        action = QAction(title, menu, checkable=True, checked=self.shows(number), enabled=number != NAME)
        action.toggled.connect(partial(self.show_column, number))
        menu.addAction(action)

    def _fill_field_menu(self, menu: QMenu, number: int, field: ResultField) -> None:
        """Add the actions for the column of a field of results."""
        menu.addAction(tr("Hide This Column"), partial(self.show_column, number, False))
        fast = QAction(tr("Make This Column Fast"), menu, checkable=True, checked=field.is_fast)
        fast.setToolTip(tr("Sorting and filtering by it is faster, and results are written slightly slower."))
        fast.toggled.connect(partial(self.fast_requested.emit, field.name))
        menu.addAction(fast)
        menu.addSeparator()

    def fill_sort_menu(self, menu: QMenu) -> None:
        """Add actions for the first sort key and its direction, followed by a submenu for the second key."""
        first, order = self.sortIndicatorSection(), self.sortIndicatorOrder()
        columns = self._sort_columns(first)
        _add_columns(menu, columns, first, lambda number: self.setSortIndicator(number, self.sortIndicatorOrder()))
        menu.addSeparator()
        _add_orders(menu, order, lambda wanted: self.setSortIndicator(self.sortIndicatorSection(), wanted))
        menu.addSeparator()
        self._fill_then_menu(menu.addMenu(tr("Then By")))

    def _sort_columns(self, chosen: int) -> list[tuple[int, Column]]:
        """Return the columns to offer for sorting: of those of results, only the visible ones and the chosen one."""
        return [
            (number, column)
            for number, column in enumerate(self._columns)
            if column.sort_key is not None and (column.field is None or self.shows(number) or number == chosen)
        ]

    def _fill_then_menu(self, menu: QMenu) -> None:
        """Add actions for the second sort key and its direction."""
        second, choices = self.second, QActionGroup(menu)
        number, order = (-1, _UP) if second is None else second
        _choice(menu, choices, tr("Order Added"), partial(self.sort_second, None), on=second is None)
        menu.addSeparator()
        first = self.sortIndicatorSection()
        columns = self._sort_columns(number)
        _add_columns(
            menu, columns, number, lambda wanted: self.sort_second((wanted, order)), group=choices, without=first
        )
        menu.addSeparator()
        for action in _add_orders(menu, order, lambda wanted: self.sort_second((number, wanted))):
            action.setEnabled(second is not None)

    @Slot(QPoint)
    def open_menu(self, place: QPoint, number: int = -1) -> None:
        """Open the column menu at a screen position.

        Args:
            place: The position.
            number: The column whose title was clicked; -1 for none.
        """
        menu = QMenu(self, toolTipsVisible=True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        field = self._columns[number].field if number >= 0 else None
        if field is not None:
            self._fill_field_menu(menu, number, field)
        self.fill_menu(menu)
        menu.popup(place)

    def _menu_position(self) -> QPoint:
        """Return the screen position below the focused title."""
        return self.viewport().mapToGlobal(QPoint(self.sectionViewportPosition(self.current), self.height()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu at the mouse pointer, or below the focused title if the keyboard was used."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        if by_key:
            self.open_menu(self._menu_position(), self.current)
        else:
            self.open_menu(event.globalPos(), self.logicalIndexAt(event.pos()))
        event.accept()

    # --- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start handling a Shift+click, which Qt would treat as a click without Shift."""
        self._pressed = self._shift_clicked_column(event)
        if self._pressed < 0:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat a double-click with Shift as a second Shift+click."""
        self._pressed = self._shift_clicked_column(event)
        if self._pressed < 0:
            super().mouseDoubleClickEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Complete a Shift+click if the pointer is still over the same title."""
        pressed, self._pressed = self._pressed, -1
        if pressed < 0:
            super().mouseReleaseEvent(event)
            self.fit()  # a column may have been resized
        elif self.logicalIndexAt(event.position().toPoint()) == pressed:
            self.sort_by(pressed, second=True)

    def _shift_clicked_column(self, event: QMouseEvent) -> int:
        """Return the Shift+clicked column; -1 for other clicks, and at a title's edges, where columns are resized."""
        with_shift = bool(event.modifiers() & _SHIFT)
        number = self.logicalIndexAt(event.position().toPoint())
        if event.button() is not Qt.MouseButton.LeftButton or not with_shift or number < 0:
            return -1
        begin, grip = self.sectionViewportPosition(number), self.style().pixelMetric(_GRIP, None, self)
        return number if begin + grip <= event.position().x() < begin + self.sectionSize(number) - grip else -1

    # --- keyboard

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Focus the title that was focused last or, if it is hidden, that of the sort column or the first column."""
        super().focusInEvent(event)
        candidates = (self.current, self.sortIndicatorSection(), *self.shown_numbers())
        self._focus_title(next(number for number in candidates if self.shows(number)))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Erase the focus ring."""
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, sort or resize columns, or open the menu; see `JobsHeader`."""
        key = Qt.Key(event.key())
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in _ENTER and held in {_NONE, _SHIFT}:
            self.sort_by(self.current, second=held == _SHIFT)
        elif key in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self._press_sideways(1 if (key is Qt.Key.Key_Right) != self.isRightToLeft() else -1, held)
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End} and held == _NONE:
            self._focus_title(self.shown_numbers()[0 if key is Qt.Key.Key_Home else -1])
        elif (key is Qt.Key.Key_F10 and held in {_SHIFT, _CTRL | _SHIFT}) or key is Qt.Key.Key_Menu:
            self.open_menu(self._menu_position(), self.current)
        else:
            super().keyPressEvent(event)

    def _press_sideways(self, step: int, held: Qt.KeyboardModifier) -> None:
        """Resize the focused column if Shift is held, move it if Ctrl is held, or else focus its neighbour.

        Args:
            step: 1 for the next title, -1 for the previous one.
            held: The modifier keys that are held.
        """
        shown = self.shown_numbers()
        place = shown.index(self.current) + step
        if held == _SHIFT:
            width = self.sectionSize(self.current) + step * _RESIZE_STEP
            self.resizeSection(self.current, max(self.minimumSectionSize(), width))
            self.fit()
        elif held in {_NONE, _CTRL} and 0 <= place < len(shown):
            if held == _CTRL:
                self.moveSection(self.visualIndex(self.current), self.visualIndex(shown[place]))
            self._focus_title(self.current if held == _CTRL else shown[place])

    def _focus_title(self, number: int) -> None:
        self.current = number
        self.reached.emit(number)
        self.viewport().update()
        self._announce(self._columns.spoken_heading(number, self.order()))

    @Slot()
    def _announce_order(self) -> None:
        self._announce(self._columns.spoken_order(self.order()))

    def _announce(self, text: str) -> None:
        self.setAccessibleDescription(self._columns.spoken_heading(self.current, self.order()))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))


def _add_columns(
    menu: QMenu,
    columns: Sequence[tuple[int, Column]],
    chosen: int,
    choose: Callable[[int], object],
    *,
    group: QActionGroup | None = None,
    without: int = -1,
) -> None:
    group = group or QActionGroup(menu)
    for number, column in columns:
        if number != without:
            _choice(menu, group, column.heading, partial(choose, number), on=number == chosen)


def _add_orders(menu: QMenu, chosen: Qt.SortOrder, choose: Callable[[Qt.SortOrder], object]) -> list[QAction]:
    group = QActionGroup(menu)
    return [
        _choice(menu, group, title, partial(choose, order), on=order is chosen)
        for title, order in ((tr("Ascending"), _UP), (tr("Descending"), _DOWN))
    ]


def _choice(menu: QMenu, group: QActionGroup, title: str, choose: Callable[[], object], *, on: bool) -> QAction:
    action = QAction(title, group, checkable=True, checked=on)
    action.triggered.connect(lambda _checked=False: choose())
    menu.addAction(action)
    return action
