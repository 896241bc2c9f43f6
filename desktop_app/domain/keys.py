"""Sets of row keys, and the changes to the list that are still being written."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.job import FINAL_STATUSES, submitted_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from desktop_app.domain.job import Job


class KeySet:
    """An immutable set of row keys, stored as runs of consecutive keys: a selected million takes a few bytes.

    It is iterated over in ascending order.

    Args:
        keys: The keys, in any order, without duplicates.
    """

    def __init__(self, keys: Iterable[int] = ()) -> None:
        found = keys if isinstance(keys, array) else array("q", keys)
        self._first: array[int] = array("q")
        self._end: array[int] = array("q")
        self._count = 0
        if not found:
            return
        least, most = min(found), max(found)
        if most - least + 1 == len(found):
            self._append(least, most + 1)
            return
        # A byte for each possible key is several times faster than sorting, or than a set.
        marks = bytearray(most + 2)
        for key in found:
            marks[key] = 1
        start = marks.find(1)
        while start >= 0:
            end = marks.find(0, start)
            self._append(start, end)
            start = marks.find(1, end)

    def _append(self, first: int, end: int) -> None:
        self._first.append(first)
        self._end.append(end)
        self._count += end - first

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(map(range, self._first, self._end))

    def __contains__(self, key: int) -> bool:
        place = bisect_right(self._first, key) - 1
        return place >= 0 and key < self._end[place]

    def __or__(self, other: KeySet) -> KeySet:
        return KeySet(array("q", chain(self, other))) if self and other else self or other

    @property
    def runs(self) -> list[tuple[int, int]]:
        """The first and last key of each run."""
        return [(first, end - 1) for first, end in zip(self._first, self._end, strict=True)]

    @property
    def run_count(self) -> int:
        """The number of runs."""
        return len(self._first)

    @cached_property
    def json(self) -> str:
        """The keys as a JSON array, for SQL."""
        return f"[{','.join(map(str, self))}]"

    def removed_from(self, keys: array[int]) -> array[int]:
        """Return the keys of an array that are not in the set, in the same order."""
        if not self._count or not keys:
            return keys
        return array("q", compress(keys, self._marks_outside(keys)))

    def places_in(self, keys: array[int]) -> list[tuple[int, int]]:
        """Return the places of the set's keys in an array: the first and last place of each block, in order."""
        found: list[tuple[int, int]] = []
        if not self._count or not keys:
            return found
        marks = bytes(self._marks_outside(keys))
        start = marks.find(0)
        while start >= 0:
            end = marks.find(1, start)
            end = len(marks) if end < 0 else end
            found.append((start, end - 1))
            start = marks.find(0, end)
        return found

    def _marks_outside(self, keys: array[int]) -> Iterator[int]:
        """Yield 1 for each key that is not in the set, otherwise 0."""
        most = max(keys)
        outside = bytearray(b"\1") * (most + 1)
        for first, end in zip(self._first, self._end, strict=True):
            stop = min(end, most + 1)
            if first < stop:
                outside[first:stop] = bytes(stop - first)
        return map(outside.__getitem__, keys)


NO_KEYS = KeySet()


class Retried(NamedTuple):
    """Jobs to submit again, if they have ended and were last written up to a revision; None for any revision."""

    keys: KeySet
    until: int | None

    def concerns(self, job: Job) -> bool:
        """Return whether a job has ended and is still to be submitted again."""
        is_in_time = self.until is None or job.revision <= self.until
        return is_in_time and job.status in FINAL_STATUSES and job.row_id in self.keys


@dataclass(frozen=True)
class Pending:
    """Changes to the list that are still being written. Readers show the list as if they had been written already.

    Attributes:
        removed: The jobs to remove.
        restored: The jobs to restore.
        restored_times: The times at which the jobs to restore were removed.
        retried: The jobs to submit again.
    """

    removed: KeySet = NO_KEYS
    restored: KeySet = NO_KEYS
    restored_times: frozenset[int] = frozenset()
    retried: tuple[Retried, ...] = ()

    def still_removed(self, keys: Iterable[int]) -> list[int]:
        """Return the keys of removed jobs that are not about to be restored."""
        return [key for key in keys if key not in self.restored or key in self.removed]

    def shown(self, job: Job) -> Job:
        """Return a job that stays on the list as it is to be shown."""
        return submitted_again(job) if any(retried.concerns(job) for retried in self.retried) else job


NOTHING_PENDING = Pending()
