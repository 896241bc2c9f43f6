"""Jobs to process before all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import Expression, fn

from desktop_app.domain.job import PriorityResult, Status
from desktop_app.store.claims import ClaimRequest
from desktop_app.store.models import JobRow, OutboxRow
from desktop_app.store.rows import ROWS_A_TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.store.database import Database


class Priority:
    """Moves jobs to the front of the outbox. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def move_to_front(self, row_ids: Sequence[int], *, queue: str) -> PriorityResult:
        """Send waiting jobs before all others, in the order given; other jobs are left alone.

        An entry that a sender has already claimed is sent in its old position.

        Args:
            row_ids: The keys of the jobs.
            queue: Only jobs of this queue.

        Raises:
            StoreError: If the database can't be written. Some may have been moved.
        """
        keys: list[int] = []
        front = 0
        # Backwards, since each part is put in front of the previous one.
        for end in range(len(row_ids), 0, -ROWS_A_TRANSACTION):
            part = row_ids[max(0, end - ROWS_A_TRANSACTION) : end]
            with self._database.write():
                waiting = self._waiting(part, queue)
                keys[:0] = waiting
                front += self._move(waiting)
        return PriorityResult(tuple(keys), front)

    def _waiting(self, row_ids: Sequence[int], queue: str) -> list[int]:
        query = JobRow.select(JobRow.id).where(_waits(row_ids, queue))
        found = {key for (key,) in self._database.run(query.tuples())}
        return [key for key in row_ids if key in found]

    def _move(self, row_ids: Sequence[int]) -> int:
        query = OutboxRow.select(OutboxRow.job).where(OutboxRow.job.in_(list(row_ids)))
        unsent = {key for (key,) in self._database.run(query.tuples())}
        first = int(self._database.scalar(OutboxRow.select(fn.MIN(OutboxRow.position))) or 0)
        chosen = [key for key in row_ids if key in unsent]
        for place, key in enumerate(chosen, first - len(chosen)):
            self._database.run(OutboxRow.update(position=place, next_try_at=0).where(OutboxRow.job == key))
        return len(chosen)

    def requests(self, row_ids: Sequence[int], *, queue: str) -> list[ClaimRequest]:
        """Return claim requests for those of these jobs that are waiting, in this order.

        Raises:
            StoreError: If the database can't be read.
        """
        columns = (JobRow.id, JobRow.uuid, JobRow.generation, JobRow.message_id, JobRow.receive_count)
        with self._database.read():
            rows = list(self._database.run(JobRow.select(*columns).where(_waits(row_ids, queue)).tuples()))
        found = {key: ClaimRequest(uuid, again, message or "", count) for key, uuid, again, message, count in rows}
        return [found[key] for key in row_ids if key in found]


def _waits(row_ids: Sequence[int], queue: str) -> Expression:
    return (
        JobRow.id.in_(list(row_ids))
        & (JobRow.status == Status.PENDING)
        & (JobRow.queue == queue)
        & JobRow.removed_at.is_null()
    )
