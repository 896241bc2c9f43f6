"""The run that is under way: how far it is, how long it still takes, and when it is over. Knows no Qt.

A run is everything since the list was idle last.
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
"""Files that waited so long without anything happening belong to a run that is past: what is added then begins anew."""

_ALMOST = 0.99

LEAST_SECONDS = 10.0
"""Nothing is said of a run that has moved for less."""

LEAST_FILES = 5
"""Nothing is said before so many files have ended."""

STALL_SECONDS = 12.0
"""Where nothing has moved for so long, nobody knows when it ends; so long, or several times the usual pause."""

_PAUSES = 3.0

_FADES = 0.98

_WINDOW_SECONDS = 45.0

_WINDOW_SAMPLES = 12
"""The pace is that of the last so many seconds, or of so many states where things go slowly."""

_SAMPLE_SECONDS = 0.5

_GAP_SECONDS = 20.0
"""Nothing was read for so long: the computer slept."""

_SLOTS = 12

_SMOOTH_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is; sizes in bytes.

    Attributes:
        files_done, files_total: Whole files.
        bytes_done, bytes_total: With what is read of the files in work.
        processing: How many files are being processed.
        failed: How many of those that are done have failed.
    """

    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    processing: int = 0
    failed: int = 0

    @property
    def is_busy(self) -> bool:
        """True while something is not done."""
        return self.files_done < self.files_total

    @property
    def fraction(self) -> float:
        """How much of the work is done, 0…1, and 1 only at the end: of the bytes, or of the files if all are empty."""
        if not self.is_busy:
            return 1.0
        done = self.bytes_done / self.bytes_total if self.bytes_total else self.files_done / self.files_total
        return min(_ALMOST, max(0.0, done))


IDLE = Progress()


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A run that is over: its files, how many of them failed, and how long it took in milliseconds."""

    files: int
    failed: int
    took_ms: int


class Run:
    """Works out from what the database says how far the run is, and when it is over. Is told in order; knows no Qt.

    Args:
        since_ms: What ended after this belongs to the first run, in milliseconds since 1970.
    """

    def __init__(self, since_ms: int) -> None:
        self._since = since_ms
        self._began: int | None = None
        self._moved_at = since_ms
        self._seen: RunSums | None = None
        self._has_read = False

    @property
    def since_ms(self) -> int:
        """From when on to ask what has ended."""
        return self._since

    def take(self, sums: RunSums, now_ms: int) -> tuple[Progress, RunEnd | None]:
        """Take what the database says now.

        Args:
            sums: What was asked for with `since_ms`.
            now_ms: The time of the question.

        Returns:
            How far the run is, and its end if this is the end of it.
        """
        is_first, self._has_read = not self._has_read, True
        if is_first and not sums.open_files:
            # What ended before anybody looked was over before.
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
        # Nothing is in work now, so nothing that ends later can have ended before this.
        self._since = max(self._since, sums.newest_end)
        if not sums.done_files:
            return None
        return RunEnd(sums.done_files, sums.failed, max(0, sums.newest_end - began))

    def _without_past(self, sums: RunSums, now_ms: int) -> RunSums:
        """Return the same, or what is left of it if this is the beginning of another run."""
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
    """Return how far a run with these sums is."""
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
    """Estimates from how a run goes how long it still takes.

    By files or by bytes, whichever went more evenly of late; smoothed, so that it does not jump
    about. Give it every state of the run, at least once a second while the run is on.
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
        """Forget everything: another run begins."""
        self._samples.clear()
        self._usual_pause = 0.0

    def take(self, progress: Progress, now: float) -> float | None:
        """Take how far the run is.

        Args:
            progress: How far it is.
            now: Seconds on a clock that never goes back.

        Returns:
            The seconds that are left, or None if that can't be said.
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
            self._begin(sample)  # what the pause was does not say how quick it goes now
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
        """Return seconds by what went more evenly."""
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
        """Return how much files and bytes vary from one part of the time to the next, each against its own mean."""
        first = self._samples[0]
        width = (now - first.at) / _SLOTS
        files, sizes = [0.0] * _SLOTS, [0.0] * _SLOTS
        for before, after in pairwise(self._samples):
            slot = min(_SLOTS - 1, int((after.at - first.at) / width))
            files[slot] += after.files - before.files
            sizes[slot] += after.bytes - before.bytes
        return _variation(files), _variation(sizes)


def _variation(values: Sequence[float]) -> float:
    """Return the standard deviation against the mean."""
    mean = sum(values) / len(values)
    if mean <= 0:
        return math.inf
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) / mean
