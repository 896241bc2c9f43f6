"""Measure jumps, selections and sorting with a selection in a table with a million rows; see also `million.py`.

    python -m tests.benchmarks.table [ROWS]

Runs on the offscreen platform, without a graphics driver; the database is a real one in a temporary folder.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._kit import EventLoopDelays, multiply_jobs, pause, spin, tell  # isort: skip

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.clock import SystemClock
from desktop_app.domain.job import NewFile, Status
from desktop_app.gui.startup.qt_runtime import MainThreadGarbageCollector
from desktop_app.gui.table.columns import COLUMN_OF_ID
from desktop_app.gui.table.view import JobsView
from desktop_app.gui.theme.theme import Theme
from desktop_app.gui.window.list_controller import ListController
from desktop_app.gui.wording import Wording
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.control import ProcessingControl
from desktop_app.store.adding import Intake
from desktop_app.store.database import Database, open_database
from desktop_app.store.job_list import JobList
from desktop_app.store.models import JobRow
from desktop_app.store.processors import WorkerProcessors

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
SEED_ROWS = 2_000


def seed(path: Path, rows: int) -> Database:
    """Fill a database: some rows with the program's code, which SQLite then doubles."""
    database = open_database(path, MIGRATIONS)
    intake = JobEditor(Intake(database), queue="local", clock=SystemClock(), control=ProcessingControl())
    intake.add([NewFile(f"/in/orders-{number % 97:02d}-{number}.csv", number * 997, 0) for number in range(SEED_ROWS)])
    with database.write() as revision:
        done = JobRow.update(status=Status.PROCESSED, lines_count=JobRow.id * 31, revision=revision)
        database.run(done.where(JobRow.id.not_in(range(5, SEED_ROWS + 1, 5))))
    database.release()
    multiply_jobs(path, rows, file_size="file_size + id")
    return database


def timed(work: Callable[[], object], times: int = 1) -> float:
    """Return the milliseconds of a call, as the median of several."""
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent)


def measure_reading(view: JobsView, controller: ListController, beats: EventLoopDelays, rows: int) -> None:
    model = controller.model
    controller.start()
    begin = time.perf_counter()
    view.header.setSortIndicator(COLUMN_OF_ID["added"], Qt.SortOrder.AscendingOrder)
    view.setSortingEnabled(True)
    spin(lambda: model.rowCount() == rows)
    tell("the list is read and shown", (time.perf_counter() - begin) * 1000, 2_500, "ms")
    pause(1)
    tell("repaint of the whole table", timed(view.viewport().grab, 20), 25, "ms")
    bar = view.verticalScrollBar()

    def jump() -> None:
        bar.setValue(random.randrange(bar.maximum()))
        view.viewport().grab()

    def select_all() -> None:
        view.selectAll()
        view.viewport().grab()

    tell("jump to an unread page and repaint", timed(jump, 30), 50, "ms")
    tell("Ctrl+A and repaint", timed(select_all), 50, "ms")
    tell("keys of all selected rows", timed(view.selected_ids), 50, "ms")
    view.select_rows(10, 1_009)
    # The last three are computed by SQL or can't be sorted, so they have no column in the database.
    for column in ("name", "size", "status", "folder", "type", "jobId"):
        pause(0.3)
        beats.restart()
        begin = time.perf_counter()
        view.header.setSortIndicator(COLUMN_OF_ID[column], view.header.sortIndicatorOrder())
        spin(controller.is_at_rest)
        tell(
            f"sort by {column}, 1,000 rows selected: until it is there",
            (time.perf_counter() - begin) * 1000,
            6_000,
            "ms",
        )
        tell(f"sort by {column}: longest time without an answer", beats.longest_ms, 250, "ms")
    view.header.setSortIndicator(COLUMN_OF_ID["type"], Qt.SortOrder.AscendingOrder)
    spin(controller.is_at_rest)
    begin = time.perf_counter()
    view.header.sort_second((COLUMN_OF_ID["folder"], Qt.SortOrder.DescendingOrder))
    spin(controller.is_at_rest)
    tell("sort by type, then by folder: until it is there", (time.perf_counter() - begin) * 1000, 8_000, "ms")
    view.header.setSortIndicator(COLUMN_OF_ID["added"], view.header.sortIndicatorOrder())
    spin(controller.is_at_rest)


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    application = QApplication([])
    MainThreadGarbageCollector(application).start()
    look = Theme()
    look.follow(application)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{rows:,} rows; making them …", flush=True)
        database = seed(Path(folder) / "jobs.db", rows)
        jobs = JobList(database)
        intake = JobEditor(Intake(database), queue="local", clock=SystemClock(), control=ProcessingControl())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wording = Wording(QLocale(QLocale.Language.English))
        controller = ListController(
            jobs,
            intake,
            database.session,
            wording,
            queue="local",
            clock=SystemClock(),
            make_fast=WorkerProcessors(database).make_fast,
        )
        view = JobsView(controller.model, look)
        view.resize(1100, 1080)
        view.show()
        beats = EventLoopDelays()
        measure_reading(view, controller, beats, rows)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        tell("memory that all of this took at its highest", grown, 250, "MiB")
        controller.stop()
        spin(controller.is_at_rest)
        controller.close()
        database.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
