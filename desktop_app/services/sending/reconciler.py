"""Find jobs whose messages no longer exist, and resend the messages.

Messages disappear when a queue is purged or deleted, and when their retention period ends. SQS does not report this, so
the number of messages in the queue is compared with the database. Resending a message unnecessarily is harmless, since
the claim on the row ensures that its file is processed only once.
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
"""The minimum age of a missing message, since the counts from SQS can be more than a minute out of date."""


class Reconciler:
    """A periodic task that resends missing messages. One thread.

    Args:
        recovery: The part of the store that puts messages back into the outbox.
        connector: The connector for the queue.
        queue: The key of the queue.
        clock: The clock.
    """

    def __init__(self, recovery: Recovery, connector: QueueConnector, *, queue: str, clock: Clock) -> None:
        self._recovery = recovery
        self._connector = connector
        self._queue = queue
        self._clock = clock
        self._was_short = False

    def do(self) -> None:
        """Compare the queue with the database, and resend missing messages.

        Raises:
            QueueError: If the queue's attributes can't be read.
            StoreError: If the database can't be used.
        """
        state = self._connector.connect().state()
        count = 0
        # A different creation time means that the queue was deleted and created again under the same name.
        if self._recovery.is_another_queue(queue=self._queue, created_at_ms=state.created_at_ms):
            count += self._resend(before_ms=self._clock.now_ms())
        count += self._resend(before_ms=self._clock.now_ms() - state.retention_s * 1000)
        count += self._resend_missing(state)
        if count:
            log.info("reconciler: the messages of %d files are gone and are sent again", count)

    def _resend_missing(self, state: QueueState) -> int:
        """Resend all messages if the queue has too few twice in a row, since it is unknown which are missing."""
        settled = self._clock.now_ms() - SETTLED_MS
        is_short = state.total < self._recovery.in_flight(queue=self._queue, sent_before_ms=settled)
        is_confirmed = is_short and self._was_short
        self._was_short = is_short and not is_confirmed
        return self._resend(before_ms=settled) if is_confirmed else 0

    def _resend(self, *, before_ms: int) -> int:
        return self._recovery.resend(queue=self._queue, sent_before_ms=before_ms, now_ms=self._clock.now_ms())
