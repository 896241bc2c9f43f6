"""The View menu: selecting the next problem, following the running file, moving between panes.

Columns and Sort By are filled by the table's header (`table.header`). The status views are connected in
`filtering.list_filter`, Throughput and Keep in Tray in `progress.presenter`, Sidebar and Details in
`window.main_window`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.gui.table.walking import FollowRunning, ProblemWalk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PySide6.QtGui import QAction

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks

    Panes = Sequence[QWidget]


class ViewCommands(QObject):
    """The commands Next Problem, Previous Problem, Follow Running File, Next Pane and Previous Pane.

    Signals:
        notice(Notice): A message for the user.

    Args:
        actions: The actions of the window.
        view: The table, which is also the parent.
        model: The model of the table.
        reader: Reads the list of jobs.
        reads: The pool for reading.
        panes: The panes of the window, in the order in which Next Pane visits them.
    """

    notice = Signal(object)

    def __init__(
        self, actions: Actions, view: JobsView, model: JobsModel, reader: JobReader, reads: Tasks, panes: Panes
    ) -> None:
        super().__init__(view)
        walk = ProblemWalk(actions.next_problem, actions.previous_problem, view, model, reader, reads, self)
        walk.notice.connect(self.notice)
        FollowRunning(actions.follow, view, model, reader, reads, self)
        PaneKeys(actions.next_pane, actions.previous_pane, panes, self)


class PaneKeys(QObject):
    """Moves the keyboard focus between panes, except those that are hidden or can't take the focus.

    Args:
        next_pane, previous_pane: The actions.
        panes: The panes in order.
        parent: The parent.
    """

    def __init__(self, next_pane: QAction, previous_pane: QAction, panes: Panes, parent: QObject) -> None:
        super().__init__(parent)
        self._last: dict[QWidget, QWidget] = {}
        next_pane.triggered.connect(lambda: self._go(panes))
        previous_pane.triggered.connect(lambda: self._go(panes[::-1]))

    def _go(self, panes: Panes) -> None:
        """Move the focus to the next pane in this order."""
        focused = QApplication.focusWidget()
        at = next((number for number, pane in enumerate(panes) if _holds(pane, focused)), -1)
        if at >= 0 and focused is not None:
            self._last[panes[at]] = focused
        for pane in (*panes[at + 1 :], *panes[: max(at, 0)]):
            target = self._target(pane)
            if target is not None:
                target.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def _target(self, pane: QWidget) -> QWidget | None:
        """Return the widget that last had the focus in a pane, or else the first one that can take it."""
        if not pane.isVisible():
            return None
        last = self._last.get(pane)
        widgets = list(_focusable(pane))
        return last if last in widgets else next(iter(widgets), None)


def _holds(pane: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and (pane is widget or pane.isAncestorOf(widget))


def _focusable(pane: QWidget) -> Iterator[QWidget]:
    """Yield the widgets of a pane that can take the focus, in Tab order."""
    widget: QWidget | None = pane
    while widget is not None:
        can_focus = widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if can_focus and _holds(pane, widget):
            yield widget
        widget = widget.nextInFocusChain()
        if widget is pane:
            return
