"""From received messages to work: decode, claim the rows, and start, delete, leave or give back each message."""

from __future__ import annotations

import logging
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError
from desktop_app.queues.messages import ForeignMessageError, Foreignness, Received, decode
from desktop_app.services.consuming.in_flight import ROW_MARGIN_MS, Fate, InFlightMessage
from desktop_app.store.claims import Claim, ClaimOutcome, ClaimRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.services.consuming.acknowledger import Acknowledger
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.services.consuming.in_flight import InFlightMessages, Tally
    from desktop_app.services.consuming.worker_pool import WorkerPool
    from desktop_app.services.control import PauseControl
    from desktop_app.store.claims import Claims


log = logging.getLogger(__name__)


STORE_AWAY_SECONDS = 5

BUSY_LONGEST_SECONDS = 600

_DELETED_AS = {
    ClaimOutcome.FINISHED: Fate.DUPLICATE,
    ClaimOutcome.STALE: Fate.STALE,
    ClaimOutcome.CRASHED: Fate.FAILED,
}


class Dispatcher:
    """Decides what each received message means and sets it going. One thread.

    Args:
        claims: The rows.
        worker: This program's identity, as the holder of leases.
        hands: What it shares with the committer.
        foreign: Takes note of what is not ours.
        switch: Whether files may begin.
        visibility_s: How long a message is hidden; the row's lease is a little longer.
    """

    def __init__(
        self,
        claims: Claims,
        worker: str,
        hands: Hands,
        *,
        foreign: ForeignMessages,
        switch: PauseControl,
        visibility_s: int,
    ) -> None:
        self._claims = claims
        self._worker = worker
        self._book, self._acks, self._lanes = hands.book, hands.acks, hands.lanes
        self._pool, self._tally, self._clock = hands.pool, hands.tally, hands.clock
        self._foreign = foreign
        self._switch = switch
        self._visibility_s = visibility_s
        self._lease_ms = visibility_s * 1000 + ROW_MARGIN_MS

    def accept(self, arrived: Sequence[InFlightMessage]) -> None:
        """Deal with what one poll brought.

        Raises:
            StoreError: If the rows can't be claimed; the messages have been given back, to come again soon.
        """
        if not self._switch.may_begin:
            # A poll that was under way when it was paused. Others on this queue may have time for what it brought.
            for held in arrived:
                self._give_back(held, 0, Fate.RELEASED)
            return
        requests = [(held, request) for held in arrived if (request := self._request(held)) is not None]
        try:
            claims = self._claims.claim(
                [request for _, request in requests],
                worker=self._worker,
                now_ms=self._clock.now_ms(),
                lease_ms=self._lease_ms,
            )
        except StoreError:
            for held, _ in requests:
                self._give_back(held, STORE_AWAY_SECONDS, Fate.RELEASED)
            raise
        for (held, request), claim in zip(requests, claims, strict=True):
            self._route(held, request, claim)

    def begin(self, requests: Sequence[ClaimRequest]) -> None:
        """Claim rows without their messages, which are still in the queue, and set those going that were free.

        Raises:
            StoreError: If they can't be claimed.
        """
        now = self._clock.now_ms()
        claims = self._claims.claim(requests, worker=self._worker, now_ms=now, lease_ms=self._lease_ms)
        for request, claim in zip(requests, claims, strict=True):
            if claim.outcome is not ClaimOutcome.CLAIMED:
                continue
            received = Received(request.message_id, "", "", request.receive_count, "")
            taken_at = self._clock.steady()
            # As if handed over: only the row is held, and the message is taken in if it comes meanwhile.
            held = InFlightMessage(received, taken_at + self._visibility_s, taken_at=taken_at, is_handed_over=True)
            held.job, held.token, held.is_suspect = claim.job, claim.token, claim.is_suspect
            self._book.take(held)
            self._tally.receive(1)
            self._pool.submit(held)

    def _request(self, held: InFlightMessage) -> ClaimRequest | None:
        received = held.received
        try:
            message = decode(received.body)
        except ForeignMessageError as error:
            self._leave(held, str(error))
            return None
        return ClaimRequest(
            message.file_id, message.generation, received.message_id, received.receive_count, received.group_id
        )

    def _route(self, held: InFlightMessage, request: ClaimRequest, claim: Claim) -> None:
        if claim.outcome is not ClaimOutcome.FOREIGN:
            self._foreign.note_own()
        if claim.outcome is ClaimOutcome.CLAIMED:
            held.job, held.token, held.is_suspect = claim.job, claim.token, claim.is_suspect
            self._log_claim(held, request)
            if self._lanes.enter(held):
                self._pool.submit(held)
        elif claim.outcome is ClaimOutcome.FOREIGN:
            self._leave(held, Foreignness.UNKNOWN_FILE)
        elif claim.outcome is ClaimOutcome.BUSY:
            self._wait_for_other(held, request, claim)
        else:
            level = logging.INFO if claim.outcome is ClaimOutcome.CRASHED else logging.DEBUG
            log.log(level, "job %s: message of submission %d: %s", request.file_id, request.generation, claim.outcome)
            self._tally.settle(held, _DELETED_AS[claim.outcome])
            self._acks.delete(held)

    def _log_claim(self, held: InFlightMessage, request: ClaimRequest) -> None:
        if held.job is None:
            return
        level = logging.INFO if held.is_suspect else logging.DEBUG  # an ordinary claim is no news
        log.log(
            level,
            "job %s: claimed, attempt %d of submission %d%s",
            request.file_id,
            held.job.attempts,
            request.generation,
            ", whose last attempt ended without a result" if held.is_suspect else "",
        )
        log.debug("job %s: message %s, delivery %d", request.file_id, request.message_id, request.receive_count)

    def _wait_for_other(self, held: InFlightMessage, request: ClaimRequest, claim: Claim) -> None:
        """Somebody works on the row: perhaps we ourselves, and this is the new message for work that takes long."""
        received = held.received
        if self._book.adopt(request.file_id, received, held.expires, held.taken_at):
            self._tally.settle(held, Fate.DUPLICATE)
            self._book.let_go(held)
            return
        # Not before that lease can have ended, and not all at the same moment. A long wait for what came often already:
        # each delivery counts, and must not drive the message into the dead-letter queue while the work goes on.
        left = max(0, claim.busy_until_ms - self._clock.now_ms()) / 1000
        patience = min(BUSY_LONGEST_SECONDS, 2.0 ** min(received.receive_count, 16))
        self._give_back(held, int(max(left, patience) + random.uniform(1, 3)), Fate.RETRIED)  # noqa: S311 - jitter

    def _leave(self, held: InFlightMessage, why: str) -> None:
        """A foreign message: not deleted, not obeyed, not even given back; it shows up again when its time is over."""
        if self._foreign.note(held.received, why):
            log.info("left message %s alone: %s", held.received.message_id, why)
        self._tally.settle(held, Fate.FOREIGN)
        self._book.let_go(held)

    def _give_back(self, held: InFlightMessage, seconds: int, fate: Fate) -> None:
        self._tally.settle(held, fate)
        self._acks.release(held, seconds)


class MessageGroups:
    """A lane for each message group; messages without a group have no lane and never wait. One thread."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[InFlightMessage]] = {}
        """The first of each lane is the one that may work."""

    def enter(self, held: InFlightMessage) -> bool:
        """Take a message in, in the order received; True if it may start now."""
        if not held.lane:
            return True
        lane = self._lanes.setdefault(held.lane, deque())
        lane.append(held)
        return len(lane) == 1

    def leave(self, held: InFlightMessage) -> InFlightMessage | None:
        """The message that had started is dealt with; gives the one that may start now."""
        lane = self._lanes.get(held.lane)
        if not lane or lane[0] is not held:
            return None
        lane.popleft()
        if lane:
            return lane[0]
        del self._lanes[held.lane]
        return None

    def break_off(self, held: InFlightMessage) -> list[InFlightMessage]:
        """The message goes back to the queue; so must all behind it in its lane, in this order, to keep it.

        Returns:
            Those behind it.
        """
        lane = self._lanes.get(held.lane)
        if not lane or held not in lane:
            return []
        place = lane.index(held)
        behind = list(lane)[place + 1 :]
        kept = list(lane)[:place]
        if kept:
            self._lanes[held.lane] = deque(kept)
        else:
            del self._lanes[held.lane]
        return behind


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything that passes through a consumer's hands.

    Attributes:
        book: Everything in them now.
        acks: Where messages are deleted and given back.
        lanes: The order of FIFO groups.
        pool: The threads that process.
        tally: The counters.
        clock: The time.
    """

    book: InFlightMessages
    acks: Acknowledger
    lanes: MessageGroups
    pool: WorkerPool
    tally: Tally
    clock: Clock
