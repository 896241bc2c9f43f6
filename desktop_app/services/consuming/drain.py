"""Receive what is left in the queue after all files were processed.

Messages of finished files can be left: those that were sent or delivered twice, and those that a program had received
when it was killed, which become visible again only when their visibility timeout ends.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.errors import QueueError
from desktop_app.services.consuming.foreign_messages import MANY_IN_A_ROW
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS

if TYPE_CHECKING:
    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.foreign_messages import ForeignMessages

log = logging.getLogger(__name__)

LONGEST_SECONDS = 2.0 * VISIBILITY_SECONDS


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

    It ends at once if the queue contains no messages but foreign ones, and after `LONGEST_SECONDS` in any case.

    Args:
        consumer: The consumer.
        connector: The connector for the queue.
        foreign: The record of foreign messages.
        clock: The clock; only `steady` is used.

    Attributes:
        left: The number of messages that may still be in the queue when it has ended.
    """

    def __init__(self, consumer: Drainable, connector: QueueConnector, foreign: ForeignMessages, clock: Clock) -> None:
        self._consumer = consumer
        self._connector = connector
        self._foreign = foreign
        self._clock = clock
        self._end: float | None = None
        self.left = 0

    def is_over(self) -> bool:
        """Return whether the consumer can be stopped; call this repeatedly while all files are finished."""
        now = self._clock.steady()
        if self._end is None:
            self._end = now + LONGEST_SECONDS
            self._foreign.note_own()  # count foreign messages from zero
            self._consumer.drain()
        is_late = now >= self._end
        if not is_late and not self._consumer.is_drained:
            return self._foreign.in_a_row >= MANY_IN_A_ROW
        try:
            total = self._connector.connect().state().total
        except QueueError as error:
            log.info("it is unknown whether messages are left: %s (%s)", error.text, error.detail)
            return is_late
        self.left = max(0, total - self._foreign.count)
        if self.left and not is_late:
            self._consumer.drain()
        return is_late or not self.left

    def interrupt(self) -> None:
        """Let the consumer go on receiving, because files were added."""
        if self._end is not None:
            self._end = None
            self.left = 0
            self._consumer.drain(is_wanted=False)
