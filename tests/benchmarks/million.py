"""Measure the window with a million rows: opening, sorting, filtering, changes while scrolling, undo, and memory.

    python -m tests.benchmarks.million [ROWS]

Prints each measurement with its limit. The window of the opening and of the memory is the program's own, in a process
of its own; everything else is measured on its table and what reads the list. Runs on the offscreen platform.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._kit import EventLoopDelays, pause, spin, tell  # isort: skip

from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop_app.domain.clock import SystemClock
from desktop_app.domain.job import NewFile, Status
from desktop_app.domain.query import NO_FILTER, Filter
from desktop_app.gui.filtering.search_names import read_search
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector
from desktop_app.gui.table.columns import COLUMN_OF_ID, NAME
from desktop_app.gui.table.view import JobsView
from desktop_app.gui.theme.theme import Theme
from desktop_app.gui.window.list_controller import ListController
from desktop_app.gui.wording import Wording
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.control import ProcessingControl
from desktop_app.store.adding import Intake
from desktop_app.store.job_list import JobList
from desktop_app.store.models import JobRow
from desktop_app.store.processors import WorkerProcessors
from tests.benchmarks._programs import environment_of
from tests.benchmarks._results import at_most_times, note
from tests.benchmarks._rows import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.store.database import Database

ROWS = 1_000_000
FIRST_MS, BLOCKED_MS, SLOWER, MEMORY_MB = 300, 25, 1.5, 60
SORTS = ("name", "size", "status", "folder", "type", "took", "batch")
SEARCHES = ("measurement", "zzz", "*77.csv", "folder:run-0100", "-type:csv", "reason:gone", "size:>1MB", "*ä*")
CHURN_SECONDS, CHURN_MS = 8.0, 50
TIMES = 3


def open_windows(folder: Path, database: Path) -> None:
    """Compare the program's window with all rows to one with an empty list."""
    homes = {"empty": folder / "empty", "full": folder / "full"}
    for home in homes.values():
        home.mkdir()
    full = homes["full"] / "filemill.db"
    shutil.copy(database, full)
    with closing(sqlite3.connect(full)) as connection:  # nothing is left to do, so that the loops rest
        connection.execute("UPDATE job SET status = 2 WHERE status = 0")
        connection.execute("DELETE FROM outbox")
        connection.commit()
    found: dict[str, list[dict[str, float]]] = {"empty": [], "full": []}
    for turn in range(TIMES + 1):
        for name, home in homes.items():
            measured = open_window(home)
            if turn:  # the first one compiles the modules
                found[name].append(measured)
    middle = {
        name: {what: statistics.median(one[what] for one in every) for what in every[0]}
        for name, every in found.items()
    }
    few, all_ = middle["empty"], middle["full"]
    at_most_times(
        "a million rows: window ready", all_["ready"], "ms", peer="empty list", against=few["ready"], goal=SLOWER
    )
    note("a million rows: the order of all rows is known", f"{all_['complete']:,.0f} ms after the start")
    for what in ("pss", "rss"):
        tell(f"a million rows: memory ({what.upper()}) above an empty list", all_[what] - few[what], MEMORY_MB, "MB")
    note("a million rows: largest RSS", f"{all_['peak']:,.0f} MB; with an empty list {few['peak']:,.0f} MB")


def open_window(home: Path) -> dict[str, float]:
    began = time.monotonic()
    program = Path(__file__).with_name("_window.py")
    printed = subprocess.run(
        [sys.executable, str(program), "rows"], env=environment_of(home), check=True, capture_output=True, text=True
    ).stdout
    ready, complete, *memory = map(float, printed.split())
    return {
        "ready": (ready - began) * 1000,
        "complete": (complete - began) * 1000,
        **dict(zip(("pss", "rss", "peak"), memory, strict=True)),
    }


class Table:
    """The table and what reads the list for it, on a database."""

    def __init__(self, database: Database, rows: int, theme: Theme) -> None:
        self.database = database
        self.rows = rows
        wording = Wording(QLocale(QLocale.Language.English))
        clock = SystemClock()
        self.editor = JobEditor(Intake(database), queue="local", clock=clock, control=ProcessingControl())
        self.list = ListController(
            JobList(database),
            self.editor,
            database.session,
            wording,
            queue="local",
            clock=clock,
            make_fast=WorkerProcessors(database).make_fast,
        )
        self.model = self.list.model
        self.view = JobsView(self.model, theme)
        self.view.resize(1100, 1080)
        self.view.show()
        self.delays = EventLoopDelays()
        self.list.start()
        self.view.header.setSortIndicator(COLUMN_OF_ID["added"], Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        self.rest()
        assert self.model.rowCount() == rows

    def rest(self) -> None:
        """Wait until nothing is running, and the feed has reported the last change."""
        spin(self.list.is_at_rest)
        self.list.feed.look()
        spin(self.list.is_at_rest)

    def close(self) -> None:
        self.list.stop()
        self.rest()
        self.list.close()
        self.view.close()
        self.view.deleteLater()
        self.database.release()

    # --- sorting and filtering

    def measure(self, change: Callable[[], object]) -> tuple[float, float, float]:
        """Measure a change of the order or the filter.

        Returns:
            The milliseconds until the first page is painted, until all is known, and without an answer.
        """
        self.rest()
        pause(0.1)
        self.delays.restart()
        model = self.model
        began = time.perf_counter()
        change()
        spin(lambda: (model.shown_filter, model.shown_order) == (model.filter, model.order))
        self.view.viewport().repaint()  # the rows may be those that were shown before
        first = (time.perf_counter() - began) * 1000
        shown = [model.text(row, NAME) for row in range(20)]
        spin(lambda: model.is_current)
        complete = (time.perf_counter() - began) * 1000
        assert [model.text(row, NAME) for row in range(20)] == shown
        return first, complete, self.delays.longest_ms

    def tell_worst(self, what: str, *measured: tuple[float, float, float]) -> float:
        """Report the worst of several measurements; return the longest time without an answer."""
        first, complete, blocked = (max(one[at] for one in measured) for at in range(3))
        tell(f"{what}: first page", first, FIRST_MS)
        print(f"    (everything {complete:,.0f} ms; without an answer {blocked:.0f} ms)", flush=True)
        return blocked

    def measure_sorting(self) -> None:
        ways = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
        sort, blocked = self.view.header.setSortIndicator, []
        for column in SORTS:
            both = [self.measure(partial(sort, COLUMN_OF_ID[column], way)) for way in ways]
            blocked.append(self.tell_worst(f"a million rows: sort by {column}", *both))
        self.view.select_rows(10, 1_009)
        measured = self.measure(partial(sort, NAME, ways[0]))
        blocked.append(self.tell_worst("a million rows: sort by name, 1,000 selected", measured))
        tell("a million rows: sorting, longest time without an answer", max(blocked), BLOCKED_MS)
        self.view.clearSelection()
        self.view.header.setSortIndicator(COLUMN_OF_ID["added"], Qt.SortOrder.AscendingOrder)
        self.rest()

    def measure_filters(self) -> None:
        blocked = [
            self.tell_worst(f"a million rows: filter {what}", self.measure(partial(self.model.set_filter, where)))
            for what, where in filters()
        ]
        tell("a million rows: filtering, longest time without an answer", max(blocked), BLOCKED_MS)
        self.rest()

    # --- changes

    def measure_churn(self) -> None:
        """Write 2,000 changes and 1,000 new rows a second on another thread, while the table is scrolled."""
        ids = list(self.model.ids[:2_000])
        over = threading.Event()
        a_step = CHURN_MS / 1000
        changes, added = int(2_000 * a_step), int(1_000 * a_step)

        def change() -> None:
            step, due = 0, time.monotonic()
            with self.database.session():
                while not over.wait(max(0.0, due - time.monotonic())):
                    due += a_step
                    step += 1
                    with self.database.write() as revision:
                        start = step * changes % len(ids)
                        some = JobRow.id.between(ids[start], ids[start + changes - 1])
                        self.database.run(JobRow.update(revision=revision, lines_count=step).where(some))
                    self.editor.add([NewFile(f"/in/new-{step}-{number}", 5, 0) for number in range(added)])

        pause(1)
        bar = self.view.verticalScrollBar()
        bar.setValue(0)
        scroller = QTimer()
        scroller.timeout.connect(lambda: bar.setValue((bar.value() + 1) % 400))
        scroller.start(33)
        writer = threading.Thread(target=change)
        writer.start()
        self.delays.restart()
        pause(CHURN_SECONDS)
        late = sorted(self.delays.late_ms)
        over.set()
        writer.join()
        scroller.stop()
        self.rest()
        grown = self.model.rowCount() - self.rows
        print(f"    ({grown / CHURN_SECONDS:,.0f} added/s)", flush=True)
        what = "2,000 changes/s, 1,000 added/s, scrolling"
        tell(f"{what}: p99", late[int(len(late) * 0.99) - 1], 10)
        tell(f"{what}: longest", late[-1], BLOCKED_MS)

    def measure_undo(self) -> None:
        """Remove everything, and undo that; retry what failed."""
        commands, rows = self.list.commands, self.model.rowCount()
        failed = self.list.totals.counts.failed
        self.view.selectAll()
        self.rest()
        self._change("remove all", lambda: commands.remove(self.view.selected_ids()), total=0, failed=0)
        self._change("undo", commands.undo.undo, total=rows, failed=failed)
        self.view.clearSelection()
        self._change("retry failed", commands.retry_failed, total=rows, failed=0)

    def _change(self, what: str, do: Callable[[], object], *, total: int, failed: int) -> None:
        self.delays.restart()
        began = time.perf_counter()
        do()
        spin(lambda: self.model.rowCount() == total)
        self.view.viewport().grab()
        what = f"a million rows: {what}"
        tell(f"{what}: the rows change", (time.perf_counter() - began) * 1000, FIRST_MS)
        spin(lambda: (self.list.totals.counts.total, self.list.totals.counts.failed) == (total, failed))
        tell(f"{what}: the counts change", (time.perf_counter() - began) * 1000, FIRST_MS)
        tell(f"{what}: longest time without an answer", self.delays.longest_ms, BLOCKED_MS)
        self.rest()
        print(f"    (everything was written after {time.perf_counter() - began:.1f} s)", flush=True)


def filters() -> Iterator[tuple[str, Filter]]:
    yield "by status", Filter(statuses=frozenset({Status.PENDING}))
    yield "by batch", Filter(batches=frozenset({2}))
    for typed in SEARCHES:
        yield typed, Filter(search=read_search(typed))
    yield "none", NO_FILTER


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    application = QApplication([])
    MainThreadGarbageCollector(application).start()
    theme = Theme(application)
    theme.follow(application)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{rows:,} rows; making them …", flush=True)
        path = Path(folder) / "jobs.db"
        database = fill(path, rows)
        open_windows(Path(folder), path)
        table = Table(database, rows, theme)
        table.measure_sorting()
        table.measure_filters()
        table.measure_churn()
        table.measure_undo()
        table.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
