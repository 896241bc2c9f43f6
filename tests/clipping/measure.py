"""Finds controls that are smaller than their text or outside of the visible area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenuBar,
    QTabBar,
    QToolButton,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLACK = 1
"""The tolerance in pixels; sizes are rounded."""
_MAY_ELIDE = frozenset({"elided"})
"""Object names of labels that elide a path and have it in full in their tool tip."""


def findings(window: QWidget) -> list[str]:
    """Return what is cut off in a shown window, as sentences."""
    found = []
    for widget in [window, *window.findChildren(QWidget)]:
        if not widget.isVisibleTo(window) or widget.window() is not window.window():
            continue
        found += [f"{_name(widget)}: {what}" for what in _troubles(widget, window)]
    return found


def _name(widget: QWidget) -> str:
    text = getattr(widget, "text", lambda: "")()
    return f"{type(widget).__name__} {widget.objectName()!r} {(text or widget.accessibleName())!r}"


def _troubles(widget: QWidget, window: QWidget) -> Iterator[str]:
    if widget.objectName() == "qt_toolbar_ext_button" or "ExtensionButton" in type(widget).__name__:
        yield "something does not fit into the bar"
        return
    wanted = _wanted(widget)
    if wanted.width() > widget.width() + _SLACK:
        yield f"needs {wanted.width()} px, has {widget.width()} px"
    if wanted.height() > widget.height() + _SLACK:
        yield f"needs a height of {wanted.height()} px, has {widget.height()} px"
    if wanted.isValid() and wanted.width() and not _is_seen(widget, window):
        yield f"lies outside: {_place(widget, window)} of {window.size().toTuple()}"
    if isinstance(widget, QMenuBar):
        yield from _menus_outside(widget)
    if isinstance(widget, QTabBar):
        yield from _short_tabs(widget)
    if isinstance(widget, QHeaderView) and widget.orientation() == Qt.Orientation.Horizontal:
        yield from _short_sections(widget)


def _wanted(widget: QWidget) -> QSize:
    """Return the size that the text needs; an invalid size without a text."""
    if isinstance(widget, QLabel):
        return _label(widget)
    if isinstance(widget, QToolButton) and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
        return QSize()
    if isinstance(widget, QAbstractButton):
        return widget.sizeHint() if widget.text() else QSize()
    if isinstance(widget, QComboBox):
        inside = widget.fontMetrics().horizontalAdvance(widget.currentText())
        return QSize(inside, widget.minimumSizeHint().height())
    if isinstance(widget, QLineEdit) and not isinstance(widget.parent(), QAbstractSpinBox):
        words = widget.placeholderText() if not widget.text() else ""
        margins = widget.textMargins()
        return QSize(
            widget.fontMetrics().horizontalAdvance(words) + margins.left() + margins.right(),
            0 if isinstance(widget.parent(), QComboBox) else widget.minimumSizeHint().height(),
        )
    return QSize()


def _label(label: QLabel) -> QSize:
    if not label.text() or label.objectName() in _MAY_ELIDE:
        return QSize()
    if label.wordWrap():
        return QSize(label.minimumSizeHint().width(), label.heightForWidth(label.width()))
    return label.sizeHint()


def _place(widget: QWidget, window: QWidget) -> tuple[int, ...]:
    corner = widget.mapTo(window, QPoint(0, 0))
    return corner.x(), corner.y(), widget.width(), widget.height()


def _is_seen(widget: QWidget, window: QWidget) -> bool:
    """Return whether it lies inside all of its parents; what can be scrolled to counts as visible."""
    inner = widget
    while inner is not window:
        outer = inner.parentWidget()
        if outer is None:
            return True
        if isinstance(outer.parentWidget(), QAbstractScrollArea):
            return _is_reachable(inner, outer)
        place = QRect(inner.pos(), inner.size())
        room = outer.rect().adjusted(-_SLACK, -_SLACK, _SLACK, _SLACK)
        if inner is widget and not room.contains(place):
            return False
        if not room.intersects(place):
            return False
        inner = outer
    corner = widget.mapTo(window, QPoint(0, 0))
    return window.rect().adjusted(-_SLACK, -_SLACK, _SLACK, _SLACK).contains(QRect(corner, widget.size()))


def _is_reachable(inside: QWidget, viewport: QWidget) -> bool:
    """Return whether a widget wider than its scroll area can be scrolled to."""
    area = viewport.parentWidget()
    if not isinstance(area, QAbstractScrollArea) or isinstance(area, QAbstractItemView):
        return True
    is_off = area.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    return not is_off or inside.width() <= viewport.width() + _SLACK


def _menus_outside(bar: QMenuBar) -> Iterator[str]:
    for action in bar.actions():
        if not bar.rect().contains(bar.actionGeometry(action)):
            yield f"the menu {action.text()!r} does not fit"


def _short_tabs(tabs: QTabBar) -> Iterator[str]:
    for at in range(tabs.count()):
        if tabs.isTabVisible(at) and not tabs.rect().contains(tabs.tabRect(at)):
            yield f"the tab {tabs.tabText(at)!r} does not fit"
        words = tabs.fontMetrics().horizontalAdvance(tabs.tabText(at).replace("&", ""))
        if tabs.isTabVisible(at) and tabs.tabRect(at).width() < words:
            yield f"the tab {tabs.tabText(at)!r} is cut"


def _short_sections(header: QHeaderView) -> Iterator[str]:
    model = header.model()
    for at in range(header.count()):
        words = str(model.headerData(at, Qt.Orientation.Horizontal) or "")
        needed = header.sectionSizeHint(at)
        if not header.isSectionHidden(at) and header.sectionSize(at) < needed:
            yield f"the column {words!r} needs {needed} px, has {header.sectionSize(at)} px"
