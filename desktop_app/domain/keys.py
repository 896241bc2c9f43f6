"""Sets of row keys, and the changes to the list that are still being written."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import compress, count
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.job import FINAL_STATUSES, submitted_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from desktop_app.domain.job import Job


class KeySet:
    """An immutable set of row keys, stored as a byte for each possible key. It is iterated over in ascending order.

    That takes a megabyte for a million keys, and is several times faster than a `set` or than sorting the keys.

    Args:
        keys: The keys, in any order, without duplicates.

    Attributes:
        marks: A byte for each key from 0 to the greatest one: 1 if it is in the set, otherwise 0.
    """

    def __init__(self, keys: Iterable[int] = ()) -> None:
        found = keys if isinstance(keys, array) else array("q", keys)
        least, most = min(found, default=0), max(found, default=-1)
        marks = bytearray(most + 1)
        if len(found) == most - least + 1:
            marks[least:] = _IN * len(found)
        else:
            for key in found:
                marks[key] = 1
        self.marks = bytes(marks)

    def __len__(self) -> int:
        return self.marks.count(_IN)

    def __bool__(self) -> bool:
        return bool(self.marks)

    def __iter__(self) -> Iterator[int]:
        return compress(count(), self.marks)

    def __contains__(self, key: int) -> bool:
        return 0 <= key < len(self.marks) and self.marks[key] == 1

    def __or__(self, other: KeySet) -> KeySet:
        one, another = (int.from_bytes(keys.marks, "little") for keys in (self, other))
        both = KeySet()
        both.marks = (one | another).to_bytes(max(len(self.marks), len(other.marks)), "little")
        return both

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
        outside = self.marks.translate(_NEGATED).ljust(max(keys) + 1, _IN)
        return map(outside.__getitem__, keys)


_IN = b"\1"

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

    def shown(self, job: Job) -> Job:
        """Return a job that stays on the list as it is to be shown."""
        return submitted_again(job) if any(retried.concerns(job) for retried in self.retried) else job


NOTHING_PENDING = Pending()
