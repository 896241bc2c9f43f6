"""Fills the details pane. Attempts, log lines and the state of a path are read only when the pane shows them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.domain.reasons import FileProblem
from desktop_app.gui.details.texts import (
    attempt_result,
    message_facts,
    nothing_selected,
    summary_of_many,
    summary_of_one,
)
from desktop_app.logs.tail import JobLog
from desktop_app.services.support.path_status import PathStatus, look_at
from desktop_app.sources.share_access import SHARES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_app.domain.job import Job
    from desktop_app.gui.details.pane import DetailsPane
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.table.job_feed import SelectedTotals
    from desktop_app.gui.table.model import JobsModel
    from desktop_app.gui.table.view import JobsView
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.support.previews import Preview


_DELAY_MS = 120
"""The delay after a change of selection, so that nothing is read while the user holds down an arrow key."""

_LOG_EVERY_MS = 1_000

_PATH_PROBLEMS = frozenset({FileProblem.MISSING, FileProblem.NOT_ALLOWED})
"""The problems for which the advice depends on the current state of the path."""


class DetailsLoader(QObject):
    """Fills the tabs with the details of one job.

    It reads the database on the main thread, because that is quick, and files on the thread pool.

    Signals:
        updated(): `path_status` or `last_result` has changed.

    Attributes:
        path_status: The state of the job's path; None if it was not checked, or if the advice does not depend on it.
        last_result: The result of the job's last attempt, in words; empty if it was not read.

    Args:
        pane: The details pane.
        reader: The source of the attempts.
        tasks: The thread pool.
        log_folder: The folder of the log files.
        preview: Makes the preview of the file at a path, on the thread pool.
    """

    updated = Signal()

    def __init__(
        self,
        pane: DetailsPane,
        reader: JobReader,
        tasks: Tasks,
        log_folder: Path,
        preview: Callable[[str, int], Preview],
    ) -> None:
        super().__init__(pane)
        self._pane = pane
        self._reader = reader
        self._tasks = tasks
        self._log_folder = log_folder
        self._preview = preview
        self._previewed: tuple[int, int] | None = None  # the row ID of the job shown, and when it finished
        self._job: Job | None = None
        self._log: JobLog | None = None
        self._is_reading_log = False
        self._checked: tuple[int, int] | None = None  # the row ID and the revision of the job whose path was checked
        self.path_status: PathStatus | None = None
        self.last_result = ""
        self._delay = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._delay.timeout.connect(self.load)
        self._log_timer = QTimer(self, interval=_LOG_EVERY_MS)
        self._log_timer.timeout.connect(self._read_log)
        pane.tab_shown.connect(self.load)

    def show(self, job: Job | None) -> None:
        """Show the details of a job. Call this whenever another job is selected or the job changes.

        Args:
            job: The selected job; None unless exactly one is selected.
        """
        before, self._job = self._job, job
        if job is None or before is None or job.row_id != before.row_id:
            self._forget()
            if job is not None:
                self._pane.show_attempt_count(job.attempts)
                self._delay.start()
        elif job.revision != before.revision and not self._delay.isActive():
            self.load()

    def _forget(self) -> None:
        self._delay.stop()
        self._log_timer.stop()
        self._log = None
        self._checked = None
        self._previewed = None
        self._pane.summary_page.show_preview(None)
        self.path_status = None
        self.last_result = ""
        self._pane.show_attempt_count(0)
        self._pane.attempts.show_attempts([])
        self._pane.log.show_reading()

    @Slot()
    def load(self) -> None:
        """Read the content of the current tab, the number of attempts, and the state of the path."""
        job = self._job
        if job is None or not self._pane.isVisible():
            return
        self._delay.stop()
        self._read_attempts(job)
        self._check_path(job)
        self._make_preview(job)
        self._log_timer.start()
        self._read_log()

    def _read_attempts(self, job: Job) -> None:
        wants_last = job.problem is FileProblem.DEAD_LETTERED
        try:
            if self._pane.shown_tab != "attempts" and not wants_last:
                self._pane.show_attempt_count(self._reader.attempt_count(job.row_id))
                return
            attempts = self._reader.attempts(job.row_id)
        except KnownError:
            return  # the change feed reads the same database and reports the error
        self._pane.show_attempt_count(len(attempts))
        self._pane.attempts.show_attempts(attempts)
        if wants_last and attempts:
            self._update(self.path_status, attempt_result(attempts[-1]))

    def _check_path(self, job: Job) -> None:
        checked = (job.row_id, job.revision)
        if job.problem not in _PATH_PROBLEMS:
            self._update(None, self.last_result)
        elif checked != self._checked:
            self._checked = checked
            self._tasks.run(partial(_path_status, job.file_path), partial(self._take_path_status, checked))

    def _make_preview(self, job: Job) -> None:
        wanted = (job.row_id, job.finished_at or 0)
        if wanted != self._previewed and not self._pane.summary_page.is_narrow:
            self._previewed = wanted
            work = partial(self._preview, job.file_path, self._pane.summary_page.preview_pixels)
            self._tasks.run(work, partial(self._take_preview, wanted))

    def _take_preview(self, wanted: tuple[int, int], preview: Preview) -> None:
        if wanted == self._previewed:
            self._pane.summary_page.show_preview(preview)

    def _take_path_status(self, checked: tuple[int, int], path_status: PathStatus | None) -> None:
        if checked == self._checked:
            self._update(path_status, self.last_result)

    def _update(self, path_status: PathStatus | None, last_result: str) -> None:
        if (path_status, last_result) != (self.path_status, self.last_result):
            self.path_status, self.last_result = path_status, last_result
            self.updated.emit()

    @Slot()
    def _read_log(self) -> None:
        """Read new lines, or stop the timer if the Log tab is not visible."""
        job = self._job
        if job is None or not self._pane.log.isVisible():
            self._log_timer.stop()
            return
        if self._is_reading_log:
            return
        if self._log is None:
            self._log = JobLog(self._log_folder, job.id)
        self._is_reading_log = True
        self._tasks.run(self._log.lines, partial(self._take_lines, self._log), self._log_failed)

    def _take_lines(self, log: JobLog, lines: tuple[str, ...]) -> None:
        self._is_reading_log = False
        if log is self._log:
            self._pane.log.show_lines(lines)
        else:
            self._read_log()  # another file was selected in the meantime

    def _log_failed(self, error: KnownError) -> None:  # noqa: ARG002 - the timer tries again
        self._is_reading_log = False


def _path_status(path: str) -> PathStatus | None:
    """Return the state of a path; None if its network share does not respond."""
    return SHARES.run_or(path, lambda: look_at(path), None)


_EVERY_MS = 250
"""The minimum time between two updates while the list is changing, in milliseconds."""


class DetailsFollower(QObject):
    """Keeps the pane up to date with the selection and with changes to the selected files.

    Args:
        pane: The details pane.
        view: The table with the selection.
        model: The model of the view.
        selected: The number of selected files and their totals.
        loader: The loader that fills the tabs other than Summary and Message.
        wording: The formatter of numbers and times.
        choices: Finds the processors, for the titles of the fields of results.
        strict_order: Whether all messages to a FIFO queue are sent in one message group.
    """

    def __init__(
        self,
        pane: DetailsPane,
        view: JobsView,
        model: JobsModel,
        selected: SelectedTotals,
        loader: DetailsLoader,
        wording: Wording,
        choices: ProcessorChoice,
        *,
        strict_order: bool,
    ) -> None:
        super().__init__(pane)
        self._pane = pane
        self._view = view
        self._model = model
        self._selected = selected
        self._wording = wording
        self._choices = choices
        self._strict_order = strict_order
        self._loader = loader
        self._loader.updated.connect(self.follow)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.follow)
        view.selection_changed.connect(self.follow)
        selected.changed.connect(self._follow_sums)
        model.dataChanged.connect(self._follow_later)
        model.rows_changed.connect(self._follow_later)
        pane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Update the pane when it is shown; stop reading when it is hidden."""
        if watched is self._pane and event.type() == QEvent.Type.Show:
            self._timer.start(0)
        if watched is self._pane and event.type() == QEvent.Type.Hide:
            self._loader.show(None)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow_later(self) -> None:
        if not self._timer.isActive():
            self._timer.start(_EVERY_MS)

    @Slot()
    def _follow_sums(self) -> None:
        if self._view.selected_count() > 1:
            self.follow()

    @Slot()
    def follow(self) -> None:
        """Show the selected files if the pane is visible."""
        if not self._pane.isVisible():
            return
        count = self._view.selected_count()
        rows = self._view.selected_rows() if count == 1 else []
        job = self._model.job(rows[0][0]) if rows else None
        self._pane.enable_tabs(enabled=job is not None)
        self._loader.show(job)
        if job is not None:
            self._show_one(job)
        elif count > 1:
            self._show_many(count)
        else:
            self._pane.show_summary(nothing_selected())

    def _show_one(self, job: Job) -> None:
        summary = summary_of_one(
            job,
            self._wording,
            self._loader.path_status,
            self._loader.last_result,
            self._choices.find(job.processor),
        )
        if summary != self._pane.summary:
            self._pane.show_summary(summary)
        self._pane.message.show_facts(message_facts(job, self._wording, strict_order=self._strict_order))

    def _show_many(self, count: int) -> None:
        now = self._selected.current
        summary = summary_of_many(count, now.sums if now.count == count else None, self._wording)
        # If the number of files is the same, keep the old sums until the new ones have been calculated.
        if now.sums is not None or summary.title != self._pane.summary.title:
            self._pane.show_summary(summary)
