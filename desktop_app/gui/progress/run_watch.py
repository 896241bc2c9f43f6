"""Follows the current run and records the throughput of the last 24 hours."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.job import Ended, RunSums
from desktop_app.gui.progress.run import IDLE, Run, TimeLeftEstimator
from desktop_app.gui.tasks import CoalescedTask, Tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.ports import JobReader


EVERY_MS = 1_000
"""The interval at which the pace is emitted during a run."""

RATE_SECONDS = 10
"""The current throughput is the average over this many seconds."""

LEAST_REST_MS = 100
"""The shortest time between two readings of the state of the run."""

_RETRY_MS = 1_000


class Span(Enum):
    """The time spans that the graphs can show.

    Attributes:
        seconds: The length of the span.
        step: The time covered by one value of the graph, in seconds.
    """

    MINUTE = (60, 1)
    MINUTES_5 = (300, 5)
    HOUR = (3_600, 30)
    HOURS_6 = (21_600, 180)
    DAY = (86_400, 720)

    def __init__(self, seconds: int, step: int) -> None:
        self.seconds = seconds
        self.step = step


@dataclass(frozen=True, slots=True)
class Series:
    """The throughput over a span of time.

    Attributes:
        end_s: The end of the last step, in seconds since 1970.
        files, bytes: The rates per second, one for each step, oldest first.
    """

    end_s: int
    files: tuple[float, ...]
    bytes: tuple[float, ...]


class _Ring:
    """A ring buffer of the files and bytes processed in each step of a span."""

    def __init__(self, span: Span) -> None:
        self.step = span.step
        # One more step than is shown: the current step, which is incomplete.
        self.capacity = span.seconds // span.step + 1
        self.newest = 0
        self.clear()

    def clear(self) -> None:
        self.files = array("d", bytes(8 * self.capacity))
        self.bytes = array("d", bytes(8 * self.capacity))

    def advance(self, number: int) -> bool:
        """Advance to a step if it is newer than the latest one. Return False if it is too old for the buffer."""
        if number - self.newest >= self.capacity:
            self.clear()
            self.newest = number
        while self.newest < number:
            self.newest += 1
            self.files[self.newest % self.capacity] = self.bytes[self.newest % self.capacity] = 0.0
        return number > self.newest - self.capacity

    def add(self, second: float, files: float, size: float) -> None:
        number = int(second // self.step)
        if self.advance(number):
            self.files[number % self.capacity] += files
            self.bytes[number % self.capacity] += size

    def series(self, now_s: float) -> Series:
        current = int(now_s // self.step)
        self.advance(current)
        numbers = range(current - self.capacity + 1, current)
        if not any(self.files[number % self.capacity] + self.bytes[number % self.capacity] for number in numbers):
            numbers = range(numbers.start + 1, current + 1)  # what has just begun must not look like nothing
        return Series(
            numbers.stop * self.step,
            tuple(self.files[number % self.capacity] / self.step for number in numbers),
            tuple(self.bytes[number % self.capacity] / self.step for number in numbers),
        )


class History:
    """Records the throughput of the last 24 hours in a fixed amount of memory."""

    def __init__(self) -> None:
        self._rings = {span: _Ring(span) for span in Span}

    def add(self, from_s: float, to_s: float, files: float, size: float) -> None:
        """Record files and bytes that were processed at a constant rate between two times.

        Args:
            from_s: The earlier time, in seconds since 1970.
            to_s: The later time.
            files: The number of files.
            size: The number of bytes.
        """
        if files <= 0 and size <= 0:
            return
        for ring in self._rings.values():
            parts = max(1, min(ring.capacity, round((to_s - from_s) / ring.step)))
            for part in range(parts):
                moment = to_s - (to_s - from_s) * part / parts
                ring.add(moment, max(0.0, files) / parts, max(0.0, size) / parts)

    def fill(self, span: Span, ended: Iterable[Ended], before_s: float) -> None:
        """Record the files that finished before a given time, for one span.

        Args:
            span: The span.
            ended: The number and size of the files that finished in each step.
            before_s: The time in seconds since 1970.
        """
        ring = self._rings[span]
        ring.advance(int(before_s // ring.step))
        for one in ended:
            ring.add(one.start_ms / 1000, one.files, one.bytes)

    def series(self, span: Span, now_s: float) -> Series:
        """Return the rates over a span.

        The current step is incomplete, so its rate would look too low; it is included only if there is nothing else.
        """
        return self._rings[span].series(now_s)


@dataclass(frozen=True, slots=True)
class Pace:
    """The current throughput of the run, and the estimated time left.

    Attributes:
        files, bytes: The rates per second.
        left_s: The time left in seconds; None if there is no estimate.
        by_bytes: Whether the run is measured in bytes.
    """

    files: float = 0.0
    bytes: float = 0.0
    left_s: float | None = None
    by_bytes: bool = False


STILL = Pace()


@dataclass(frozen=True, slots=True)
class _Reading:
    """The sums in the database and the time of the query."""

    since_ms: int
    sums: RunSums
    asked_ms: int = field(compare=False)


class RunWatch(QObject):
    """Reads the state of the run after each change to the list, and emits the run's pace once a second.

    Signals:
        changed(Progress): The progress has changed; it is `IDLE` after the end of the run.
        ended(RunEnd): The run has ended.
        paced(Pace): The pace; emitted once a second during a run and once at its end.

    Attributes:
        history: The throughput of the last 24 hours.
        progress: The progress of the run.

    Args:
        reader: The reader for the list.
        tasks: The pool for reading the list.
        queue: The key of the queue whose jobs are counted.
        clock: The clock.
        is_written: Returns whether many files of the list are being changed. Processing waits for this, so that its
            pace says nothing about the time left.
        parent: The parent.
    """

    changed = Signal(object)
    ended = Signal(object)
    paced = Signal(object)

    def __init__(
        self,
        reader: JobReader,
        tasks: Tasks,
        *,
        queue: str,
        clock: Clock,
        is_written: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.history = History()
        self.progress = IDLE
        self._reader = reader
        self._tasks = tasks
        self._queue = queue
        self._clock = clock
        self._run = Run(clock.now_ms())
        self._time_left = TimeLeftEstimator()
        self._estimates = True
        self._is_written = is_written
        self._began = 0.0
        """When the run, or a break in it, has begun or ended, in seconds of the steady clock."""
        self._changed_ms: int | None = None
        self._last = _Reading(self._run.since_ms, RunSums(), clock.now_ms())
        self._task = CoalescedTask(lambda: self._read, tasks, self, least_rest_ms=LEAST_REST_MS)
        self._task.result.connect(self._update)
        self._task.failed.connect(self._retry)
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._emit_pace)

    def start(self) -> None:
        """Read the state of the run and the history of the last 24 hours."""
        self.look()
        self._tasks.run(self._read_history, self._fill_history, lambda _: None)

    @Slot()
    def look(self) -> None:
        """Read the state of the run after a change to the list."""
        if self._changed_ms is None:
            self._changed_ms = self._clock.now_ms()
        self._task.request()

    @Slot()
    def look_now(self) -> None:
        """Read the state of the run now, and discard the result of a reading in progress."""
        if self._changed_ms is None:
            self._changed_ms = self._clock.now_ms()
        self._task.restart()

    def follow_queue(self, queue: str) -> None:
        """Count the jobs of another queue from now on.

        Args:
            queue: The key of the queue.
        """
        if queue != self._queue:
            self._queue = queue
            self.look()

    def set_estimating(self, *, enabled: bool) -> None:
        """Enable or disable the estimate of the time left, which makes no sense while no file can be processed."""
        if enabled != self._estimates:
            self._estimates = enabled
            self._began = self._clock.steady()
            self._emit_pace()

    # --- on the pool

    def _read(self) -> _Reading:
        since, asked = self._run.since_ms, self._clock.now_ms()
        return _Reading(since, self._reader.run_sums(queue=self._queue, since_ms=since), asked)

    def _read_history(self) -> dict[Span, Sequence[Ended]]:
        until = self._last.since_ms
        return {
            span: self._reader.ended(since_ms=until - span.seconds * 1000, until_ms=until, step_ms=span.step * 1000)
            for span in Span
        }

    # --- on the main thread

    def _fill_history(self, past: Mapping[Span, Sequence[Ended]]) -> None:
        for span, ended in past.items():
            self.history.fill(span, ended, self._clock.now_ms() / 1000)
        self._emit_pace()

    @Slot(object)
    def _retry(self, _error: KnownError) -> None:
        # The error is not reported here: the change feed reads the same database and reports it.
        self._task.request(_RETRY_MS)

    @Slot(object)
    def _update(self, reading: _Reading) -> None:
        if reading == self._last:
            self._last, self._changed_ms = reading, None  # until then, nothing was processed
            return
        self._record(reading)
        progress, end = self._run.update(reading.sums, reading.asked_ms)
        if progress.is_busy and not self.progress.is_busy:
            self._began = self._clock.steady()
            self._timer.start()
        before, self.progress = self.progress, progress
        if progress != before:
            self.changed.emit(progress)
        if end is not None:
            self.ended.emit(end)
        if before.is_busy and not progress.is_busy:
            self._timer.stop()
            self._emit_pace()

    def _record(self, reading: _Reading) -> None:
        """Add what was processed since the last reading to the history."""
        last, self._last = self._last, reading
        sums, before = reading.sums, last.sums if reading.since_ms == last.since_ms else RunSums()
        files = sums.done_files - before.done_files
        size = sums.done_bytes + sums.read_bytes - before.done_bytes - before.read_bytes
        # The last reading may be old, but nothing was processed before the first change after it.
        changed, self._changed_ms = self._changed_ms or reading.asked_ms, None
        self.history.add(max(changed - EVERY_MS, last.asked_ms) / 1000, reading.asked_ms / 1000, files, size)

    @Slot()
    def _emit_pace(self) -> None:
        if not self.progress.is_busy:
            self._time_left.reset()
            self.paced.emit(STILL)
            return
        now = self._clock.steady()
        left = None
        if self._estimates and not self._is_written():
            left = self._time_left.update(self.progress, now)
        else:
            self._time_left.reset()
        series = self.history.series(Span.MINUTE, self._clock.now_ms() / 1000)
        # When nothing can be processed any more, such as after a pause, the average would show for how long it was.
        is_moving = self._estimates or self.progress.processing
        seconds = max(1, min(RATE_SECONDS if is_moving else 1, int(now - self._began)))
        files, size = _average(series, seconds)
        self.paced.emit(Pace(files, size, left, self.progress.by_bytes))


def _average(series: Series, seconds: int) -> tuple[float, float]:
    """Return the files and bytes per second on average over the last seconds.

    In the second in which the first ones were processed, there was less than a second for them, so it is left out.
    """
    files, sizes = series.files[-seconds:], series.bytes[-seconds:]
    first = next((at for at in range(len(files)) if files[at] or sizes[at]), 0)
    if (first or seconds < RATE_SECONDS) and first + 1 < len(files):
        files, sizes = files[first + 1 :], sizes[first + 1 :]
    return sum(files) / len(files), sum(sizes) / len(sizes)
