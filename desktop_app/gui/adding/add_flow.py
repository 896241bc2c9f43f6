"""Shows review sheets one at a time, and a notice whenever files have been added."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.domain.sentences import display_text
from desktop_app.gui.adding.review_sheet import ReviewSheet, refused_text, show_refused
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.tasks import Stream, Tasks
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.fields import Choice
    from desktop_app.gui.adding.adder import Adder, AddReport, Proposal
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.table.job_feed import JobFeed
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.review import SelectionResult


_MOST_AT_ONCE = 2_000
"""The number of files that are added in one transaction."""


class AddFlow(QObject):
    """Shows the review sheets, reports how many files were added, and scrolls to the first of them.

    Signals:
        notice(Notice): The result of adding files.
        show_requested(int): The user wants to see only the files of this batch.

    Attributes:
        sheet: The open review sheet, or None.

    Args:
        adder: The object that adds the files.
        feed: The feed that updates the list after files have been added.
        view: The table, which is scrolled to the first added file.
        model: The table's model.
        tasks: The pool that counts the selected files.
        choices: What can be done with the files.
        undo: Called to remove the most recently added files.
        theme, wording: The colours and texts of the sheets.
        window: The parent of the sheets.
    """

    notice = Signal(object)
    show_requested = Signal(int)

    def __init__(
        self,
        adder: Adder,
        feed: JobFeed,
        view: JobsView,
        model: JobsModel,
        tasks: Tasks,
        *,
        choices: ProcessorChoice,
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
        # The stream outlives the sheets, because files may still be being counted when a sheet is deleted.
        self._counting = Stream(tasks, self)
        self._choices = choices
        self._undo = undo
        self._theme = theme
        self._wording = wording
        self._window = window
        self._waiting: deque[Proposal] = deque()
        self.sheet: ReviewSheet | None = None
        adder.proposed.connect(self._queue_review)
        adder.finished.connect(self._report)

    @Slot()
    def close(self) -> None:
        """Dismiss the open review sheet and all pending reviews."""
        for proposal in self._waiting:
            self._adder.dismiss(proposal.number)
        self._waiting.clear()
        if self.sheet is not None:
            self.sheet.reject()

    @Slot(object)
    def _queue_review(self, proposal: Proposal) -> None:
        self._waiting.append(proposal)
        self._show_next_review()

    def _show_next_review(self) -> None:
        if self.sheet is not None or not self._waiting:
            return
        proposal = self._waiting.popleft()
        self.sheet = ReviewSheet(proposal, self._counting, self._choices, self._theme, self._wording, self._window)
        self.sheet.decided.connect(partial(self._accept, proposal))
        self.sheet.rejected.connect(partial(self._adder.dismiss, proposal.number))
        self.sheet.finished.connect(self._forget_sheet)

    def _accept(self, proposal: Proposal, picked: SelectionResult, name: str, again: bool, choice: Choice) -> None:  # noqa: FBT001 - the arguments of a signal
        if choice != proposal.choice:
            self._choices.choose(choice)
        self._adder.accept(proposal, picked, name=name, again=again, choice=choice)

    @Slot()
    def _forget_sheet(self) -> None:
        self.sheet = None
        self._show_next_review()

    @Slot(object)
    def _report(self, report: AddReport) -> None:
        model = self._model
        self._feed.look()
        show = partial(self.show_requested.emit, report.batch)
        show_left_out = partial(show_refused, report.refused, self._window)
        self.notice.emit(notice_of(report, self._wording, show, show_left_out, self._undo))
        # More files are on the list for some time already, in which the user may have scrolled.
        is_new = 0 < report.added <= _MOST_AT_ONCE
        if is_new and model.order.is_by_adding and model.filter.is_empty:
            row = 0 if model.order.terms[0].descending else max(0, model.rowCount() - report.added)
            self._view.scrollTo(model.index(row, 0))


def notice_of(
    report: AddReport,
    wording: Wording,
    show: Callable[[], object],
    show_left_out: Callable[[], object],
    undo: Callable[[], object],
) -> Notice:
    """Return the notice that reports the result of adding files.

    Args:
        report: The result.
        wording: The formatter for numbers.
        show: Called to show only the added files.
        show_left_out: Called to show the items that could not be added.
        undo: Called to remove the added files again.
    """
    buttons = (NoticeAction(tr("Show"), show, keeps=True), NoticeAction(tr("Undo"), undo))
    if report.problem and report.added:
        return Notice(translated(report.problem), Kind.PROBLEM, buttons, offers_undo=True)
    if report.problem:
        return Notice(tr("Nothing was added: {why}").format(why=translated(report.problem)), Kind.PROBLEM)
    if report.cancelled and not report.added:
        return Notice(tr("Stopped. Nothing was added."), passing=True)
    if report.added:
        text = added_text(report, wording)
        if report.cancelled:
            text = tr("Stopped. {added}").format(added=text)
        return Notice(text, actions=buttons, passing=not report.cancelled, offers_undo=True)
    if report.listed:
        text = tr("Nothing was added: %Ln file(s) (is|are) already in the list and unchanged.", "", report.listed)
        return Notice(text, passing=True)
    if not report.refused:
        return Notice(tr("Nothing was added: no files were found."), passing=True)
    if len(report.refused) == 1:
        return Notice(refused_text(report.refused), Kind.WARNING)
    text = tr("(This item can't|None of these %Ln items can) be added.", "", len(report.refused))
    return Notice(text, Kind.WARNING, (NoticeAction(tr("Show…"), show_left_out),))


def added_text(report: AddReport, wording: Wording) -> str:
    """Return a sentence that says how many files were added to which batch, and how many were left out."""
    batch = display_text(report.name)
    if report.added == 1 and batch:
        text = tr("“{batch}” was added.")  # a file that was added alone is a batch with its name
    elif batch.startswith(f"{wording.number(report.added)} "):
        text = tr("Added {batch}.")
    else:
        text = tr("{files} added to “{batch}”.") if batch else tr("Added {files}.")
    text = text.format(files=wording.files(report.added), batch=batch)
    if report.listed:
        skipped = tr("{added} Skipped because already in the list: {count}.")
        return skipped.format(added=text, count=wording.number(report.listed))
    if report.again:
        again = tr("{added} Added again although already in the list: {count}.")
        return again.format(added=text, count=wording.number(report.again))
    return text
