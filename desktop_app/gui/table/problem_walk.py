"""F8 and Shift+F8: from one failed file of the list to the next, however many rows lie between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.texts import tr
from desktop_app.gui.widgets.notice import Notice
from desktop_app.jobs import Status

if TYPE_CHECKING:
    from array import array

    from PySide6.QtGui import QAction

    from desktop_app.errors import KnownError
    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.workbench import Workbench
    from desktop_app.jobs import ListQuery


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

    def __init__(self, forward: QAction, backward: QAction, view: JobsView, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._bench = bench
        self._goes = False
        forward.triggered.connect(partial(self.go, 1))
        backward.triggered.connect(partial(self.go, -1))

    def go(self, step: int) -> None:
        """Select the next failed file, or with -1 the one before; behind the last comes the first."""
        if self._goes:
            return
        model = self._bench.model
        if model.shown.statuses and Status.FAILED not in model.shown.statuses:
            self._take(None)
            return
        self._goes = True
        current = self._view.currentIndex().row()
        start = len(model.ids) if current < 0 and step < 0 else current
        failed = replace(model.shown, statuses=frozenset({Status.FAILED}))
        self._bench.ask(partial(self._search, failed, model.ids[:], start, step), self._take, self._give_up)

    def _search(self, failed: ListQuery, ids: array[int], start: int, step: int) -> Found | None:
        """Runs on the pool."""
        keys = set(self._bench.reader.ids(failed))
        rows = ((start + step * distance) % len(ids) for distance in range(1, len(ids) + 1))
        row = next((row for row in rows if ids[row] in keys), None) if keys else None
        return None if row is None else Found(ids[row], row)

    def _take(self, found: Found | None) -> None:
        self._goes = False
        if found is None:
            self.said.emit(Notice(tr("No file in this list has failed."), passing=True))
            return
        ids = self._bench.model.ids
        stays = found.row < len(ids) and ids[found.row] == found.key
        row = found.row if stays else self._bench.model.row_of(found.key)
        if row is not None:
            self._view.select_rows(row, row)

    @Slot(object)
    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._goes = False
