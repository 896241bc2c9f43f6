"""Where the actions stand: menu bar, toolbar, context menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction, QUndoStack
    from PySide6.QtWidgets import QMainWindow, QWidget

    from desktop_app.gui.actions import Actions
    from desktop_app.gui.header import JobsHeader


def fill_menu_bar(window: QMainWindow, actions: Actions, undo: QUndoStack, header: JobsHeader) -> None:
    """Build the menu bar."""
    bar = window.menuBar()
    bar.setAccessibleName("Menus")
    file = bar.addMenu("&File")
    _add(file, actions.add_files, actions.add_folder, actions.paste, None, actions.quit)
    edit = bar.addMenu("&Edit")
    _add(edit, *undo_actions(window, undo), None, actions.copy, actions.select_all, actions.select_none)
    view = bar.addMenu("&View")
    for title, fill in (("&Columns", header.fill_menu), ("&Sort By", header.fill_sort_menu)):
        menu = view.addMenu(title)
        menu.aboutToShow.connect(partial(_fill_afresh, menu, fill))
    queue = bar.addMenu("&Queue")
    _add(queue, actions.retry, actions.retry_failed, None, actions.remove, None, actions.show_file)
    _add(queue, None, actions.foreign)
    _add(bar.addMenu("&Help"), actions.shortcuts, actions.about)


def undo_actions(window: QMainWindow, undo: QUndoStack) -> tuple[QAction, QAction]:
    """Undo and Redo, which name what they would undo."""
    back, again = undo.createUndoAction(window, "&Undo"), undo.createRedoAction(window, "R&edo")
    back.setShortcut(QKeySequence("Ctrl+Z"))
    again.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
    back.setStatusTip("Take back what was done to the list last")
    again.setStatusTip("Do again what was taken back")
    return back, again


def tool_bar(actions: Actions, parent: QWidget) -> QToolBar:
    """Build the toolbar: what is done most, with its words."""
    bar = QToolBar("Tools", parent)
    bar.setObjectName("tools")
    bar.setMovable(False)
    bar.setFloatable(False)
    bar.setIconSize(QSize(18, 18))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    for action in (actions.add_files, actions.add_folder, None, actions.retry_failed, actions.remove):
        if action is None:
            bar.addSeparator()
            continue
        bar.addAction(action)
        button = bar.widgetForAction(action)
        if isinstance(button, QToolButton):
            # Qt leaves toolbars out of the Tab order.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(action.text().replace("&", "").rstrip("…"))
            button.setAccessibleDescription(action.statusTip())
    return bar


def context_menu(actions: Actions, parent: QWidget) -> QMenu:
    """The menu of the selected rows; deletes itself."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    _add(menu, actions.retry, actions.show_file, None, actions.copy, actions.select_all, None, actions.remove)
    return menu


def _fill_afresh(menu: QMenu, fill: Callable[[QMenu], None]) -> None:
    menu.clear()
    fill(menu)


def _add(menu: QMenu, *actions: QAction | None) -> None:
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
