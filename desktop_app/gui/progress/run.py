"""The current run: its progress, time left and end. Does not import Qt.

A run begins when unfinished files appear in an idle list and ends when no unfinished files are left.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.domain.job import RunSums


STALE_MS = 10 * 60 * 1000
"""Files added after this much time without progress begin a new run."""

_MOST_WHILE_BUSY = 0.99

LEAST_SECONDS = 10.0
"""There is no estimate until the samples cover this much time."""

LEAST_FILES = 5
"""There is no estimate in files until this many files have finished."""

LEAST_PART = 0.01
"""There is no estimate in bytes until this part of the bytes has been read."""

LARGE_BYTES, _SMALL_BYTES = 8_000_000, 4_000_000
"""A run is measured in bytes once its files are on average this large, until they are smaller than the second value."""

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
        by_bytes: Whether the run is measured in bytes, because its files are large, or else in files.
    """

    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    processing: int = 0
    failed: int = 0
    by_bytes: bool = False

    @property
    def is_busy(self) -> bool:
        """Return whether the run is still in progress."""
        return self.files_done < self.files_total

    @property
    def measure(self) -> tuple[int, int]:
        """Return how much is done, and the total, in the unit of the run: bytes or files."""
        return (self.bytes_done, self.bytes_total) if self.by_bytes else (self.files_done, self.files_total)

    @property
    def fraction(self) -> float:
        """Return the fraction done, in the unit of the run. It is 1 only after the run has ended."""
        if not self.is_busy:
            return 1.0
        done, total = self.measure
        return min(_MOST_WHILE_BUSY, max(0.0, done / total))


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
        self._by_bytes = False
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
            return IDLE, self._end(sums)
        sums = self._without_previous_run(sums, now_ms)
        if self._began is None:
            self._began = now_ms
        files, size = sums.done_files + sums.open_files, sums.done_bytes + sums.open_bytes
        self._by_bytes = size >= files * (_SMALL_BYTES if self._by_bytes else LARGE_BYTES)
        progress = Progress(
            files_done=sums.done_files,
            files_total=files,
            bytes_done=sums.done_bytes + sums.read_bytes,
            bytes_total=size,
            processing=sums.processing,
            failed=sums.failed,
            by_bytes=self._by_bytes,
        )
        return progress, None

    def _end(self, sums: RunSums) -> RunEnd | None:
        began = max(self._began or 0, sums.oldest_start or sums.newest_end)
        self._began = self._seen = None
        self._by_bytes = False
        # Nothing is being processed now, so every job of the next run ends after this time.
        self.since_ms = max(self.since_ms, sums.newest_end)
        if not sums.done_files:
            return None
        # The time before the first file was started, such as a pause, does not count.
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

    The estimate is based on the unit of the run, files or bytes, and it is smoothed.
    """

    def __init__(self) -> None:
        self._by_bytes = False
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
        is_other_unit = progress.by_bytes is not self._by_bytes
        self._by_bytes = progress.by_bytes
        if last is None or is_other_unit or now - self._read_at > _GAP_SECONDS or sample.files < last.files:
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
        done, total = progress.measure
        is_early = done < LEAST_PART * total if progress.by_bytes else done < LEAST_FILES
        moved = done - (first.bytes if progress.by_bytes else first.files)
        if is_early or now - first.at < LEAST_SECONDS or last.at == first.at or moved <= 0:
            return None
        end = now + (total - done) * (now - first.at) / moved
        if self._end is None:
            self._end = end
        else:
            weight = 1.0 - math.exp(-max(0.0, now - self._estimated_at) / _SMOOTH_SECONDS)
            self._end += (end - self._end) * weight
        self._estimated_at = now
        return max(0.0, self._end - now)
