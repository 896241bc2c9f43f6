"""Find jobs whose messages were lost, and send the messages again.

Messages disappear when a queue is purged or deleted, when their retention period ends, and when another program
receives and deletes them. SQS does not report this, and its counts do not tell whose messages a queue contains. So each
job is judged by itself: a message that should have been visible for a while is lost if the consumers of this database
have since received everything that was in the queue; see `Recovery.end_sweep`. A message that is waiting its turn is
not lost, and is not sent again.

The judgement can be wrong, for example while another program holds a message in flight. An unnecessary message is
harmless, since the claim on the row ensures that its file is processed only once, and there are few, since the wait
before each further one is longer.
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

PATIENCE_MS = 60_000
"""How long a message must have been visible before it can be lost. More than a visibility timeout, in case a release
has failed, and more than the counts from SQS are usually out of date. Multiplied after each resend."""


class Reconciler:
    """A periodic task that sends lost messages again. One thread.

    Args:
        recovery: The part of the store that knows which messages are lost.
        connector: The connector for the queue.
        queue: The key of the queue.
        clock: The clock.
        strict_order: Whether all messages share one message group, so that each waits until the one before it is done.
    """

    def __init__(
        self, recovery: Recovery, connector: QueueConnector, *, queue: str, clock: Clock, strict_order: bool = False
    ) -> None:
        self._recovery = recovery
        self._connector = connector
        self._queue = queue
        self._clock = clock
        self._strict_order = strict_order

    def do(self) -> None:
        """Find lost messages, and put their jobs back into the outbox.

        Raises:
            QueueError: If the queue's attributes can't be read.
            StoreError: If the database can't be used.
        """
        state = self._connector.connect().state()
        now = self._clock.now_ms()
        count = 0
        # A different creation time means that the queue was deleted and created again under the same name.
        if self._recovery.is_another_queue(queue=self._queue, created_at_ms=state.created_at_ms):
            count += self._recovery.resend(queue=self._queue, sent_before_ms=now, now_ms=now)
        expired = now - state.retention_s * 1000
        count += self._recovery.resend(queue=self._queue, sent_before_ms=expired, now_ms=now)
        count += self._resend_lost(state, now)
        if count:
            log.info("reconciler: the messages of %d files are gone and are sent again", count)

    def _resend_lost(self, state: QueueState, now: int) -> int:
        patience = PATIENCE_MS + state.delay_s * 1000
        swept = self._recovery.end_sweep(
            queue=self._queue, total=state.total, visible=state.visible, now_ms=now, strict_order=self._strict_order
        )
        count = 0
        if swept:
            count += self._recovery.resend_lost(queue=self._queue, swept_at_ms=swept, patience_ms=patience)
        if self._strict_order:
            count += self._recovery.resend_overtaken(queue=self._queue, now_ms=now, patience_ms=patience)
        return count
