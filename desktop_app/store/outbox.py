"""The outbox: jobs whose message still has to be sent, and what became of the sending."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from peewee import Expression, ModelSelect, Value, fn

from desktop_app.domain.errors import FileProblem
from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.rows import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.store.database import Database


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message to send: the job's key and UUID, and which submission of it."""

    row_id: int
    file_id: str
    generation: int
    tries: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the queue has accepted, with the id it gave."""

    entry: OutboxEntry
    message_id: str


class Outbox:
    """What the sender needs of the database. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, *, queue: str, owner: str, limit: int, now_ms: int, claim_ms: int, in_order: bool = False
    ) -> list[OutboxEntry]:
        """Take the next entries that are due, in order, so that no other sender sends them meanwhile.

        Args:
            queue: Only jobs of this queue.
            owner: The sender's identity.
            limit: At most so many, 1 or more.
            now_ms: The time, in milliseconds since 1970.
            claim_ms: For how long they are this owner's; after that another sender may take them.
            in_order: True if none may overtake another: an entry that has to wait holds all behind it.

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
        """Position, row, UUID, generation and tries of what may be sent now."""
        query = _entries(queue, limit).where(_is_due(owner, now_ms))
        return list(self._database.run(query.tuples()))

    def _first_due(self, queue: str, owner: str, now_ms: int, limit: int) -> list[tuple[Any, ...]]:
        """As `_due`, but only up to the first entry that has to wait; reads no further than `limit` entries."""
        query = _entries(queue, limit).select_extend(_is_due(owner, now_ms))
        return [row[:-1] for row in takewhile(itemgetter(-1), self._database.run(query.tuples()))]

    def mark_sent(self, sent: Sequence[Sent], *, now_ms: int) -> None:
        """Note accepted messages and take their entries off the outbox.

        An entry that was replaced meanwhile (a newer generation) stays.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            for one in sent:
                entry = one.entry
                self._database.run(OutboxRow.delete().where(*_is(entry)))
                # Whatever the status: a quick consumer may have claimed the job before we come to note the sending.
                self._database.run(
                    JobRow.update(sent_at=now_ms, message_id=one.message_id, revision=revision).where(
                        JobRow.id == entry.row_id, JobRow.generation == entry.generation
                    )
                )

    def postpone(self, entries: Sequence[OutboxEntry], *, until_ms: int) -> None:
        """Give entries back that could not be sent; they are due again at a time.

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

    def refuse(self, entry: OutboxEntry, *, reason: str, now_ms: int) -> None:
        """End a job as FAILED whose message the queue refuses for what is in it: sending it again is no use.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            self._database.run(OutboxRow.delete().where(*_is(entry)))
            self._database.run(
                JobRow.update(
                    status=Status.FAILED,
                    reason=storable(reason),
                    reason_code=FileProblem.NOT_SENT,
                    finished_at=now_ms,
                    revision=revision,
                ).where(
                    JobRow.id == entry.row_id,
                    JobRow.generation == entry.generation,
                    JobRow.status == Status.PENDING,
                )
            )

    def waiting(self, queue: str) -> int:
        """How many messages of a queue still have to be sent.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = OutboxRow.select(fn.COUNT(OutboxRow.position)).where(OutboxRow.queue == queue)
            return int(self._database.scalar(query) or 0)

    def has_waiting(self, queue: str) -> bool:
        """Whether any message of a queue still has to be sent; does not count them.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = OutboxRow.select(OutboxRow.position).where(OutboxRow.queue == queue).limit(1)
            return self._database.scalar(query) is not None

    def in_queue(self, queue: str) -> int:
        """How many messages of a queue were sent and wait or are worked on now, as far as the database knows.

        Those that are tried again later are not counted: they must not keep others out of a small window.

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
    """The row of an entry, unless a newer generation has taken its place."""
    return (OutboxRow.job == entry.row_id, OutboxRow.generation == entry.generation)


def send_again(database: Database, revision: int, which: Expression) -> int:
    """Take the messages of these jobs for lost: outbox entries for those that have none; inside a write transaction.

    Args:
        database: In whose `write` scope this is called.
        revision: Of that scope.
        which: A condition on `JobRow`; jobs that were taken off the list are left out.

    Returns:
        How many entries were made.
    """
    listed = which & JobRow.removed_at.is_null()
    count = enqueue(database, listed)
    database.run(JobRow.update(sent_at=None, message_id=None, revision=revision).where(listed))
    return count


def enqueue(database: Database, which: Expression) -> int:
    """Make an outbox entry for each of these jobs that has none, oldest job first; inside a write transaction.

    Args:
        database: In whose `write` scope this is called.
        which: A condition on `JobRow`.

    Returns:
        How many entries were made.
    """
    missing = JobRow.select(
        JobRow.id,
        JobRow.queue,
        JobRow.generation,
        Value(0).alias("tries"),
        Value(0).alias("next"),
        Value(0).alias("until"),
    ).where(which & JobRow.id.not_in(OutboxRow.select(OutboxRow.job)))
    # A database default would do, but peewee knows only defaults of its own, which INSERT … SELECT passes over.
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
