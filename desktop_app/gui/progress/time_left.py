"""How long it still takes: said only when it means something. Knows no Qt."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.gui.progress.run import Progress


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
"""The pace is that of the last so many seconds, or of so many looks where things go slowly."""

_SAMPLE_SECONDS = 0.5

_GAP_SECONDS = 20.0
"""Nobody looked for so long: the computer slept."""

_SLOTS = 12

_SMOOTH_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    files: int
    bytes: int


class Eta:
    """Looks at how a run goes and says how long it still takes.

    By files or by bytes, whichever went more evenly of late; smoothed, so that it does not jump
    about. Give it every look at the run, at least once a second while the run is on.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._looked_at = 0.0
        self._moved_at = 0.0
        self._usual_pause = 0.0
        self._is_stalled = False
        self._end: float | None = None
        self._said_at = 0.0

    def reset(self) -> None:
        """Forget everything: another run begins."""
        self._samples.clear()
        self._usual_pause = 0.0

    def take(self, progress: Progress, now: float) -> float | None:
        """Go on with how far the run is; gives the seconds that are left, or None if that can't be said.

        Args:
            progress: How far it is.
            now: Seconds on a clock that never goes back.
        """
        if not progress.is_busy:
            self.reset()
            return None
        sample = _Sample(now, progress.files_done, progress.bytes_done)
        last = self._samples[-1] if self._samples else None
        if last is None or now - self._looked_at > _GAP_SECONDS or sample.files < last.files:
            self._begin(sample)
        elif (sample.files, sample.bytes) != (last.files, last.bytes):
            self._move(sample, last)
        self._looked_at = now
        pause = now - self._moved_at
        if pause > max(STALL_SECONDS, _PAUSES * self._usual_pause):
            self._is_stalled = True
        return None if self._is_stalled else self._say(progress, now)

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

    def _say(self, progress: Progress, now: float) -> float | None:
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
            weight = 1.0 - math.exp(-max(0.0, now - self._said_at) / _SMOOTH_SECONDS)
            self._end += (end - self._end) * weight
        self._said_at = now
        return max(0.0, self._end - now)

    def _forecast(self, progress: Progress, now: float) -> float | None:
        """Seconds by what went more evenly."""
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
        """How much files and bytes vary from one part of the time to the next, each against its own mean."""
        first = self._samples[0]
        width = (now - first.at) / _SLOTS
        files, sizes = [0.0] * _SLOTS, [0.0] * _SLOTS
        for before, after in pairwise(self._samples):
            slot = min(_SLOTS - 1, int((after.at - first.at) / width))
            files[slot] += after.files - before.files
            sizes[slot] += after.bytes - before.bytes
        return _variation(files), _variation(sizes)


def _variation(values: Sequence[float]) -> float:
    """The standard deviation against the mean."""
    mean = sum(values) / len(values)
    if mean <= 0:
        return math.inf
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) / mean


MINUTE, HOUR, DAY = 60, 3600, 86_400

_ROUGH_FROM = 15 * MINUTE

_ROUGH_STEP = 5 * MINUTE

_HOURS_STEP = 10 * MINUTE

_STICKY = 0.75


def rounded(seconds: float, before: int | None = None) -> int:
    """Seconds as coarse as they are known.

    0 stands for less than a minute; whole minutes follow, from a quarter of an hour on in steps of 5, from an hour on
    of 10; a day stands for a day or more.

    Args:
        seconds: What is left.
        before: What was said before; it stays as long as it is not far off, so that the text does not flicker.
    """
    if seconds >= DAY:
        return DAY
    if seconds < MINUTE and (before in {None, 0} or seconds < _STICKY * MINUTE):
        return 0
    step = MINUTE if seconds < _ROUGH_FROM else _ROUGH_STEP if seconds < HOUR else _HOURS_STEP
    if before and before % step == 0 and abs(seconds - before) <= _STICKY * step:
        return before
    return max(MINUTE, round(seconds / step) * step)
