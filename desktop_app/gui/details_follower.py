"""Keeps the details pane at what is selected, as long as it is to be seen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QTimer, Slot

from desktop_app.gui.details_texts import NOTHING_SELECTED, summary_of_many, summary_of_one

if TYPE_CHECKING:
    from desktop_app.errors import KnownError
    from desktop_app.gui.details_pane import DetailsPane
    from desktop_app.gui.jobs_view import JobsView
    from desktop_app.gui.wording import Wording
    from desktop_app.gui.workbench import Workbench
    from desktop_app.jobs import SelectionSums

_EVERY_MS = 250
"""How often it is looked again while the list changes."""
_REST = 9
"""Sums that take long are made less often: they rest so many times as long as they took."""


class DetailsFollower(QObject):
    """One file is shown at once, from what the list has read; sums of many are made beside the main thread."""

    def __init__(self, pane: DetailsPane, view: JobsView, bench: Workbench, wording: Wording) -> None:
        super().__init__(pane)
        self._pane = pane
        self._view = view
        self._bench = bench
        self._wording = wording
        self._token = 0
        self._adding = False
        self._took = QElapsedTimer()
        self._cost_ms = 0
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_EVERY_MS)
        self._again.timeout.connect(self.follow)
        view.selection_changed.connect(self._follow_selection)
        bench.model.dataChanged.connect(self._follow_later)
        bench.model.listed.connect(self._follow_later)
        pane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whoever opens the pane sees what is selected now."""
        if watched is self._pane and event.type() == QEvent.Type.Show:
            self._again.start(0)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow_later(self) -> None:
        if not self._again.isActive():
            self._again.start(max(_EVERY_MS, _REST * self._cost_ms))

    @Slot()
    def _follow_selection(self) -> None:
        self._token += 1  # sums of what was selected before are no longer wanted
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show what is selected."""
        if not self._pane.isVisible():
            return
        count = self._view.selected_count()
        if count > 1:
            self._add_up(count)
            return
        self._cost_ms = 0
        rows = self._view.selected_rows()
        job = self._bench.model.job(rows[0][0]) if rows else None
        self._pane.show_summary(NOTHING_SELECTED if job is None else summary_of_one(job, self._wording))

    def _add_up(self, count: int) -> None:
        before = self._pane.summary
        waiting = summary_of_many(count, None, self._wording)
        if before.title != waiting.title:
            self._pane.show_summary(waiting)
        if self._adding:
            self._again.start(_EVERY_MS)  # one sum at a time
            return
        self._adding = True
        self._took.start()
        self._bench.add_up(self._view.selected_ids(), partial(self._take, self._token, count), self._give_up)

    def _take(self, token: int, count: int, sums: SelectionSums) -> None:
        self._adding = False
        self._cost_ms = self._took.elapsed()
        if token == self._token:
            self._pane.show_summary(summary_of_many(count, sums, self._wording))

    def _give_up(self, error: KnownError) -> None:  # noqa: ARG002 - the change feed reads the same database and says so
        self._adding = False
