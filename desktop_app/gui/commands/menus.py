"""Where the actions stand: menu bar, toolbar, context menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction, QUndoStack
    from PySide6.QtWidgets import QMainWindow

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.table.header import JobsHeader


def fill_menu_bar(window: QMainWindow, actions: Actions, undo: QUndoStack, header: JobsHeader) -> None:
    """Build the menu bar."""
    bar = window.menuBar()
    bar.setAccessibleName(tr("Menus"))
    file = bar.addMenu(tr("&File"))
    _add(file, actions.add_files, actions.add_folder, actions.paste, None, actions.export, None, actions.quit)
    edit = bar.addMenu(tr("&Edit"))
    _add(
        edit,
        *undo_actions(window, undo),
        None,
        actions.copy,
        actions.copy_path,
        actions.select_all,
        actions.select_none,
        None,
        actions.filter,
    )
    view = bar.addMenu(tr("&View"))
    for title, fill in ((tr("&Columns"), header.fill_menu), (tr("&Sort By"), header.fill_sort_menu)):
        menu = view.addMenu(title)
        menu.aboutToShow.connect(partial(_fill_afresh, menu, fill))
    _add(view, None, *actions.status_views, None, actions.sidebar, actions.details)
    _add(view, actions.throughput, actions.keep_in_tray)
    _add(view, None, actions.next_problem, actions.previous_problem, actions.follow)
    _add(view, None, actions.next_pane, actions.previous_pane)
    queue = bar.addMenu(tr("&Queue"))
    _add(queue, actions.pause, actions.stop_after_current, actions.check_queue, None)
    _add(
        queue,
        actions.process_next,
        actions.retry,
        actions.retry_failed,
        actions.retry_reason,
        actions.locate,
        None,
        actions.remove,
        None,
    )
    _add(queue, actions.open, actions.show_file, None, actions.connection, actions.foreign)
    _add(bar.addMenu(tr("&Help")), actions.shortcuts, None, actions.log, actions.report, None, actions.about)


def undo_actions(window: QMainWindow, undo: QUndoStack) -> tuple[QAction, QAction]:
    """Undo and Redo, which name what they would undo."""
    back, again = undo.createUndoAction(window, tr("&Undo")), undo.createRedoAction(window, tr("R&edo"))
    back.setShortcut(QKeySequence("Ctrl+Z"))
    again.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
    back.setStatusTip(tr("Take back what was done to the list last"))
    again.setStatusTip(tr("Do again what was taken back"))
    return back, again


def context_menu(actions: Actions, parent: QWidget) -> QMenu:
    """The menu of the selected rows; deletes itself."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    _add(
        menu,
        actions.process_next,
        actions.retry,
        actions.retry_reason,
        actions.locate,
        None,
        actions.open,
        actions.show_file,
        actions.copy_path,
        actions.copy,
        None,
        actions.select_all,
        None,
        actions.remove,
    )
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
