"""Measure what users wait for in long lists: removing, undoing, retrying, sorting, filtering, exporting and adding.

    python -m tests.benchmarks.lists [ROWS …]

Prints each measurement with its limit, for 100,000 rows; `million.py` measures a million. The list changes at once;
what is written behind it is measured too, as is the time that another writer waits for the database. Runs on the
offscreen platform; the database is a real one in a temporary folder.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from array import array
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._kit import EventLoopDelays, multiply_jobs, spin, tell  # isort: skip

from peewee import fn
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.clock import SystemClock
from desktop_app.domain.job import NewFile, Status
from desktop_app.domain.query import BY_ADDING, NO_FILTER, Filter
from desktop_app.gui.export.exporter import ExportRequest, Format
from desktop_app.gui.filtering.search_names import read_search
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector
from desktop_app.gui.table.columns import COLUMN_OF_ID
from desktop_app.gui.table.job_feed import SelectedTotals
from desktop_app.gui.table.view import JobsView
from desktop_app.gui.theme.theme import Theme
from desktop_app.gui.window.list_controller import ListController
from desktop_app.gui.wording import Wording
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.adding.review import SelectionRules
from desktop_app.services.control import ProcessingControl
from desktop_app.services.support.export import ALL_FIELDS
from desktop_app.store.adding import Intake
from desktop_app.store.database import Database, open_database
from desktop_app.store.job_list import JobList
from desktop_app.store.models import JobRow
from desktop_app.store.processors import WorkerProcessors

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.adding.adder import Proposal

SIZES = (100_000,)
AT_ONCE_MS = 300
EXPORTED = 100_000
SEED_ROWS = 2_000


def seed(path: Path, rows: int) -> Database:
    """Fill a database with jobs of each status in four batches: some with the program's code, which SQLite doubles."""
    database = open_database(path, MIGRATIONS)
    editor = JobEditor(Intake(database), queue="local", clock=SystemClock(), control=ProcessingControl())
    for batch in range(4):
        names = (f"/in/{batch}/orders-{at % 97:02d}-{at}.{('csv', 'json')[at % 2]}" for at in range(SEED_ROWS // 4))
        editor.add([NewFile(name, at * 997, at + 1) for at, name in enumerate(names)], name=f"batch {batch}")
    now = SystemClock().now_ms()
    ended = {"started_at": now - 900, "finished_at": now, "attempts": 1, "lease_token": 1}
    with database.write() as revision:
        for rest, fields in (
            (0, {"status": Status.PROCESSED, "lines_count": JobRow.id * 31}),
            (1, {"status": Status.FAILED, "reason_code": "file_gone"}),
            (2, {"status": Status.FAILED, "reason_code": "may_not_read"}),
        ):
            change = JobRow.update(revision=revision, **ended, **fields)
            database.run(change.where(JobRow.id.in_(range(rest, SEED_ROWS + 1, 4))))
    database.release()
    multiply_jobs(path, rows, file_size="file_size + id", modified_ns="modified_ns + id")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO outbox (job_id, queue, generation, tries, next_try_at, claim_until)"
            " SELECT id, queue, generation, 0, 0, 0 FROM job"
            " WHERE status = 0 AND id NOT IN (SELECT job_id FROM outbox) ORDER BY id"
        )
        connection.execute("DELETE FROM outbox WHERE job_id IN (SELECT id FROM job WHERE status > 1)")
        connection.commit()
    return database


class OtherWriter:
    """A thread that writes short transactions, as the consumer does, and measures how long each of them takes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._over = threading.Event()
        self.took_ms: list[float] = []
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        with self._database.session():
            while not self._over.wait(0.05):
                began = time.perf_counter()
                with self._database.write(durable=True):
                    pass
                self.took_ms.append((time.perf_counter() - began) * 1000)

    def stop(self) -> list[float]:
        self._over.set()
        self._thread.join()
        return sorted(self.took_ms)


class Measured:
    """The table with its controller, on a database."""

    def __init__(self, database: Database, rows: int, look: Theme, folder: Path) -> None:
        self.database = database
        self.rows = rows
        self.folder = folder
        wording = Wording(QLocale(QLocale.Language.English))
        editor = JobEditor(Intake(database), queue="local", clock=SystemClock(), control=ProcessingControl())
        self.list = ListController(
            JobList(database),
            editor,
            database.session,
            wording,
            queue="local",
            clock=SystemClock(),
            make_fast=WorkerProcessors(database).make_fast,
        )
        self.model = self.list.model
        self.view = JobsView(self.model, look)
        self.selected = SelectedTotals(self.view, self.model, self.list.reader, self.list.reads, self.view)
        self.list.commands.pending_changed.connect(self.selected.sum_now)
        self.view.resize(1100, 1080)
        self.view.show()
        self.beat = EventLoopDelays()
        self.list.start()
        self.view.header.setSortIndicator(COLUMN_OF_ID["added"], Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        self._rest()
        assert self.model.rowCount() == rows

    def close(self) -> None:
        self.list.stop()
        self._rest()
        self.list.close()
        self.view.close()
        self.view.deleteLater()
        self.database.release()

    def _rest(self) -> None:
        """Wait until nothing is running, and the feed has reported the last change."""
        spin(self.list.is_at_rest)
        self.list.feed.look()
        spin(self.list.is_at_rest)

    def _counts_are(self, total: int, failed: int) -> bool:
        counts, groups = self.list.totals.counts, self.list.groups.counts
        of_problems = sum(problem.count for problem in groups.problems)
        of_batches = sum(batch.counts.total for batch in groups.batches)
        return (counts.total, counts.failed, of_problems, of_batches) == (total, failed, failed, total)

    def _change(self, what: str, do: Callable[[], object], *, total: int, failed: int, writing: float) -> None:
        """Measure a change: until the rows and the counts are right, and until it has been written."""
        self.beat.restart()
        began = time.perf_counter()
        do()
        shown = (time.perf_counter() - began) * 1000
        if self.model.rowCount() != total:
            spin(lambda: self.model.rowCount() == total)
            shown = (time.perf_counter() - began) * 1000
        self.view.viewport().grab()
        tell(f"{what}: the rows change", shown, AT_ONCE_MS)
        spin(lambda: self._counts_are(total, failed) and (not self.selected.current.count or self._is_summed()))
        tell(f"{what}: the counts and sums change", (time.perf_counter() - began) * 1000, AT_ONCE_MS)
        other = OtherWriter(self.database)
        spin(lambda: not self.list.operations.is_busy)
        tell(f"{what}: everything is written", (time.perf_counter() - began) * 1000, writing * self.rows / 100_000)
        took = other.stop()
        tell(f"{what}: longest wait of another writer", took[-1] if took else 0, 1_000)
        tell(f"{what}: longest time without an answer", self.beat.longest_ms, 250)
        self._rest()
        assert self._counts_are(total, failed)
        assert self.model.rowCount() == total

    def _is_summed(self) -> bool:
        sums = self.selected.current.sums
        return sums is not None and sums.counts.total == self.selected.current.count

    def measure_changes(self) -> None:
        rows, commands = self.rows, self.list.commands
        failed = self.list.totals.counts.failed
        self.view.selectAll()
        self._rest()
        self._change("remove all", lambda: commands.remove(self.view.selected_ids()), total=0, failed=0, writing=5_000)
        self._change("undo", commands.undo.undo, total=rows, failed=failed, writing=6_000)
        self._change("redo", commands.undo.redo, total=0, failed=0, writing=5_000)
        self._change("undo again", commands.undo.undo, total=rows, failed=failed, writing=6_000)
        done = self.list.totals.counts.processed
        self._change("remove processed", commands.remove_processed, total=rows - done, failed=failed, writing=5_000)
        self._change("undo of that", commands.undo.undo, total=rows, failed=failed, writing=6_000)
        self.view.selectAll()
        self._rest()
        self._change("retry failed", commands.retry_failed, total=rows, failed=0, writing=6_000)
        self.view.clearSelection()
        self._measure_stop()

    def _measure_stop(self) -> None:
        commands, model = self.list.commands, self.model
        ids = array("q", model.ids)
        commands.remove(ids)
        spin(lambda: self.list.operations.is_busy and self.database_count() < self.rows)
        began = time.perf_counter()
        commands.stop()
        spin(lambda: not self.list.operations.is_busy)
        tell("stop of a removal", (time.perf_counter() - began) * 1000, 500)
        spin(lambda: model.rowCount() == self.database_count())
        tell("stop of a removal: the rest is shown again", (time.perf_counter() - began) * 1000, 1_000)
        self._rest()
        commands.undo.undo()
        spin(lambda: not self.list.operations.is_busy)
        self._rest()
        assert model.rowCount() == self.rows

    def database_count(self) -> int:
        with self.database.read():
            listed = JobRow.select(fn.COUNT(JobRow.id)).where(JobRow.removed_at.is_null())
            return int(self.database.scalar(listed))

    def measure_sorting(self) -> None:
        """Sort and filter; these take longer than that with a million rows, which is stated as it is."""
        for column in ("name", "size", "status", "reason", "folder", "type", "took"):
            spin(self.list.is_at_rest)
            began = time.perf_counter()
            self.view.header.setSortIndicator(COLUMN_OF_ID[column], Qt.SortOrder.DescendingOrder)
            spin(lambda: self.model.shown_order == self.model.order != BY_ADDING and self.list.is_at_rest())
            tell(f"sort by {column}", (time.perf_counter() - began) * 1000, AT_ONCE_MS)
        self.view.header.setSortIndicator(COLUMN_OF_ID["added"], Qt.SortOrder.AscendingOrder)
        self._rest()
        for what, where in (
            ("a status", Filter(statuses=frozenset({Status.PENDING}))),
            ("a batch", Filter(batches=frozenset({2}))),
            ("a word", Filter(search=read_search("orders-05"))),
            ("a pattern", Filter(search=read_search("orders*7.json"))),
            ("a range", Filter(search=read_search("size:>1MB"))),
            ("nothing", NO_FILTER),
        ):
            began = time.perf_counter()
            self.model.set_filter(where)
            spin(lambda where=where: self.model.shown_filter == where)  # type: ignore[misc]
            tell(f"filter by {what}", (time.perf_counter() - began) * 1000, AT_ONCE_MS)

    def measure_export(self) -> None:
        target = self.folder / "list.csv"
        self.beat.restart()
        began = time.perf_counter()
        keys = self.model.ids[:EXPORTED]
        self.list.exporter.start(ExportRequest(keys, BY_ADDING, ALL_FIELDS, Format.CSV, target))
        spin(lambda: not self.list.exporter.is_busy)
        tell(f"export {len(keys):,}", (time.perf_counter() - began) * 1000, 10_000)
        tell("export: longest time without an answer", self.beat.longest_ms, 250)
        target.unlink()

    def measure_adding(self, count: int) -> None:
        """Add files from a folder, as the window does: scan, review, write."""
        folder = self.folder / "in"
        for part in range(count // 1_000):
            (folder / f"{part:03}").mkdir(parents=True)
            for at in range(1_000):
                (folder / f"{part:03}" / f"measurement {at:04}.csv").touch()
        proposals: list[Proposal] = []
        self.list.adder.proposed.connect(proposals.append)
        self.beat.restart()
        began = time.perf_counter()
        self.list.adder.add([str(folder)])
        spin(lambda: bool(proposals))
        scanned = (time.perf_counter() - began) * 1000
        tell(f"add {count:,}: until the review is offered", scanned, 4_000 * count / 100_000)
        everything = proposals[0].review.pick(SelectionRules(), lambda: False)
        assert everything is not None
        began = time.perf_counter()
        self.list.adder.accept(proposals[0], everything, name="", again=False)
        spin(lambda: self.model.rowCount() > self.rows)
        tell("add: the first files are on the list", (time.perf_counter() - began) * 1000, 500)
        spin(lambda: self.model.rowCount() == self.rows + count)
        written = (time.perf_counter() - began) * 1000
        tell(f"add {count:,}: scan and all files on the list", scanned + written, 10_000 * count / 100_000)
        tell("add: longest time without an answer", self.beat.longest_ms, 250)
        self._rest()


def main() -> int:
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    application = QApplication([])
    MainThreadGarbageCollector(application).start()
    look = Theme(application)
    look.follow(application)
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{rows:,} rows; making them …", flush=True)
            measured = Measured(seed(Path(folder) / "jobs.db", rows), rows, look, Path(folder))
            measured.measure_sorting()
            measured.measure_export()
            measured.measure_changes()
            measured.measure_adding(100_000)
            measured.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
