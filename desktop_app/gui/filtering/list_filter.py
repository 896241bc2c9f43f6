"""Connects the filter box and the sidebar to the list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop_app.domain.job import Status
from desktop_app.domain.query import NO_FILTER, Filter
from desktop_app.gui.i18n import tr
from desktop_app.gui.tasks import CoalescedTask, Tasks

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.filtering.filter_box import FilterBox
    from desktop_app.gui.filtering.sidebar import Sidebar
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.job_feed import GroupTotals, Totals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView


REFRESH_MS = 60_000
"""How often the list is read again while the filter depends on the time, such as `added:today`."""


class ListFilter(QObject):
    """Connects the filter box, the sidebar and their actions to the list.

    Signals:
        retry_requested(frozenset[str]): The user wants to retry all files that failed with these reason codes.

    Args:
        actions: The actions of the window.
        box: The filter box.
        sidebar: The sidebar.
        view: The view of the list.
        model: The model of the list.
        totals: The counts for the statuses in the sidebar.
        groups: The counts for the problems and batches in the sidebar.
        parent: The parent.
        reader: The reader for the values that the filter box offers.
        reads: The pool for reading the list.
    """

    retry_requested = Signal(object)

    def __init__(
        self,
        actions: Actions,
        box: FilterBox,
        sidebar: Sidebar,
        view: JobsView,
        model: JobsModel,
        totals: Totals,
        groups: GroupTotals,
        parent: QWidget,
        *,
        reader: JobReader,
        reads: Tasks,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._box = box
        self._sidebar = sidebar
        self._view = view
        self._model = model
        self._totals = totals
        self._shown = NO_FILTER  # the filter of the listed files
        self._groups = groups
        # An error is reported by `JobFeed`, which reads the same database.
        self._values = CoalescedTask(lambda: reader.known_values, reads, self)
        self._values.result.connect(box.offer_values)
        box.values_wanted.connect(lambda: self._values.request())  # noqa: PLW0108 - without the default delay
        self._clock = QTimer(self, interval=REFRESH_MS)
        self._clock.timeout.connect(model.reload)
        box.searched.connect(self._apply)
        box.leave_requested.connect(self._go_to_list)
        sidebar.chosen.connect(self._apply)
        sidebar.retry_requested.connect(self.retry_requested)
        sidebar.older_requested.connect(groups.show_older)
        totals.changed.connect(sidebar.show_counts)
        totals.changed.connect(self._show_reasons)
        model.rearranged.connect(self._show_reasons_anew)
        groups.changed.connect(sidebar.show_groups)
        actions.filter.triggered.connect(box.activate)
        actions.retry_reason.triggered.connect(lambda: self.retry_requested.emit(self._reasons()))
        for action, status in zip(actions.status_views, (None, *Status), strict=True):
            action.triggered.connect(lambda _checked=False, wanted=status: sidebar.choose_status(wanted))
        view.selection_changed.connect(self._offer_retry)
        groups.changed.connect(self._offer_retry)
        self._offer_retry()

    def show_only(self, choice: Filter) -> None:
        """Clear the filter box, choose something in the sidebar, and go to the list."""
        self._box.reset()
        self._sidebar.choose(choice)
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(int)
    def show_batch(self, batch_id: int) -> None:
        """Show only the files of a batch."""
        self.show_only(Filter(batches=frozenset({batch_id})))

    @Slot()
    def _apply(self) -> None:
        choice = self._sidebar.choice
        self._offer_retry()
        self._groups.include(choice.batches)
        self._show_reasons()
        search = self._box.search
        if search.is_relative != self._clock.isActive():
            (self._clock.start if search.is_relative else self._clock.stop)()
        self._model.set_filter(replace(choice, search=search))

    @Slot()
    def _show_reasons_anew(self) -> None:
        """Fit the columns to the files of the chosen problems or statuses; without reasons, hide the Reason column."""
        before, self._shown = self._shown, self._model.shown_filter
        if (before.statuses, before.problems) != (self._shown.statuses, self._shown.problems):
            self._view.header.measure_again()
            self._show_reasons(anew=True)

    @Slot()
    def _show_reasons(self, *, anew: bool = False) -> None:
        """Show the Reason column if the list may contain failed files."""
        choice, counts = self._sidebar.choice, self._totals.counts
        self._view.header.show_reasons(
            has_problems=bool(counts.failed) and (not choice.statuses or Status.FAILED in choice.statuses),
            only_problems=bool(choice.problems) or choice.statuses == {Status.FAILED},
            may_hide=anew or not counts.unfinished,
        )

    @Slot()
    def _offer_retry(self) -> None:
        why_not = "" if self._reasons() else tr("Select a reason in the sidebar, or a file that has failed")
        self._actions.offer(self._actions.retry_reason, why_not)

    def _reasons(self) -> frozenset[str]:
        """Return the codes of the chosen problems. If there are none, return that of the current file if it failed."""
        chosen = self._sidebar.choice.problems
        job = self._model.job(self._view.currentIndex().row()) if self._view.selected_count() else None
        if chosen or job is None or job.status is not Status.FAILED:
            return chosen
        return frozenset({job.problem or ""})

    @Slot()
    def _go_to_list(self) -> None:
        """Focus the list. If nothing is selected, select the current row or, if there is none, the first row."""
        self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._view.select_a_row()
