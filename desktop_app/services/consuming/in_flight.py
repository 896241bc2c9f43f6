"""Messages in flight, which have been received but not yet deleted or released.

A lease has two parts: the visibility timeout of the message in the queue, and `lease_until` in the row. Both are short,
so that the messages of a program that crashes are redelivered soon. The heartbeat extends both for every message in
flight, including those that are waiting to be processed or deleted.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreError
from desktop_app.queues.messages import MAX_ENTRIES, Received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.loops import StopRequest
    from desktop_app.sources.local import Source
    from desktop_app.store.claims import Claim, ClaimedJob
    from desktop_app.store.results import Work


log = logging.getLogger(__name__)

VISIBILITY_SECONDS = 30
"""The visibility timeout in each receive request, which overrides the queue's own setting."""
ROW_MARGIN_MS = 10_000
"""How much longer the lease of the row is, so that the row is still claimed if its message is redelivered early."""
HEARTBEAT_SECONDS = 1.0
RENEW_MESSAGE_SECONDS = 11.5 * 3600
"""The age at which a new message replaces an old one, since SQS hides a message for at most 12 hours."""


class Outcome(StrEnum):
    """The outcome of a received message. Each message has exactly one outcome."""

    PROCESSED = "processed"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    STALE = "stale"
    FOREIGN = "foreign"
    RETRIED = "retried"
    """Released for a later attempt, because of a file error or another worker's lease."""
    RELEASED = "released"
    """Released without a result, because processing stopped or the database was unavailable."""
    LOST = "lost"
    """The lease ended before the result was written, and another worker might have the message."""


@dataclass(eq=False, slots=True)
class InFlightMessage:
    """A message in flight, and the state of its job. Only the thread that handles the message may change it.

    Attributes:
        received: The message, or a placeholder without a receipt handle if the job was claimed without its message.
        expires: When the visibility timeout ends, in seconds of the steady clock.
        received_at: When the message was received, in seconds of the steady clock.
        job: The job; None until its row is claimed.
        token: The fencing token of the row.
        epoch: The epoch of the database that contains the row.
        progress: The processed bytes and the total size.
        saved_progress: The progress that was last written to the database.
        is_cancelled: Whether the processing has to stop.
        awaits_message: Whether the message is still in the queue, because only the row was claimed or the message was
            resent.
        is_suspect: Whether a program has ended unexpectedly while processing this file.
        was_read: Whether a thread has begun to read the file together with others.
        opened: The file, if that has succeeded, until it is processed.
        is_begun: Whether processing has started.
        is_lost: Whether the lease was lost to another worker.
        is_releasing: Whether the message is being released, in which case its visibility timeout must not be extended.
        outcome: The outcome; None until it is known.
    """

    received: Received
    expires: float
    received_at: float = math.inf
    job: ClaimedJob | None = None
    token: int = 0
    epoch: int = 0
    progress: tuple[int, int] | None = None
    saved_progress: tuple[int, int] | None = None
    is_cancelled: bool = False
    awaits_message: bool = False
    is_suspect: bool = False
    was_read: bool = False
    opened: Source | None = None
    is_begun: bool = False
    is_lost: bool = False
    is_releasing: bool = False
    outcome: Outcome | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the outcome is known."""
        return self.outcome is not None

    @property
    def needs_heartbeat(self) -> bool:
        """Whether the lease has to be extended."""
        return not (self.is_lost or self.is_releasing)

    def take_claim(self, claim: Claim) -> None:
        """Record the job that was claimed for this message."""
        self.job, self.token, self.epoch, self.is_suspect = claim.job, claim.token, claim.epoch, claim.is_suspect

    def settle(self, outcome: Outcome) -> None:
        """Record the outcome of the message.

        Raises:
            RuntimeError: If the message already has an outcome, which is a bug.
        """
        if self.outcome is not None:
            raise RuntimeError(f"message {self.received.message_id} is settled twice: {self.outcome}, {outcome}")
        self.outcome = outcome
        log.debug("message %s: %s", self.received.message_id, outcome)


class InFlightMessages:
    """All messages in flight, in the order in which they were received. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[InFlightMessage, None] = {}
        """Used as an ordered set."""

    def add(self, message: InFlightMessage) -> None:
        """Add a received message."""
        with self._lock:
            self._messages[message] = None

    def remove(self, message: InFlightMessage) -> None:
        """Remove a message that was deleted, released or lost. Can be called more than once."""
        with self._lock:
            self._messages.pop(message, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._messages)

    def count_unsettled(self) -> int:
        """Return the number of messages without an outcome."""
        with self._lock:
            return sum(not message.is_settled for message in self._messages)

    def attach(self, file_id: str, received: Received, expires: float, now: float) -> bool:
        """Attach a received message to its job if the job was claimed without it; return whether it was attached.

        Args:
            file_id: The ID of the job.
            received: The message.
            expires: When its visibility timeout ends, in seconds of the steady clock.
            now: When it was received, in seconds of the steady clock.
        """
        with self._lock:
            for message in self._messages:
                is_same = message.job is not None and message.job.id == file_id
                if is_same and message.awaits_message and not message.is_settled:
                    message.received, message.expires, message.received_at = received, expires, now
                    message.awaits_message = False
                    return True
        return False

    def all(self) -> list[InFlightMessage]:
        """Return all messages, oldest first."""
        with self._lock:
            return list(self._messages)


class MessageGroups:
    """Keeps the messages of each FIFO message group in order: each waits for the one before it. One thread.

    Args:
        is_single: Whether the messages of all groups are in one order.
    """

    def __init__(self, *, is_single: bool = False) -> None:
        self.is_single = is_single
        self._groups: dict[str, deque[InFlightMessage]] = {}
        """The messages by group ID. Only the first message of each group may be processed."""

    def enter(self, message: InFlightMessage) -> bool:
        """Append a message to its group; return whether it may be processed now. Without a group, it always may."""
        group_id = self._group_of(message)
        if not group_id:
            return True
        group = self._groups.setdefault(group_id, deque())
        group.append(message)
        return len(group) == 1

    def leave(self, message: InFlightMessage) -> InFlightMessage | None:
        """Remove a finished message; return the next message of its group, which may now be processed, or None."""
        group_id = self._group_of(message)
        group = self._groups.get(group_id)
        if not group or group[0] is not message:
            return None
        group.popleft()
        if group:
            return group[0]
        del self._groups[group_id]
        return None

    def cut(self, message: InFlightMessage) -> list[InFlightMessage]:
        """Remove a message that will be released, and the messages after it in its group.

        Returns:
            The messages after it, which must also be released, in this order.
        """
        group_id = self._group_of(message)
        group = self._groups.get(group_id)
        if not group or message not in group:
            return []
        place = group.index(message)
        before, behind = list(group)[:place], list(group)[place + 1 :]
        if before:
            self._groups[group_id] = deque(before)
        else:
            del self._groups[group_id]
        return behind

    def _group_of(self, message: InFlightMessage) -> str:
        return "all" if self.is_single and message.received.group_id else message.received.group_id


class Heartbeat:
    """Extends the leases of all messages in flight. One thread.

    Extending a lease late can still succeed, since SQS accepts a receipt handle until the message is received again. A
    single failure is harmless, since leases are extended long before they end.
    """

    def __init__(
        self, in_flight: InFlightMessages, connector: QueueConnector, work: Work, clock: Clock, *, visibility_s: int
    ) -> None:
        self._in_flight = in_flight
        self._connector = connector
        self._work = work
        self._clock = clock
        self._visibility_s = visibility_s
        self._logged = ""

    def run(self, stop: StopRequest) -> None:
        """Call `beat` once a second, less often without messages in flight, until a stop is requested."""
        while not stop.is_set():
            stop.wait(HEARTBEAT_SECONDS if self._in_flight else max(HEARTBEAT_SECONDS, self._visibility_s / 6))
            self.beat()

    def beat(self) -> None:
        """Extend the leases that have less than half of their time left."""
        now = self._clock.steady()
        near = [
            message
            for message in self._in_flight.all()
            if message.expires - now < self._visibility_s / 2 and message.needs_heartbeat
        ]
        self._renew_messages([message for message in near if now - message.received_at > RENEW_MESSAGE_SECONDS])
        for start in range(0, len(near), MAX_ENTRIES):
            try:
                self._extend(near[start : start + MAX_ENTRIES])
            except (QueueError, StoreError) as error:
                if error.text != self._logged:
                    log.info("heartbeat failed: %s (%s)", error.text, error.detail)
                self._logged = error.text
            else:
                self._logged = ""

    def _extend(self, near: Sequence[InFlightMessage]) -> None:
        # Rows first: if extending the messages then fails, a redelivered message only waits for the row's lease.
        self._extend_rows([message for message in near if message.job is not None and not message.is_settled])
        before = self._clock.steady()
        for message in near:
            if message.awaits_message:
                message.expires = before + self._visibility_s
        kept = [message for message in near if message.needs_heartbeat and not message.awaits_message]
        if not kept:
            return
        client = self._connector.connect()
        results = client.change_visibility([(message.received.receipt_handle, self._visibility_s) for message in kept])
        for message, result in zip(kept, results, strict=True):
            if result.is_done:
                message.expires = before + self._visibility_s
            elif result.trouble is QueueTrouble.LEASE_LOST:
                self._lose(message, result.text)

    def _renew_messages(self, old: Sequence[InFlightMessage]) -> None:
        """Replace the messages of jobs that take longer than SQS can hide a message; processing continues."""
        for message in old:
            if message.job is None or message.awaits_message or message.is_settled:
                continue
            try:
                if self._work.send_another(message.job.row_id, message.token):
                    message.awaits_message = True
                    self._connector.connect().delete([message.received.receipt_handle])
            except (QueueError, StoreError) as error:
                log.info("could not renew message %s yet: %s", message.received.message_id, error.text)

    def _extend_rows(self, claimed: Sequence[InFlightMessage]) -> None:
        if not claimed:
            return
        until = self._clock.now_ms() + self._visibility_s * 1000 + ROW_MARGIN_MS
        rows = [(message.job.row_id, message.token) for message in claimed if message.job is not None]
        for message, is_ours in zip(claimed, self._work.extend(rows, until_ms=until), strict=True):
            if not is_ours:
                self._lose(message, "another worker has claimed the row, or it was removed")

    def _lose(self, message: InFlightMessage, why: str) -> None:
        log.info("job %s: lost the lease: %s", "?" if message.job is None else message.job.id, why)
        message.is_lost = True
        message.is_cancelled = True
