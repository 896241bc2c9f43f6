"""The window's side of adding: asks where there is something to ask, one thing at a time, and says how it ended."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.gui import dialogs
from desktop_app.gui.adding.review_sheet import Decision, ReviewSheet
from desktop_app.gui.adding.review_texts import notice_of

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.adding.adder import AddReport, Proposal
    from desktop_app.gui.look.look import Look
    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.wording import Wording
    from desktop_app.gui.workbench import Workbench


class AddFlow(QObject):
    """Shows the review sheets, tells how each Add ended, and shows the first file of it.

    Signals:
        said(Notice): How it ended.

    Attributes:
        sheet: What is asked now; None if nothing is.
    """

    said = Signal(object)

    def __init__(self, workbench: Workbench, view: JobsView, look: Look, wording: Wording, window: QWidget) -> None:
        super().__init__(window)
        self._workbench = workbench
        self._view = view
        self._look = look
        self._wording = wording
        self._window = window
        self._waiting: deque[Proposal] = deque()
        self.sheet: ReviewSheet | None = None
        workbench.adder.proposed.connect(self._ask)
        workbench.adder.finished.connect(self._tell)

    @Slot()
    def close(self) -> None:
        """The window closes: what is asked is answered with no."""
        for proposal in self._waiting:
            self._workbench.adder.dismiss(proposal.number)
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
        sheet = ReviewSheet(proposal, self._workbench.beside.run, self._look, self._wording, self._window)
        sheet.decided.connect(self._add)
        sheet.rejected.connect(partial(self._workbench.adder.dismiss, proposal.number))
        sheet.finished.connect(self._end)
        self.sheet = sheet

    @Slot()
    def _end(self) -> None:
        self.sheet = None
        self._ask_next()

    @Slot(object)
    def _add(self, decision: Decision) -> None:
        self._workbench.adder.accept(decision.proposal, decision.picked, name=decision.name, again=decision.again)

    @Slot(object)
    def _tell(self, report: AddReport) -> None:
        model = self._workbench.model
        before = model.rowCount()
        self._workbench.feed.look()
        show = partial(dialogs.show_refused, report.refused, self._window)
        self.said.emit(notice_of(report, self._wording, show, self._workbench.commands.undo.undo))
        if report.added and model.query.is_by_adding and not model.query.is_narrowed:
            row = 0 if model.query.descending else min(before, model.rowCount() - 1)
            self._view.scrollTo(model.index(row, 0))
