"""F8 and Shift+F8: from one failed file of the list to the next, however many rows lie between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView

from desktop_app.domain.job import Status
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.notice import Notice

if TYPE_CHECKING:
    from array import array

    from PySide6.QtGui import QAction

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.query import ListQuery
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Found:
    """A job, and the row that it stood in."""

    key: int
    row: int


class ProblemWalk(QObject):
    """Which files have failed is asked of the database, beside the main thread; one step at a time.

    Signals:
        said(Notice): That there is none.
    """

    said = Signal(object)

    def __init__(
        self,
        forward: QAction,
        backward: QAction,
        view: JobsView,
        model: JobsModel,
        reader: JobReader,
        reads: Tasks,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._reader = reader
        self._reads = reads
        self._goes = False
        forward.triggered.connect(partial(self.go, 1))
        backward.triggered.connect(partial(self.go, -1))

    def go(self, step: int) -> None:
        """Select the next failed file, or with -1 the one before; behind the last comes the first."""
        if self._goes:
            return
        model = self._model
        if model.shown.statuses and Status.FAILED not in model.shown.statuses:
            self._take(None)
            return
        self._goes = True
        current = self._view.currentIndex().row()
        start = len(model.ids) if current < 0 and step < 0 else current
        failed = replace(model.shown, statuses=frozenset({Status.FAILED}))
        self._reads.run(partial(self._search, failed, model.ids[:], start, step), self._take, self._give_up)

    def _search(self, failed: ListQuery, ids: array[int], start: int, step: int) -> Found | None:
        """Runs on the pool."""
        keys = set(self._reader.ids(failed))
        rows = ((start + step * distance) % len(ids) for distance in range(1, len(ids) + 1))
        row = next((row for row in rows if ids[row] in keys), None) if keys else None
        return None if row is None else Found(ids[row], row)

    def _take(self, found: Found | None) -> None:
        self._goes = False
        if found is None:
            self.said.emit(Notice(tr("No file in this list has failed."), passing=True))
            return
        ids = self._model.ids
        stays = found.row < len(ids) and ids[found.row] == found.key
        row = found.row if stays else self._model.row_of(found.key)
        if row is not None:
            self._view.select_rows(row, row)

    @Slot(object)
    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._goes = False


EVERY_MS = 500

_REST = 9
"""A search that takes long is made less often: it rests so many times as long as it took."""


class FollowRunning(QObject):
    """As long as its action is checked, the list is scrolled to the first file that is being processed.

    A list in which one is to be seen already is left alone. Scrolling and selecting by hand end it.
    """

    def __init__(self, action: QAction, view: JobsView, model: JobsModel, reader: JobReader, reads: Tasks) -> None:
        super().__init__(view)
        self._action = action
        self._view = view
        self._model = model
        self._reader = reader
        self._reads = reads
        self._searches = False
        self._took = QElapsedTimer()
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.look)
        self._cost_ms = 0
        action.toggled.connect(self.look)
        view.verticalScrollBar().actionTriggered.connect(self._stop)
        view.selection_changed.connect(self._stop_if_selected)
        model.dataChanged.connect(self._look_later)
        model.listed.connect(self._look_later)

    @Slot()
    def _stop(self) -> None:
        self._action.setChecked(False)

    @Slot()
    def _stop_if_selected(self) -> None:
        if self._view.selected_rows():
            self._stop()

    @Slot()
    def _look_later(self) -> None:
        if self._action.isChecked() and not self._again.isActive():
            self._again.start(max(EVERY_MS, _REST * self._cost_ms))

    @Slot()
    def look(self) -> None:
        """Look where they are now."""
        shown = self._model.shown
        if not self._action.isChecked() or self._searches:
            return
        if shown.statuses and Status.PROCESSING not in shown.statuses:
            return
        self._searches = True
        self._took.start()
        running = replace(shown, statuses=frozenset({Status.PROCESSING}))
        self._reads.run(partial(self._search, running, self._model.ids[:]), self._take, self._give_up)

    def _search(self, running: ListQuery, ids: array[int]) -> list[int]:
        """The rows of what is being processed. Runs on the pool."""
        keys = set(self._reader.ids(running))
        return [row for row, key in enumerate(ids) if key in keys] if keys else []

    def _take(self, rows: list[int]) -> None:
        self._searches = False
        self._cost_ms = self._took.elapsed()
        if not self._action.isChecked() or not rows or rows[-1] >= self._model.rowCount():
            return
        first = self._view.rowAt(0)
        last = self._view.rowAt(self._view.viewport().height() - self._view.rowHeight(0))
        if first < 0 or any(first <= row and (last < 0 or row <= last) for row in rows):
            return
        self._view.scrollTo(self._model.index(rows[0], 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    @Slot(object)
    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._searches = False
