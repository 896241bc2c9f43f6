"""Delete and release messages in batches.

A buffered message stays in flight, and its lease is extended, until the queue has responded. A failed delete is
harmless, because the redelivered message is recognized as a duplicate of a finished job.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.messages import MAX_ENTRIES, EntryResult
from desktop_app.services.loops import Backoff, ResponseTimes, StopRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.in_flight import InFlightMessage, InFlightMessages


log = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
MAX_AGE_SECONDS = 0.05
"""The maximum age of a buffered request, even in a steady stream of messages."""
MANY = 2 * MAX_ENTRIES
"""The number of waiting deletes at which other threads send some of them, if the queue takes long to respond."""
LATE_SECONDS = 60.0
"""How long delete requests are sent after the lease has ended. A standard queue accepts them until the next receive."""


class _Ack(NamedTuple):
    message: InFlightMessage
    visible_in: int | None
    """The visibility timeout to set, in seconds; None to delete the message."""


class Acknowledger:
    """Buffers delete and release requests and sends them in batches.

    Call `run` on one thread, `send_full_batches` on the one that receives, and `assist` on others; the other methods
    can be called from any thread.
    """

    def __init__(self, in_flight: InFlightMessages, connector: QueueConnector, clock: Clock) -> None:
        self._in_flight = in_flight
        self._connector = connector
        self._clock = clock
        lock = threading.Lock()
        self._condition = threading.Condition(lock)
        self._may_assist = threading.Condition(lock)
        self._deletes: deque[_Ack] = deque()
        self._releases: deque[_Ack] = deque()
        self._is_stopping = False
        self._times = ResponseTimes()
        self._backoff = Backoff(first=0.5, longest=10)
        self._helped_until = 0.0
        """Until when `run` leaves deletes to `send_full_batches`, in seconds of the steady clock."""
        self._is_failing = False
        """Whether requests of the last batch have to be sent again. `run` and `assist` wait before that."""

    def delete(self, *messages: InFlightMessage) -> None:
        """Delete messages that are obsolete or whose results have been committed."""
        self._put(self._deletes, [_Ack(message, None) for message in messages])

    def release(self, message: InFlightMessage, seconds: int = 0) -> None:
        """Make a message visible again after a number of seconds. Messages are released in the order of the calls."""
        message.is_releasing = True
        self._put(self._releases, [_Ack(message, seconds)])

    def _put(self, waiting: deque[_Ack], acks: Sequence[_Ack]) -> None:
        for ack in acks:
            if not ack.message.received.receipt_handle:
                self._in_flight.remove(ack.message)  # the message has not been received yet, and is handled later
        acks = [ack for ack in acks if ack.message.received.receipt_handle]
        if not acks:
            return
        with self._condition:
            before = len(waiting)
            waiting.extend(acks)
            if not before or (before < MAX_ENTRIES <= len(waiting) and not self._is_helped()):
                self._condition.notify()
            if len(self._deletes) >= MANY and self._times.are_long:
                self._may_assist.notify()

    def run(self, replaced: StopRequest) -> None:
        """Send requests until `stop` is called, then send the remaining requests unless the queue fails to respond.

        Args:
            replaced: Set if another thread has taken over; this method then returns soon.
        """
        while not replaced.is_set():
            with self._condition:
                if not self._deletes and not self._releases and not self._is_stopping:
                    self._condition.wait(IDLE_SECONDS)
                    continue
                is_full = max(len(self._deletes), len(self._releases)) >= MAX_ENTRIES
                if not self._is_stopping and (self._is_helped() or not is_full):
                    self._condition.wait(MAX_AGE_SECONDS)
                    if self._is_helped() and not self._is_stopping:
                        continue
                # Releases first: another worker may be waiting for them. The queue does not wait for deletes.
                batch = _next_batch(self._releases or self._deletes)
                stopping = self._is_stopping
            if not batch:
                if stopping:
                    return
                continue  # an assistant has sent what was waiting
            if not self._flush(batch) and stopping:
                self._drop_all()
                return

    def stop(self) -> None:
        """Make `run` send the remaining requests and return."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()

    def _is_helped(self) -> bool:
        """Return whether `send_full_batches` sends what is waiting; the caller holds the lock."""
        return not (self._releases or self._is_failing) and self._clock.steady() < self._helped_until

    def send_full_batches(self) -> None:
        """Send full batches of deletes for a short time, if the queue responds quickly and accepts them.

        With such a queue, boto3 needs more time than its requests, and the threads that receive and delete would mainly
        wait for each other's interpreter lock. After an error, only `run` sends, with a backoff, until it succeeds.
        """
        until = self._clock.steady() + MAX_AGE_SECONDS
        while self._times.are_short and self._clock.steady() < until:
            with self._condition:
                is_left_to_run = self._releases or self._is_failing or self._is_stopping
                if len(self._deletes) < MAX_ENTRIES or is_left_to_run:
                    return
                batch = _next_batch(self._deletes)
                self._helped_until = self._clock.steady() + MAX_AGE_SECONDS
            self._send(batch)

    def assist(self, stop: StopRequest) -> None:
        """Send requests to delete messages in parallel to `run`, while there are many, until a stop is requested."""
        backoff = Backoff(first=0.5, longest=10)
        with stop.waking(self._wake_assistants):
            while not stop.is_set():
                with self._condition:
                    is_needed = len(self._deletes) >= MANY and self._times.are_long
                    batch = _next_batch(self._deletes) if is_needed else []
                    if not batch:
                        if not stop.is_set():
                            stop.wait_for(self._may_assist)
                        continue
                if self._send(batch):
                    backoff.reset()
                else:
                    stop.wait(backoff.next())

    def _wake_assistants(self) -> None:
        with self._condition:
            self._may_assist.notify_all()

    def _flush(self, batch: Sequence[_Ack]) -> bool:
        """Send a batch, and wait if entries have to be sent again; return False if no entry succeeded."""
        count = self._send(batch)
        if count == len(batch):
            self._backoff.reset()
            return True
        with self._condition:
            if not self._is_stopping:
                self._condition.wait(self._backoff.next())
        return count > 0

    def _send(self, batch: Sequence[_Ack]) -> int:
        """Send a batch, and put back the entries to send again; return the number of the others."""
        begun = self._clock.steady()
        try:
            results = self._request(batch)
            self._times.note(self._clock.steady() - begun)
        except QueueError as error:
            log.info("%d messages could not be acknowledged yet: %s", len(batch), error.text)
            results = [EntryResult(trouble=error.trouble, text=error.text)] * len(batch)
        again: list[_Ack] = []
        for ack, result in zip(batch, results, strict=True):
            is_too_late = self._clock.steady() > ack.message.expires + LATE_SECONDS
            if result.is_done or result.trouble is QueueTrouble.LEASE_LOST or is_too_late:
                self._in_flight.remove(ack.message)
            else:
                again.append(ack)
        with self._condition:
            self._is_failing = bool(again)
            waiting = self._deletes if batch[0].visible_in is None else self._releases
            if again and not waiting:
                self._condition.notify()  # `run` might be waiting for requests
            waiting.extendleft(reversed(again))
        return len(batch) - len(again)

    def _request(self, batch: Sequence[_Ack]) -> list[EntryResult]:
        client = self._connector.connect()
        handles = [ack.message.received.receipt_handle for ack in batch]
        if batch[0].visible_in is None:
            return client.delete(handles)
        return client.change_visibility(
            [(handle, ack.visible_in or 0) for handle, ack in zip(handles, batch, strict=True)]
        )

    def _drop_all(self) -> None:
        """Discard all requests during a shutdown if the queue does not respond; the visibility timeouts will expire."""
        with self._condition:
            left = [*self._releases, *self._deletes]
            self._releases.clear()
            self._deletes.clear()
        for ack in left:
            self._in_flight.remove(ack.message)
        log.info("%d messages were left to their visibility timeout: the queue did not respond", len(left))


def _next_batch(waiting: deque[_Ack]) -> list[_Ack]:
    """Remove and return the oldest requests, at most `MAX_ENTRIES`."""
    return [waiting.popleft() for _ in range(min(MAX_ENTRIES, len(waiting)))]
