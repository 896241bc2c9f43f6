"""What a column's heading says to who can't see its arrow, and the whole order in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.gui.table.columns import COLUMN_OF_SORT, COLUMNS
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from desktop_app.jobs import ListQuery


def spoken_heading(number: int, order: ListQuery) -> str:
    """A column's title, and how the list is sorted by it."""
    column = COLUMNS[number]
    if column.sort_by is order.sort_by:
        text = tr("{column}, sorted in descending order") if order.descending else tr("{column}, sorted")
    elif column.sort_by is order.then_by:
        text = (
            tr("{column}, sorted second in descending order")
            if order.then_descending
            else tr("{column}, sorted second")
        )
    else:
        return column.heading
    return text.format(column=column.heading)


def spoken_order(order: ListQuery) -> str:
    """What the list is sorted by."""
    first = _directed(COLUMNS[COLUMN_OF_SORT[order.sort_by]].heading, descending=order.descending)
    if order.then_by is None:
        return tr("Sorted by {column}").format(column=first)
    second = _directed(COLUMNS[COLUMN_OF_SORT[order.then_by]].heading, descending=order.then_descending)
    return tr("Sorted by {column}, then by {second}").format(column=first, second=second)


def _directed(heading: str, *, descending: bool) -> str:
    return tr("{column} (descending)").format(column=heading) if descending else heading
