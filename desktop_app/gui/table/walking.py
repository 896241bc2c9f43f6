"""Navigation by status: F8 to the next failed file, and following the file being processed.

The database is searched off the main thread, however many rows lie between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView

from desktop_app.domain.job import Status
from desktop_app.gui.i18n import tr
from desktop_app.gui.tasks import CoalescedTask
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from PySide6.QtGui import QAction

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.query import Filter
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks


EVERY_MS = 500
"""The shortest time between two searches for running files while the list changes."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A job and the row in which it was found."""

    key: int
    row: int


class ProblemWalk(QObject):
    """Selects the next or previous failed file, one step at a time.

    Signals:
        notice(Notice): There is no failed file.

    Args:
        forward, backward: The actions.
        view: Has the selection.
        model: The view's model.
        reader: Reads jobs.
        tasks: The pool for searching.
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
        forward.triggered.connect(partial(self.go, 1))
        backward.triggered.connect(partial(self.go, -1))

    def go(self, step: int) -> None:
        """Select the next failed file, or with -1 the previous one, wrapping around."""
        if self._is_searching:
            return
        failed = _with_status(self._model.shown_filter, Status.FAILED)
        if failed is None:
            self._take(None)
            return
        self._is_searching = True
        current = self._view.currentIndex().row()
        start = len(self._model.ids) if current < 0 and step < 0 else current
        self._tasks.run(partial(self._search, failed, self._model.ids[:], start, step), self._take, self._give_up)

    def _search(self, failed: Filter, ids: array[int], start: int, step: int) -> _Found | None:
        """Return the nearest failed file. Runs on the pool."""
        keys = set(self._reader.ids(failed))
        rows = ((start + step * distance) % len(ids) for distance in range(1, len(ids) + 1))
        row = next((row for row in rows if ids[row] in keys), None) if keys else None
        return None if row is None else _Found(ids[row], row)

    def _take(self, found: _Found | None) -> None:
        self._is_searching = False
        if found is None:
            self.notice.emit(Notice(tr("No file in this list has failed."), passing=True))
            return
        ids = self._model.ids
        stays = found.row < len(ids) and ids[found.row] == found.key
        row = found.row if stays else self._model.row_of(found.key)
        if row is not None:
            self._view.select_rows(row, row)

    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and reports it
        self._is_searching = False


class FollowRunning(QObject):
    """Scrolls to the first file being processed, as long as its action is checked.

    Does nothing while such a file is visible. Scrolling or selecting by hand unchecks the action.

    Args:
        action: Switches it on and off.
        view: The view to scroll.
        model: The view's model.
        reader: Reads jobs.
        tasks: The pool for searching.
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
        view.verticalScrollBar().actionTriggered.connect(self._stop)
        view.selection_changed.connect(self._stop_if_selected)
        model.dataChanged.connect(self._search_later)
        model.listed.connect(self._search_later)

    @Slot()
    def _stop(self) -> None:
        self._action.setChecked(False)

    @Slot()
    def _stop_if_selected(self) -> None:
        if self._view.selected_rows():
            self._stop()

    @Slot()
    def _search_later(self) -> None:
        if self._action.isChecked():
            self._task.request(EVERY_MS)

    def _prepare(self) -> Callable[[], list[int]] | None:
        running = _with_status(self._model.shown_filter, Status.PROCESSING)
        if running is None or not self._action.isChecked():
            return None
        return partial(self._search, running, self._model.ids[:])

    def _search(self, running: Filter, ids: array[int]) -> list[int]:
        """Return the rows of files being processed. Runs on the pool."""
        keys = set(self._reader.ids(running))
        return [row for row, key in enumerate(ids) if key in keys] if keys else []

    @Slot(object)
    def _scroll_to_first(self, rows: list[int]) -> None:
        if not self._action.isChecked() or not rows or rows[-1] >= self._model.rowCount():
            return
        first = self._view.rowAt(0)
        last = self._view.rowAt(self._view.viewport().height() - self._view.rowHeight(0))
        if first < 0 or any(first <= row and (last < 0 or row <= last) for row in rows):
            return
        self._view.scrollTo(self._model.index(rows[0], 0), QAbstractItemView.ScrollHint.PositionAtCenter)


def _with_status(shown: Filter, status: Status) -> Filter | None:
    """Return the filter restricted to a status; None if it excludes the status."""
    if shown.statuses and status not in shown.statuses:
        return None
    return replace(shown, statuses=frozenset({status}))
