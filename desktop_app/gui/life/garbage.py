"""Keeps Python's garbage collector on the main thread."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

EVERY_MS = 1_000


class MainThreadGarbage(QObject):
    """Collects what the collector would, but only ever on the thread that it lives in.

    By itself the collector runs on whichever thread happens to allocate the object too many. If that is a worker, and
    among the garbage are Qt's objects (a dialog that was closed), they are destroyed beside the main thread: the
    process crashes, or hangs with one thread holding Qt's lock and the other Python's. Seen here, not imagined.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Take over."""
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Give back, with nothing left that another thread might find."""
        self._timer.stop()
        gc.collect()
        gc.enable()

    @Slot()
    def look(self) -> None:
        """Collect the oldest generation that is due by Python's own thresholds."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [number for number in (2, 1, 0) if thresholds[number] and counts[number] > thresholds[number]]
        if due:
            gc.collect(due[0])
