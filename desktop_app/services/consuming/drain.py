"""Receive what is left in the queue after all files were processed.

Messages of finished files can be left: those that were sent or delivered twice, and those that a program had received
when it was killed, which become visible again only when their visibility timeout ends.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.errors import QueueError, StoreError
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS

if TYPE_CHECKING:
    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.store.recovery import Recovery

log = logging.getLogger(__name__)

LONGEST_SECONDS = 2.0 * VISIBILITY_SECONDS
MOST_FOREIGN = 100
"""How many foreign messages are received for the first time, since each receive counts as a delivery attempt."""


class Drainable(Protocol):
    """A consumer that can stop receiving when the queue is empty."""

    def drain(self, *, is_wanted: bool = True) -> None:
        """See `Consumer.drain`."""
        ...

    @property
    def is_drained(self) -> bool:
        """See `Consumer.is_drained`."""
        ...


class Drain:
    """Lets a consumer receive our last messages, and detects when none is left. One thread.

    It ends at once if the queue contains no messages but foreign ones that were received before, and after
    `LONGEST_SECONDS` or `MOST_FOREIGN` in any case.

    Args:
        consumer: The consumer.
        connector: The connector for the queue.
        foreign: The record of foreign messages.
        recovery: The part of the store that knows up to which file the queue was drained.
        queue: The key of the queue.
        clock: The clock.

    Attributes:
        left: The number of messages that may still be in the queue when it has ended.
    """

    def __init__(
        self,
        consumer: Drainable,
        connector: QueueConnector,
        foreign: ForeignMessages,
        recovery: Recovery,
        *,
        queue: str,
        clock: Clock,
    ) -> None:
        self._consumer = consumer
        self._recovery = recovery
        self._queue = queue
        self._connector = connector
        self._foreign = foreign
        self._clock = clock
        self._end: float | None = None
        self._began_ms = self._most_foreign = 0
        self.left = 0

    def is_over(self) -> bool:
        """Return whether the consumer can be stopped; call this repeatedly while all files are finished."""
        now = self._clock.steady()
        if self._end is None:
            self._end = now + LONGEST_SECONDS
            self._began_ms = self._clock.now_ms()
            self._most_foreign = self._foreign.count + MOST_FOREIGN
            self._foreign.note_own()  # count foreign messages from zero
            self._consumer.drain()
        must_end = now >= self._end or self._foreign.count >= self._most_foreign
        if not must_end and not self._consumer.is_drained:
            return False
        try:
            total = self._connector.connect().state().total
        except QueueError as error:
            log.info("it is unknown whether messages are left: %s (%s)", error.text, error.detail)
            return must_end
        self.left = max(0, total - self._foreign.count)
        if self.left and not must_end:
            self._consumer.drain()
        is_over = must_end or not self.left
        # Foreign messages are not received again only because some of ours may be left.
        if is_over and (not self.left or self._foreign.count):
            try:
                self._recovery.note_drained(queue=self._queue, at_ms=self._began_ms)
            except StoreError as error:
                log.info("the next worker drains the queue again: %s", error.text)
        return is_over

    def interrupt(self) -> None:
        """Let the consumer go on receiving, because files were added."""
        if self._end is not None:
            self._end = None
            self.left = 0
            self._consumer.drain(is_wanted=False)
