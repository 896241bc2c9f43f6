"""The commands that change the list: Retry, Process Next, Locate File and Remove; also Undo and Redo."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.domain.job import Job, PriorityResult, Status
from desktop_app.domain.query import Filter
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor

Result = TypeVar("Result")


class ListCommands(QObject):
    """Writes changes to the list on a thread pool, and reports the results.

    Signals:
        notice(Notice): A message about the result of a change.
        written(): The list may have changed.
        restored(): Rows were restored. The list must be read again, because the change feed can't tell their position.

    Attributes:
        undo: The undo stack, which holds additions to and removals from the list, and the renaming of batches.

    Args:
        reader: The reader for the list.
        editor: The editor for the list.
        writes: A pool with a single thread, which keeps the changes in order.
        wording: The formatter for numbers.
        parent: The parent.
    """

    notice = Signal(object)
    written = Signal()
    restored = Signal()

    def __init__(
        self, reader: JobReader, editor: JobEditor, writes: Tasks, wording: Wording, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self._reader = reader
        self._editor = editor
        self._writes = writes
        self._wording = wording

    # --- retry

    def retry(self, ids: array[int]) -> None:
        """Process these files again. Unfinished files are skipped."""
        if ids:
            self._write(partial(self._editor.retry, ids), partial(self._report_retry, len(ids)))

    @Slot()
    def retry_failed(self) -> None:
        """Process all failed files again."""
        self.retry_filtered(Filter(statuses=frozenset({Status.FAILED})))

    def retry_reasons(self, codes: frozenset[str]) -> None:
        """Retry all files that failed for one of these reasons.

        Args:
            codes: The codes of the reasons.
        """
        if codes:
            self.retry_filtered(Filter(problems=codes))

    def retry_filtered(self, where: Filter) -> None:
        """Process the files that match a filter again. Unfinished files are skipped."""
        self._write(partial(self._reader.ids, where), self._retry_found)

    def _retry_found(self, ids: array[int]) -> None:
        if ids:
            self.retry(ids)
        else:
            self._report_retry(0, 0)

    def _report_retry(self, selected: int, retried: int) -> None:
        skipped = selected - retried
        if not retried:
            unfinished = tr("Nothing to retry: these files have not finished yet.")
            text = unfinished if selected else tr("There are no files to retry.")
        elif not skipped:
            text = tr("%Ln file(s) will be processed again.", "", retried)
        else:
            text = tr("%Ln file(s) will be processed again. Skipped because unfinished: {left}.", "", retried)
            text = text.format(left=self._wording.number(skipped))
        self.notice.emit(Notice(text, passing=True))

    # --- order and location

    def process_next(self, ids: array[int], on_done: Callable[[PriorityResult], None]) -> None:
        """Move these files ahead of all other waiting files, then call `on_done` with the result."""
        if ids:
            self._write(partial(self._editor.process_next, ids), on_done)

    def relocate(self, job: Job, path: str) -> None:
        """Change the path of a failed file, and process it again."""
        self._write(partial(self._editor.relocate, job.row_id, path), partial(self._report_relocation, job))

    def _report_relocation(self, job: Job, relocated: bool) -> None:  # noqa: FBT001 - the result of a task
        if relocated:
            text = tr("“{name}” will be processed from its new location.").format(name=job.name)
        else:
            text = tr("“{name}” is already being processed.").format(name=job.name)
        self.notice.emit(Notice(text, passing=True))

    # --- changes that can be undone

    def remove(self, ids: array[int]) -> None:
        """Remove these files from the list. This can be undone."""
        if ids:
            text = tr("Remove %Ln File(s)", "what can be undone", len(ids))
            redo = partial(self._write, lambda: self._editor.remove(ids), self._report_removal)
            undo = partial(self._write, lambda: self._editor.restore(ids), self._report_undone_removal)
            self.undo.push(_ListChange(text, redo=redo, undo=undo))

    def remove_filtered(self, where: Filter) -> None:
        """Remove the files that match a filter from the list. This can be undone."""
        self._write(partial(self._reader.ids, where), self._remove_found)

    def _remove_found(self, ids: array[int]) -> None:
        if ids:
            self.remove(ids)
        else:
            self.notice.emit(Notice(tr("There are no files to remove."), passing=True))

    @Slot()
    def remove_processed(self) -> None:
        """Remove all processed files from the list. This can be undone."""
        self.remove_filtered(Filter(statuses=frozenset({Status.PROCESSED})))

    def record_add(self, batch_id: int, count: int) -> None:
        """Put the addition of a batch on the undo stack.

        Args:
            batch_id: The batch that was added.
            count: The number of files in the batch.
        """
        removed: array[int] = array("q")

        def remove() -> int:
            # Redo must not restore files that the user had removed before Undo, so remember which are in the list now.
            removed[:] = self._reader.ids(Filter(batches=frozenset({batch_id})))
            return self._editor.remove(removed)

        redo = partial(self._write, lambda: self._editor.restore(removed), self._report_redone_add)
        undo = partial(self._write, remove, self._report_undone_add)
        self.undo.push(_ListChange(tr("Add %Ln File(s)", "", count), redo=redo, undo=undo, is_done=True))

    def rename_batch(self, batch_id: int, before: str, after: str) -> None:
        """Change the name of a batch. This can be undone.

        Args:
            batch_id: The key of the batch.
            before: The current name.
            after: The new name.
        """

        def rename(name: str) -> None:
            self._write(partial(self._editor.rename_batch, batch_id, name), lambda _: None)

        change = _ListChange(tr("Rename Batch"), redo=partial(rename, after), undo=partial(rename, before))
        self.undo.push(change)

    def _report_removal(self, count: int) -> None:
        text = tr("Removed %Ln file(s) from the list. Nothing was changed on disk.", "", count)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Undo"), self.undo.undo),)))

    def _report_undone_removal(self, count: int) -> None:
        self.restored.emit()
        self.notice.emit(Notice(tr("Restored %Ln file(s) to the list.", "", count), passing=True))

    def _report_undone_add(self, count: int) -> None:
        text = tr("Removed %Ln file(s) from the list. Nothing was changed on disk.", "", count)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Redo"), self.undo.redo),), passing=True))

    def _report_redone_add(self, count: int) -> None:
        self.restored.emit()
        text = tr("Restored %Ln file(s) to the list.", "", count)
        self.notice.emit(Notice(text, actions=(NoticeAction(tr("Undo"), self.undo.undo),), passing=True))

    # --- writing

    def _write(self, work: Callable[[], Result], on_done: Callable[[Result], None]) -> None:
        """Run `work` on the pool. Emit `written` even after an error, as part of the change may have been written."""
        self._writes.run(work, partial(self._finish, on_done), self._report_error)

    def _finish(self, on_done: Callable[[Result], None], result: Result) -> None:
        self.written.emit()
        on_done(result)

    def _report_error(self, error: KnownError) -> None:
        self.written.emit()
        self.notice.emit(Notice(translated(error.text), Kind.PROBLEM))


class _ListChange(QUndoCommand):
    """A change on the undo stack. It stays on the stack even if it could not be written.

    Args:
        text: The name of the change, shown after Undo in the menu.
        redo, undo: Called to write the change and to undo it.
        is_done: Whether the change has already been written. If not, it is written when it is pushed.
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
