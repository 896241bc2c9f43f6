"""Store which queue responded to which credentials, and give jobs the key of their queue once it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import fn

from desktop_app.domain.job import Status
from desktop_app.store.facts import fact, store_fact
from desktop_app.store.models import JobRow, OutboxRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from desktop_app.store.database import Database


class QueueKeys:
    """The keys of the queues that jobs belong to. Any thread.

    Raises:
        StoreError: By all methods, if the database can't be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def answered(self, unanswered_key: str) -> str:
        """Return the key of the queue that responded last time; empty if none has responded yet.

        Args:
            unanswered_key: The key that the queue had before; see `domain.queue_key`.
        """
        with self._database.read():
            return fact(self._database, _name(unanswered_key)) or ""

    def store_answered(self, unanswered_key: str, key: str) -> None:
        """Store the key of the queue that has responded."""
        if self.answered(unanswered_key) != key:
            with self._database.write():
                store_fact(self._database, _name(unanswered_key), key)

    def used(self, statuses: Iterable[Status] = Status) -> set[str]:
        """Return the keys of all queues with jobs of the given statuses. Each key takes one search of an index."""
        found: set[str] = set()
        with self._database.read():
            for status in statuses:
                last = ""
                while last := self._next(status, last):
                    found.add(last)
        return found

    def _next(self, status: Status, last: str) -> str:
        """Return the key that follows another one in alphabetical order; empty if there is none."""
        query = JobRow.select(fn.MIN(JobRow.queue)).where(JobRow.status == status, JobRow.queue > last)
        return str(self._database.scalar(query) or "")

    def adopt(self, old_keys: Collection[str], key: str, statuses: Iterable[Status] = Status) -> int:
        """Give the jobs with one of the old keys and one of the statuses another key; return the number of jobs."""
        if not old_keys:
            return 0
        with self._database.write() as revision:
            jobs = JobRow.update(queue=key, revision=revision).where(
                JobRow.status.in_(list(statuses)), JobRow.queue.in_(old_keys)
            )
            count = int(self._database.run(jobs))
            self._database.run(OutboxRow.update(queue=key).where(OutboxRow.queue.in_(old_keys)))
            return count


def _name(unanswered_key: str) -> str:
    return f"queue of {unanswered_key}"
