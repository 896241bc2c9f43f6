"""Takes back what was added: the rows go off the list as Remove does it, the files stay where they are."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.gui.texts import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.jobs import ListQuery

if TYPE_CHECKING:
    from desktop_app.errors import KnownError
    from desktop_app.gui.adding.adder import AddReport
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks
    from desktop_app.services.intake import IntakeService


class AddUndo(QObject):
    """Puts every Add on the stack of what can be taken back.

    Signals:
        said(Notice): How it went.
        written(): The list has changed; look now.
        restored(): Rows were brought back, which the change feed can't place in every order.

    Args:
        reader: Says which rows of a batch are on the list.
        intake: Takes them off.
        writes: The pool, of one thread, so that one thing is done after the other.
        stack: Of what can be taken back.
        parent: Qt's owner.
    """

    said = Signal(object)
    written = Signal()
    restored = Signal()

    def __init__(
        self, reader: JobReader, intake: IntakeService, writes: Tasks, stack: QUndoStack, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._reader = reader
        self._intake = intake
        self._writes = writes
        self._stack = stack

    @Slot(object)
    def note(self, report: AddReport) -> None:
        """Remember an Add."""
        if report.batch:
            self._stack.push(_Addition(report.batch, tr("Add %Ln File(s)", "", report.added), self))

    def take_back(self, addition: _Addition) -> None:
        """Take what is left of a batch off the list."""

        def work() -> int:
            addition.taken_back = self._reader.ids(ListQuery(batches=frozenset({addition.batch})))
            return self._intake.remove(addition.taken_back)

        self._writes.run(work, self._say_taken_back, self._tell)

    def bring_back(self, addition: _Addition) -> None:
        """Bring back what `take_back` took off the list; what was removed by hand before stays away."""
        # Read in the pool: what takes it back may still be under way.
        self._writes.run(lambda: self._intake.restore(addition.taken_back), self._say_brought_back, self._tell)

    def _say_taken_back(self, done: int) -> None:
        self.written.emit()
        text = tr("Took %Ln file(s) off the list again. On the disk nothing was changed.", "", done)
        self.said.emit(Notice(text, actions=(NoticeAction(tr("Redo"), self._stack.redo),), passing=True))

    def _say_brought_back(self, done: int) -> None:
        self.written.emit()
        self.restored.emit()
        text = tr("Brought %Ln file(s) back.", "", done)
        self.said.emit(Notice(text, actions=(NoticeAction(tr("Undo"), self._stack.undo),), passing=True))

    def _tell(self, error: KnownError) -> None:
        self.written.emit()
        self.said.emit(Notice(translated(error.text), Kind.PROBLEM))


class _Addition(QUndoCommand):
    """A batch that was added, before it came on the stack.

    Attributes:
        batch: Its key in the database.
        taken_back: The rows that undoing it took off the list.
    """

    def __init__(self, batch: int, text: str, undo: AddUndo) -> None:
        super().__init__(text)
        self.batch = batch
        self.taken_back: array[int] = array("q")
        self._undo = undo
        self._is_new = True

    def redo(self) -> None:
        """Bring it back. Pushing it on the stack calls this too; it is on the list already then."""
        if self._is_new:
            self._is_new = False
        else:
            self._undo.bring_back(self)

    def undo(self) -> None:
        """Take it off the list."""
        self._undo.take_back(self)
