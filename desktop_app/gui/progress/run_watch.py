"""Follows the current run: its progress, pace, time left and end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.job import RunSums
from desktop_app.gui.progress.history import History, Span
from desktop_app.gui.progress.run import IDLE, Progress, Run, TimeLeftEstimator
from desktop_app.gui.tasks import CoalescedTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.job import Ended
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks


EVERY_MS = 1_000
"""The interval at which the pace is emitted during a run."""

RATE_SECONDS = 10
"""The current pace is measured over this many seconds."""

_AFTER_TROUBLE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """The current pace of the run and its time left.

    Attributes:
        files, bytes: The current rates per second.
        left_s: The seconds left; None without an estimate.
    """

    files: float = 0.0
    bytes: float = 0.0
    left_s: float | None = None


STILL = Pace()


@dataclass(frozen=True, slots=True)
class _Reading:
    """A reading of the database and its query."""

    since_ms: int
    sums: RunSums
    asked_ms: int = field(compare=False)


class RunWatch(QObject):
    """Reads the state of the run after each change; emits its pace once a second.

    Signals:
        changed(Progress): The progress, when it has changed; `IDLE` after the end.
        ended(RunEnd): A run has ended.
        paced(Pace): The pace, once a second during a run and once at its end.

    Attributes:
        history: The throughput of the last 24 hours.

    Args:
        reader: The list of jobs.
        tasks: The pool.
        queue: The key of the queue to follow.
        clock: The time.
        parent: The parent.
    """

    changed = Signal(object)
    ended = Signal(object)
    paced = Signal(object)

    def __init__(
        self, reader: JobReader, tasks: Tasks, *, queue: str, clock: Clock, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.history = History()
        self._reader = reader
        self._tasks = tasks
        self._queue = queue
        self._clock = clock
        self._run = Run(clock.now_ms())
        self._time_left = TimeLeftEstimator()
        self._estimates = True
        self._progress = IDLE
        self._began = 0.0
        self._changed_ms: int | None = None
        self._last = _Reading(self._run.since_ms, RunSums(), clock.now_ms())
        self._task = CoalescedTask(lambda: self._read, tasks, self)
        self._task.result.connect(self._take)
        self._task.failed.connect(self._read_again)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._tell_pace)

    @property
    def progress(self) -> Progress:
        """Return the progress of the run."""
        return self._progress

    def start(self) -> None:
        """Read the state and the history for the first time."""
        self.look()
        self._tasks.run(self._read_past, self._fill, lambda _: None)

    @Slot()
    def look(self) -> None:
        """Read again after a change."""
        if self._changed_ms is None:
            self._changed_ms = self._clock.now_ms()
        self._task.request()

    def follow_queue(self, queue: str) -> None:
        """Follow another queue."""
        if queue != self._queue:
            self._queue = queue
            self.look()

    def set_estimating(self, *, enabled: bool) -> None:
        """Switch the estimate on, or off while nothing can continue."""
        if enabled != self._estimates:
            self._estimates = enabled
            self._time_left.reset()
            self._tell_pace()

    # --- on the pool

    def _read(self) -> _Reading:
        since, asked = self._run.since_ms, self._clock.now_ms()
        return _Reading(since, self._reader.run_sums(queue=self._queue, since_ms=since), asked)

    def _read_past(self) -> dict[Span, Sequence[Ended]]:
        until = self._last.since_ms
        return {
            span: self._reader.ended(since_ms=until - span.seconds * 1000, until_ms=until, step_ms=span.step * 1000)
            for span in Span
        }

    # --- on the main thread

    def _fill(self, past: Mapping[Span, Sequence[Ended]]) -> None:
        for span, done in past.items():
            self.history.fill(span, done, self._clock.now_ms() / 1000)
        self._tell_pace()

    @Slot(object)
    def _read_again(self, _error: KnownError) -> None:  # the change feed reads the same database and reports why
        self._task.request(_AFTER_TROUBLE_MS)

    @Slot(object)
    def _take(self, reading: _Reading) -> None:
        if reading == self._last:
            return
        self._note(reading)
        progress, end = self._run.take(reading.sums, reading.asked_ms)
        if progress.is_busy and not self._progress.is_busy:
            self._began = self._clock.steady()
            self._timer.start()
        before, self._progress = self._progress, progress
        if progress != before:
            self.changed.emit(progress)
        if end is not None:
            self.ended.emit(end)
        if before.is_busy and not progress.is_busy:
            self._timer.stop()
            self._tell_pace()

    def _note(self, reading: _Reading) -> None:
        """Add what was done since the last reading to the history."""
        last, self._last = self._last, reading
        goes_on = reading.since_ms == last.since_ms
        files = reading.sums.done_files - (last.sums.done_files if goes_on else 0)
        size = _read_in_all(reading.sums) - (_read_in_all(last.sums) if goes_on else 0)
        # Nothing was done before the first change, however old the last reading is.
        changed, self._changed_ms = self._changed_ms or reading.asked_ms, None
        self.history.add(max(changed - EVERY_MS, last.asked_ms) / 1000, reading.asked_ms / 1000, files, size)

    @Slot()
    def _tell_pace(self) -> None:
        if not self._progress.is_busy:
            self._time_left.reset()
            self.paced.emit(STILL)
            return
        now = self._clock.steady()
        left = self._time_left.take(self._progress, now) if self._estimates else None
        series = self.history.series(Span.MINUTE, self._clock.now_ms() / 1000)
        seconds = max(1, min(RATE_SECONDS, int(now - self._began)))
        files, size = sum(series.files[-seconds:]) / seconds, sum(series.bytes[-seconds:]) / seconds
        self.paced.emit(Pace(files, size, left))


def _read_in_all(sums: RunSums) -> int:
    return sums.done_bytes + sums.read_bytes
