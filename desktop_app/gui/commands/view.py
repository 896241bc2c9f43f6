"""The View menu: from one failed file to the next, keeping the running file in sight, from pane to pane.

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
        notice(Notice): What a person should know about it.

    Args:
        actions: The actions.
        view: Where rows are selected; Qt's owner.
        model: What it shows.
        reader: Where jobs are read.
        reads: The pool for that.
        panes: The window's parts, in the order in which F6 visits them.
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
    """Moves the keyboard between panes. A pane that is hidden, or in which nothing can have it, is passed over.

    Args:
        forward, backward: The actions for it.
        panes: In the order in which they are visited.
        parent: Qt's owner.
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
        """Go to the one before."""
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
        """Return where the keyboard was in this pane last, if it can be there still; else the first place."""
        if not pane.isVisible():
            return None
        last = self._last.get(pane)
        places = list(_places(pane))
        return last if last in places else next(iter(places), None)


def _holds(pane: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and (pane is widget or pane.isAncestorOf(widget))


def _places(pane: QWidget) -> Iterator[QWidget]:
    """Yield the widgets of a pane that can have the keyboard, in the order of Tab."""
    widget: QWidget | None = pane
    while widget is not None:
        if _holds(pane, widget) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and _is_usable(widget):
            yield widget
        widget = widget.nextInFocusChain()
        if widget is pane:
            return


def _is_usable(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled()
