"""Recovery from lost messages and dead senders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import Expression, fn

from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.store.models import FactRow, JobRow, OutboxRow
from desktop_app.store.outbox import send_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.store.database import Database


class Recovery:
    """Finds lost messages and the claims of dead senders. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_another_queue(self, *, queue: str, created_at_ms: int) -> bool:
        """Return whether the queue of this name was created anew since the last call, and remember its creation time.

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
        """Return the number of jobs sent before a time that should still have a message in a queue.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = JobRow.select(fn.COUNT(JobRow.id)).where(_sent(queue, sent_before_ms), JobRow.removed_at.is_null())
            return int(self._database.scalar(query) or 0)

    def resend(self, *, queue: str, sent_before_ms: int, now_ms: int) -> int:
        """Send the messages of unfinished jobs again that were sent before a time; return the number of messages.

        Jobs that are being processed are left alone: their worker has the message.

        Raises:
            StoreError: If the database can't be written.
        """
        idle = (JobRow.status == Status.PENDING) | (JobRow.lease_until <= now_ms)
        with self._database.write() as revision:
            return send_again(self._database, revision, _sent(queue, sent_before_ms) & idle)

    def free_dead_claims(self, is_alive: Callable[[str], bool], *, queue: str) -> int:
        """Release the outbox entries that dead senders had claimed; return the number of entries.

        Args:
            is_alive: Returns whether a sender is running (True if that is unknown).
            queue: Only entries of this queue.

        Raises:
            StoreError: If the database can't be written.
        """
        claimed = (OutboxRow.queue == queue) & OutboxRow.claim_owner.is_null(False)
        with self._database.read():
            owners = self._database.run(OutboxRow.select(OutboxRow.claim_owner).where(claimed).distinct().tuples())
            dead = [owner for (owner,) in owners if not is_alive(owner)]
        if not dead:
            return 0
        with self._database.write():
            freed = OutboxRow.update(claim_owner=None, claim_until=0).where(claimed, OutboxRow.claim_owner.in_(dead))
            return int(self._database.run(freed))


def _sent(queue: str, before_ms: int) -> Expression:
    """Return the condition for unfinished jobs of a queue whose message was sent before a time."""
    return (
        (JobRow.queue == queue)
        & JobRow.status.in_(OPEN_STATUSES)
        & JobRow.sent_at.is_null(False)
        & (JobRow.sent_at <= before_ms)
    )
