"""The commands that change the list: Retry, Process Next, Locate File and Remove; also Undo and Redo.

The list and its counts show a change at once: while it is being written, the reader returns the list as it will be
(`Pending`). If the change is stopped or fails, what has been written stays, and the rest is shown as before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import chain
from operator import or_
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import Job, PriorityResult, Status
from desktop_app.domain.keys import NO_KEYS, NOTHING_PENDING, KeySet, Pending, Retried
from desktop_app.domain.query import Filter
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from desktop_app.domain.fields import Choice
    from desktop_app.gui.operations import Describe, Operation, Operations
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor

    Report = Callable[[int, "_Write"], None]
    """Reports the number of files changed by a write, which may have been stopped."""

Result = TypeVar("Result")


@dataclass(eq=False)
class _Write:
    """A change of many files that is being written.

    Attributes:
        operation: Its progress.
        pending: How the list is shown until it has been written.
        replaces: Whether it began while its opposite was being written. For the user, it then concerns all files, even
            those that its opposite did not reach.
        is_replaced: Whether its opposite has taken its place, so that its result is not reported.
    """

    operation: Operation
    pending: Pending
    replaces: bool = False
    is_replaced: bool = False


@dataclass(eq=False)
class _Files:
    """The files of a change on the undo stack.

    Attributes:
        keys: The files.
        removed_at: The times at which some of them were removed, which tell them from files removed by others.
        write: The latest removal or restoration.
        turns: How often the change has been undone or redone.
    """

    keys: KeySet = NO_KEYS
    removed_at: set[int] = field(default_factory=set)
    write: _Write | None = None
    turns: int = 0


class ListCommands(QObject):
    """Writes changes to the list on a thread pool, and reports the results.

    Signals:
        notice(Notice): A message about the result of a change.
        written(): The list may have changed.
        pending_changed(): What the reader returns has changed; counts have to be read again.
        hidden(KeySet): These files are no longer on the list.
        revealed(KeySet): These files are on the list again.
        resubmitted(): Files will be processed again: their status is different.
        reverted(): A change was not written as it is shown. The list has to be read again.

    Attributes:
        undo: The undo stack, which holds additions to and removals from the list, and the renaming of batches.

    Args:
        reader: The reader for the list.
        editor: The editor for the list.
        reads: The pool for reading the list.
        writes: A pool with a single thread, which keeps the changes in order.
        operations: The running operations.
        wording: The formatter for numbers.
        parent: The parent.
    """

    notice = Signal(object)
    written = Signal()
    pending_changed = Signal()
    hidden = Signal(object)
    revealed = Signal(object)
    resubmitted = Signal()
    reverted = Signal()

    def __init__(
        self,
        reader: JobReader,
        editor: JobEditor,
        *,
        reads: Tasks,
        writes: Tasks,
        operations: Operations,
        wording: Wording,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self._reader = reader
        self._editor = editor
        self._reads = reads
        self._writes = writes
        self._operations = operations
        self._wording = wording
        self._running: list[_Write] = []
        self._latest: _Files | None = None  # the files of the change that Undo or Redo concerns next
        self._databases = 1
        self._is_closing = False

    @Slot()
    def forget(self) -> None:
        """Forget all changes: another database has taken the place of the one that they belong to."""
        self._databases += 1
        self.undo.clear()
        for write in self._running:
            write.is_replaced = True
            write.operation.stop()
            write.pending = NOTHING_PENDING
        self._update_pending()

    @Slot()
    def stop(self) -> None:
        """Stop all changes that are being written, because the program ends.

        The rest of an Undo is written at its next start. Otherwise, files seen again would be missing.
        """
        self._is_closing = True
        for write in self._running:
            write.operation.stop()

    # --- retry

    def retry(self, ids: array[int], choice: Choice | None = None) -> None:
        """Process these files again. Unfinished files are skipped.

        Args:
            ids: The keys of the files.
            choice: What to do with the files, in which case waiting files are resubmitted, too; None for the same.
        """
        if not ids:
            return
        keys = KeySet(ids)
        try:
            # What is being written before it may still change these files.
            newest = None if self._running else self._reader.changes.cursor().revision
        except KnownError as error:
            self._report_error(error)
            return
        self._begin(
            lambda proceed: self._editor.retry(keys, choice=choice, proceed=proceed),
            len(keys),
            Pending(retried=(Retried(keys, newest),)),
            self._describe(tr("Retrying {done} of {files}…")),
            self._report_retry,
            again=partial(self.retry, ids, choice),
        )
        self.resubmitted.emit()

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
        self.find(where, self.retry, tr("There are no files to retry."))

    def _report_retry(self, retried: int, write: _Write) -> None:
        total = write.operation.total
        if write.operation.is_stopped:
            text = self._partial(tr("Stopped: {done} of {files} will be processed again."), retried, total)
        elif not retried:
            text = tr("Nothing to retry: these files have not finished yet.")
        elif retried == total:
            text = tr("%Ln file(s) will be processed again.", "", retried)
        else:
            text = tr("%Ln file(s) will be processed again. Skipped because unfinished: {left}.", "", retried)
            text = text.format(left=self._wording.number(total - retried))
        self.notice.emit(Notice(text, passing=True))

    def resume_batch(self, batch_id: int, *, tolerates: bool = True) -> None:
        """Continue a paused batch, after the changes that are being written.

        Args:
            batch_id: The key of the batch.
            tolerates: Whether further files may fail for the same reason without pausing it again.
        """
        self._write(partial(self._editor.resume_batches, [batch_id], tolerates=tolerates), lambda _: None)

    # --- order and location

    def process_next(self, ids: array[int], on_done: Callable[[PriorityResult], None]) -> None:
        """Move these files ahead of all other waiting files, then call `on_done` with the result."""
        if not ids:
            return
        operation = self._operations.begin(self._describe(tr("Moving {done} of {files} to the front…")), len(ids))

        def end(result: PriorityResult) -> None:
            self._operations.end(operation)
            on_done(result)

        def fail(error: KnownError) -> None:
            self._operations.end(operation)
            self._report_error(error)

        work = partial(self._editor.process_next, ids, proceed=operation.proceed)
        self._writes.run(work, partial(self._finish, end), fail, partial(self._operations.end, operation))

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
            files = _Files(KeySet(ids))
            text = tr("Remove %Ln File(s)", "what can be undone", len(ids))
            redo = partial(self._take_away, files, partial(self._report_removal, files, tr("Undo"), self.undo.undo))
            undo = partial(self._put_back, files)
            self.undo.push(_ListChange(text, redo=redo, undo=undo))

    def remove_filtered(self, where: Filter) -> None:
        """Remove the files that match a filter from the list. This can be undone."""
        self.find(where, self.remove, tr("There are no files to remove."))

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
        files = self._latest = _Files()

        def remove() -> None:
            # Redo must not restore files that the user had removed before Undo, so find out which are on the list now.
            files.turns += 1
            self._latest = files
            self.find(Filter(batches=frozenset({batch_id})), partial(remove_found, files.turns))

        def remove_found(turn: int, ids: array[int]) -> None:
            if turn == files.turns:  # otherwise, it has been redone in the meantime
                files.keys = KeySet(ids)
                self._take_away(files, partial(self._report_removal, files, tr("Redo"), self.undo.redo))

        redo = partial(self._put_back, files)
        self.undo.push(_ListChange(tr("Add %Ln File(s)", "", count), redo=redo, undo=remove, is_done=True))

    def rename_batch(self, batch_id: int, before: str, after: str) -> None:
        """Change the name of a batch. This can be undone.

        Args:
            batch_id: The key of the batch.
            before: The current name.
            after: The new name.
        """

        def rename(name: str) -> None:
            self._latest = None
            self._write(partial(self._editor.rename_batch, batch_id, name), lambda _: None)

        change = _ListChange(tr("Rename Batch"), redo=partial(rename, after), undo=partial(rename, before))
        self.undo.push(change)

    def _take_away(self, files: _Files, report: Report) -> None:
        """Remove files that are on the list."""
        replaces = self._replace(files)
        keys, removed_at = files.keys, self._editor.removal_time()
        earlier = frozenset(files.removed_at)
        files.removed_at.add(removed_at)

        def remove(proceed: Callable[[int], bool]) -> int:
            if earlier:  # an error may have ended their restoration
                self._editor.forget_restoration(earlier)
            return self._editor.remove(keys, removed_at=removed_at, proceed=proceed)

        files.write = self._begin(
            remove,
            len(keys),
            Pending(removed=keys),
            self._describe(tr("Removing {done} of {files}…")),
            report,
            again=partial(self._take_away, files, report),
        )
        files.write.replaces = replaces
        self.hidden.emit(keys)

    def _put_back(self, files: _Files) -> None:
        """Restore files that `_take_away` has removed or is removing."""
        replaces = self._replace(files)
        keys, times = files.keys, frozenset(files.removed_at)
        if not times:
            return

        def restore(proceed: Callable[[int], bool]) -> int:
            count = self._editor.restore(keys, removed_at=times, proceed=proceed)
            if not self._is_closing:
                self._editor.forget_restoration(times)
            return count

        files.write = self._begin(
            restore,
            len(keys),
            Pending(restored=keys, restored_times=times),
            self._describe(tr("Restoring {done} of {files}…")),
            partial(self._report_restoration, files),
            again=partial(self._put_back, files),
        )
        files.write.replaces = replaces
        self.revealed.emit(keys)

    def finish_restoring(self) -> None:
        """Restore the files that were still to be restored when the program ended."""
        self._reads.run(self._editor.unrestored, self._restore_rest, self._report_error)

    def _restore_rest(self, found: tuple[list[int], frozenset[int]]) -> None:
        keys, times = found
        if keys:
            self._put_back(_Files(KeySet(keys), set(times)))

    def _replace(self, files: _Files) -> bool:
        """Stop the latest write of these files, whose opposite begins now; return whether it was still running."""
        files.turns += 1
        self._latest = files
        if files.write not in self._running:
            return False
        files.write.is_replaced = True
        files.write.pending = NOTHING_PENDING
        files.write.operation.stop()
        return True

    def _report_removal(
        self, files: _Files, opposite: str, on_opposite: Callable[[], None], count: int, write: _Write
    ) -> None:
        if write.operation.is_stopped:
            text = self._partial(tr("Removed {done} of {files} from the list."), count, write.operation.total)
        else:
            text = tr("Removed %Ln file(s) from the list. Nothing was changed on disk.", "", count)
        if files is self._latest:
            self.notice.emit(Notice(text, actions=(NoticeAction(opposite, on_opposite),), offers_undo=True))
        else:  # Undo would concern another change by now
            self.notice.emit(Notice(text, passing=True))

    def _report_restoration(self, files: _Files, count: int, write: _Write) -> None:
        if write.operation.is_stopped:
            text = self._partial(tr("Restored {done} of {files} to the list."), count, write.operation.total)
            buttons = (NoticeAction(tr("Restore All"), partial(self._put_back, files)),)
            self.notice.emit(Notice(text, actions=buttons, offers_undo=True))
        else:
            self.notice.emit(Notice(tr("Restored %Ln file(s) to the list.", "", count), passing=True))

    # --- writing

    def find(self, where: Filter, on_found: Callable[[array[int]], None], if_none: str = "") -> None:
        """Call `on_found` with the keys of the jobs that match a filter, unless another database takes their place.

        If there are none, show the text `if_none` as well, unless it is empty.
        """
        found = partial(self._take_found, self._databases, on_found, if_none)
        self._reads.run(partial(self._reader.ids, where), found, self._report_error)

    def _take_found(
        self, databases: int, on_found: Callable[[array[int]], None], if_none: str, ids: array[int]
    ) -> None:
        if databases == self._databases:
            on_found(ids)
            if if_none and not ids:
                self.notice.emit(Notice(if_none, passing=True))

    def _describe(self, text: str) -> Describe:
        return lambda done, total: self._partial(text, done, total)

    def _partial(self, text: str, done: int, total: int) -> str:
        return text.format(done=self._wording.number(done), files=self._wording.files(total))

    def _begin(
        self,
        work: Callable[[Callable[[int], bool]], int],
        total: int,
        pending: Pending,
        describe: Describe,
        report: Report,
        *,
        again: Callable[[], None],
    ) -> _Write:
        """Write a change of many files on the pool, and show the list as if it had been written.

        If it could not be written, the user can call `again`.
        """
        write = _Write(self._operations.begin(describe, total), pending)
        self._running.append(write)
        self._update_pending()
        self.pending_changed.emit()
        self._writes.run(
            partial(work, write.operation.proceed),
            partial(self._end, write, report),
            partial(self._fail, write, again),
            partial(self._forget, write),
        )
        return write

    def _end(self, write: _Write, report: Report, count: int) -> None:
        self._forget(write)
        if write.pending.restored and count < write.operation.total:
            self.reverted.emit()  # other programs have removed or deleted some of them
        if not write.is_replaced:
            report(write.operation.total if write.replaces and not write.operation.is_stopped else count, write)

    def _fail(self, write: _Write, again: Callable[[], None], error: KnownError) -> None:
        write.operation.stop()
        self._forget(write)
        if not write.is_replaced:
            text = translated(error.text)
            if write.operation.done:
                text = f"{write.operation.text} {text}"
            buttons = (NoticeAction(tr("Try Again"), again),)
            self.notice.emit(Notice(text, Kind.PROBLEM, buttons, offers_undo=True))

    def _forget(self, write: _Write) -> None:
        """Show the list as it is stored, since a change has been written or has ended early."""
        self._running.remove(write)
        self._operations.end(write.operation)
        self._limit_retry()
        self._update_pending()
        if write.operation.is_stopped and not write.is_replaced:
            self.pending_changed.emit()
            self.reverted.emit()
        self.written.emit()

    def _limit_retry(self) -> None:
        """Let a retry that begins now concern only what has been written so far: its files may soon end again."""
        if self._running and (retried := self._running[0].pending.retried) and retried[0].until is None:
            with suppress(KnownError):  # then its files are shown as waiting until all of them are written
                newest = self._reader.changes.cursor().revision
                self._running[0].pending = Pending(retried=(Retried(retried[0].keys, newest),))

    def _update_pending(self) -> None:
        parts = [write.pending for write in self._running]
        self._reader.pending = Pending(
            removed=reduce(or_, (part.removed for part in parts), NO_KEYS),
            restored=reduce(or_, (part.restored for part in parts), NO_KEYS),
            restored_times=frozenset[int]().union(*(part.restored_times for part in parts)),
            retried=tuple(chain.from_iterable(part.retried for part in parts)),
        )

    def _write(self, work: Callable[[], Result], on_done: Callable[[Result], None]) -> None:
        """Write a short change on the pool. Emit `written` even after an error: a part may have been written."""
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
