"""The window's side of adding: shows one review at a time and reports the result."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui.adding.review_sheet import Decision, ReviewSheet, show_refused
from desktop_app.gui.adding.review_texts import notice_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.adding.adder import Adder, AddReport, Proposal
    from desktop_app.gui.table.job_feed import JobFeed
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording


class AddFlow(QObject):
    """Shows the review sheets, reports how each Add ended, and scrolls to its first file.

    Signals:
        notice(Notice): The result, to be shown to the user.

    Attributes:
        sheet: The open review sheet; None if there is none.

    Args:
        adder: Adds.
        feed: Asked to look for changes after files were added.
        view: Scrolled to the first added file.
        model: The view's model.
        tasks: The pool on which a sheet counts.
        undo: Undoes the last Add.
        theme, wording: The sheets' colours and texts.
        window: The sheets' parent.
    """

    notice = Signal(object)

    def __init__(
        self,
        adder: Adder,
        feed: JobFeed,
        view: JobsView,
        model: JobsModel,
        tasks: Tasks,
        *,
        undo: Callable[[], None],
        theme: Theme,
        wording: Wording,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._adder = adder
        self._feed = feed
        self._view = view
        self._model = model
        self._tasks = tasks
        self._undo = undo
        self._theme = theme
        self._wording = wording
        self._window = window
        self._waiting: deque[Proposal] = deque()
        self.sheet: ReviewSheet | None = None
        adder.proposed.connect(self._ask)
        adder.finished.connect(self._tell)

    @Slot()
    def close(self) -> None:
        """Dismiss all open reviews; called when the window closes."""
        for proposal in self._waiting:
            self._adder.dismiss(proposal.number)
        self._waiting.clear()
        if self.sheet is not None:
            self.sheet.reject()

    @Slot(object)
    def _ask(self, proposal: Proposal) -> None:
        self._waiting.append(proposal)
        self._ask_next()

    def _ask_next(self) -> None:
        if self.sheet is not None or not self._waiting:
            return
        proposal = self._waiting.popleft()
        sheet = ReviewSheet(proposal, self._tasks, self._theme, self._wording, self._window)
        sheet.decided.connect(self._add)
        sheet.rejected.connect(partial(self._adder.dismiss, proposal.number))
        sheet.finished.connect(self._end)
        self.sheet = sheet

    @Slot()
    def _end(self) -> None:
        self.sheet = None
        self._ask_next()

    @Slot(object)
    def _add(self, decision: Decision) -> None:
        self._adder.accept(decision.proposal, decision.picked, name=decision.name, again=decision.again)

    @Slot(object)
    def _tell(self, report: AddReport) -> None:
        model = self._model
        before = model.rowCount()
        self._feed.look()
        show = partial(show_refused, report.refused, self._window)
        self.notice.emit(notice_of(report, self._wording, show, self._undo))
        if report.added and model.order.is_by_adding and model.filter.is_empty:
            row = 0 if model.order.terms[0].descending else min(before, model.rowCount() - 1)
            self._view.scrollTo(model.index(row, 0))
