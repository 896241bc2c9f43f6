"""The filter box, and a class that connects the filter box and the sidebar to the list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from desktop_app.domain.job import Status
from desktop_app.domain.query import NO_FILTER, Filter
from desktop_app.domain.search import NO_SEARCH
from desktop_app.gui.filtering.search_names import read_search
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.filtering.sidebar import Sidebar
    from desktop_app.gui.table.job_feed import GroupTotals, Totals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.theme.theme import Theme


DELAY_MS = 150
"""The time without a keystroke after which the filter is applied."""

_LONGEST = 500
"""The maximum number of characters in the filter box. SQLite rejects very long conditions."""

_MIN_WIDTH, _MAX_WIDTH = 130, 280


class FilterBox(QLineEdit):
    """The filter box in the tool bar.

    Signals:
        searched(): `search` has changed.
        leave_requested(): A key was pressed that moves the focus to the list.

    Attributes:
        search: The search currently applied.
    """

    searched = Signal()
    leave_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, maxLength=_LONGEST, placeholderText=tr("Filter files"))
        self._theme = theme
        self.search = NO_SEARCH
        self.setObjectName("filter")
        self.setMinimumWidth(_MIN_WIDTH)
        self.setMaximumWidth(_MAX_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Filter files"))
        tip = tr("Words in the path or the reason; or status:failed, size:>10MB, reason:missing, “two words”")
        self.setAccessibleDescription(tip)
        self.setToolTip(tip)
        self._search_action = QAction(tr("Filter files"), self)
        self._search_action.triggered.connect(self.activate)
        self._clear_action = QAction(tr("Clear the filter"), self, visible=False)
        self._clear_action.triggered.connect(self.reset)
        self.addAction(self._search_action, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._clear_action, QLineEdit.ActionPosition.TrailingPosition)
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self._search_now)
        self.textChanged.connect(self._wait)
        theme.changed.connect(self._draw)
        self._draw()

    @Slot()
    def activate(self) -> None:
        """Focus the filter box and select its text, so that typing replaces it."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    @Slot()
    def reset(self) -> None:
        """Clear the text, and apply the empty filter without delay."""
        self.clear()
        self._search_now()

    @Slot()
    def _wait(self) -> None:
        self._clear_action.setVisible(bool(self.text()))
        self._timer.start()

    @Slot()
    def _search_now(self) -> None:
        self._timer.stop()
        search = read_search(self.text())
        if search != self.search:
            self.search = search
            self.searched.emit()

    @Slot()
    def _draw(self) -> None:
        colour = self._theme.colours.muted
        self._search_action.setIcon(self._theme.icon("search", colour))
        self._clear_action.setIcon(self._theme.icon("cancel", colour))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear the text on Escape, or leave the filter box if it is empty. Go to the list on Down and Enter."""
        match event.key():
            case Qt.Key.Key_Escape if self.text():
                self.reset()
            case Qt.Key.Key_Escape:
                self.leave_requested.emit()
            case Qt.Key.Key_Down | Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._search_now()
                self.leave_requested.emit()
            case _:
                super().keyPressEvent(event)
                return
        event.accept()


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
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._box = box
        self._sidebar = sidebar
        self._view = view
        self._model = model
        self._groups = groups
        box.searched.connect(self._apply)
        box.leave_requested.connect(self._go_to_list)
        sidebar.chosen.connect(self._apply)
        sidebar.retry_requested.connect(self.retry_requested)
        totals.changed.connect(sidebar.show_counts)
        groups.changed.connect(sidebar.show_groups)
        actions.filter.triggered.connect(box.activate)
        actions.retry_reason.triggered.connect(lambda: self.retry_requested.emit(self._reasons()))
        for action, status in zip(actions.status_views, (None, *Status), strict=True):
            action.triggered.connect(lambda _checked=False, wanted=status: sidebar.choose_status(wanted))
        view.selection_changed.connect(self._offer_retry)
        groups.changed.connect(self._offer_retry)
        self._offer_retry()

    @Slot()
    def clear_filter(self) -> None:
        """Clear the filter box, but keep the choice in the sidebar."""
        self._box.reset()

    @Slot()
    def show_all(self) -> None:
        """Clear the filter box and the choice in the sidebar."""
        self._box.reset()
        self._sidebar.choose(NO_FILTER)

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
        self._view.header.show_problem_columns(
            only_problems=bool(choice.problems) or choice.statuses == {Status.FAILED}
        )
        self._model.set_filter(replace(choice, search=self._box.search))

    @Slot()
    def _offer_retry(self) -> None:
        self._actions.retry_reason.setEnabled(bool(self._reasons()))

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
        if self._model.rowCount() and not self._view.selected_count():
            row = max(0, self._view.currentIndex().row())
            self._view.select_rows(row, row)
