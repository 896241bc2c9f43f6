"""Creates the objects that read and change the list. Does not use widgets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.gui.adding.adder import Adder, AddReport
from desktop_app.gui.commands.list_commands import ListCommands
from desktop_app.gui.export.exporter import Exporter
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.operations import Operation, Operations
from desktop_app.gui.progress.run_watch import RunWatch
from desktop_app.gui.startup.shutdown import WRITES_MS, Step
from desktop_app.gui.table.job_feed import GroupTotals, JobFeed, ResultFields, Totals
from desktop_app.gui.table.model import JobsModel
from desktop_app.gui.tasks import DatabaseSession, Tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.job_editor import JobEditor


LONGEST_FIRST_READ_MS = 300
"""The longest time for which everything else waits for the rows."""

CLOSE_MS = 50
"""How long to wait for each pool at the end. A read that takes longer is abandoned with the process."""

PAINT_MS = 20
"""The time in which the first rows are painted."""


class MakeFast(Protocol):
    """Creates the index of a field of results, or removes it."""

    def __call__(self, field: str, *, fast: bool, should_stop: Callable[[], bool]) -> None:
        """Do so, unless it is stopped; raise a StoreError if the database can't be written."""
        ...


class ListController(QObject):
    """Creates, connects, starts and stops the objects that read and change the list.

    Signals:
        problem(str): The text of an error that is not reported otherwise.
        opened(): The rows are shown, or reading them takes long. What else takes time starts now.

    Attributes:
        reader: The reader for the list, which can be used on any thread.
        feed, model, totals, groups, fields, operations, adder, commands, exporter, run: See their classes.
        reads: The pool for reading the list.
        tasks: The pool for other tasks.

    Args:
        reader: The reader for the list.
        editor: The editor for the list.
        session: A function that opens a database session on a pool thread.
        wording: The formatter for numbers, sizes and times.
        queue: The key of the queue that the run follows.
        clock: The clock.
        make_fast: Creates or removes the index of a field of results; called on a pool thread.
        duplicates: Returns the setting of that name.
        note_output: Called on a pool with the path of each file that was written.
        parent: The parent.
    """

    problem = Signal(str)
    opened = Signal()

    def __init__(
        self,
        reader: JobReader,
        editor: JobEditor,
        session: DatabaseSession,
        wording: Wording,
        *,
        queue: str,
        clock: Clock,
        make_fast: MakeFast,
        duplicates: Callable[[], str] = lambda: "ask",
        note_output: Callable[[Path], object] = lambda _: None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.reader = reader
        # Several pools, so that a long scan does not delay the table. A single thread for writes keeps them in order.
        self.reads = Tasks(session, threads=2, parent=self)
        # A scan can wait for seconds for a network share that does not respond, while others go on.
        self._scans = Tasks(session, threads=8, parent=self)
        self._writes = Tasks(session, threads=1, parent=self)
        self.tasks = Tasks(session, threads=3, parent=self)
        self.feed = JobFeed(reader.changes, self)
        self.totals = Totals(reader, self.reads, self)
        self.groups = GroupTotals(reader, self.reads, self)
        self.fields = ResultFields(reader, self.reads, self)
        self._make_fast = make_fast
        self.model = JobsModel(reader, self.reads, wording, self)
        self.operations = Operations(self)
        self.adder = Adder(
            editor,
            scans=self._scans,
            writes=self._writes,
            operations=self.operations,
            wording=wording,
            duplicates=duplicates,
            parent=self,
        )
        self.commands = ListCommands(
            reader,
            editor,
            reads=self.reads,
            writes=self._writes,
            operations=self.operations,
            wording=wording,
            parent=self,
        )
        self.exporter = Exporter(reader, self.tasks, self.operations, wording, note_output=note_output, parent=self)
        self.run = RunWatch(
            reader,
            self.reads,
            queue=queue,
            clock=clock,
            is_written=lambda: self.operations.is_busy,
            parent=self,
        )
        self.adder.finished.connect(self._record_add)
        self.feed.changed.connect(self.model.apply)
        self.feed.changed.connect(self.totals.count)
        self.feed.changed.connect(self.groups.count)
        self.feed.changed.connect(self.fields.count)
        self.feed.changed.connect(self.run.look)
        self.fields.changed.connect(self.model.show_fields)
        self.feed.recovered.connect(self.model.reread)
        for recount in (self.totals.count, self.groups.count, self.fields.count, self.run.look):
            self.feed.recovered.connect(recount)
        self.feed.replaced.connect(self.model.clear)
        self.feed.replaced.connect(self.commands.forget)
        self.commands.written.connect(self.feed.look)
        self.commands.written.connect(self.model.catch_up)
        self.commands.hidden.connect(self.model.hide)
        self.commands.revealed.connect(self.model.reveal)
        self.commands.resubmitted.connect(self.model.show_resubmitted)
        for read_again in (self.model.reread, self.model.reload):
            self.commands.reverted.connect(read_again)
        for recount in (self.totals.count_now, self.groups.count_now, self.run.look_now):
            self.commands.pending_changed.connect(recount)
        # In a long list, the next count may be seconds away; until then, a batch would seem unfinished.
        for recount in (self.totals.count_now, self.groups.count_now):
            self.run.ended.connect(recount)
        self.model.problem.connect(self.problem)
        self._opening = QTimer(self, singleShot=True)
        self._opening.timeout.connect(self._open)
        for tasks in self._all_tasks():
            tasks.problem.connect(self.problem)

    @Slot(object)
    def _record_add(self, report: AddReport) -> None:
        if report.batch:
            self.commands.record_add(report.batch, report.added)

    @Slot(str, bool)
    def make_fast(self, name: str, fast: bool) -> None:  # noqa: FBT001 - a slot for `fast_requested`
        """Create the index of a field of results, or remove it."""
        text = tr("Making the column fast…") if fast else tr("Removing the index of the column…")
        operation = self.operations.begin(lambda _done, _total: text)
        end = partial(self._end_make_fast, operation)
        make_fast = partial(self._make_fast, name, fast=fast, should_stop=lambda: operation.is_stopped)
        self._writes.run(make_fast, end, end, end)

    def _end_make_fast(self, operation: Operation, result: KnownError | None = None) -> None:
        self.operations.end(operation)
        self.fields.count_now()
        if result is not None:
            self.problem.emit(translated(result.text))

    def start(self) -> None:
        """Start following changes to the list. Load the model afterwards, so that it does not miss any of them.

        Everything else is read after the rows have been painted, since it takes long if the list is long.

        Raises:
            StoreError: If the database can't be read.
        """
        self.feed.start()
        self.fields.read()
        self.model.rows_changed.connect(self._follow_loading)
        self._opening.start(LONGEST_FIRST_READ_MS)

    @Slot()
    def _follow_loading(self) -> None:
        if self.model.is_loaded:
            self.model.rows_changed.disconnect(self._follow_loading)
            if self._opening.isActive():
                self._opening.start(PAINT_MS)

    @Slot()
    def _open(self) -> None:
        self.totals.count()
        self.groups.count()
        self.run.start()
        self.commands.finish_restoring()
        self.opened.emit()

    @Slot()
    def stop(self) -> None:
        """Stop changing the list, exporting it and following its changes. Files that are being added are all added."""
        self._opening.stop()
        self.feed.stop()
        self.adder.stop()
        self.commands.stop()
        self.exporter.stop()

    def is_at_rest(self) -> bool:
        """Return whether no task is waiting or running."""
        return not self._opening.isActive() and not any(tasks.busy for tasks in self._all_tasks())

    def steps(self) -> list[Step]:
        """Return the shutdown steps: for the changes that the user has made, and for exports, scans and look-ups.

        Reading the list is abandoned.
        """
        return [
            Step("changes to the list", self.stop, lambda: not self._writes.busy, WRITES_MS),
            Step("the window's tasks", self.stop, lambda: not (self.tasks.busy or self._scans.busy)),
        ]

    def close(self, timeout_ms: int = CLOSE_MS) -> bool:
        """Close the pools.

        Args:
            timeout_ms: The time to wait for each pool, in milliseconds.

        Returns:
            Whether all tasks have ended.
        """
        ended = [tasks.close(timeout_ms) for tasks in self._all_tasks()]  # a list, so that every pool is closed
        return all(ended)

    def _all_tasks(self) -> tuple[Tasks, ...]:
        return self.reads, self._scans, self._writes, self.tasks
