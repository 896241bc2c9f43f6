"""The outbox: the jobs whose messages still have to be sent, in sending order.

The entries of a paused batch are set aside when their turn comes: their queue is replaced by the name of the batch, so
that no other query of the outbox finds them. They keep their positions, and return once the batch continues.
"""

from __future__ import annotations

import time
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from peewee import Case, Expression, Select, Tuple, Value, fn

from desktop_app.domain.job import OPEN_STATUSES, Status
from desktop_app.domain.reasons import ReasonCode
from desktop_app.store.backends.sqlite import given_keys, given_rows
from desktop_app.store.held_batches import HELD
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.rows import REST, reason_columns
from desktop_app.store.statements import Statement, as_keys, as_rows, parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database


class OutboxEntry(NamedTuple):
    """A message to send.

    `tries` is the number of failed attempts to send it, and `resends` how often messages of this generation were lost.
    """

    row_id: int
    file_id: str
    generation: int
    tries: int
    resends: int = 0


class Sent(NamedTuple):
    """An outbox entry that was sent, and the id that the queue assigned to the message."""

    entry: OutboxEntry
    message_id: str


SET_ASIDE = "held "
"""The start of the queue of the entries that are set aside. The key of a queue has no such place; see `queue_key`."""
_BEHIND_SET_ASIDE = "held!"
"""The first text that sorts behind all that begin with `SET_ASIDE`."""
ENTRIES_A_STEP = 2_000
"""The maximum number of entries that are set aside or returned in one transaction."""


class _Due(NamedTuple):
    """An entry that may be sent. If its batch is paused, `held` is the key of the batch."""

    position: int
    held: int | None
    is_due: int
    entry: OutboxEntry


_IS_DUE = (OutboxRow.next_try_at <= parameter("now_ms")) & (
    (OutboxRow.claim_until <= parameter("now_ms")) | (OutboxRow.claim_owner == parameter("owner"))
)


def _entries() -> Any:  # noqa: ANN401 - peewee's queries have no common type
    """Return the query for the columns of a `_Due` for the first entries of a queue."""
    return (
        OutboxRow.select(
            OutboxRow.position,
            Case(None, [(JobRow.batch.in_(HELD), JobRow.batch)]),
            _IS_DUE,
            JobRow.id,
            JobRow.uuid,
            OutboxRow.generation,
            OutboxRow.tries,
            JobRow.resends,
        )
        .join(JobRow)
        .where(OutboxRow.queue == parameter("queue"))
        .order_by(OutboxRow.position)
        .limit(parameter("limit"))
    )


def _given() -> Any:  # noqa: ANN401
    """Return the condition for the entries in `rows`.

    No row matches if an entry was replaced, by a newer generation or because its message, which a worker has already
    received, is to be sent again.
    """
    given = given_rows(parameter("rows"), "job", "generation", "resends")
    current = (
        Select((given,), (given.c.job, given.c.generation))
        .join(JobRow, on=JobRow.id == given.c.job)
        .where(JobRow.resends == given.c.resends)
    )
    return Tuple(OutboxRow.job, OutboxRow.generation).in_(current)


def _noting_sent() -> Any:  # noqa: ANN401
    given = given_rows(parameter("rows"), "job", "generation", "resends", "message_id")
    # Regardless of the status: a consumer may already have claimed the job.
    return (
        JobRow.update(
            sent_at=parameter("now_ms"),
            visible_at=parameter("now_ms"),
            message_id=given.c.message_id,
            revision=parameter("revision"),
        )
        .from_(given)
        .where(JobRow.id == given.c.job, JobRow.generation == given.c.generation, JobRow.resends == given.c.resends)
    )


def _setting_aside() -> Any:  # noqa: ANN401
    given = given_rows(parameter("rows"), "position", "queue")
    aside = OutboxRow.update(queue=given.c.queue, claim_owner=None, claim_until=0).from_(given)
    return aside.where(OutboxRow.position == given.c.position)


def _returning() -> Any:  # noqa: ANN401
    some = OutboxRow.select(OutboxRow.position).where(OutboxRow.queue == parameter("aside")).limit(ENTRIES_A_STEP)
    back = OutboxRow.update(queue=JobRow.queue).from_(JobRow)
    return back.where(JobRow.id == OutboxRow.job, OutboxRow.position.in_(some))


_DUE = Statement(lambda: _entries().where(_IS_DUE))
_NEXT = Statement(_entries)
_ASIDE = Statement(_setting_aside)
_RETURN = Statement(_returning)
_NEXT_ASIDE = Statement(
    lambda: (
        OutboxRow.select(OutboxRow.queue)
        .where(OutboxRow.queue > parameter("after"), OutboxRow.queue < _BEHIND_SET_ASIDE)
        .order_by(OutboxRow.queue)
        .limit(1)
    )
)
_HELD = Statement(lambda: HELD)
_CLAIM = Statement(
    lambda: OutboxRow.update(claim_owner=parameter("owner"), claim_until=parameter("until_ms")).where(
        OutboxRow.position.in_(given_keys(parameter("positions")))
    )
)
_DELETE = Statement(lambda: OutboxRow.delete().where(_given()))
_NOTE_SENT = Statement(_noting_sent)
_POSTPONE = Statement(
    lambda: OutboxRow.update(
        claim_owner=None, claim_until=0, next_try_at=parameter("until_ms"), tries=OutboxRow.tries + 1
    ).where(_given())
)
_WAITING = Statement(
    lambda: OutboxRow.select(fn.COUNT(OutboxRow.position)).where(OutboxRow.queue == parameter("queue"))
)
_ANY_DUE = Statement(
    lambda: (
        OutboxRow.select(OutboxRow.position)
        .where(OutboxRow.queue == parameter("queue"), OutboxRow.next_try_at <= parameter("now_ms"))
        .limit(1)
    )
)
_IN_QUEUE = Statement(
    lambda: JobRow.select(fn.COUNT(JobRow.id)).where(
        JobRow.queue == parameter("queue"),
        JobRow.status.in_(OPEN_STATUSES),
        JobRow.sent_at.is_null(False),
        JobRow.next_try_at.is_null(),
        JobRow.removed_at.is_null(),
    )
)


class Outbox:
    """Queries and updates the outbox for a sender. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._epoch = database.epoch

    def claim(
        self, *, queue: str, owner: str, limit: int, now_ms: int, claim_ms: int, in_order: bool = False
    ) -> list[OutboxEntry]:
        """Claim the next due entries, in order, so that no other sender sends them too.

        The entries of paused batches are set aside, unless they have to be sent in order: then, what is behind them has
        to wait for them in the queue.

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
        while True:
            began = time.monotonic()
            with self._database.write():
                self._epoch = self._database.epoch  # the entries are not valid in another one
                due = self._due(queue, owner, now_ms, limit, in_order=in_order)
                if not in_order and any(one.held for one in due):
                    due = self._set_aside(self._due(queue, owner, now_ms, ENTRIES_A_STEP, in_order=False))[:limit]
                positions = as_keys(one.position for one in due)
                self._database.change(_CLAIM, owner=owner, until_ms=now_ms + claim_ms, positions=positions)
                is_end = bool(due) or not self._due(queue, owner, now_ms, 1, in_order=in_order)
            if is_end:
                return [one.entry for one in due]
            time.sleep((time.monotonic() - began) * REST)  # only entries of paused batches were found so far

    def _due(self, queue: str, owner: str, now_ms: int, limit: int, *, in_order: bool) -> list[_Due]:
        """Return the first due entries; see `claim`."""
        statement = _NEXT if in_order else _DUE
        rows = self._database.rows(statement, queue=queue, owner=owner, now_ms=now_ms, limit=limit)
        found = (_Due(position, held, is_due, OutboxEntry(*rest)) for position, held, is_due, *rest in rows)
        return list(takewhile(lambda one: one.is_due, found))

    def _set_aside(self, due: Sequence[_Due]) -> list[_Due]:
        """Set the entries of paused batches aside; return the others."""
        rows = as_rows((one.position, f"{SET_ASIDE}{one.held}") for one in due if one.held)
        self._database.change(_ASIDE, rows=rows)
        return [one for one in due if not one.held]

    def take_resumed(self) -> bool:
        """Return entries that were set aside to their queues, because their batch has continued; at most a few.

        It is fast if there are none. Call it repeatedly.

        Returns:
            Whether there were any.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.read():
            if not self._resumed():
                return False
        began = time.monotonic()
        with self._database.write():
            aside = self._resumed()
            count = self._database.change(_RETURN, aside=aside) if aside else 0
        time.sleep((time.monotonic() - began) * REST)
        return count > 0

    def _resumed(self) -> str:
        """Return the queue of entries that are set aside although their batch is not paused; empty if none are."""
        after = SET_ASIDE
        while rows := self._database.rows(_NEXT_ASIDE, after=after):
            after = str(rows[0][0])
            if after not in {f"{SET_ASIDE}{key}" for (key,) in self._database.rows(_HELD)}:
                return after
        return ""

    def mark_sent(self, sent: Sequence[Sent], *, now_ms: int) -> None:
        """Record messages as sent and delete their outbox entries. Entries of newer generations are kept.

        Raises:
            StoreError: If the database can't be written.
        """
        rows = as_rows((entry.row_id, entry.generation, entry.resends, message_id) for entry, message_id in sent)
        with self._database.write(epoch=self._epoch) as revision:
            self._database.change(_DELETE, rows=rows)
            self._database.change(_NOTE_SENT, rows=rows, now_ms=now_ms, revision=revision)

    def postpone(self, entries: Iterable[OutboxEntry], *, until_ms: int) -> None:
        """Release entries that could not be sent, and make them due again at a given time.

        Raises:
            StoreError: If the database can't be written.
        """
        rows = as_rows((entry.row_id, entry.generation, entry.resends) for entry in entries)
        with self._database.write(epoch=self._epoch):
            self._database.change(_POSTPONE, rows=rows, until_ms=until_ms)

    def refuse(self, entry: OutboxEntry, *, reason: Reason, now_ms: int) -> None:
        """Mark a job as FAILED because the queue rejected the content of its message.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write(epoch=self._epoch) as revision:
            refused = (OutboxRow.job == entry.row_id) & (OutboxRow.generation == entry.generation)
            self._database.run(OutboxRow.delete().where(refused))  # also if it was to be sent again
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
            return int(self._database.rows(_WAITING, queue=queue)[0][0])

    def has_due(self, queue: str, *, now_ms: int) -> bool:
        """Return whether there are unsent messages for a queue that are due; faster than counting them.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return bool(self._database.rows(_ANY_DUE, queue=queue, now_ms=now_ms))

    def bring_forward(self, *, queue: str, reason: Reason, now_ms: int) -> int:
        """Make the entries of jobs that wait for a reason due now; return the number of entries.

        Raises:
            StoreError: If the database can't be written.
        """
        code, arguments = reason_columns(reason).values()
        return self._bring_forward(queue, (JobRow.reason_code == code) & (JobRow.reason_args == arguments), now_ms)

    def bring_left_forward(self, *, queue: str, processors: Iterable[str], now_ms: int) -> int:
        """Make the entries of jobs that were left to other workers due now, as far as this one has the processors.

        Returns:
            The number of entries.

        Raises:
            StoreError: If the database can't be written.
        """
        was_left = JobRow.reason_code.in_([ReasonCode.NO_WORKER, ReasonCode.OTHER_WORKER])
        return self._bring_forward(queue, was_left & JobRow.processor.in_(list(processors)), now_ms)

    def _bring_forward(self, queue: str, which: Any, now_ms: int) -> int:  # noqa: ANN401
        waiting = JobRow.select(JobRow.id).where(
            JobRow.queue == queue,
            JobRow.status == Status.PENDING,
            JobRow.sent_at.is_null(),
            JobRow.next_try_at > now_ms,
            which,
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
            return int(self._database.rows(_IN_QUEUE, queue=queue)[0][0])


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
