"""Run the program's window with its consumer, and measure it at work; `local.py` runs this.

    python -m tests.benchmarks._window_work consuming
    python -m tests.benchmarks._window_work adding FOLDER COUNT

`consuming` ends when all files on the list are finished, and prints the 99th percentile and the longest of the event
loop's delays in milliseconds. `adding` adds one file after the other while the window is idle, and prints the
milliseconds from the moment at which each was saved until the window has painted it as processed.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks._kit import EventLoopDelays  # isort: skip

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot

from desktop_app import window_app
from desktop_app.__main__ import run_and_exit
from desktop_app.domain.job import Status
from desktop_app.gui.table.columns import COLUMN_OF_ID
from desktop_app.store.adding import Intake

if TYPE_CHECKING:
    from desktop_app.bootstrap import Program
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.window_app import RunningWindow

SETTLE_MS = 3_000
PAUSE_MS = 257
"""The time between a file and the next one; no multiple of the program's timers."""


class Consuming(QObject):
    """Measures the event loop until all files are finished."""

    def __init__(self, running: RunningWindow) -> None:
        super().__init__(running)
        self._running = running
        self._totals = running.jobs.totals
        self._delays: EventLoopDelays | None = None
        self._totals.changed.connect(self._follow)

    @Slot()
    def _follow(self) -> None:
        counts = self._totals.counts
        if self._delays is None:
            if counts.processed:
                self._delays = EventLoopDelays()
        elif not counts.unfinished:
            self._totals.changed.disconnect(self._follow)
            late = sorted(self._delays.late_ms)
            print("p99", late[int(len(late) * 0.99) - 1])
            print("longest", late[-1], flush=True)
            self._running.window.close()


class Adding(QObject):
    """Adds files one by one, and measures how long each takes."""

    def __init__(self, running: RunningWindow, paths: list[str]) -> None:
        super().__init__(running)
        self._running = running
        self._view = running.window.view
        self._paths = paths
        self._path = ""
        self._saved_at: float | None = None
        add = Intake.add

        def noted(intake: Intake, *arguments: Any, **more: Any) -> Any:
            added = add(intake, *arguments, **more)
            self._saved_at = time.perf_counter()
            return added

        Intake.add = noted  # type: ignore[method-assign, assignment]
        running.jobs.opened.connect(lambda: QTimer.singleShot(SETTLE_MS, self, self._begin))

    @Slot()
    def _begin(self) -> None:
        self._view.header.setSortIndicator(COLUMN_OF_ID["added"], Qt.SortOrder.DescendingOrder)
        self._view.viewport().installEventFilter(self)
        self._add()

    @Slot()
    def _add(self) -> None:
        if not self._paths:
            self._running.window.close()
            return
        self._saved_at = None
        self._path = self._paths.pop()
        self._running.jobs.adder.add([self._path])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Paint:
            QTimer.singleShot(0, self, self._follow_paint)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow_paint(self) -> None:
        job = self._running.jobs.model.job(0)
        is_done = job is not None and job.file_path == self._path and job.status is Status.PROCESSED
        if is_done and self._saved_at is not None:
            print("took", (time.perf_counter() - self._saved_at) * 1000, flush=True)
            self._path = ""
            QTimer.singleShot(PAUSE_MS, self, self._add)


if __name__ == "__main__":
    assemble = window_app.assemble

    def assemble_with_probe(program: Program, theme: Theme, window: MainWindow | None = None) -> RunningWindow:
        running = assemble(program, theme, window)
        if mode == "consuming":
            Consuming(running)
        else:
            folder, count = rest
            Adding(running, [str(path) for path in sorted(Path(folder).iterdir())[: int(count)]])
        return running

    mode, *rest = sys.argv[1:]
    del sys.argv[1:]
    window_app.assemble = assemble_with_probe
    run_and_exit()
