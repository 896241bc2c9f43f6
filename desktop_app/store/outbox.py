"""The outbox: jobs whose message still has to be sent, in send order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from peewee import Expression, ModelSelect, Value, fn

from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.rows import reason_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message to send: the job's key, its UUID and its generation."""

    row_id: int
    file_id: str
    generation: int
    tries: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the queue accepted, with its message id."""

    entry: OutboxEntry
    message_id: str


class Outbox:
    """The sender's access to the database. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, *, queue: str, owner: str, limit: int, now_ms: int, claim_ms: int, in_order: bool = False
    ) -> list[OutboxEntry]:
        """Claim the next due entries, in order, so that no other sender sends them.

        Args:
            queue: Only jobs of this queue.
            owner: The sender's identity.
            limit: The maximum number, 1 or more.
            now_ms: The time, in milliseconds since 1970.
            claim_ms: How long the claim lasts; after that another sender may claim them.
            in_order: True if no entry may overtake another: an entry that is not due blocks all behind it.

        Raises:
            StoreError: If the database can't be written.
        """
        due_entries = self._first_due if in_order else self._due
        with self._database.read():
            if not due_entries(queue, owner, now_ms, 1):
                return []
        with self._database.write():
            due = due_entries(queue, owner, now_ms, limit)
            positions = [position for position, *_ in due]
            self._database.run(
                OutboxRow.update(claim_owner=owner, claim_until=now_ms + claim_ms).where(
                    OutboxRow.position.in_(positions)
                )
            )
        return [OutboxEntry(*rest) for _, *rest in due]

    def _due(self, queue: str, owner: str, now_ms: int, limit: int) -> list[tuple[Any, ...]]:
        """Return position, row, UUID, generation and tries of the due entries."""
        query = _entries(queue, limit).where(_is_due(owner, now_ms))
        return list(self._database.run(query.tuples()))

    def _first_due(self, queue: str, owner: str, now_ms: int, limit: int) -> list[tuple[Any, ...]]:
        """Return the same as `_due`, up to the first entry that is not due; reads at most `limit` entries."""
        query = _entries(queue, limit).select_extend(_is_due(owner, now_ms))
        return [row[:-1] for row in takewhile(itemgetter(-1), self._database.run(query.tuples()))]

    def mark_sent(self, sent: Sequence[Sent], *, now_ms: int) -> None:
        """Record accepted messages and delete their entries from the outbox.

        An entry of a newer generation stays.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            for one in sent:
                entry = one.entry
                self._database.run(OutboxRow.delete().where(*_is(entry)))
                # Whatever the status: a fast consumer may have claimed the job before this is recorded.
                self._database.run(
                    JobRow.update(sent_at=now_ms, message_id=one.message_id, revision=revision).where(
                        JobRow.id == entry.row_id, JobRow.generation == entry.generation
                    )
                )

    def postpone(self, entries: Sequence[OutboxEntry], *, until_ms: int) -> None:
        """Release entries that could not be sent; they are due again at a given time.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write():
            for entry in entries:
                self._database.run(
                    OutboxRow.update(
                        claim_owner=None, claim_until=0, next_try_at=until_ms, tries=OutboxRow.tries + 1
                    ).where(*_is(entry))
                )

    def refuse(self, entry: OutboxEntry, *, reason: Reason, now_ms: int) -> None:
        """Make a job FAILED whose message the queue rejected because of its content.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            self._database.run(OutboxRow.delete().where(*_is(entry)))
            self._database.run(
                JobRow.update(
                    status=Status.FAILED,
                    **reason_columns(reason),
                    finished_at=now_ms,
                    revision=revision,
                ).where(
                    JobRow.id == entry.row_id,
                    JobRow.generation == entry.generation,
                    JobRow.status == Status.PENDING,
                )
            )

    def waiting(self, queue: str) -> int:
        """Return the number of messages still to be sent to a queue.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = OutboxRow.select(fn.COUNT(OutboxRow.position)).where(OutboxRow.queue == queue)
            return int(self._database.scalar(query) or 0)

    def has_waiting(self, queue: str) -> bool:
        """Return whether any message is still to be sent to a queue; faster than counting.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = OutboxRow.select(OutboxRow.position).where(OutboxRow.queue == queue).limit(1)
            return self._database.scalar(query) is not None

    def in_queue(self, queue: str) -> int:
        """Return the number of messages that should be in a queue, waiting or being processed.

        Jobs that will be tried again later are not counted, so that they do not fill a small window.

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


def _entries(queue: str, limit: int) -> ModelSelect[OutboxRow]:
    return (
        OutboxRow.select(OutboxRow.position, JobRow.id, JobRow.uuid, OutboxRow.generation, OutboxRow.tries)
        .join(JobRow)
        .where(OutboxRow.queue == queue)
        .order_by(OutboxRow.position)
        .limit(limit)
    )


def _is_due(owner: str, now_ms: int) -> Expression:
    free = (OutboxRow.claim_until <= now_ms) | (OutboxRow.claim_owner == owner)
    return (OutboxRow.next_try_at <= now_ms) & free


def _is(entry: OutboxEntry) -> tuple[Expression, ...]:
    """Return the condition for an entry's row, unless a newer generation replaced it."""
    return (OutboxRow.job == entry.row_id, OutboxRow.generation == entry.generation)


def send_again(database: Database, revision: int, which: Expression) -> int:
    """Create outbox entries for jobs whose messages are lost. Call inside a write transaction.

    Args:
        database: The database, in its `write` scope.
        revision: The revision of that scope.
        which: A condition on `JobRow`; removed jobs are left out.

    Returns:
        The number of entries created.
    """
    listed = which & JobRow.removed_at.is_null()
    count = enqueue(database, listed)
    database.run(JobRow.update(sent_at=None, message_id=None, revision=revision).where(listed))
    return count


def enqueue(database: Database, which: Expression) -> int:
    """Create an outbox entry for each of these jobs that has none, oldest job first. Call inside a write transaction.

    Args:
        database: The database, in its `write` scope.
        which: A condition on `JobRow`.

    Returns:
        The number of entries created.
    """
    missing = JobRow.select(
        JobRow.id,
        JobRow.queue,
        JobRow.generation,
        Value(0).alias("tries"),
        Value(0).alias("next"),
        Value(0).alias("until"),
    ).where(which & JobRow.id.not_in(OutboxRow.select(OutboxRow.job)))
    # peewee's own defaults do not apply to INSERT … SELECT.
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
