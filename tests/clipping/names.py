"""Finds widgets that a screen reader could not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERACTIVE = {
    QAccessible.Role.Button,
    QAccessible.Role.ButtonMenu,
    QAccessible.Role.CheckBox,
    QAccessible.Role.ComboBox,
    QAccessible.Role.EditableText,
    QAccessible.Role.Table,
    QAccessible.Role.List,
    QAccessible.Role.MenuItem,
    QAccessible.Role.ProgressBar,
    QAccessible.Role.Cell,
    QAccessible.Role.ColumnHeader,
    QAccessible.Role.StaticText,
    QAccessible.Role.Slider,
}
# Qt's own, hidden while everything fits.
QTS_OWN = {"qt_toolbar_ext_button"}


def walk(node: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    yield node
    for number in range(node.childCount()):
        child = node.child(number)
        if child.isValid() and not child.state().invisible:
            yield from walk(child)


def unnamed(widget: QWidget) -> list[str]:
    found = []
    for node in walk(QAccessible.queryAccessibleInterface(widget)):
        thing = node.object()
        if node.role() in INTERACTIVE and not node.text(QAccessible.Text.Name).strip():
            name = thing.objectName() if isinstance(thing, QWidget) else ""
            is_empty_cell = node.role() is QAccessible.Role.Cell
            if name not in QTS_OWN and not is_empty_cell:
                found.append(f"{node.role().name} {name} {type(thing).__name__}")
    return found
