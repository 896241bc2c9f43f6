"""The message group that all messages of a FIFO queue share in strict order.

SQS delivers a message of a group only after the one before it was deleted. A foreign message in the group is never
deleted, so it would block the messages behind it for ever. Those are therefore sent again in a new group.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.domain.queue_key import FIRST_GROUP
from desktop_app.store.facts import fact, store_fact
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.outbox import enqueue

if TYPE_CHECKING:
    from desktop_app.store.database import Database


class StrictGroup:
    """The strict group of a queue. Any thread.

    Args:
        database: The database.
        queue: The key of the queue.
    """

    def __init__(self, database: Database, queue: str) -> None:
        self._database = database
        self._queue = queue
        self._fact = f"group of {queue}"

    def name(self) -> str:
        """Return the ID of the group.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return self._name()

    def leave(self, group: str, *, now_ms: int) -> int:
        """Begin a new group and put all unfinished jobs back into the outbox, in order; return their number.

        Nothing happens, and 0 is returned, if the group was left before, or if a job is being processed, since the
        next one must not be received before it is finished.

        Args:
            group: The group to leave.
            now_ms: The current time, in milliseconds since 1970.

        Raises:
            StoreError: If the database can't be written.
        """
        ours = (JobRow.queue == self._queue) & JobRow.removed_at.is_null()
        busy = JobRow.select(JobRow.id).where(ours, JobRow.status == Status.PROCESSING, JobRow.lease_until > now_ms)
        unfinished = ours & JobRow.status.in_(OPEN_STATUSES)
        with self._database.write() as revision:
            if self._name() != group or self._database.scalar(busy.limit(1)) is not None:
                return 0
            store_fact(self._database, self._fact, f"{FIRST_GROUP}-{uuid.uuid4().hex[:8]}")
            self._database.run(OutboxRow.delete().where(OutboxRow.queue == self._queue))  # so that all are in order
            self._database.run(
                JobRow.update(
                    sent_at=None, visible_at=None, message_id=None, resends=JobRow.resends + 1, revision=revision
                ).where(unfinished, JobRow.sent_at.is_null(False))
            )
            return enqueue(self._database, unfinished)

    def _name(self) -> str:
        return fact(self._database, self._fact) or FIRST_GROUP
