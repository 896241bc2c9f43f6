"""The header's menus: which columns are shown, and what the list is sorted by, without a mouse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup

from desktop_app.gui.table.columns import COLUMNS, NAME
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QMenu

    from desktop_app.gui.table.column_header import ColumnHeader

_UP, _DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def fill_column_menu(header: ColumnHeader, menu: QMenu) -> None:
    """The columns as things to tick, then what can be done with all of them."""
    for number, column in enumerate(COLUMNS):
        action = menu.addAction(column.heading)
        action.setCheckable(True)
        action.setChecked(not header.isSectionHidden(number))
        action.setEnabled(number != NAME)
        action.toggled.connect(partial(header.show_column, number))
    menu.addSeparator()
    menu.addAction(tr("Fit Columns"), header.fit_all)
    menu.addAction(tr("Reset Columns"), header.reset)


def fill_sort_menu(header: ColumnHeader, menu: QMenu) -> None:
    """The first key, its direction, and the second key in a menu of its own."""
    first, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
    _add_columns(menu, first, lambda number: header.setSortIndicator(number, header.sortIndicatorOrder()))
    menu.addSeparator()
    _add_orders(menu, order, lambda wanted: header.setSortIndicator(header.sortIndicatorSection(), wanted))
    menu.addSeparator()
    _fill_then_menu(header, menu.addMenu(tr("Then By")))


def _fill_then_menu(header: ColumnHeader, menu: QMenu) -> None:
    """The second key: none, or a column that is not the first, and its direction."""
    second, choices = header.second, QActionGroup(menu)
    number, order = (-1, _UP) if second is None else second
    nothing = _choice(menu, choices, tr("Order of Adding"), on=second is None)
    nothing.triggered.connect(lambda _checked=False: header.sort_second(None))
    menu.addSeparator()
    first = header.sortIndicatorSection()
    _add_columns(menu, number, lambda wanted: header.sort_second((wanted, order)), group=choices, without=first)
    menu.addSeparator()
    for action in _add_orders(menu, order, lambda wanted: header.sort_second((number, wanted))):
        action.setEnabled(second is not None)


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
        if number != without:
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
