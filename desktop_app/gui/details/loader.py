"""Reads what the details' tabs show besides the job: for the visible tab, a moment after the selection changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.domain.reasons import FileProblem
from desktop_app.gui.details.words import (
    attempt_result,
    message_facts,
    nothing_selected,
    summary_of_many,
    summary_of_one,
)
from desktop_app.logs.tail import JobLog
from desktop_app.services.support.path_status import PathStatus, look_at

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.domain.job import Job
    from desktop_app.gui.details.pane import DetailsPane
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.job_feed import SelectedTotals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording


_REST_MS = 120
"""Milliseconds to wait after the last change of the selection, so that moving by arrow keys reads nothing."""

LOG_EVERY_MS = 1_000

_LOOKED_AT = frozenset({FileProblem.MISSING, FileProblem.NOT_ALLOWED})


class DetailsLoader(QObject):
    """Fills the tabs about one job. Reads the database directly, which is quick, and checks files on a pool.

    Signals:
        updated(): `seen` or `last` has changed.

    Attributes:
        seen: The state of the job's path; None before it was checked, or where that is of no use.
        last: How the job's last attempt ended; empty before it was read.
    """

    updated = Signal()

    def __init__(self, pane: DetailsPane, reader: JobReader, tasks: Tasks, log_folder: Path) -> None:
        super().__init__(pane)
        self._pane = pane
        self._reader = reader
        self._tasks = tasks
        self._log_folder = log_folder
        self._job: Job | None = None
        self._log: JobLog | None = None
        self._is_reading_log = False
        self._looked_at: tuple[int, int] | None = None
        self.seen: PathStatus | None = None
        self.last = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.load)
        self._every = QTimer(self)
        self._every.setInterval(LOG_EVERY_MS)
        self._every.timeout.connect(self._read_log)
        pane.tab_shown.connect(self.load)

    def show(self, job: Job | None) -> None:
        """Show a job that was selected or has changed; None if not exactly one is selected."""
        before, self._job = self._job, job
        if job is None or before is None or job.row_id != before.row_id:
            self._forget()
            if job is not None:
                self._pane.show_attempt_count(job.attempts)
                self._rest.start()
        elif job.revision != before.revision and not self._rest.isActive():
            self.load()

    def _forget(self) -> None:
        self._rest.stop()
        self._every.stop()
        self._log = None
        self._looked_at = None
        self.seen = None
        self.last = ""
        self._pane.show_attempt_count(0)
        self._pane.attempts.show_attempts([])
        self._pane.log.wait()

    @Slot()
    def load(self) -> None:
        """Read what the visible tab needs."""
        job = self._job
        if job is None or not self._pane.isVisible():
            self._every.stop()
            return
        self._rest.stop()
        self._read_attempts(job)
        self._look_at(job)
        if self._pane.shown_tab == "log":
            self._every.start()
            self._read_log()
        else:
            self._every.stop()

    def _read_attempts(self, job: Job) -> None:
        wants_last = job.problem is FileProblem.DEAD_LETTERED
        try:
            if self._pane.shown_tab != "attempts" and not wants_last:
                self._pane.show_attempt_count(self._reader.attempt_count(job.row_id))
                return
            attempts = self._reader.attempts(job.row_id)
        except KnownError:
            return  # the change feed reads the same database and reports it
        self._pane.show_attempt_count(len(attempts))
        self._pane.attempts.show_attempts(attempts)
        if wants_last and attempts:
            self._update(self.seen, attempt_result(attempts[-1]))

    def _look_at(self, job: Job) -> None:
        about = (job.row_id, job.revision)
        if job.problem not in _LOOKED_AT:
            self._update(None, self.last)
        elif about != self._looked_at:
            self._looked_at = about
            self._tasks.run(partial(look_at, job.file_path), partial(self._take_look, about))

    def _take_look(self, about: tuple[int, int], seen: PathStatus) -> None:
        if about == self._looked_at:
            self._update(seen, self.last)

    def _update(self, seen: PathStatus | None, last: str) -> None:
        if (seen, last) != (self.seen, self.last):
            self.seen, self.last = seen, last
            self.updated.emit()

    @Slot()
    def _read_log(self) -> None:
        job = self._job
        if job is None or not self._pane.log.isVisible():
            self._every.stop()
            return
        if self._is_reading_log:
            return
        if self._log is None:
            self._log = JobLog(self._log_folder, job.id)
        self._is_reading_log = True
        self._tasks.run(self._log.lines, partial(self._take_lines, self._log), self._give_up_log)

    def _take_lines(self, log: JobLog, lines: tuple[str, ...]) -> None:
        self._is_reading_log = False
        if log is self._log:
            self._pane.log.show_lines(lines)
        else:
            self._read_log()  # another file was selected in the meantime

    def _give_up_log(self, error: KnownError) -> None:  # noqa: ARG002 - it will be read again in a second
        self._is_reading_log = False


_EVERY_MS = 250
"""The shortest time between two updates while the list changes."""


class DetailsFollower(QObject):
    """Shows the selection in the pane: one file from the list's own data, several as sums from `SelectedTotals`.

    Args:
        pane: The details pane.
        view: Has the selection.
        model: The view's model.
        selected: The sums of the selection.
        loader: Reads the other details.
        wording: Formats numbers and times.
        strict_order: Whether all messages to a FIFO queue are sent in one group.
    """

    def __init__(
        self,
        pane: DetailsPane,
        view: JobsView,
        model: JobsModel,
        selected: SelectedTotals,
        loader: DetailsLoader,
        wording: Wording,
        *,
        strict_order: bool,
    ) -> None:
        super().__init__(pane)
        self._pane = pane
        self._view = view
        self._model = model
        self._selected = selected
        self._wording = wording
        self._strict_order = strict_order
        self._loader = loader
        self._loader.updated.connect(self.follow)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.follow)
        view.selection_changed.connect(self.follow)
        selected.changed.connect(self._follow_sums)
        model.dataChanged.connect(self._follow_later)
        model.rows_changed.connect(self._follow_later)
        pane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the selection only while the pane is open."""
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
        """Show the selection."""
        if not self._pane.isVisible():
            return
        count = self._view.selected_count()
        if count > 1:
            self._show_many(count)
            return
        rows = self._view.selected_rows()
        job = self._model.job(rows[0][0]) if rows else None
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
        now = self._selected.current
        summary = summary_of_many(count, now.sums if now.count == count else None, self._wording)
        # Old sums stay visible until the new ones are ready.
        if now.sums is not None or summary.title != self._pane.summary.title:
            self._pane.show_summary(summary)
