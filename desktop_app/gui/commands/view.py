"""The View menu: going to the next problem, following the running file, moving between panes.

Columns and Sort By are the header's (`table.header`); the status views are connected in `filtering.list_filter`,
Throughput and Keep in Tray in `progress.progress`; the sidebar and the details are shown by `window.main_window`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
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


class ViewCommands(QObject):
    """Next Problem, Previous Problem, Follow Running File, Next Pane, Previous Pane.

    Signals:
        notice(Notice): A message for the user.

    Args:
        actions: The actions.
        view: Has the selection; the parent.
        model: The view's model.
        reader: Reads jobs.
        reads: The pool for reading.
        panes: The window's panes, in the order of F6.
    """

    notice = Signal(object)

    def __init__(
        self,
        actions: Actions,
        view: JobsView,
        model: JobsModel,
        reader: JobReader,
        reads: Tasks,
        panes: Sequence[QWidget],
    ) -> None:
        super().__init__(view)
        walk = ProblemWalk(actions.next_problem, actions.previous_problem, view, model, reader, reads, self)
        walk.notice.connect(self.notice)
        FollowRunning(actions.follow, view, model, reader, reads, self)
        PaneKeys(actions.next_pane, actions.previous_pane, panes, self)


class PaneKeys(QObject):
    """Moves the keyboard focus between panes. Skips panes that are hidden or can't take the focus.

    Args:
        forward, backward: The actions.
        panes: The panes in their order.
        parent: The parent.
    """

    def __init__(self, forward: QAction, backward: QAction, panes: Sequence[QWidget], parent: QObject) -> None:
        super().__init__(parent)
        self._panes = panes
        self._last: dict[QWidget, QWidget] = {}
        forward.triggered.connect(self.go_forward)
        backward.triggered.connect(self.go_backward)

    @Slot()
    def go_forward(self) -> None:
        """Go to the next pane."""
        self._go(self._panes)

    @Slot()
    def go_backward(self) -> None:
        """Go to the previous pane."""
        self._go(self._panes[::-1])

    def _go(self, panes: Sequence[QWidget]) -> None:
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
        """Return the widget that last had the focus in this pane, if it still can; else the first one."""
        if not pane.isVisible():
            return None
        last = self._last.get(pane)
        places = list(_places(pane))
        return last if last in places else next(iter(places), None)


def _holds(pane: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and (pane is widget or pane.isAncestorOf(widget))


def _places(pane: QWidget) -> Iterator[QWidget]:
    """Yield the widgets of a pane that can take the focus, in Tab order."""
    widget: QWidget | None = pane
    while widget is not None:
        if _holds(pane, widget) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and _is_usable(widget):
            yield widget
        widget = widget.nextInFocusChain()
        if widget is pane:
            return


def _is_usable(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled()
