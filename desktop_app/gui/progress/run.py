"""The current run: its progress, time left and end. Does not import Qt.

A run is all work since the list was last idle.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import RunSums


STALE_MS = 10 * 60 * 1000
"""After this long without progress, a run is over, and added files begin a new one."""

_ALMOST = 0.99

LEAST_SECONDS = 10.0
"""No estimate before the run has progressed for this long."""

LEAST_FILES = 5
"""No estimate before this many files have finished."""

STALL_SECONDS = 12.0
"""No estimate after this long, or several times the usual pause, without progress."""

_PAUSES = 3.0

_FADES = 0.98

_WINDOW_SECONDS = 45.0

_WINDOW_SAMPLES = 12
"""The pace is measured over this many seconds, or over this many states where progress is slow."""

_SAMPLE_SECONDS = 0.5

_GAP_SECONDS = 20.0
"""A gap this long between two states means that the computer slept."""

_SLOTS = 12

_SMOOTH_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run; sizes in bytes.

    Attributes:
        files_done, files_total: Numbers of files.
        bytes_done, bytes_total: Including the part read of files in progress.
        processing: The number of files being processed.
        failed: The number of failed files among those done.
    """

    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    processing: int = 0
    failed: int = 0

    @property
    def is_busy(self) -> bool:
        """Return whether the run is not finished."""
        return self.files_done < self.files_total

    @property
    def fraction(self) -> float:
        """Return the fraction done, 0…1, and 1 only at the end: of the bytes, or of the files if all are empty."""
        if not self.is_busy:
            return 1.0
        done = self.bytes_done / self.bytes_total if self.bytes_total else self.files_done / self.files_total
        return min(_ALMOST, max(0.0, done))


IDLE = Progress()


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The end of a run: its numbers of files and of failed ones, and its duration in milliseconds."""

    files: int
    failed: int
    took_ms: int


class Run:
    """Derives the progress and the end of the run from the database's sums, given in order.

    Args:
        since_ms: Jobs that ended after this belong to the first run; milliseconds since 1970.
    """

    def __init__(self, since_ms: int) -> None:
        self._since = since_ms
        self._began: int | None = None
        self._moved_at = since_ms
        self._seen: RunSums | None = None
        self._has_read = False

    @property
    def since_ms(self) -> int:
        """Return the time since which to ask for ended jobs."""
        return self._since

    def take(self, sums: RunSums, now_ms: int) -> tuple[Progress, RunEnd | None]:
        """Process the current sums.

        Args:
            sums: The sums since `since_ms`.
            now_ms: The time of the query.

        Returns:
            The progress, and the end of the run if it has ended.
        """
        is_first, self._has_read = not self._has_read, True
        if is_first and not sums.open_files:
            # Jobs that ended before the first query belong to an earlier run.
            self._since = max(self._since, sums.newest_end)
            return IDLE, None
        if not sums.open_files:
            return IDLE, self._end(sums, now_ms)
        sums = self._without_past(sums, now_ms)
        if self._began is None:
            self._began = now_ms
        return progress_of_run(sums), None

    def _end(self, sums: RunSums, now_ms: int) -> RunEnd | None:
        began = now_ms if self._began is None else self._began
        self._began = self._seen = None
        # Nothing is being processed now, so whatever ends later ends after this time.
        self._since = max(self._since, sums.newest_end)
        if not sums.done_files:
            return None
        return RunEnd(sums.done_files, sums.failed, max(0, sums.newest_end - began))

    def _without_past(self, sums: RunSums, now_ms: int) -> RunSums:
        """Return the sums, without those of the previous run if a new one begins."""
        seen, self._seen = self._seen, sums
        if seen != sums:
            was, self._moved_at = self._moved_at, now_ms
            added = seen is not None and sums.open_files > seen.open_files and sums.done_files == seen.done_files
            if added and not sums.processing and now_ms - was >= STALE_MS:
                self._since = max(self._since, sums.newest_end)
                self._began = now_ms
                sums = replace(sums, done_files=0, done_bytes=0, failed=0, newest_end=0)
        return sums


def progress_of_run(sums: RunSums) -> Progress:
    """Return the progress of a run with these sums."""
    return Progress(
        files_done=sums.done_files,
        files_total=sums.done_files + sums.open_files,
        bytes_done=sums.done_bytes + sums.read_bytes,
        bytes_total=sums.done_bytes + sums.open_bytes,
        processing=sums.processing,
        failed=sums.failed,
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    files: int
    bytes: int


class TimeLeftEstimator:
    """Estimates the time left of a run.

    By files or by bytes, whichever progressed more evenly lately; smoothed, so that it does not jump
    about. Call `take` with every state of the run, at least once a second while it is active.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._read_at = 0.0
        self._moved_at = 0.0
        self._usual_pause = 0.0
        self._is_stalled = False
        self._end: float | None = None
        self._estimated_at = 0.0

    def reset(self) -> None:
        """Start over for a new run."""
        self._samples.clear()
        self._usual_pause = 0.0

    def take(self, progress: Progress, now: float) -> float | None:
        """Process the progress of the run.

        Args:
            progress: The progress.
            now: Seconds of a monotonic clock.

        Returns:
            The seconds left, or None if there is no estimate.
        """
        if not progress.is_busy:
            self.reset()
            return None
        sample = _Sample(now, progress.files_done, progress.bytes_done)
        last = self._samples[-1] if self._samples else None
        if last is None or now - self._read_at > _GAP_SECONDS or sample.files < last.files:
            self._begin(sample)
        elif (sample.files, sample.bytes) != (last.files, last.bytes):
            self._move(sample, last)
        self._read_at = now
        pause = now - self._moved_at
        if pause > max(STALL_SECONDS, _PAUSES * self._usual_pause):
            self._is_stalled = True
        return None if self._is_stalled else self._estimate(progress, now)

    def _begin(self, sample: _Sample) -> None:
        self._samples.clear()
        self._samples.append(sample)
        self._moved_at = sample.at
        self._is_stalled = False
        self._end = None

    def _move(self, sample: _Sample, last: _Sample) -> None:
        self._usual_pause = max(self._usual_pause * _FADES, sample.at - self._moved_at)
        if self._is_stalled:
            self._begin(sample)  # the pause says nothing about the current pace
            return
        self._moved_at = sample.at
        if sample.at - last.at < _SAMPLE_SECONDS and len(self._samples) > 1:
            self._samples.pop()
        self._samples.append(sample)
        while len(self._samples) > _WINDOW_SAMPLES and sample.at - self._samples[1].at > _WINDOW_SECONDS:
            self._samples.popleft()

    def _estimate(self, progress: Progress, now: float) -> float | None:
        first, last = self._samples[0], self._samples[-1]
        if now - first.at < LEAST_SECONDS or progress.files_done < LEAST_FILES or last.at == first.at:
            return None
        left = self._forecast(progress, now)
        if left is None:
            return None
        end = now + left
        if self._end is None:
            self._end = end
        else:
            weight = 1.0 - math.exp(-max(0.0, now - self._estimated_at) / _SMOOTH_SECONDS)
            self._end += (end - self._end) * weight
        self._estimated_at = now
        return max(0.0, self._end - now)

    def _forecast(self, progress: Progress, now: float) -> float | None:
        """Return the seconds left by the measure that progressed more evenly."""
        first = self._samples[0]
        span = now - first.at
        files = progress.files_done - first.files
        size = progress.bytes_done - first.bytes
        by_files = (progress.files_total - progress.files_done) * span / files if files > 0 else None
        by_bytes = (progress.bytes_total - progress.bytes_done) * span / size if size > 0 else None
        if by_files is None or by_bytes is None:
            return by_bytes if by_files is None else by_files
        even_files, even_bytes = self._unevenness(now)
        return by_files if even_files < even_bytes else by_bytes

    def _unevenness(self, now: float) -> tuple[float, float]:
        """Return the variation of files and of bytes between time slices, each relative to its mean."""
        first = self._samples[0]
        width = (now - first.at) / _SLOTS
        files, sizes = [0.0] * _SLOTS, [0.0] * _SLOTS
        for before, after in pairwise(self._samples):
            slot = min(_SLOTS - 1, int((after.at - first.at) / width))
            files[slot] += after.files - before.files
            sizes[slot] += after.bytes - before.bytes
        return _variation(files), _variation(sizes)


def _variation(values: Sequence[float]) -> float:
    """Return the standard deviation relative to the mean."""
    mean = sum(values) / len(values)
    if mean <= 0:
        return math.inf
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) / mean
