"""Find rows whose message is gone, and send their messages again.

A row can outlive its message: the queue was purged, or deleted and created again, or the retention period ended. SQS
does not report this, so the queue's message count is compared with the rows. A wrong guess costs a duplicate, which the
claim absorbs.
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
"""AWS's counts may lag for a minute or more after a send, so younger messages are not counted as missing."""


class Reconciler:
    """Compares the sent messages in the database with those in the queue; a periodic task. One thread.

    Args:
        recovery: Finds the rows.
        connector: Connects to the queue.
        queue: The queue's key.
        clock: The clock.
    """

    def __init__(self, recovery: Recovery, connector: QueueConnector, *, queue: str, clock: Clock) -> None:
        self._recovery = recovery
        self._connector = connector
        self._queue = queue
        self._clock = clock
        self._missed_before = False

    def do(self) -> None:
        """Compare once.

        Raises:
            QueueError: If the queue's attributes can't be read.
            StoreError: If the database can't be used.
        """
        state = self._connector.connect().state()
        again = self._resend_all_to_another(state)
        again += self._resend_expired(state)
        again += self._resend_missed(state)
        if again:
            log.info("reconciler: the messages of %d files are gone and are sent again", again)

    def _resend_all_to_another(self, state: QueueState) -> int:
        """Resend everything if the creation time has changed: it is a new queue of the same name."""
        if not self._recovery.is_another_queue(queue=self._queue, created_at_ms=state.created_at_ms):
            return 0
        return self._resend(before_ms=self._clock.now_ms())

    def _resend_expired(self, state: QueueState) -> int:
        """Resend the messages that are older than the queue's retention period."""
        return self._resend(before_ms=self._clock.now_ms() - state.retention_s * 1000)

    def _resend_missed(self, state: QueueState) -> int:
        """Resend all if the queue has too few messages twice in a row, since it is unknown which are gone."""
        settled = self._clock.now_ms() - SETTLED_MS
        is_missed = state.total < self._recovery.in_flight(queue=self._queue, sent_before_ms=settled)
        was_missed, self._missed_before = self._missed_before, is_missed
        if not (is_missed and was_missed):
            return 0
        self._missed_before = False
        return self._resend(before_ms=settled)

    def _resend(self, *, before_ms: int) -> int:
        return self._recovery.resend(queue=self._queue, sent_before_ms=before_ms, now_ms=self._clock.now_ms())
