"""Pause a batch when many of its files fail for the same reason, instead of failing all of them for one mistake."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop_app.domain.clock import Clock
    from desktop_app.store.held_batches import HeldBatches

log = logging.getLogger(__name__)

LEAST_FAILED = 20
FILES_A_FAILURE = 5
"""A batch is paused if more than one in so many of its files have failed for the same reason."""
_MOST_KNOWN = 10_000


@dataclass(slots=True)
class _Seen:
    """How many failures this program has seen, and from which number on the database is asked."""

    count: int = 0
    ask_at: int = LEAST_FAILED


class Brake:
    """Decides when to pause a batch. One thread.

    Only the database knows how many files of a batch have failed, since other programs process them, too, and files are
    retried and removed. But counting reads all rows of the batch, so it is done rarely: first when this program has
    seen `LEAST_FAILED` failures, and then after half of those that are missing.

    Args:
        held: The part of the store that pauses batches.
        clock: The clock.
    """

    def __init__(self, held: HeldBatches, clock: Clock) -> None:
        self._held = held
        self._clock = clock
        self._seen: dict[tuple[int, str], _Seen] = {}
        self._due: dict[tuple[int, str], _Seen] = {}

    def note(self, failed: Iterable[tuple[int, str]]) -> None:
        """Note the files that have failed: the keys of their batches, and the codes of the reasons."""
        for key in failed:
            seen = self._seen.setdefault(key, _Seen())
            seen.count += 1
            if seen.count >= seen.ask_at:
                self._due[key] = seen
        while len(self._seen) > _MOST_KNOWN:
            del self._seen[next(iter(self._seen))]

    def forget(self) -> None:
        """Forget all failures, because another database has taken the place of the one that they are in."""
        self._seen.clear()
        self._due.clear()

    def check(self) -> list[int]:
        """Pause the batches of which too many files have failed; return their keys.

        Raises:
            StoreError: If the database can't be read or written. The next call goes on.
        """
        paused = []
        while self._due:
            (batch_id, code), seen = next(iter(self._due.items()))
            missing = self._missing(batch_id, code)
            if not missing and self._held.hold(batch_id, code, now_ms=self._clock.now_ms()):
                log.info("batch %d: paused, because many of its files have failed: %s", batch_id, code)
                paused.append(batch_id)
            del self._due[batch_id, code]
            seen.ask_at = seen.count + (max(1, missing // 2) if missing else LEAST_FAILED)
        return paused

    def _missing(self, batch_id: int, code: str) -> int:
        """Return how many more files have to fail for a reason before the batch is paused; 0 if it has to be now."""
        found = self._held.failures(batch_id, code)
        if found is None or not found.waiting:
            return 2 * LEAST_FAILED  # look again after half of it
        return max(0, max(LEAST_FAILED, found.total // FILES_A_FAILURE + 1) - found.failed)
