"""Keeps what is being processed in sight, until the person looks elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Slot
from PySide6.QtWidgets import QAbstractItemView

from desktop_app.jobs import Status

if TYPE_CHECKING:
    from array import array

    from PySide6.QtGui import QAction

    from desktop_app.errors import KnownError
    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.workbench import Workbench
    from desktop_app.jobs import ListQuery

EVERY_MS = 500
_REST = 9
"""A search that takes long is made less often: it rests so many times as long as it took."""


class FollowRunning(QObject):
    """As long as its action is checked, the list is scrolled to the first file that is being processed.

    A list in which one is to be seen already is left alone. Scrolling and selecting by hand end it.
    """

    def __init__(self, action: QAction, view: JobsView, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._action = action
        self._view = view
        self._bench = bench
        self._searches = False
        self._took = QElapsedTimer()
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.look)
        self._cost_ms = 0
        action.toggled.connect(self.look)
        view.verticalScrollBar().actionTriggered.connect(self._stop)
        view.selection_changed.connect(self._stop_if_selected)
        bench.model.dataChanged.connect(self._look_later)
        bench.model.listed.connect(self._look_later)

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
        shown = self._bench.model.shown
        if not self._action.isChecked() or self._searches:
            return
        if shown.statuses and Status.PROCESSING not in shown.statuses:
            return
        self._searches = True
        self._took.start()
        running = replace(shown, statuses=frozenset({Status.PROCESSING}))
        self._bench.ask(partial(self._search, running, self._bench.model.ids[:]), self._take, self._give_up)

    def _search(self, running: ListQuery, ids: array[int]) -> list[int]:
        """The rows of what is being processed. Runs on the pool."""
        keys = set(self._bench.reader.ids(running))
        return [row for row, key in enumerate(ids) if key in keys] if keys else []

    def _take(self, rows: list[int]) -> None:
        self._searches = False
        self._cost_ms = self._took.elapsed()
        if not self._action.isChecked() or not rows or rows[-1] >= self._bench.model.rowCount():
            return
        first = self._view.rowAt(0)
        last = self._view.rowAt(self._view.viewport().height() - self._view.rowHeight(0))
        if first < 0 or any(first <= row and (last < 0 or row <= last) for row in rows):
            return
        self._view.scrollTo(self._bench.model.index(rows[0], 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    @Slot(object)
    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._searches = False
