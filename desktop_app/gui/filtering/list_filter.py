"""Connects the filter box and the sidebar to the list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from desktop_app.domain.job import Status
from desktop_app.domain.query import NO_FILTER

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.filtering.filter_box import FilterBox
    from desktop_app.gui.filtering.sidebar import Sidebar
    from desktop_app.gui.table.job_feed import GroupTotals, Totals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView


class ListFilter(QObject):
    """Connects the filter box, the sidebar and their actions to the list.

    Signals:
        retry_wanted(object): Retry all files that failed for these reasons, a set of codes.

    Args:
        actions: The actions.
        box, sidebar: Hold the user's choices.
        view, model: The list.
        totals, groups: The counts shown in the sidebar.
        parent: The parent.
    """

    retry_wanted = Signal(object)

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
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._box = box
        self._sidebar = sidebar
        self._view = view
        self._model = model
        self._groups = groups
        box.searched.connect(self._apply)
        box.left.connect(self._go_to_list)
        sidebar.chosen.connect(self._apply)
        sidebar.retry_wanted.connect(self.retry_wanted)
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
        """Clear the filter box; keep the choices in the sidebar."""
        self._box.empty()

    @Slot()
    def show_all(self) -> None:
        """Clear the filter box and the choices in the sidebar."""
        self._box.empty()
        self._sidebar.choose(NO_FILTER)

    @Slot()
    def _apply(self) -> None:
        choice = self._sidebar.choice
        self._offer_retry()
        self._groups.include(choice.batches)
        self._view.header.show_problem_columns(
            only_problems=bool(choice.problems) or choice.statuses == {Status.FAILED}
        )
        self._model.set_filter(replace(choice, search=self._box.search))

    @Slot()
    def _retry_chosen(self) -> None:
        self.retry_wanted.emit(self._reasons())

    @Slot()
    def _offer_retry(self) -> None:
        self._actions.retry_reason.setEnabled(bool(self._reasons()))

    def _reasons(self) -> frozenset[str]:
        """Return the reasons chosen in the sidebar, else that of the current file if it is selected and failed."""
        chosen = self._sidebar.choice.problems
        job = self._model.job(self._view.currentIndex().row()) if self._view.selected_count() else None
        if chosen or job is None or job.status is not Status.FAILED:
            return chosen
        return frozenset({job.problem or ""})

    @Slot()
    def _go_to_list(self) -> None:
        """Focus the list at the selection, else at the current or the first row."""
        self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if self._model.rowCount() and not self._view.selected_count():
            row = max(0, self._view.currentIndex().row())
            self._view.select_rows(row, row)
