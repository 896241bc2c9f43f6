"""What a person does to rows of the list: retry, remove, undo, copy. All of it is written beside the main thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.domain.job import Status
from desktop_app.domain.query import ListQuery
from desktop_app.gui.commands.clipboard import Clip, clip_of_paths, clip_of_rows
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import Job, PriorityResult
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.table.columns import Column
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.intake import IntakeService


class ListCommands(QObject):
    """Does it, and says how it went.

    Signals:
        said(Notice): How something ended.
        written(): The list has changed; look now.
        restored(): Rows were brought back, which the change feed can't place in every order.
        copied(Clip): Something for the clipboard.

    Attributes:
        undo: What can be taken back.
    """

    said = Signal(object)
    written = Signal()
    restored = Signal()
    copied = Signal(object)

    def __init__(
        self,
        reader: JobReader,
        intake: IntakeService,
        *,
        reads: Tasks,
        writes: Tasks,
        wording: Wording,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self._reader = reader
        self._intake = intake
        self._reads = reads
        self._writes = writes
        self._wording = wording

    # --- retry

    def retry(self, ids: array[int]) -> None:
        """Process these again, as far as they have ended."""
        if ids:
            self._writes.run(partial(self._intake.retry, ids), partial(self._say_retried, len(ids)), self._tell)

    @Slot()
    def retry_failed(self) -> None:
        """Process all again that have failed."""
        self._retry_listed(ListQuery(statuses=frozenset({Status.FAILED})))

    def retry_problems(self, codes: frozenset[str]) -> None:
        """Process all again that have failed for one of these reasons."""
        if codes:
            self._retry_listed(ListQuery(problems=codes))

    def _retry_listed(self, query: ListQuery) -> None:
        def work() -> int:
            return self._intake.retry(self._reader.ids(query))

        self._writes.run(work, lambda done: self._say_retried(done, done), self._tell)

    def _say_retried(self, asked: int, done: int) -> None:
        self.written.emit()
        left = asked - done
        if not done:
            text = tr("Nothing to retry: these files have not ended yet.") if asked else tr("No file has failed.")
        elif not left:
            text = tr("%Ln file(s) will be processed again.", "", done)
        else:
            text = tr("%Ln file(s) will be processed again. Not yet at an end: {left}.", "", done)
            text = text.format(left=self._wording.number(left))
        self.said.emit(Notice(text, passing=True))

    def process_next(self, ids: array[int], on_done: Callable[[PriorityResult], None]) -> None:
        """Let these come before all others that wait; `on_done` hears what became of them."""
        if ids:
            self._writes.run(partial(self._intake.process_next, ids), on_done, self._tell)

    def relocate(self, job: Job, path: str) -> None:
        """Process a file that has failed from where it is now."""
        self._writes.run(
            partial(self._intake.relocate, job.row_id, path), partial(self._say_relocated, job), self._tell
        )

    def _say_relocated(self, job: Job, done: bool) -> None:  # noqa: FBT001 - as it was written
        self.written.emit()
        if done:
            text = tr("“{name}” will be processed from its new place.").format(name=job.name)
        else:
            text = tr("“{name}” is being processed already.").format(name=job.name)
        self.said.emit(Notice(text, passing=True))

    # --- remove and bring back

    def remove(self, ids: array[int]) -> None:
        """Take these off the list; can be undone."""
        if ids:
            self.undo.push(
                _Removal(ids, tr("Remove %Ln file(s)", "what can be undone", len(ids)), self._remove, self._restore)
            )

    def _remove(self, ids: array[int]) -> None:
        self._writes.run(partial(self._intake.remove, ids), self._say_removed, self._tell)

    def _say_removed(self, done: int) -> None:
        self.written.emit()
        text = tr("Removed %Ln file(s) from the list. On the disk nothing was changed.", "", done)
        self.said.emit(Notice(text, actions=(NoticeAction(tr("Undo"), self.undo.undo),)))

    def _restore(self, ids: array[int]) -> None:
        self._writes.run(partial(self._intake.restore, ids), self._say_restored, self._tell)

    def _say_restored(self, done: int) -> None:
        self.written.emit()
        self.restored.emit()
        self.said.emit(Notice(tr("Brought %Ln file(s) back.", "", done), passing=True))

    # --- copy

    def copy(self, ids: array[int], columns: Sequence[Column]) -> None:
        """Copy rows with these columns; see `clip_of_rows`."""
        self._reads.run(partial(clip_of_rows, self._reader, ids, columns, self._wording), self._give_rows, self._tell)

    def copy_paths(self, ids: array[int]) -> None:
        """Copy where files lie; see `clip_of_paths`."""
        self._reads.run(partial(clip_of_paths, self._reader, ids), self._give_paths, self._tell)

    def _give_rows(self, clip: Clip) -> None:
        self.copied.emit(clip)
        self.said.emit(Notice(tr("Copied %Ln row(s).", "", clip.rows), passing=True))

    def _give_paths(self, clip: Clip) -> None:
        self.copied.emit(clip)
        self.said.emit(Notice(tr("Copied %Ln path(s).", "", clip.rows), passing=True))

    def _tell(self, error: KnownError) -> None:
        self.written.emit()
        self.said.emit(Notice(translated(error.text), Kind.PROBLEM))


class _Removal(QUndoCommand):
    """Rows taken off the list. What could not be written can be undone too: what was never gone stays."""

    def __init__(
        self, ids: array[int], text: str, remove: Callable[[array[int]], None], restore: Callable[[array[int]], None]
    ) -> None:
        super().__init__(text)
        self._ids = ids
        self._remove = remove
        self._restore = restore

    def redo(self) -> None:
        self._remove(self._ids)

    def undo(self) -> None:
        self._restore(self._ids)
