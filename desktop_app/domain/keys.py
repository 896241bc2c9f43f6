"""Sets of row keys, and the changes to the list that are still being written."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import compress, count, repeat
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.job import FINAL_STATUSES, submitted_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from desktop_app.domain.job import Job


class KeySet:
    """An immutable set of row keys, stored as a byte for each key from the least to the greatest one.

    That takes a megabyte for a million consecutive keys, and is several times faster than a `set` or than sorting the
    keys. It is iterated over in ascending order.

    Args:
        keys: The keys, in any order.

    Attributes:
        least: The least key; 0 if there is none.
        marks: A byte for each key from the least to the greatest one: 1 if it is in the set, otherwise 0.
    """

    def __init__(self, keys: Iterable[int] = ()) -> None:
        found = keys if isinstance(keys, array) else array("q", keys)
        self.least = least = min(found, default=0)
        marks = bytearray(max(found, default=-1) - least + 1)
        if len(found) == len(marks) and found == array("q", range(least, least + len(marks))):
            marks[:] = _IN * len(found)
        else:
            for key in found:
                marks[key - least] = 1
        self.marks = bytes(marks)

    def __len__(self) -> int:
        return self.marks.count(_IN)

    def __bool__(self) -> bool:
        return bool(self.marks)

    def __iter__(self) -> Iterator[int]:
        return compress(count(self.least), self.marks)

    def __contains__(self, key: int) -> bool:
        return self.least <= key <= self.greatest and self.marks[key - self.least] == 1

    def __or__(self, other: KeySet) -> KeySet:
        if not self or not other:
            return self or other
        both = KeySet()
        both.least = min(self.least, other.least)
        end = max(self.greatest, other.greatest) + 1
        one, another = (int.from_bytes(keys.marks, "little") << 8 * (keys.least - both.least) for keys in (self, other))
        both.marks = (one | another).to_bytes(end - both.least, "little")
        return both

    @property
    def greatest(self) -> int:
        """The greatest key; -1 if there is none."""
        return self.least + len(self.marks) - 1

    def removed_from(self, keys: array[int]) -> array[int]:
        """Return the keys of an array that are not in the set, in the same order."""
        if not self or not keys:
            return keys
        return array("q", compress(keys, self._marks_outside(keys)))

    def places_in(self, keys: array[int]) -> Iterator[tuple[int, int]]:
        """Yield the places of the set's keys in an array: the first and last place of each block, in order."""
        outside = bytes(self._marks_outside(keys)) if self and keys else b""
        start = outside.find(0)
        while start >= 0:
            end = outside.find(1, start)
            end = len(outside) if end < 0 else end
            yield start, end - 1
            start = outside.find(0, end)

    def _marks_outside(self, keys: array[int]) -> Iterator[int]:
        """Yield 1 for each key that is not in the set, otherwise 0."""
        least = min(keys)
        start = min(self.least, least)
        if start < _FEW:
            start = 0
        outside = self.marks.translate(_NEGATED).rjust(self.greatest + 1 - start, _IN).ljust(max(keys) + 1 - start, _IN)
        return map(outside.__getitem__, map(sub, keys, repeat(start)) if start else keys)


_IN = b"\1"

_FEW = 1_000_000
"""The number of bytes that may be stored for keys that do not occur, if that avoids a subtraction for each key."""

_NEGATED = bytes.maketrans(b"\0\1", b"\1\0")

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

    def lists(self, key: int, removed_at: int | None) -> bool:
        """Return whether a job is on the list, given the time at which it was removed; None if it was not."""
        return (removed_at is None or removed_at in self.restored_times) and key not in self.removed

    def shown(self, job: Job) -> Job:
        """Return a job that stays on the list as it is to be shown."""
        return submitted_again(job) if any(retried.concerns(job) for retried in self.retried) else job


NOTHING_PENDING = Pending()
