"""The View menu: selecting the next problem, following the running file, and moving between panes.

Columns and Sort By are filled by the table's header (`table.header`). The status views are connected in
`filtering.list_filter`, Throughput and Keep in Tray in `progress.presenter`, Sidebar and Details in
`window.main_window`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

from desktop_app.domain.job import Status
from desktop_app.gui.i18n import tr
from desktop_app.gui.tasks import CoalescedTask, Tasks
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Sequence

    from PySide6.QtGui import QAction

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.query import Filter
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView

    Panes = Sequence[QWidget]


FOLLOW_EVERY_MS = 500
"""The minimum interval between two searches for files that are being processed, while the list keeps changing."""


class ViewCommands(QObject):
    """The commands Next Problem, Previous Problem, Follow Current File, Next Pane and Previous Pane.

    Signals:
        notice(Notice): A message for the user.

    Args:
        actions: The actions of the window.
        view: The table, which is also the parent.
        model: The model of the table.
        reader: The reader for the list.
        reads: The pool for reading the list.
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
    """Moves the keyboard focus between panes, skipping those that are hidden or can't take it.

    Args:
        next_pane, previous_pane: The actions Next Pane and Previous Pane.
        panes: The panes in order.
        parent: The parent.
    """

    def __init__(self, next_pane: QAction, previous_pane: QAction, panes: Panes, parent: QObject) -> None:
        super().__init__(parent)
        self._last: dict[QWidget, QWidget] = {}
        next_pane.triggered.connect(lambda: self._go(panes))
        previous_pane.triggered.connect(lambda: self._go(panes[::-1]))

    def _go(self, panes: Panes) -> None:
        """Move the focus to the next of these panes."""
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
        """Return the widget that last had the focus in a pane, or else the first widget that can take it."""
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


class ProblemWalk(QObject):
    """Selects the next or previous failed file in the list. The search runs on a pool thread.

    Signals:
        notice(Notice): A message that the list contains no failed file.

    Args:
        forward: The action that selects the next failed file.
        backward: The action that selects the previous failed file.
        view: The table.
        model: The model of the table.
        reader: The reader for the list.
        tasks: The pool for the search.
        parent: The parent.
    """

    notice = Signal(object)

    def __init__(
        self,
        forward: QAction,
        backward: QAction,
        view: JobsView,
        model: JobsModel,
        reader: JobReader,
        tasks: Tasks,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._model = model
        self._reader = reader
        self._tasks = tasks
        self._is_searching = False
        self._waiting: int | None = None  # the step to take once the list is complete
        model.rows_changed.connect(self._go_on)
        forward.triggered.connect(partial(self.go, 1))
        backward.triggered.connect(partial(self.go, -1))

    def go(self, step: int) -> None:
        """Select the next failed file (1) or the previous one (-1), wrapping around at the ends of the list."""
        self._waiting = None if self._model.is_loaded else step
        if self._is_searching or not self._model.is_loaded:
            return
        failed = _with_status(self._model.shown_filter, Status.FAILED)
        if failed is None:
            self._take(None)
            return
        self._is_searching = True
        current = self._view.currentIndex().row()
        start = len(self._model.ids) if current < 0 and step < 0 else current
        self._tasks.run(partial(self._search, failed, self._model.ids[:], start, step), self._take, self._give_up)

    @Slot()
    def _go_on(self) -> None:
        if self._waiting is not None and self._model.is_loaded:
            self.go(self._waiting)

    def _search(self, failed: Filter, ids: array[int], start: int, step: int) -> tuple[int, int] | None:
        """Return the key of the nearest failed file and its row in `ids`. Runs on the pool."""
        keys = set(self._reader.ids(failed))
        rows = ((start + step * distance) % len(ids) for distance in range(1, len(ids) + 1))
        return next(((ids[row], row) for row in rows if ids[row] in keys), None) if keys else None

    def _take(self, found: tuple[int, int] | None) -> None:
        self._is_searching = False
        if found is None:
            self.notice.emit(Notice(tr("No files in this list have failed."), passing=True))
            return
        key, row = found
        # The list may have changed during the search.
        now = row if self._model.ids[row : row + 1].tolist() == [key] else self._model.row_of(key)
        if now is not None:
            self._view.select_rows(now, now)

    def _give_up(self, _error: KnownError) -> None:  # `JobFeed` reads the same database and reports the error
        self._is_searching = False


class FollowRunning(QObject):
    """Keeps a file that is being processed in view while an action is checked. The search runs on a pool thread.

    The action is unchecked when the user scrolls the list or selects a file.

    Args:
        action: The checkable action.
        view: The table.
        model: The model of the table.
        reader: The reader for the list.
        tasks: The pool for the search.
        parent: The parent.
    """

    def __init__(
        self, action: QAction, view: JobsView, model: JobsModel, reader: JobReader, tasks: Tasks, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._action = action
        self._view = view
        self._model = model
        self._reader = reader
        self._task = CoalescedTask(self._prepare, tasks, self)
        self._task.result.connect(self._scroll_to_first)
        action.toggled.connect(self._task.restart)
        view.verticalScrollBar().actionTriggered.connect(self._uncheck)
        view.selection_changed.connect(self._uncheck_if_selected)
        model.dataChanged.connect(self._search_later)
        model.rows_changed.connect(self._search_later)

    @Slot()
    def _uncheck(self) -> None:
        self._action.setChecked(False)

    @Slot()
    def _uncheck_if_selected(self) -> None:
        if self._view.selectionModel().hasSelection():
            self._uncheck()

    @Slot()
    def _search_later(self) -> None:
        if self._action.isChecked():
            self._task.request(FOLLOW_EVERY_MS)

    def _prepare(self) -> Callable[[], list[int]] | None:
        running = _with_status(self._model.shown_filter, Status.PROCESSING)
        if running is None or not self._action.isChecked():
            return None
        return partial(self._search, running, self._model.ids[:])

    def _search(self, running: Filter, ids: array[int]) -> list[int]:
        """Return the rows of files that are being processed. Runs on the pool."""
        keys = set(self._reader.ids(running))
        return [row for row, key in enumerate(ids) if key in keys] if keys else []

    @Slot(object)
    def _scroll_to_first(self, rows: list[int]) -> None:
        """Scroll to the first of these rows, unless one of them is already visible."""
        if not self._action.isChecked() or not rows or rows[-1] >= self._model.rowCount():
            return
        first = self._view.rowAt(0)
        last = self._view.rowAt(self._view.viewport().height() - self._view.rowHeight(0))
        if first < 0 or any(first <= row and (last < 0 or row <= last) for row in rows):
            return
        self._view.scrollTo(self._model.index(rows[0], 0), QAbstractItemView.ScrollHint.PositionAtCenter)


def _with_status(shown: Filter, status: Status) -> Filter | None:
    """Return the filter of the list narrowed to one status, or None if it excludes that status."""
    if shown.statuses and status not in shown.statuses:
        return None
    return replace(shown, statuses=frozenset({status}))
