"""Dispatch received messages: decode them, claim their rows, and start, delete, leave or release each one."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError
from desktop_app.queues.messages import ForeignMessageError, ForeignReason, Received, decode
from desktop_app.services.consuming.in_flight import ROW_MARGIN_MS, InFlightMessage, Outcome
from desktop_app.store.claims import Claim, ClaimOutcome, ClaimRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.services.consuming.acknowledger import Acknowledger
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.services.consuming.in_flight import InFlightMessages, MessageGroups
    from desktop_app.services.consuming.worker_pool import WorkerPool
    from desktop_app.services.control import ProcessingControl
    from desktop_app.store.claims import Claims


log = logging.getLogger(__name__)

STORE_ERROR_SECONDS = 5
BUSY_LONGEST_SECONDS = 600

_DELETED_AS = {
    ClaimOutcome.FINISHED: Outcome.DUPLICATE,
    ClaimOutcome.STALE: Outcome.STALE,
    ClaimOutcome.CRASHED: Outcome.FAILED,
}


class Dispatcher:
    """Decides what to do with each received message. One thread.

    Args:
        claims: Claims rows.
        worker: This program's identity as a holder of leases.
        in_flight: All messages in flight.
        acknowledger: Deletes and releases messages.
        groups: The order within FIFO message groups.
        pool: Processes files.
        foreign: Records foreign messages.
        control: Tells whether files may be started.
        clock: The clock.
        visibility_s: The visibility timeout; the row's lease is a little longer.
    """

    def __init__(
        self,
        claims: Claims,
        worker: str,
        *,
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
        self._in_flight = in_flight
        self._acknowledger = acknowledger
        self._groups = groups
        self._pool = pool
        self._foreign = foreign
        self._control = control
        self._clock = clock
        self._visibility_s = visibility_s

    def accept(self, arrived: Sequence[InFlightMessage]) -> None:
        """Handle the messages of one poll.

        Raises:
            StoreError: If the rows can't be claimed; the messages have been released and will be redelivered soon.
        """
        if not self._control.may_begin:
            # Paused during the poll: release the messages, which others on this queue may process.
            for message in arrived:
                self._release(message, 0, Outcome.RELEASED)
            return
        requests = [(message, request) for message in arrived if (request := self._request(message)) is not None]
        try:
            claims = self._claim([request for _, request in requests])
        except StoreError:
            for message, _ in requests:
                self._release(message, STORE_ERROR_SECONDS, Outcome.RELEASED)
            raise
        for (message, request), claim in zip(requests, claims, strict=True):
            self._route(message, request, claim)

    def begin(self, requests: Sequence[ClaimRequest]) -> None:
        """Claim rows without their messages, which are still in the queue, and process those that were free.

        Raises:
            StoreError: If they can't be claimed.
        """
        for request, claim in zip(requests, self._claim(requests), strict=True):
            if claim.outcome is not ClaimOutcome.CLAIMED:
                continue
            received = Received(request.message_id, "", "", request.receive_count, "")
            now = self._clock.steady()
            # Its message is attached when it arrives.
            message = InFlightMessage(received, now + self._visibility_s, now, awaits_message=True)
            message.take_claim(claim)
            self._in_flight.add(message)
            self._pool.submit(message)

    def _claim(self, requests: Sequence[ClaimRequest]) -> list[Claim]:
        lease_ms = self._visibility_s * 1000 + ROW_MARGIN_MS
        return self._claims.claim(requests, worker=self._worker, now_ms=self._clock.now_ms(), lease_ms=lease_ms)

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

    def _route(self, message: InFlightMessage, request: ClaimRequest, claim: Claim) -> None:
        if claim.outcome is not ClaimOutcome.FOREIGN:
            self._foreign.note_own()
        if claim.outcome is ClaimOutcome.CLAIMED:
            message.take_claim(claim)
            _log_claim(message, request)
            if self._groups.enter(message):
                self._pool.submit(message)
        elif claim.outcome is ClaimOutcome.FOREIGN:
            self._leave(message, ForeignReason.UNKNOWN_FILE)
        elif claim.outcome is ClaimOutcome.BUSY:
            self._wait_for_other(message, request, claim)
        else:
            level = logging.INFO if claim.outcome is ClaimOutcome.CRASHED else logging.DEBUG
            log.log(level, "job %s: message of submission %d: %s", request.file_id, request.generation, claim.outcome)
            message.settle(_DELETED_AS[claim.outcome])
            self._acknowledger.delete(message)

    def _wait_for_other(self, message: InFlightMessage, request: ClaimRequest, claim: Claim) -> None:
        """Handle a message whose row is already claimed: by another worker, or by us with an earlier message."""
        received = message.received
        if self._in_flight.attach(request.file_id, received, message.expires, message.received_at):
            message.settle(Outcome.DUPLICATE)
            self._in_flight.remove(message)
            return
        # Not before that lease can have ended, with jitter. The wait grows with the receive count: each delivery
        # counts, and must not move the message to the dead-letter queue while the work goes on.
        left = max(0, claim.busy_until_ms - self._clock.now_ms()) / 1000
        patience = min(BUSY_LONGEST_SECONDS, 2.0 ** min(received.receive_count, 16))
        jitter = random.uniform(1, 3)  # noqa: S311 - no secret
        self._release(message, int(max(left, patience) + jitter), Outcome.RETRIED)

    def _leave(self, message: InFlightMessage, why: str) -> None:
        """Leave a foreign message alone: it is not even released, and becomes visible when its timeout ends."""
        if self._foreign.note(message.received, why):
            log.info("left message %s alone: %s", message.received.message_id, why)
        message.settle(Outcome.FOREIGN)
        self._in_flight.remove(message)

    def _release(self, message: InFlightMessage, seconds: int, outcome: Outcome) -> None:
        message.settle(outcome)
        self._acknowledger.release(message, seconds)


def _log_claim(message: InFlightMessage, request: ClaimRequest) -> None:
    if message.job is None:
        return
    level = logging.INFO if message.is_suspect else logging.DEBUG  # ordinary claims are not worth INFO
    log.log(
        level,
        "job %s: claimed, attempt %d of submission %d%s",
        request.file_id,
        message.job.attempts,
        request.generation,
        ", whose last attempt ended without a result" if message.is_suspect else "",
    )
    log.debug("job %s: message %s, delivery %d", request.file_id, request.message_id, request.receive_count)


class PriorityDispatcher:
    """Starts prioritized files by claiming their rows without their messages. One thread.

    This is as safe as with messages, since the claim is fenced by the row's token. When the message arrives, the row is
    claimed and the message is attached to it, or the row is finished and the message is deleted. If this program dies,
    the message is still in the queue.

    Args:
        control: Knows the prioritized files, and whether files may be started.
        claims: Finds the rows.
        dispatcher: Claims them and starts processing.
        queue: The key of the consumer's queue.
    """

    def __init__(self, control: ProcessingControl, claims: Claims, dispatcher: Dispatcher, *, queue: str) -> None:
        self._control = control
        self._claims = claims
        self._dispatcher = dispatcher
        self._queue = queue

    def begin(self, room: int) -> None:
        """Start as many files as there are free threads.

        Raises:
            StoreError: If the rows can't be claimed; they stay prioritized.
        """
        if room <= 0 or not self._control.may_begin or not self._control.has_priorities:
            return
        keys = self._control.take_priorities(room)
        try:
            self._dispatcher.begin(self._claims.requests(keys, queue=self._queue))
        except StoreError:
            self._control.return_priorities(keys)
            raise
