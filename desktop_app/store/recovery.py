"""Recover from lost messages, recreated queues, and senders that have exited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import Expression, fn

from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.store.models import FactRow, JobRow, OutboxRow
from desktop_app.store.outbox import enqueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.store.database import Database


class Recovery:
    """Resends lost messages, and releases the claims of senders that have exited. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_another_queue(self, *, queue: str, created_at_ms: int) -> bool:
        """Store the creation time of a queue; return whether the queue has been recreated since the last call.

        Raises:
            StoreError: If the database can't be written.
        """
        name, now = f"creation of {queue}", str(created_at_ms)
        remembered = FactRow.select(FactRow.value).where(FactRow.name == name)
        with self._database.read():
            if self._database.scalar(remembered) == now:
                return False
        with self._database.write():
            before = self._database.scalar(remembered)
            self._database.run(FactRow.delete().where(FactRow.name == name))
            self._database.run(FactRow.insert(name=name, value=now))
            return before not in {None, now}

    def in_flight(self, *, queue: str, sent_before_ms: int) -> int:
        """Return the number of messages sent before a given time that should still be in a queue.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = JobRow.select(fn.COUNT(JobRow.id)).where(_is_in_queue(queue, sent_before_ms))
            return int(self._database.scalar(query) or 0)

    def resend(self, *, queue: str, sent_before_ms: int, now_ms: int) -> int:
        """Put unfinished jobs whose messages were sent before a given time back into the outbox; return their number.

        Jobs that are being processed are skipped, since their workers have received the messages.

        Raises:
            StoreError: If the database can't be written.
        """
        idle = (JobRow.status == Status.PENDING) | (JobRow.lease_until <= now_ms)
        with self._database.write() as revision:
            lost = _is_in_queue(queue, sent_before_ms) & idle
            count = enqueue(self._database, lost)
            self._database.run(JobRow.update(sent_at=None, message_id=None, revision=revision).where(lost))
            return count

    def free_dead_claims(self, is_alive: Callable[[str], bool], *, queue: str) -> int:
        """Release the outbox entries claimed by senders that have exited; return the number of entries.

        Args:
            is_alive: Called with a sender's identity; returns whether it is running, and True if that is unknown.
            queue: The key of the queue.

        Raises:
            StoreError: If the database can't be written.
        """
        claimed = (OutboxRow.queue == queue) & OutboxRow.claim_owner.is_null(False)
        with self._database.read():
            query = OutboxRow.select(OutboxRow.claim_owner).where(claimed).distinct()
            owners = list(self._database.run(query.tuples()))
        dead = [owner for (owner,) in owners if not is_alive(owner)]
        if not dead:
            return 0
        with self._database.write():
            freed = OutboxRow.update(claim_owner=None, claim_until=0).where(claimed, OutboxRow.claim_owner.in_(dead))
            return int(self._database.run(freed))


def _is_in_queue(queue: str, sent_before_ms: int) -> Expression:
    """Return the condition for unfinished jobs whose messages were sent to a queue before a given time."""
    return (
        (JobRow.queue == queue)
        & JobRow.status.in_(OPEN_STATUSES)
        & JobRow.sent_at.is_null(False)
        & (JobRow.sent_at <= sent_before_ms)
        & JobRow.removed_at.is_null()
    )
