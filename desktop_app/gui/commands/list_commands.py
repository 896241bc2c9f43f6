"""Changes to rows of the list: retry, remove, undo. They are written off the main thread."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import Job, PriorityResult
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor

Result = TypeVar("Result")


class ListCommands(QObject):
    """Retries and removes jobs, undoes changes, and reports the results.

    Signals:
        notice(Notice): The result of a change.
        written(): The list has changed.
        restored(): Rows were restored, which the change feed can't place in every order.

    Attributes:
        undo: The undo stack: every Add and every Remove.

    Args:
        reader: Reads the list.
        intake: Writes the list.
        writes: The single-threaded pool, which keeps changes in order.
        wording: Formats the texts.
        parent: The parent.
    """

    notice = Signal(object)
    written = Signal()
    restored = Signal()

    def __init__(
        self, reader: JobReader, intake: JobEditor, writes: Tasks, wording: Wording, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self._reader = reader
        self._intake = intake
        self._writes = writes
        self._wording = wording

    # --- retry

    def retry(self, ids: array[int]) -> None:
        """Process these files again if they have finished."""
        if ids:
            self._write(partial(self._intake.retry, ids), partial(self._say_retried, len(ids)))

    @Slot()
    def retry_failed(self) -> None:
        """Process all failed files again."""
        self._retry_listed(Filter(statuses=frozenset({Status.FAILED})))

    def retry_reasons(self, codes: frozenset[str]) -> None:
        """Process all files again that failed for one of these reasons, given by code."""
        if codes:
            self._retry_listed(Filter(problems=codes))

    def _retry_listed(self, where: Filter) -> None:
        def work() -> int:
            return self._intake.retry(self._reader.ids(where))

        self._write(work, lambda done: self._say_retried(done, done))

    def _say_retried(self, asked: int, done: int) -> None:
        left = asked - done
        if not done:
            text = tr("Nothing to retry: these files have not finished yet.") if asked else tr("No file has failed.")
        elif not left:
            text = tr("%Ln file(s) will be processed again.", "", done)
        else:
            text = tr("%Ln file(s) will be processed again. Skipped because unfinished: {left}.", "", done)
            text = text.format(left=self._wording.number(left))
        self.notice.emit(Notice(text, passing=True))

    def process_next(self, ids: array[int], on_done: Callable[[PriorityResult], None]) -> None:
        """Process these before all other waiting files; `on_done` gets the result."""
        if ids:
            self._write(partial(self._intake.process_next, ids), on_done)

    def relocate(self, job: Job, path: str) -> None:
        """Process a failed file from its new location."""
        self._write(partial(self._intake.relocate, job.row_id, path), partial(self._say_relocated, job))

    def _say_relocated(self, job: Job, done: bool) -> None:  # noqa: FBT001 - as it was written
        if done:
            text = tr("“{name}” will be processed from its new location.").format(name=job.name)
        else:
            text = tr("“{name}” is already being processed.").format(name=job.name)
        self.notice.emit(Notice(text, passing=True))

    # --- changes that can be undone

    def remove(self, ids: array[int]) -> None:
        """Remove these from the list; can be undone."""
        if ids:
            text = tr("Remove %Ln File(s)", "what can be undone", len(ids))
            take_off = partial(self._write, lambda: self._intake.remove(ids), self._say_removed)
            bring_back = partial(self._write, lambda: self._intake.restore(ids), self._say_restored)
            self.undo.push(_ListChange(text, redo=take_off, undo=bring_back))

    def note_added(self, batch_id: int, count: int) -> None:
        """Remember an Add, so that it can be undone.

        Args:
            batch_id: The added batch.
            count: The number of its files.
        """
        taken: array[int] = array("q")

        def take_off() -> int:
            # Only what is still in the list: files removed by hand before are not restored by Redo.
            taken[:] = self._reader.ids(Filter(batches=frozenset({batch_id})))
            return self._intake.remove(taken)

        def bring_back() -> int:
            return self._intake.restore(taken)

        self.undo.push(
            _ListChange(
                tr("Add %Ln File(s)", "", count),
                redo=partial(self._write, bring_back, self._say_added_again),
                undo=partial(self._write, take_off, self._say_taken_back),
                is_done=True,
            )
        )

    def _say_removed(self, done: int) -> None:
        text = tr("Removed %Ln file(s) from the list. Nothing was changed on disk.", "", done)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Undo"), self.undo.undo),)))

    def _say_restored(self, done: int) -> None:
        self.restored.emit()
        self.notice.emit(Notice(tr("Restored %Ln file(s) to the list.", "", done), passing=True))

    def _say_taken_back(self, done: int) -> None:
        text = tr("Removed %Ln file(s) from the list again. Nothing was changed on disk.", "", done)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Redo"), self.undo.redo),), passing=True))

    def _say_added_again(self, done: int) -> None:
        self.restored.emit()
        text = tr("Restored %Ln file(s) to the list.", "", done)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Undo"), self.undo.undo),), passing=True))

    # --- writing

    def _write(self, work: Callable[[], Result], on_done: Callable[[Result], None]) -> None:
        """Write on the pool; `written` is emitted even after an error, since a part may have been written."""

        def finish(result: Result) -> None:
            self.written.emit()
            on_done(result)

        self._writes.run(work, finish, self._complain)

    def _complain(self, error: KnownError) -> None:
        self.written.emit()
        self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))


class _ListChange(QUndoCommand):
    """Rows that were added or removed. A change that could not be written can be undone too.

    Args:
        text: The name of the change, shown after Undo in the menu.
        redo, undo: Do and undo the change.
        is_done: Whether the change is already done when it is pushed; pushing calls `redo`.
    """

    def __init__(self, text: str, *, redo: Callable[[], None], undo: Callable[[], None], is_done: bool = False) -> None:
        super().__init__(text)
        self._redo = redo
        self._undo = undo
        self._is_done = is_done

    def redo(self) -> None:
        if self._is_done:
            self._is_done = False
        else:
            self._redo()

    def undo(self) -> None:
        self._undo()
