"""Watch the program's window; `start.py` runs this.

    python tests/benchmarks/_window.py started|working|idle

It prints the moment of an event, in seconds of the monotonic clock, and the CPU time that the process has used; then it
closes the window. The event is that the window has painted the list and responded to a key, that files are being
processed, or that the loops have been running for a while.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import sys
import time
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

STARTED, WORKING, IDLE = "started", "working", "idle"
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
        if event == STARTED:
            self._view.viewport().installEventFilter(self)
        elif event == WORKING:
            running.jobs.totals.changed.connect(self._follow_totals)
        else:
            running.jobs.opened.connect(self._follow_opening)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Paint:
            QTimer.singleShot(0, self, self._follow_paint)
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


if __name__ == "__main__":
    assemble = window_app.assemble

    def assemble_with_probe(program: Program, theme: Theme, window: MainWindow | None = None) -> RunningWindow:
        running = assemble(program, theme, window)
        Probe(running, event)
        return running

    event = sys.argv.pop()
    window_app.assemble = assemble_with_probe
    run_and_exit()
