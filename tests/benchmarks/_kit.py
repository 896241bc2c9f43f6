"""What the benchmarks of the window share. It selects the offscreen platform, so import it before PySide6."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from tests.benchmarks._results import at_most

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEAT_MS = 5


class EventLoopDelays(QObject):
    """Measures the delays of a timer: for so long, the window would not have responded.

    Attributes:
        late_ms: The delays in milliseconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late_ms = [0.0]
        self._last = time.perf_counter()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._tick)
        timer.start(BEAT_MS)

    @property
    def longest_ms(self) -> float:
        """The longest delay in milliseconds."""
        return max(self.late_ms)

    def restart(self) -> None:
        """Forget the delays so far."""
        self.late_ms = [0.0]
        self._last = time.perf_counter()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.late_ms.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        self._last = now


def tell(what: str, measured: float, ceiling: float, unit: str = "ms") -> bool:
    """Report a measurement with its limit; return whether it is within it."""
    return bool(at_most(what, measured, unit, ceiling).is_ok)


def spin(until: Callable[[], bool], seconds: float = 300) -> float:
    """Run the event loop; return the milliseconds until the condition held.

    Raises:
        TimeoutError: If it does not hold in time.
    """
    began = time.perf_counter()
    while not until():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 10)
        if time.perf_counter() - began > seconds:
            raise TimeoutError
    return (time.perf_counter() - began) * 1000


def pause(seconds: float) -> None:
    """Run the event loop for a while."""
    end = time.perf_counter() + seconds
    spin(lambda: time.perf_counter() >= end)


def multiply_jobs(path: Path, rows: int, **columns: str) -> None:
    """Copy the jobs in a database, which has some, until it has this many rows.

    Args:
        path: The database.
        rows: The number of rows.
        **columns: SQL expressions for columns that are not copied.
    """
    columns["uuid"] = "lower(hex(randomblob(16)))"
    with closing(sqlite3.connect(path)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(job)") if row[1] != "id"]
        values = [columns.get(name, name) for name in names]
        (there,) = connection.execute("SELECT count(*) FROM job").fetchone()
        while there < rows:
            some = min(there, rows - there)
            connection.execute(
                f"INSERT INTO job ({', '.join(names)}) SELECT {', '.join(values)} FROM job ORDER BY id LIMIT {some}"
            )
            there += some
        connection.commit()
