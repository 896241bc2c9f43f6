"""Finds the rows whose message is gone, and sends them again.

A row can outlive its message: the queue was purged, deleted and made again, or its retention ran out. Nobody tells, so
the queue's own count is compared with the rows. A mistake costs a duplicate, which the claim absorbs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.domain.clock import Clock
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.queues.messages import QueueState
    from desktop_app.store.recovery import Recovery


log = logging.getLogger(__name__)

SETTLED_MS = 120_000
"""AWS's counts may lag for a minute and more after the last send; younger messages are not missed yet."""


class Reconciler:
    """Compares what the database has sent with what the queue has; a periodic task. One thread.

    Args:
        recovery: The rows.
        connector: The queue.
        queue: The queue's key.
        clock: The time.
    """

    def __init__(self, recovery: Recovery, connector: QueueConnector, *, queue: str, clock: Clock) -> None:
        self._recovery = recovery
        self._connector = connector
        self._queue = queue
        self._clock = clock
        self._missed_before = False

    def do(self) -> None:
        """Look once.

        Raises:
            QueueError: If the queue does not say how it is.
            StoreError: If the database can't be used.
        """
        state = self._connector.connect().state()
        again = self._resend_all_to_another(state)
        again += self._resend_expired(state)
        again += self._resend_missed(state)
        if again:
            log.info("reconciler: the messages of %d files are gone; they are sent again", again)

    def _resend_all_to_another(self, state: QueueState) -> int:
        """Another creation date is another queue of the same name: it has none of our messages."""
        if not self._recovery.is_another_queue(queue=self._queue, created_at_ms=state.created_at_ms):
            return 0
        return self._resend(before_ms=self._clock.now_ms())

    def _resend_expired(self, state: QueueState) -> int:
        """No message outlives the queue's retention."""
        return self._resend(before_ms=self._clock.now_ms() - state.retention_s * 1000)

    def _resend_missed(self, state: QueueState) -> int:
        """Fewer messages than rows that have one, at two looks in a row: some are gone, and nobody can say which."""
        settled = self._clock.now_ms() - SETTLED_MS
        is_missed = state.total < self._recovery.in_flight(queue=self._queue, sent_before_ms=settled)
        was_missed, self._missed_before = self._missed_before, is_missed
        if not (is_missed and was_missed):
            return 0
        self._missed_before = False
        return self._resend(before_ms=settled)

    def _resend(self, *, before_ms: int) -> int:
        return self._recovery.resend(queue=self._queue, sent_before_ms=before_ms, now_ms=self._clock.now_ms())
