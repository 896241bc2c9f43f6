"""The current run: its progress, time left and end. Does not import Qt.

A run begins when unfinished files appear in an idle list and ends when no unfinished files are left.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import RunSums


STALE_MS = 10 * 60 * 1000
"""Files added after this much time without progress begin a new run."""

_MOST_WHILE_BUSY = 0.99

LEAST_SECONDS = 10.0
"""There is no estimate until the samples cover this much time."""

LEAST_FILES = 5
"""There is no estimate until this many files have finished."""

STALL_SECONDS = 12.0
"""There is no estimate after a pause that is longer than this and also longer than `_PAUSES` times the usual pause."""

_PAUSES = 3.0

_FADES = 0.98
"""The usual pause is multiplied by this at each sample, so that a single long pause is gradually forgotten."""

_WINDOW_SECONDS, _WINDOW_SAMPLES = 45.0, 12
"""The estimate uses the samples from this period, or this many samples if they cover a longer period."""

_SAMPLE_SECONDS = 0.5

_GAP_SECONDS = 20.0
"""If more time than this passes between two updates, the computer was probably asleep, and sampling starts over."""

_SLOTS = 12
"""The number of time slices used to find out whether files or bytes progress more evenly."""

_SMOOTH_SECONDS = 6.0
"""The time constant of the exponential smoothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run.

    Attributes:
        files_done, files_total: The number of finished files, and of all files.
        bytes_done, bytes_total: The same in bytes; `bytes_done` includes what has been read of unfinished files.
        processing: The number of files being processed.
        failed: The number of finished files that failed.
    """

    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    processing: int = 0
    failed: int = 0

    @property
    def is_busy(self) -> bool:
        """Return whether the run is still in progress."""
        return self.files_done < self.files_total

    @property
    def fraction(self) -> float:
        """Return the fraction of bytes done, or of files if all are empty. It is 1 only after the run has ended."""
        if not self.is_busy:
            return 1.0
        done = self.bytes_done / self.bytes_total if self.bytes_total else self.files_done / self.files_total
        return min(_MOST_WHILE_BUSY, max(0.0, done))


IDLE = Progress()


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The result of a run.

    Attributes:
        files: The number of finished files.
        failed: The number of files that failed.
        took_ms: The duration in milliseconds.
    """

    files: int
    failed: int
    took_ms: int


class Run:
    """Derives the progress and the end of a run from the sums in the database.

    Attributes:
        since_ms: A time in milliseconds since 1970. Jobs that ended after it belong to the run.
    """

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self._began: int | None = None
        self._moved_at = since_ms
        self._seen: RunSums | None = None
        self._has_read = False

    def update(self, sums: RunSums, now_ms: int) -> tuple[Progress, RunEnd | None]:
        """Calculate the progress from the current sums.

        Args:
            sums: The sums for unfinished jobs and for those that ended after `since_ms`.
            now_ms: The time of the query in milliseconds since 1970.

        Returns:
            The progress, and the result of the run if it has just ended.
        """
        is_first, self._has_read = not self._has_read, True
        if is_first and not sums.open_files:
            # Jobs that ended before the first query belong to an earlier run.
            self.since_ms = max(self.since_ms, sums.newest_end)
            return IDLE, None
        if not sums.open_files:
            return IDLE, self._end(sums, now_ms)
        sums = self._without_previous_run(sums, now_ms)
        if self._began is None:
            self._began = now_ms
        progress = Progress(
            files_done=sums.done_files,
            files_total=sums.done_files + sums.open_files,
            bytes_done=sums.done_bytes + sums.read_bytes,
            bytes_total=sums.done_bytes + sums.open_bytes,
            processing=sums.processing,
            failed=sums.failed,
        )
        return progress, None

    def _end(self, sums: RunSums, now_ms: int) -> RunEnd | None:
        began = now_ms if self._began is None else self._began
        self._began = self._seen = None
        # Nothing is being processed now, so every job of the next run ends after this time.
        self.since_ms = max(self.since_ms, sums.newest_end)
        if not sums.done_files:
            return None
        return RunEnd(sums.done_files, sums.failed, max(0, sums.newest_end - began))

    def _without_previous_run(self, sums: RunSums, now_ms: int) -> RunSums:
        """Return the sums, but omit the finished files if more files were added after `STALE_MS` without progress."""
        seen, self._seen = self._seen, sums
        if seen != sums:
            was, self._moved_at = self._moved_at, now_ms
            added = seen is not None and sums.open_files > seen.open_files and sums.done_files == seen.done_files
            if added and not sums.processing and now_ms - was >= STALE_MS:
                self.since_ms = max(self.since_ms, sums.newest_end)
                self._began = now_ms
                sums = replace(sums, done_files=0, done_bytes=0, failed=0, newest_end=0)
        return sums


@dataclass(frozen=True, slots=True)
class _Sample:
    """The number of files and bytes done by a certain time, given in seconds on a monotonic clock."""

    at: float
    files: int
    bytes: int


class TimeLeftEstimator:
    """Estimates the time left in a run.

    The estimate is based on files or bytes, whichever have progressed more evenly lately, and it is smoothed.
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
        """Discard all samples, for a new run."""
        self._samples.clear()
        self._usual_pause = 0.0

    def update(self, progress: Progress, now: float) -> float | None:
        """Estimate the time left. Call this at least once a second during a run.

        Args:
            progress: The current progress.
            now: The time on a monotonic clock, in seconds.

        Returns:
            The time left in seconds, or None if there is no estimate.
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
            self._begin(sample)  # a rate measured over the pause would be too low
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
        """Return the seconds left, calculated from files or bytes, whichever have progressed more evenly."""
        first = self._samples[0]
        span = now - first.at
        files = progress.files_done - first.files
        size = progress.bytes_done - first.bytes
        by_files = (progress.files_total - progress.files_done) * span / files if files > 0 else None
        by_bytes = (progress.bytes_total - progress.bytes_done) * span / size if size > 0 else None
        if by_files is None or by_bytes is None:
            return by_bytes if by_files is None else by_files
        variation_of_files, variation_of_bytes = self._variations(now)
        return by_files if variation_of_files < variation_of_bytes else by_bytes

    def _variations(self, now: float) -> tuple[float, float]:
        """Return the coefficients of variation of files and of bytes per time slice."""
        first = self._samples[0]
        width = (now - first.at) / _SLOTS
        files, sizes = [0.0] * _SLOTS, [0.0] * _SLOTS
        for before, after in pairwise(self._samples):
            slot = min(_SLOTS - 1, int((after.at - first.at) / width))
            files[slot] += after.files - before.files
            sizes[slot] += after.bytes - before.bytes
        return _variation(files), _variation(sizes)


def _variation(values: Sequence[float]) -> float:
    """Return the coefficient of variation: the standard deviation divided by the mean."""
    mean = fmean(values)
    return pstdev(values, mean) / mean if mean > 0 else math.inf
