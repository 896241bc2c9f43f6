"""The outbox: the jobs whose messages still have to be sent, in sending order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from peewee import Expression, Value, fn

from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.rows import reason_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message to send.

    `tries` is the number of failed attempts to send it, and `resends` how often messages of this generation were lost.
    """

    row_id: int
    file_id: str
    generation: int
    tries: int
    resends: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """An outbox entry that was sent, and the id that the queue assigned to the message."""

    entry: OutboxEntry
    message_id: str


class Outbox:
    """Queries and updates the outbox for a sender. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._epoch = database.epoch

    def claim(
        self, *, queue: str, owner: str, limit: int, now_ms: int, claim_ms: int, in_order: bool = False
    ) -> list[OutboxEntry]:
        """Claim the next due entries, in order, so that no other sender sends them too.

        Args:
            queue: The key of the queue.
            owner: The sender's identity.
            limit: The maximum number of entries, at least 1.
            now_ms: The current time, in milliseconds since 1970.
            claim_ms: The duration of the claim in milliseconds, after which other senders can claim the entries.
            in_order: Whether an entry that is not due blocks all later entries, so that no entry overtakes another.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.read():
            if not self._due(queue, owner, now_ms, 1, in_order=in_order):
                return []
        with self._database.write():
            self._epoch = self._database.epoch  # the entries are not valid in another one
            due = self._due(queue, owner, now_ms, limit, in_order=in_order)
            positions = [position for position, *_ in due]
            self._database.run(
                OutboxRow.update(claim_owner=owner, claim_until=now_ms + claim_ms).where(
                    OutboxRow.position.in_(positions)
                )
            )
        return [OutboxEntry(*rest) for _, *rest in due]

    def _due(self, queue: str, owner: str, now_ms: int, limit: int, *, in_order: bool) -> list[tuple[Any, ...]]:
        """Return the position and the columns of an `OutboxEntry` for each due entry; see `claim`."""
        is_free = (OutboxRow.claim_until <= now_ms) | (OutboxRow.claim_owner == owner)
        is_due = (OutboxRow.next_try_at <= now_ms) & is_free
        query = (
            OutboxRow.select(
                OutboxRow.position, JobRow.id, JobRow.uuid, OutboxRow.generation, OutboxRow.tries, JobRow.resends
            )
            .join(JobRow)
            .where(OutboxRow.queue == queue)
            .order_by(OutboxRow.position)
            .limit(limit)
        )
        if not in_order:
            return list(self._database.run(query.where(is_due).tuples()))
        rows = self._database.run(query.select_extend(is_due).tuples())
        return [row[:-1] for row in takewhile(itemgetter(-1), rows)]

    def mark_sent(self, sent: Sequence[Sent], *, now_ms: int) -> None:
        """Record messages as sent and delete their outbox entries. Entries of newer generations are kept.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write(epoch=self._epoch) as revision:
            for one in sent:
                entry = one.entry
                self._database.run(OutboxRow.delete().where(*_is(entry)))
                # Regardless of the status: a consumer may already have claimed the job.
                self._database.run(
                    JobRow.update(
                        sent_at=now_ms, visible_at=now_ms, message_id=one.message_id, revision=revision
                    ).where(JobRow.id == entry.row_id, JobRow.generation == entry.generation)
                )

    def postpone(self, entries: Sequence[OutboxEntry], *, until_ms: int) -> None:
        """Release entries that could not be sent, and make them due again at a given time.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write(epoch=self._epoch):
            for entry in entries:
                self._database.run(
                    OutboxRow.update(
                        claim_owner=None, claim_until=0, next_try_at=until_ms, tries=OutboxRow.tries + 1
                    ).where(*_is(entry))
                )

    def refuse(self, entry: OutboxEntry, *, reason: Reason, now_ms: int) -> None:
        """Mark a job as FAILED because the queue rejected the content of its message.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write(epoch=self._epoch) as revision:
            self._database.run(OutboxRow.delete().where(*_is(entry)))
            self._database.run(
                JobRow.update(
                    status=Status.FAILED, **reason_columns(reason), finished_at=now_ms, revision=revision
                ).where(
                    JobRow.id == entry.row_id,
                    JobRow.generation == entry.generation,
                    JobRow.status == Status.PENDING,
                )
            )

    def waiting(self, queue: str) -> int:
        """Return the number of unsent messages for a queue.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = OutboxRow.select(fn.COUNT(OutboxRow.position)).where(OutboxRow.queue == queue)
            return int(self._database.scalar(query) or 0)

    def has_due(self, queue: str, *, now_ms: int) -> bool:
        """Return whether there are unsent messages for a queue that are due; faster than counting them.

        Raises:
            StoreError: If the database can't be read.
        """
        is_due = (OutboxRow.queue == queue) & (OutboxRow.next_try_at <= now_ms)
        with self._database.read():
            return self._database.scalar(OutboxRow.select(OutboxRow.position).where(is_due).limit(1)) is not None

    def bring_forward(self, *, queue: str, reason: Reason, now_ms: int) -> int:
        """Make the entries of jobs that wait for a reason due now; return the number of entries.

        Raises:
            StoreError: If the database can't be written.
        """
        code, arguments = reason_columns(reason).values()
        waiting = JobRow.select(JobRow.id).where(
            JobRow.queue == queue,
            JobRow.status == Status.PENDING,
            JobRow.sent_at.is_null(),
            JobRow.next_try_at > now_ms,
            JobRow.reason_code == code,
            JobRow.reason_args == arguments,
        )
        with self._database.write() as revision:
            due = OutboxRow.update(next_try_at=now_ms).where(OutboxRow.job.in_(waiting))
            count = int(self._database.run(due))
            self._database.run(JobRow.update(next_try_at=now_ms, revision=revision).where(JobRow.id.in_(waiting)))
            return count

    def has_unfinished(self, queue: str) -> bool:
        """Return whether any job of a queue is unfinished, so that its message is or will be in the queue.

        Raises:
            StoreError: If the database can't be read.
        """
        unfinished = (JobRow.queue == queue) & JobRow.status.in_(OPEN_STATUSES) & JobRow.removed_at.is_null()
        with self._database.read():
            return self._database.scalar(JobRow.select(JobRow.id).where(unfinished).limit(1)) is not None

    def in_queue(self, queue: str) -> int:
        """Return the number of unfinished jobs whose messages should be in a queue, either visible or in flight.

        Jobs that are to be tried again later are not counted, so that they do not use up a small send window.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = JobRow.select(fn.COUNT(JobRow.id)).where(
                JobRow.queue == queue,
                JobRow.status.in_(OPEN_STATUSES),
                JobRow.sent_at.is_null(False),
                JobRow.next_try_at.is_null(),
                JobRow.removed_at.is_null(),
            )
            return int(self._database.scalar(query) or 0)


def _is(entry: OutboxEntry) -> tuple[Expression, ...]:
    """Return the condition for an entry's row. No row matches if a newer generation has replaced the entry."""
    return (OutboxRow.job == entry.row_id, OutboxRow.generation == entry.generation)


def enqueue(database: Database, which: Expression, *, next_try_at: int = 0) -> int:
    """Create an outbox entry for each matching job that has none, oldest job first.

    Args:
        database: The database, in a `write` transaction.
        which: The condition on `JobRow`.
        next_try_at: When the messages are due, in milliseconds since 1970.

    Returns:
        The number of entries created.
    """
    missing = JobRow.select(
        JobRow.id,
        JobRow.queue,
        JobRow.generation,
        Value(0).alias("tries"),
        Value(next_try_at).alias("next"),
        Value(0).alias("until"),
    ).where(which & JobRow.id.not_in(OutboxRow.select(OutboxRow.job)))
    # INSERT … SELECT ignores the default values of the model.
    fields = [
        OutboxRow.job,
        OutboxRow.queue,
        OutboxRow.generation,
        OutboxRow.tries,
        OutboxRow.next_try_at,
        OutboxRow.claim_until,
    ]
    count = int(database.scalar(missing.select(fn.COUNT(JobRow.id))) or 0)
    database.run(OutboxRow.insert_from(missing.order_by(JobRow.id), fields))
    return count
