"""The messages in our hands, and the heartbeat that keeps them ours.

A lease has two clocks: the message's visibility in the queue and `lease_until` of the row. Both are short, so that a
dead program's work comes back soon, and one task extends both for everything held: running, waiting, done but not yet
deleted.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreError
from desktop_app.queues.messages import MAX_ENTRIES
from desktop_app.services.loops import pause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import Job
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.queues.messages import Received
    from desktop_app.store.results import Work


log = logging.getLogger(__name__)


VISIBILITY_SECONDS = 30
"""Asked for in each receive, so that no setting of the queue can hurt."""

ROW_MARGIN_MS = 10_000
"""The row's lease outlives the message's, so that a message which comes back early finds the row still held."""

BEAT_SECONDS = 1.0

HANDOVER_SECONDS = 11.5 * 3600
"""AWS: a message may be hidden for 12 hours in all after its receive. Before that, the work goes on under a new one."""


@dataclass(eq=False, slots=True)
class InFlightMessage:
    """One message in flight that is ours for now; the thread that has it may write to it.

    `expires` is when its visibility ends, by the steady clock; `job` and `token` are there once its row is claimed.
    """

    received: Received
    expires: float
    job: Job | None = None
    token: int = 0
    progress: tuple[int, int] | None = None
    """How far its worker is, in bytes, and of how many."""
    told: tuple[int, int] | None = None
    """The progress that was written down last."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    taken_at: float = math.inf
    """When the message was received, by the steady clock."""
    is_handed_over: bool = False
    """The message is deleted, another one for the same job is on its way, and only the row is still held."""
    is_suspect: bool = False
    """A program ended while it worked on this file before."""
    is_begun: bool = False
    """A worker has started on its file."""
    is_lost: bool = False
    """The queue or the database gave it to somebody else."""
    is_going_back: bool = False
    """It is being given back, so its visibility must not be extended any more."""
    is_settled: bool = False
    """Its fate is counted; what is left is the queue's answer."""

    @property
    def is_kept(self) -> bool:
        """Whether the heartbeat is for it."""
        return not (self.is_lost or self.is_going_back)

    @property
    def lane(self) -> str:
        """The FIFO message group; empty where order does not matter."""
        return self.received.group_id


class InFlightMessages:
    """All messages in our hands, in the order they were received. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[InFlightMessage, None] = {}
        """A set that keeps its order."""

    def take(self, held: InFlightMessage) -> None:
        """Add a message."""
        with self._lock:
            self._held[held] = None

    def let_go(self, held: InFlightMessage) -> None:
        """Forget a message: it was deleted, given back or lost. Safe to call twice."""
        with self._lock:
            self._held.pop(held, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)

    def open(self) -> int:
        """How many of them still have to be worked on; the others only wait for the queue to take note."""
        with self._lock:
            return sum(not held.is_settled for held in self._held)

    def adopt(self, file_id: str, received: Received, expires: float, now: float) -> bool:
        """Put a new message in the place of one that was handed over; False if there is none of this job."""
        with self._lock:
            for held in self._held:
                if held.is_handed_over and not held.is_settled and held.job is not None and held.job.id == file_id:
                    held.received, held.expires, held.taken_at = received, expires, now
                    held.is_handed_over = False
                    return True
        return False

    def all(self) -> list[InFlightMessage]:
        """Everything held, oldest first."""
        with self._lock:
            return list(self._held)


class Heartbeat:
    """The heartbeat. `run` in one thread; `beat` for one pass.

    A late beat still tries: SQS takes the receipt handle until somebody else has received the message. One beat that
    does not get through is nothing; the next one follows in a second.
    """

    def __init__(
        self, book: InFlightMessages, connector: QueueConnector, work: Work, clock: Clock, *, visibility_s: int
    ) -> None:
        self._book = book
        self._connector = connector
        self._work = work
        self._clock = clock
        self._visibility_s = visibility_s

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Beat once a second until stopped."""
        while not should_stop():
            pause(BEAT_SECONDS, should_stop)
            self.beat()

    def beat(self) -> int:
        """Extend what is nearer to its end than half its time; gives how many messages were kept."""
        now = self._clock.steady()
        near = [held for held in self._book.all() if held.expires - now < self._visibility_s / 2 and held.is_kept]
        self._hand_over([held for held in near if now - held.taken_at > HANDOVER_SECONDS])
        kept = 0
        for start in range(0, len(near), MAX_ENTRIES):
            try:
                kept += self._extend(near[start : start + MAX_ENTRIES])
            except (QueueError, StoreError) as error:
                log.info("heartbeat did not get through: %s (%s)", error.text, error.detail)
        return kept

    def _extend(self, near: Sequence[InFlightMessage]) -> int:
        # The row first: a row that is held while its message is not only makes the message wait.
        self._extend_rows([held for held in near if held.job is not None and not held.is_settled])
        before = self._clock.steady()
        for held in near:
            if held.is_handed_over:
                held.expires = before + self._visibility_s
        keep = [held for held in near if held.is_kept and not held.is_handed_over]
        if not keep:
            return 0
        client = self._connector.connect()
        results = client.change_visibility([(held.received.receipt_handle, self._visibility_s) for held in keep])
        for held, result in zip(keep, results, strict=True):
            if result.is_done:
                held.expires = before + self._visibility_s
            elif result.trouble is QueueTrouble.LEASE_LOST:
                self._lose(held, result.text)
        return sum(result.is_done for result in results)

    def _hand_over(self, old: Sequence[InFlightMessage]) -> None:
        """Send a new message for work that outlives the ceiling, then delete the old one; the work goes on."""
        for held in old:
            if held.job is None or held.is_handed_over or held.is_settled:
                continue
            try:
                if self._work.send_another(held.job.row_id, held.token):
                    held.is_handed_over = True
                    self._connector.connect().delete([held.received.receipt_handle])
            except (QueueError, StoreError) as error:
                log.info("could not hand over message %s yet: %s", held.received.message_id, error.text)

    def _extend_rows(self, claimed: Sequence[InFlightMessage]) -> None:
        if not claimed:
            return
        until = self._clock.now_ms() + self._visibility_s * 1000 + ROW_MARGIN_MS
        rows = [(held.job.row_id, held.token) for held in claimed if held.job is not None]
        for held, is_ours in zip(claimed, self._work.extend(rows, until_ms=until), strict=True):
            if not is_ours:
                self._lose(held, "the row was taken over or taken off the list")

    def _lose(self, held: InFlightMessage, why: str) -> None:
        log.info("job %s: lost the lease: %s", "?" if held.job is None else held.job.id, why)
        held.is_lost = True
        held.cancelled.set()


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

    def settle(self, held: InFlightMessage, fate: Fate) -> None:
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
