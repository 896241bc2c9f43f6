"""Dispatch received messages: claim their jobs, and process, delete, release or ignore each message."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError
from desktop_app.logs.log import level_for
from desktop_app.queues.messages import ForeignMessageError, ForeignReason, Received, decode
from desktop_app.services.consuming.in_flight import (
    ROW_MARGIN_MS,
    InFlightMessage,
    InFlightMessages,
    MessageGroups,
    Outcome,
)
from desktop_app.store.claims import Claim, ClaimOutcome, ClaimRequest, Claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.services.consuming.acknowledger import Acknowledger
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.services.consuming.worker_pool import WorkerPool
    from desktop_app.services.control import ProcessingControl


log = logging.getLogger(__name__)

STORE_ERROR_SECONDS = 5
BUSY_LONGEST_SECONDS = 600
UNABLE_SECONDS = 60
PAUSE_PER_MESSAGE = 0.0002
LONGEST_PAUSE_SECONDS = 0.2

_DELETED_AS = {
    ClaimOutcome.FINISHED: Outcome.DUPLICATE,
    ClaimOutcome.STALE: Outcome.STALE,
    ClaimOutcome.CRASHED: Outcome.FAILED,
    ClaimOutcome.UNABLE: Outcome.RETRIED,
    ClaimOutcome.HELD: Outcome.RETRIED,
}


class Dispatcher:
    """Claims the jobs of received messages and starts processing them. One thread.

    Args:
        claims: The part of the store that claims rows.
        worker: The name under which this program holds leases.
        queue: The key of the queue.
        in_flight: All messages in flight.
        acknowledger: The acknowledger that deletes and releases messages.
        groups: The FIFO message groups, within which the order is kept.
        pool: The pool of threads that process the files.
        foreign: The record of foreign messages.
        control: The `ProcessingControl` that holds the prioritized jobs, and decides whether processing may start.
        clock: The clock.
        visibility_s: The visibility timeout in seconds; the lease of a row is slightly longer.
    """

    def __init__(
        self,
        claims: Claims,
        *,
        worker: str,
        queue: str,
        in_flight: InFlightMessages,
        acknowledger: Acknowledger,
        groups: MessageGroups,
        pool: WorkerPool,
        foreign: ForeignMessages,
        control: ProcessingControl,
        clock: Clock,
        visibility_s: int,
    ) -> None:
        self._claims = claims
        self._worker = worker
        self._queue = queue
        self._in_flight = in_flight
        self._acknowledger = acknowledger
        self._groups = groups
        self._pool = pool
        self._foreign = foreign
        self._control = control
        self._clock = clock
        self._visibility_s = visibility_s
        self._useless = 0
        """The number of messages since the last one that led to a claim."""

    @property
    def pause_s(self) -> float:
        """The time to wait before the next receive, in seconds; it grows with each message that leads to no claim."""
        return min(LONGEST_PAUSE_SECONDS, self._useless * PAUSE_PER_MESSAGE)

    def requests(self, arrived: Sequence[InFlightMessage]) -> list[tuple[InFlightMessage, ClaimRequest]]:
        """Return the received messages that are ours, with the requests for `claim`; leave or release the others."""
        if not self._control.may_begin:
            # Paused during the poll: release the messages, so that other computers can process them.
            for message in arrived:
                self._release(message, 0, Outcome.RELEASED)
            return []
        return [(message, request) for message in arrived if (request := self._request(message)) is not None]

    def claim(self, requests: Sequence[ClaimRequest]) -> list[Claim]:
        """Claim the jobs of messages for this worker; return a claim for each request.

        Raises:
            StoreError: If the rows can't be claimed.
        """
        lease_ms = self._visibility_s * 1000 + ROW_MARGIN_MS
        return self._claims.claim(requests, worker=self._worker, now_ms=self._clock.now_ms(), lease_ms=lease_ms)

    def accept(self, ours: Sequence[tuple[InFlightMessage, ClaimRequest]], claims: Sequence[Claim], count: int) -> None:
        """Start processing the claimed jobs, and settle the messages of the others.

        Args:
            ours: What `requests` has returned.
            claims: The claims for the requests.
            count: The number of messages that were received, including foreign ones.
        """
        ready = [
            message
            for (message, request), claim in zip(ours, claims, strict=True)
            if self._route(message, request, claim)
        ]
        self._pool.submit(*ready)
        is_useful = any(claim.outcome is ClaimOutcome.CLAIMED for claim in claims)
        self._useless = 0 if is_useful else self._useless + count

    def refuse(self, ours: Sequence[tuple[InFlightMessage, ClaimRequest]]) -> None:
        """Release messages whose jobs could not be claimed, because the database can't be written."""
        for message, _ in ours:
            self._release(message, STORE_ERROR_SECONDS, Outcome.RELEASED)

    def start_prioritized(self, limit: int) -> None:
        """Claim the rows of prioritized jobs without their messages, and start processing the jobs.

        This is safe because the row's fencing token protects the claim. A message that arrives during processing is
        attached to the job, and a message that arrives later is deleted. If this program crashes, the message is still
        in the queue.

        Args:
            limit: The maximum number of jobs to start; can be negative.

        Raises:
            StoreError: If the rows can't be claimed. The jobs stay prioritized.
        """
        if limit <= 0 or not self._control.may_begin or not self._control.has_priorities:
            return
        keys = self._control.take_priorities(limit)
        try:
            requests = self._claims.requests(keys, queue=self._queue)
            claims = self.claim(requests)
        except StoreError:
            self._control.return_priorities(keys)
            raise
        for request, claim in zip(requests, claims, strict=True):
            if claim.outcome is not ClaimOutcome.CLAIMED:
                continue
            received = Received(request.message_id, "", "", request.receive_count, "")
            now = self._clock.steady()
            message = InFlightMessage(received, now + self._visibility_s, now, awaits_message=True)
            message.take_claim(claim)
            self._in_flight.add(message)
            self._pool.submit(message)

    def release_hidden(self) -> None:
        """Make the hidden foreign messages visible again for the program that they belong to."""
        now = self._clock.steady()
        for received in self._foreign.take_hidden():
            self._acknowledger.release(InFlightMessage(received, now, outcome=Outcome.FOREIGN))

    def _request(self, message: InFlightMessage) -> ClaimRequest | None:
        received = message.received
        try:
            body = decode(received.body)
        except ForeignMessageError as error:
            self._leave(message, str(error))
            return None
        return ClaimRequest(
            body.file_id, body.generation, received.message_id, received.receive_count, received.group_id
        )

    def _route(self, message: InFlightMessage, request: ClaimRequest, claim: Claim) -> bool:
        """Handle the outcome of a claim; return whether the file may be processed now."""
        if claim.outcome is not ClaimOutcome.FOREIGN:
            self._foreign.note_own()
        if claim.outcome is ClaimOutcome.CLAIMED:
            message.take_claim(claim)
            _log_claim(message, request)
            return self._groups.enter(message)
        if claim.outcome is ClaimOutcome.FOREIGN:
            self._leave(message, ForeignReason.UNKNOWN_FILE)
        elif claim.outcome is ClaimOutcome.BUSY:
            self._wait_for_other(message, request, claim)
        elif claim.outcome is ClaimOutcome.UNABLE and not claim.is_resent:
            self._release(message, UNABLE_SECONDS, Outcome.RELEASED)
        elif claim.outcome is ClaimOutcome.HELD and not claim.is_resent:
            # In strict order, the consumer receives nothing until the batch continues.
            self._release(message, 0 if self._groups.is_single else UNABLE_SECONDS, Outcome.RELEASED)
        else:
            level = logging.INFO if claim.outcome is ClaimOutcome.CRASHED else logging.DEBUG
            log.log(level, "job %s: message of submission %d: %s", request.file_id, request.generation, claim.outcome)
            message.settle(_DELETED_AS[claim.outcome])
            self._acknowledger.delete(message)
        return False

    def _wait_for_other(self, message: InFlightMessage, request: ClaimRequest, claim: Claim) -> None:
        """Handle a message whose row is claimed by another worker, or by this worker through an earlier message."""
        received = message.received
        if self._in_flight.attach(request.file_id, received, message.expires, message.received_at):
            message.settle(Outcome.DUPLICATE)
            self._in_flight.remove(message)
            return
        # Wait until the other lease has ended, with jitter. The time grows with the receive count, since too many
        # deliveries would move the message to the dead-letter queue while its file is still being processed.
        left = max(0, claim.busy_until_ms - self._clock.now_ms()) / 1000
        patience = min(BUSY_LONGEST_SECONDS, 2.0 ** min(received.receive_count, 16))
        jitter = random.uniform(1, 3)  # noqa: S311 - not a secret
        self._release(message, int(max(left, patience) + jitter), Outcome.RETRIED)

    def _leave(self, message: InFlightMessage, why: str) -> None:
        """Ignore a foreign message, which becomes visible again when its visibility timeout ends."""
        message_id = message.received.message_id
        if self._foreign.note(message.received, why):
            log.log(level_for(self._foreign.count), "left message %s alone: %s", message_id, why)
        seconds = self._foreign.hide(message.received)
        if seconds > self._visibility_s:
            self._release(message, seconds, Outcome.FOREIGN)
            return
        message.settle(Outcome.FOREIGN)
        self._in_flight.remove(message)

    def _release(self, message: InFlightMessage, seconds: int, outcome: Outcome) -> None:
        message.settle(outcome)
        self._acknowledger.release(message, seconds)


def _log_claim(message: InFlightMessage, request: ClaimRequest) -> None:
    if message.job is None:
        return
    level = logging.INFO if message.is_suspect else logging.DEBUG  # ordinary claims are too frequent for INFO
    log.log(
        level,
        "job %s: claimed, attempt %d of submission %d%s",
        request.file_id,
        message.job.attempts,
        request.generation,
        ", whose last attempt ended without a result" if message.is_suspect else "",
    )
    log.debug("job %s: message %s, delivery %d", request.file_id, request.message_id, request.receive_count)
