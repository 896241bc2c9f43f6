"""Counters of what a consumer did with the messages it received."""

from __future__ import annotations

import threading
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.services.leases import Held


class Fate(StrEnum):
    """What became of a received message; each ends in exactly one of these."""

    PROCESSED = "processed"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    STALE = "stale"
    FOREIGN = "foreign"
    RETRIED = "retried"
    """Given back to be tried again: the file, or another worker's live lease, was in the way."""
    RELEASED = "released"
    """Given back unworked, because the program stopped or the database was away."""
    LOST = "lost"
    """The lease ended before the result could be written; it is somebody else's now."""


class Tally:
    """Counts messages; received = the sum of all fates + what is held. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._fates: Counter[Fate] = Counter()

    def receive(self, count: int) -> None:
        """So many messages came."""
        with self._lock:
            self._received += count

    def settle(self, held: Held, fate: Fate) -> None:
        """A message has met its fate.

        Raises:
            RuntimeError: If it had met one before: a bug, since every message ends once.
        """
        with self._lock:
            if held.is_settled:
                raise RuntimeError(f"message {held.received.message_id} is settled twice, now as {fate}")
            held.is_settled = True
            self._fates[fate] += 1

    @property
    def received(self) -> int:
        """All messages that came."""
        with self._lock:
            return self._received

    def of(self, fate: Fate) -> int:
        """How many met a fate."""
        with self._lock:
            return self._fates[fate]

    @property
    def held(self) -> int:
        """Messages that have not met their fate yet."""
        with self._lock:
            return self._received - self._fates.total()
