"""The run that is under way: everything since the list was idle last. Knows no Qt; what it is told comes in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.domain.job import RunSums


STUCK_MS = 10 * 60 * 1000
"""Files that waited so long without anything happening belong to a run that is past: what is added then begins anew."""

_ALMOST = 0.99


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
    """A run that is over: its files, how many of them failed, and how long it took."""

    files: int
    failed: int
    took_ms: int


class Run:
    """Tells from each look at the database how far the run is, and when it is over.

    Args:
        since_ms: What ended after this belongs to the first run, in milliseconds since 1970.
    """

    def __init__(self, since_ms: int) -> None:
        self._since = since_ms
        self._began: int | None = None
        self._moved_at = since_ms
        self._seen: RunSums | None = None
        self._has_looked = False

    @property
    def since_ms(self) -> int:
        """From when on to ask what has ended."""
        return self._since

    def take(self, sums: RunSums, now_ms: int) -> tuple[Progress, RunEnd | None]:
        """Go on with what the database says now.

        Args:
            sums: What was asked for with `since_ms`.
            now_ms: The time of the question.

        Returns:
            How far the run is, and its end if this is the end of it.
        """
        is_first, self._has_looked = not self._has_looked, True
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
        """The same, or what is left of it if this is the beginning of another run."""
        seen, self._seen = self._seen, sums
        if seen != sums:
            was, self._moved_at = self._moved_at, now_ms
            added = seen is not None and sums.open_files > seen.open_files and sums.done_files == seen.done_files
            if added and not sums.processing and now_ms - was >= STUCK_MS:
                self._since = max(self._since, sums.newest_end)
                self._began = now_ms
                sums = replace(sums, done_files=0, done_bytes=0, failed=0, newest_end=0)
        return sums


def progress_of_run(sums: RunSums) -> Progress:
    """How far a run with these sums is."""
    return Progress(
        files_done=sums.done_files,
        files_total=sums.done_files + sums.open_files,
        bytes_done=sums.done_bytes + sums.read_bytes,
        bytes_total=sums.done_bytes + sums.open_bytes,
        processing=sums.processing,
        failed=sums.failed,
    )
