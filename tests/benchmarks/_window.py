"""Watch the program's window; `start.py` runs this.

    python -m tests.benchmarks._window started|working|idle|rows

It prints the moment of an event, in seconds of the monotonic clock, and the CPU time that the process has used; then it
closes the window. The event is that the window has painted the list and responded to a key, that files are being
processed, or that the loops have been running for a while.

With `rows`, it prints two moments: when the window has painted the list or the empty page and handled the events that
were waiting, and when all rows are known and everything else has been read. Three numbers follow: the PSS and RSS of
the process then, and its largest RSS, in MB.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from desktop_app import window_app
from desktop_app.__main__ import run_and_exit

if TYPE_CHECKING:
    from desktop_app.bootstrap import Program
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from desktop_app.window_app import RunningWindow

STARTED, WORKING, IDLE, ROWS = "started", "working", "idle", "rows"
IDLE_MS = 2_000


class Probe(QObject):
    """Waits for the event, and then closes the window.

    Args:
        running: The running window.
        event: The event.
    """

    def __init__(self, running: RunningWindow, event: str) -> None:
        super().__init__(running)
        self._running = running
        self._view = running.window.view
        self._is_pressed = False
        self._event = event
        self._ready = 0.0
        if event == STARTED:
            self._view.viewport().installEventFilter(self)
        elif event == ROWS:
            running.window.installEventFilter(self)
        elif event == WORKING:
            running.jobs.totals.changed.connect(self._follow_totals)
        else:
            running.jobs.opened.connect(self._follow_opening)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Paint and not self._ready:
            QTimer.singleShot(0, self, self._follow_rows if self._event == ROWS else self._follow_paint)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow_paint(self) -> None:
        view, model = self._view, self._running.jobs.model
        is_painted = model.rowCount() and model.index(0, 0).data()
        if is_painted and not self._is_pressed:
            self._is_pressed = True
            target = QApplication.focusWidget() or view
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.postEvent(target, QKeyEvent(kind, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier))
        elif is_painted and view.selected_count():
            view.viewport().removeEventFilter(self)
            self._end()

    @Slot()
    def _follow_rows(self) -> None:
        """Note when there is something to see, and end when everything has been read."""
        jobs = self._running.jobs
        if self._view.isVisible() and not jobs.model.rowCount():
            return
        if not jobs.model.is_loaded and not jobs.model.rowCount():
            return
        if not self._ready:
            self._ready = time.monotonic()
            self._follow_reading()

    @Slot()
    def _follow_reading(self) -> None:
        jobs = self._running.jobs
        if jobs.model.is_loaded and jobs.totals.is_known and jobs.is_at_rest():
            print(self._ready, time.monotonic(), *memory(), flush=True)
            self._running.window.close()
        else:
            QTimer.singleShot(1, self, self._follow_reading)

    @Slot()
    def _follow_totals(self) -> None:
        if self._running.jobs.totals.counts.processing:
            self._running.jobs.totals.changed.disconnect(self._follow_totals)
            self._end()

    @Slot()
    def _follow_opening(self) -> None:
        QTimer.singleShot(IDLE_MS, self, self._end)

    @Slot()
    def _end(self) -> None:
        print(time.monotonic(), time.process_time(), flush=True)
        self._running.window.close()


def memory() -> tuple[float, ...]:
    """Return the PSS, the RSS and the largest RSS of this process in MB."""
    found = Path("/proc/self/smaps_rollup").read_text() + Path("/proc/self/status").read_text()
    sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB", found, re.MULTILINE))
    return tuple(int(sizes[name]) / 1000 for name in ("Pss", "Rss", "VmHWM"))


if __name__ == "__main__":
    assemble = window_app.assemble

    def assemble_with_probe(program: Program, theme: Theme, window: MainWindow | None = None) -> RunningWindow:
        running = assemble(program, theme, window)
        Probe(running, event)
        return running

    event = sys.argv.pop()
    window_app.assemble = assemble_with_probe
    run_and_exit()
