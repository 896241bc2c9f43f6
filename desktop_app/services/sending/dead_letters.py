"""Monitor the dead-letter queue, and mark the jobs of its messages as FAILED."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from desktop_app.queues.messages import MAX_ENTRIES, ForeignMessageError, Received, decode
from desktop_app.store.claims import ClaimOutcome, Claims

if TYPE_CHECKING:
    from desktop_app.domain.clock import Clock
    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.connector import QueueConnector


log = logging.getLogger(__name__)

POLLS_A_TURN = 20
VISIBILITY_SECONDS = 30


class DeadLetterWatcher:
    """A periodic task that marks the jobs of dead-lettered messages as FAILED, and deletes the messages. One thread.

    The messages are no longer needed, since a retry sends new ones. Foreign messages stay in the dead-letter queue.
    """

    def __init__(self, claims: Claims, connector: QueueConnector, clock: Clock) -> None:
        self._claims = claims
        self._connector = connector
        self._clock = clock

    def do(self) -> None:
        """Check the dead-letter queue once.

        Raises:
            QueueError: If a queue can't be used.
            StoreError: If the database can't be used.
        """
        client = self._connector.connect().dead_letters()
        if client is None:
            return
        for _ in range(POLLS_A_TURN):
            messages = client.receive(limit=MAX_ENTRIES, wait_s=0, visibility_s=VISIBILITY_SECONDS)
            if not messages or not self._settle(client, messages):
                return

    def _settle(self, client: QueueClient, messages: list[Received]) -> int:
        """Mark the jobs as FAILED, then delete the messages; return the number of our messages."""
        ours = [message.receipt_handle for message in messages if self._fail(message)]
        if ours:
            left = [result.text for result in client.delete(ours) if not result.is_done]
            if left:
                log.info("%d dead-lettered messages could not be deleted yet: %s", len(left), left[0])
        return len(ours)

    def _fail(self, message: Received) -> bool:
        try:
            body = decode(message.body)
        except ForeignMessageError:
            return False
        outcome = self._claims.dead_letter(
            body.file_id, body.generation, receive_count=message.receive_count, now_ms=self._clock.now_ms()
        )
        if outcome is ClaimOutcome.FOREIGN:
            return False
        log.info("job %s: moved to the dead-letter queue after %d deliveries", body.file_id, message.receive_count)
        return True
