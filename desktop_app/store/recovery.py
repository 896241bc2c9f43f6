"""Recover from lost messages, recreated queues, and senders that have exited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.job import FINAL_STATUSES, OPEN_STATUSES, Status
from desktop_app.store.facts import fact, store_fact
from desktop_app.store.models import JobRow, OutboxRow, SweepRow
from desktop_app.store.outbox import enqueue
from desktop_app.store.rows import ROWS_A_TRANSACTION, parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from peewee import Expression

    from desktop_app.store.database import Database


COUNTS_LAG_MS = 60_000
"""How long a message may be missing from the counts of SQS (AWS: about a minute)."""


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
        with self._database.read():
            if fact(self._database, name) == now:
                return False
        with self._database.write():
            before = fact(self._database, name)
            store_fact(self._database, name, now)
            return before not in {None, now}

    def resend(self, *, queue: str, sent_before_ms: int, now_ms: int) -> int:
        """Put unfinished jobs whose messages were sent before a given time back into the outbox; return their number.

        Jobs that are being processed are skipped, since their workers have received the messages.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._resend(_is_in_queue(queue) & (JobRow.sent_at <= sent_before_ms) & _is_idle(now_ms))

    def resend_lost(self, *, queue: str, swept_at_ms: int, patience_ms: int) -> int:
        """Put the jobs whose messages a sweep did not find back into the outbox; return their number.

        Args:
            queue: The key of the queue.
            swept_at_ms: The time from `end_sweep`, in milliseconds since 1970.
            patience_ms: How long before that time a message must have been visible, in milliseconds. This is multiplied
                by the number of messages that were sent for the job.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._resend(_is_in_queue(queue) & _is_visible_long(swept_at_ms, patience_ms))

    def resend_overtaken(self, *, queue: str, now_ms: int, patience_ms: int) -> int:
        """Put the jobs of a queue with a single message group that a later job has overtaken back into the outbox.

        The queue delivers a message only after all earlier ones were deleted.

        Args:
            queue: The key of the queue.
            now_ms: The current time, in milliseconds since 1970.
            patience_ms: See `resend_lost`.

        Returns:
            The number of jobs.

        Raises:
            StoreError: If the database can't be written.
        """
        # If a message was sent twice, it is unknown which of the two was received.
        ours = (JobRow.queue == queue) & JobRow.removed_at.is_null() & JobRow.sent_at.is_null(False)
        once = ours & (JobRow.resends == 0)
        with self._database.read():
            newest = 0
            for status in (Status.PROCESSING, *FINAL_STATUSES):  # one by one, so that the index provides the order
                received = JobRow.select(JobRow.sent_at).where(once, JobRow.status == status)
                newest = max(newest, self._database.scalar(received.order_by(JobRow.sent_at.desc()).limit(1)) or 0)
        overtaken = (JobRow.status == Status.PENDING) & (JobRow.sent_at < newest)
        return self._resend(_is_in_queue(queue) & overtaken & _is_visible_long(now_ms, patience_ms))

    def _resend(self, which: Expression) -> int:
        with self._database.read():
            keys = [key for (key,) in self._database.run(JobRow.select(JobRow.id).where(which).tuples())]
        count = 0
        for part in parts(keys, ROWS_A_TRANSACTION):
            with self._database.write() as revision:
                lost = JobRow.id.in_(part) & which
                count += enqueue(self._database, lost)
                self._database.run(
                    JobRow.update(
                        sent_at=None,
                        visible_at=None,
                        message_id=None,
                        resends=JobRow.resends + 1,
                        revision=revision,
                    ).where(lost)
                )
        return count

    # --- sweeps

    def note_polls(self, *, queue: str, received: int, again_before_own: int, empty_at_ms: int) -> None:
        """Record the outcome of a consumer's polls in the current sweep of a queue.

        Args:
            queue: The key of the queue.
            received: The number of messages received since the last call, including foreign ones.
            again_before_own: How many of them were foreign messages that had been received before, followed by one of
                ours. They do not show that the messages behind them are gone: a queue that keeps the order delivers
                them first whenever they are visible again.
            empty_at_ms: The newest time at which the queue was found to be empty, except for messages in flight, in
                milliseconds since 1970; 0 if it was not.

        Raises:
            StoreError: If the database can't be written.
        """
        waiting = JobRow.select(JobRow.id).where(_is_in_queue(queue)).limit(1)
        with self._database.read():
            if self._database.scalar(waiting) is None:
                return
        values = {
            "received": SweepRow.received + received,
            "expected": SweepRow.expected + (again_before_own + 1) // 2,  # `end_sweep` compares with twice the number
            "empty_at": empty_at_ms or SweepRow.empty_at,
        }
        with self._database.write():
            self._database.run(SweepRow.update(values).where(SweepRow.queue == queue))

    def end_sweep(self, *, queue: str, total: int, visible: int, now_ms: int, strict_order: bool) -> int:
        """End the current sweep of a queue if it is complete, and begin the next one.

        A sweep shows that all messages that were visible at a certain time have been received since then:

        * Polls of a consumer with free capacity found nothing. The count of visible messages must not contradict this:
          it may not exceed the number of messages that were received in the meantime, which are visible again if they
          are foreign. Otherwise, too many messages are in flight, or a message group is blocked.
        * In a queue that never becomes empty, because it contains foreign messages or because jobs are being added:
          twice as many messages were received as were in the queue at the start, and as many as are in it now. Even if
          the queue delivers in random order, most messages are then among those received.

        Args:
            queue: The key of the queue.
            total: The number of messages in the queue.
            visible: How many of them are visible.
            now_ms: The current time, in milliseconds since 1970.
            strict_order: Whether all messages share one message group, so that one in flight blocks all others.

        Returns:
            The time for which the sweep was complete, in milliseconds since 1970; 0 if it is not complete.

        Raises:
            StoreError: If the database can't be written.
        """
        columns = SweepRow.began_at, SweepRow.expected, SweepRow.received, SweepRow.empty_at
        with self._database.write():
            query = SweepRow.select(*columns).where(SweepRow.queue == queue).tuples()
            row = next(iter(self._database.run(query)), None)
            began, expected, received, empty = row or (now_ms, 2 * total, 0, 0)
            swept = 0
            if empty and visible <= received:
                swept = empty
            elif received > 2 * expected and received >= total:
                swept = began - COUNTS_LAG_MS
            # If messages have vanished, the next sweep may be shorter than the rest of this one.
            if swept or row is None or total < expected - received / 2:
                values = {"began_at": now_ms, "expected": total, "received": 0, "empty_at": 0}
                self._database.run(SweepRow.delete().where(SweepRow.queue == queue))
                self._database.run(SweepRow.insert(queue=queue, **values))
            elif empty:
                self._database.run(SweepRow.update(empty_at=0).where(SweepRow.queue == queue))
        return 0 if swept and strict_order and self._was_blocked(queue, swept) else swept

    def _was_blocked(self, queue: str, since_ms: int) -> bool:
        """Return whether a received message blocks the message group, or did so after a given time."""
        is_held = (JobRow.lease_until >= since_ms) | (JobRow.next_try_at >= since_ms)
        blocks = JobRow.status.in_(OPEN_STATUSES) & JobRow.removed_at.is_null() & is_held
        ended = JobRow.finished_at >= since_ms
        with self._database.read():
            return any(
                self._database.scalar(JobRow.select(JobRow.id).where(JobRow.queue == queue, which).limit(1)) is not None
                for which in (blocks, ended)
            )

    # --- drains

    def note_drained(self, *, queue: str, at_ms: int) -> None:
        """Store that no message of a file that had ended by a given time is left in a queue.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write():
            store_fact(self._database, _drained(queue), str(at_ms))

    def may_be_drained(self, *, queue: str) -> bool:
        """Return whether files have ended since the time from `note_drained`, so that messages of them may be left.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            since = int(fact(self._database, _drained(queue)) or 0)
            ended = JobRow.select(JobRow.id).where(JobRow.finished_at > since, JobRow.queue == queue).limit(1)
            return self._database.scalar(ended) is not None

    # --- senders

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


def _drained(queue: str) -> str:
    return f"drained {queue}"


def _is_in_queue(queue: str) -> Expression:
    """Return the condition for unfinished jobs whose messages were sent to a queue."""
    return (
        (JobRow.queue == queue)
        & JobRow.status.in_(OPEN_STATUSES)
        & JobRow.sent_at.is_null(False)
        & JobRow.removed_at.is_null()
    )


def _is_idle(now_ms: int) -> Expression:
    """Return the condition for unfinished jobs that no worker is processing."""
    return (JobRow.status == Status.PENDING) | (JobRow.lease_until <= now_ms)


def _is_visible_long(at_ms: int, patience_ms: int) -> Expression:
    """Return the condition for jobs whose messages should already have been visible for long enough at a given time."""
    return (JobRow.lease_until <= at_ms - patience_ms) & (
        JobRow.visible_at + patience_ms * (JobRow.resends + 1) <= at_ms
    )
