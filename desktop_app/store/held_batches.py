"""Pause batches many of whose files fail for the same reason.

Pausing a batch and continuing it write only its row, also if it has a million files: each claim of a message, and each
claim of an outbox entry, looks whether the batch is paused. The messages of its files that are in the queue are deleted
when they are received, and sent again once the batch continues; see `Claims` and `Outbox`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from peewee import SQL, Case, fn

from desktop_app.domain.job import Status
from desktop_app.store.change_feed import MAX_CHANGES
from desktop_app.store.models import BatchRow, JobRow
from desktop_app.store.statements import Statement, parameter

if TYPE_CHECKING:
    from collections.abc import Collection

    from desktop_app.store.database import Database

HELD = BatchRow.select(BatchRow.id).where(BatchRow.held_at.is_null(False))
"""The query for the keys of the paused batches, for conditions."""

_COUNT = fn.COUNT(SQL("*"))
_COUNTS = Statement(
    lambda: JobRow.select(
        _COUNT,
        fn.COUNT(Case(None, [((JobRow.status == Status.FAILED) & (JobRow.reason_code == parameter("code")), 1)])),
        fn.COUNT(Case(None, [(JobRow.status == Status.PENDING, 1)])),
    ).where(JobRow.batch == parameter("batch"), JobRow.removed_at.is_null())
)
_STATE = Statement(
    lambda: BatchRow.select(BatchRow.held_at, BatchRow.tolerated).where(BatchRow.id == parameter("batch"))
)


class Failures(NamedTuple):
    """How many files of a batch failed for one reason: `failed` of the `total` on the list; `waiting` are PENDING."""

    total: int
    failed: int
    waiting: int


class HeldBatches:
    """Pauses and continues batches. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def failures(self, batch_id: int, code: str) -> Failures | None:
        """Return how many files of a batch failed for a reason; None if it is paused, or this reason is tolerated.

        The rows of the batch are read, unless the answer is None.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            if self._tolerated(batch_id, code) is None:
                return None
            return Failures(*self._database.rows(_COUNTS, batch=batch_id, code=code)[0])

    def hold(self, batch_id: int, code: str, *, now_ms: int) -> bool:
        """Pause a batch because of a reason; return False if it is paused already, or the reason is tolerated.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            tolerated = self._tolerated(batch_id, code)
            if tolerated is None:
                return False
            changes = {"held_at": now_ms, "tolerated": f"{tolerated} {code}".strip()}
            self._database.run(BatchRow.update(changes).where(BatchRow.id == batch_id))
            self._show_change([batch_id], revision)
        return True

    def _tolerated(self, batch_id: int, code: str) -> str | None:
        """Return the codes of the tolerated reasons; None if the batch is paused or gone, or tolerates this one."""
        ((held_at, tolerated),) = self._database.rows(_STATE, batch=batch_id) or [(0, "")]
        return None if held_at is not None or code in tolerated.split() else str(tolerated)

    def resume(self, batch_ids: Collection[int], *, tolerates: bool) -> int:
        """Continue paused batches; return how many of them were paused.

        Args:
            batch_ids: The keys of the batches.
            tolerates: Whether further files may fail for the same reason; otherwise, the batch is paused again once
                enough files have failed for it.

        Raises:
            StoreError: If the database can't be written.
        """
        with self._database.write() as revision:
            chosen = BatchRow.select(BatchRow.id, BatchRow.tolerated).where(
                BatchRow.id.in_(sorted(batch_ids)), BatchRow.held_at.is_null(False)
            )
            rows = list(self._database.run(chosen.tuples()))
            for key, codes in rows:
                kept = codes if tolerates else codes.rpartition(" ")[0]
                change = BatchRow.update(held_at=None, tolerated=kept)
                self._database.run(change.where(BatchRow.id == key))
            self._show_change([key for key, _ in rows], revision)
        return len(rows)

    def _show_change(self, batch_ids: Collection[int], revision: int) -> None:
        """Let the change feed contain the waiting jobs; if they are many, only so many that it overflows."""
        waiting = JobRow.select(JobRow.id).where(
            JobRow.batch.in_(sorted(batch_ids)), JobRow.status == Status.PENDING, JobRow.removed_at.is_null()
        )
        self._database.run(JobRow.update(revision=revision).where(JobRow.id.in_(waiting.limit(MAX_CHANGES + 1))))

    def any_waits(self, queue: str) -> bool:
        """Return whether files of a paused batch are waiting in a queue.

        Raises:
            StoreError: If the database can't be read.
        """
        waiting = JobRow.select(JobRow.id).where(
            JobRow.batch.in_(HELD), JobRow.status == Status.PENDING, JobRow.queue == queue, JobRow.removed_at.is_null()
        )
        with self._database.read():
            return self._database.scalar(waiting.limit(1)) is not None
