"""Keeps the details at what is selected, as long as they are to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Slot

from desktop_app.gui.details.loader import DetailsLoader
from desktop_app.gui.details.words import message_facts, nothing_selected, summary_of_many, summary_of_one

if TYPE_CHECKING:
    from desktop_app.gui.details.pane import DetailsPane
    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.table.selection_sums import SelectedTotals
    from desktop_app.gui.window_needs import WindowNeeds
    from desktop_app.jobs import Job

_EVERY_MS = 250
"""How often it is looked again while the list changes."""


class DetailsFollower(QObject):
    """One file is shown at once, from what the list has read; sums of many come from `SelectedTotals`.

    Args:
        pane: What it fills.
        view: Where files are selected.
        selected: Their sums.
        needs: Where jobs and logs are read, and who writes numbers and times.
    """

    def __init__(self, pane: DetailsPane, view: JobsView, selected: SelectedTotals, needs: WindowNeeds) -> None:
        super().__init__(pane)
        bench = needs.workbench
        self._pane = pane
        self._view = view
        self._selected = selected
        self._bench = bench
        self._wording = needs.wording
        self._strict_order = needs.strict_order
        self._loader = DetailsLoader(pane, bench, needs.log_folder)
        self._loader.learned.connect(self.follow)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.follow)
        view.selection_changed.connect(self.follow)
        selected.changed.connect(self._follow_sums)
        bench.model.dataChanged.connect(self._follow_later)
        bench.model.listed.connect(self._follow_later)
        pane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whoever opens the pane sees what is selected now; nothing is read for a pane that is closed."""
        if watched is self._pane and event.type() == QEvent.Type.Show:
            self._again.start(0)
        if watched is self._pane and event.type() == QEvent.Type.Hide:
            self._loader.show(None)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow_later(self) -> None:
        if not self._again.isActive():
            self._again.start(_EVERY_MS)

    @Slot()
    def _follow_sums(self) -> None:
        if self._view.selected_count() > 1:
            self.follow()

    @Slot()
    def follow(self) -> None:
        """Show what is selected."""
        if not self._pane.isVisible():
            return
        count = self._view.selected_count()
        if count > 1:
            self._show_many(count)
            return
        rows = self._view.selected_rows()
        job = self._bench.model.job(rows[0][0]) if rows else None
        if job is None:
            self._show_none()
        else:
            self._show_one(job)

    def _show_none(self) -> None:
        self._loader.show(None)
        self._pane.offer_tabs(offered=False)
        self._pane.show_summary(nothing_selected())

    def _show_one(self, job: Job) -> None:
        self._pane.offer_tabs(offered=True)
        self._loader.show(job)
        summary = summary_of_one(job, self._wording, self._loader.seen, self._loader.last)
        if summary != self._pane.summary:
            self._pane.show_summary(summary)
        self._pane.message.show_facts(message_facts(job, self._wording, strict_order=self._strict_order))

    def _show_many(self, count: int) -> None:
        self._loader.show(None)
        self._pane.offer_tabs(offered=False)
        now = self._selected.now
        summary = summary_of_many(count, now.sums if now.count == count else None, self._wording)
        # Sums that are being made again take the place of the ones before when they are there.
        if now.sums is not None or summary.title != self._pane.summary.title:
            self._pane.show_summary(summary)
