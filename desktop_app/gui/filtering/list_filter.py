"""From the filter box and the sidebar to what the list shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot

from desktop_app.domain.job import Status
from desktop_app.domain.query import ListQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.filtering.filter_box import FilterBox
    from desktop_app.gui.filtering.sidebar import Sidebar
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.totals import GroupTotals, Totals
    from desktop_app.gui.table.view import JobsView


class ListFilter(QObject):
    """Connects them, and the actions that belong to them."""

    def __init__(
        self,
        actions: Actions,
        box: FilterBox,
        sidebar: Sidebar,
        view: JobsView,
        model: JobsModel,
        *,
        totals: Totals,
        groups: GroupTotals,
        retry_reasons: Callable[[frozenset[str]], None],
    ) -> None:
        super().__init__(view)
        self._actions = actions
        self._box = box
        self._sidebar = sidebar
        self._view = view
        self._model = model
        self._groups = groups
        self._retry_reasons = retry_reasons
        box.searched.connect(self._apply)
        box.left.connect(self._go_to_list)
        sidebar.chosen.connect(self._apply)
        sidebar.retry_wanted.connect(retry_reasons)
        totals.changed.connect(sidebar.show_counts)
        groups.changed.connect(sidebar.show_groups)
        actions.filter.triggered.connect(box.begin)
        actions.retry_reason.triggered.connect(self._retry_chosen)
        for action, status in zip(actions.status_views, (None, *Status), strict=True):
            action.triggered.connect(lambda _checked=False, wanted=status: sidebar.choose_status(wanted))
        view.selection_changed.connect(self._offer_retry)
        groups.changed.connect(self._offer_retry)
        self._offer_retry()

    @Slot()
    def clear_filter(self) -> None:
        """Empty the filter box; the sidebar stays."""
        self._box.empty()

    @Slot()
    def show_all(self) -> None:
        """Take everything back."""
        self._box.empty()
        self._sidebar.choose(ListQuery())

    @Slot()
    def _apply(self) -> None:
        choice = self._sidebar.choice
        self._offer_retry()
        self._groups.keep(choice.batches)
        self._view.header.suit_problems(bool(choice.problems) or choice.statuses == {Status.FAILED})
        self._model.narrow(replace(choice, search=self._box.search))

    @Slot()
    def _retry_chosen(self) -> None:
        self._retry_reasons(self._reasons())

    @Slot()
    def _offer_retry(self) -> None:
        self._actions.retry_reason.setEnabled(bool(self._reasons()))

    def _reasons(self) -> frozenset[str]:
        """Those chosen in the sidebar, else that of the current file if it is selected and has failed."""
        chosen = self._sidebar.choice.problems
        job = self._model.job(self._view.currentIndex().row()) if self._view.selected_count() else None
        if chosen or job is None or job.status is not Status.FAILED:
            return chosen
        return frozenset({job.reason_code})

    @Slot()
    def _go_to_list(self) -> None:
        """To what is selected, else to the current row or the first one."""
        self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if self._model.rowCount() and not self._view.selected_count():
            row = max(0, self._view.currentIndex().row())
            self._view.select_rows(row, row)
