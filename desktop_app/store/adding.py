"""Writes for the user's actions: add, retry, relocate, remove and restore jobs."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desktop_app.domain.errors import PartlyAddedError, StoreError
from desktop_app.domain.job import FINAL_STATUSES, AttemptOutcome, Status
from desktop_app.logs.log import level_for
from desktop_app.store.attempts import end_open
from desktop_app.store.models import AttemptRow, BatchRow, JobRow, OutboxRow
from desktop_app.store.outbox import enqueue
from desktop_app.store.priority import Priority
from desktop_app.store.rows import (
    LEASE_ENDED,
    ROWS_A_TRANSACTION,
    joined_path,
    name_key,
    parts,
    reason_columns,
    split_path,
    storable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from peewee import Expression

    from desktop_app.domain.job import NewFile, PriorityResult
    from desktop_app.store.database import Database


log = logging.getLogger(__name__)


_ASKED_AT_ONCE = 500

_DEFAULTS = {
    field.column_name: field.default
    for field in JobRow._meta.sorted_fields  # noqa: SLF001 - peewee's documented name
    if field.default is not None
}

_SUBMITTED_AGAIN: dict[str, Any] = {
    "status": Status.PENDING,
    "bytes_done": 0,
    "started_at": None,
    **reason_columns(None),
    "generation": JobRow.generation + 1,
    "crashes": 0,
    "message_id": None,
    "receive_count": 0,
    "sent_at": None,
    "next_try_at": None,
}
"""The columns of an update that submits a job again; messages of earlier generations become stale."""


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding files: the batch, and the UUIDs of the new jobs in the order given."""

    batch_id: int
    job_ids: tuple[str, ...]


class Intake:
    """Writes rows for the user's actions. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, files: Sequence[NewFile], cancelled: Callable[[], bool]) -> bytearray:
        """Return for each file 1 if a job on the list has its path, size and modification time, else 0.

        A file with an unknown time counts as not listed. Each distinct modification time is queried once, so no row
        is read twice even if all files have the same time.

        Args:
            files: The files of a scan, each path once.
            cancelled: Called before each query; if True, the rest is 0.

        Raises:
            StoreError: If the database can't be read.
        """
        found = bytearray(len(files))
        places = {file.path: place for place, file in enumerate(files)}
        moments = {file.modified_ns for file in files if file.modified_ns is not None}
        for times in parts(sorted(moments), _ASKED_AT_ONCE):
            if cancelled():
                break
            query = JobRow.select(JobRow.file_path, JobRow.raw_path, JobRow.file_size, JobRow.modified_ns).where(
                JobRow.modified_ns.in_(times), JobRow.removed_at.is_null()
            )
            with self._database.read():
                for path, raw, size, moment in self._database.run(query.tuples()):
                    place = places.get(joined_path(path, raw))
                    if place is not None and (files[place].size, files[place].modified_ns) == (size, moment):
                        found[place] = 1
        return found

    def add(self, files: Sequence[NewFile], *, queue: str, name: str, now_ms: int) -> Added:
        """Add a batch; each file's job row and outbox entry are written in one transaction.

        Large batches are written in parts of `ROWS_A_TRANSACTION`, so that others do not wait long for the write lock.
        After a crash in between, the parts written so far are complete.

        Args:
            files: The accepted files; may be empty.
            queue: The key of the queue that these jobs belong to.
            name: The name of the batch.
            now_ms: The time, in milliseconds since 1970.

        Raises:
            PartlyAddedError: If the database became unwritable after some files were added.
            StoreError: If the database can't be written; nothing was added.
        """
        batch_id = 0
        ids: list[str] = []
        for start in range(0, max(1, len(files)), ROWS_A_TRANSACTION):
            part = files[start : start + ROWS_A_TRANSACTION]
            try:
                with self._database.write(durable=True) as revision:
                    if not batch_id:
                        batch_id = int(self._database.run(BatchRow.insert(name=storable(name), created_at=now_ms)))
                    written = self._insert(part, batch_id, queue, now_ms, revision)
            except StoreError as error:
                if not ids:
                    raise
                raise PartlyAddedError(error, batch_id=batch_id, added=len(ids), wanted=len(files)) from error
            ids += written
        return Added(batch_id, tuple(ids))

    def _insert(self, files: Sequence[NewFile], batch_id: int, queue: str, now_ms: int, revision: int) -> list[str]:
        if not files:
            return []
        rows = [_row(file, batch_id, queue, now_ms, revision) for file in files]
        self._database.insert_all(JobRow, rows)
        enqueue(self._database, JobRow.revision == revision)
        return [str(row["uuid"]) for row in rows]

    def _fill_outbox(self, keys: Iterable[int]) -> None:
        """Create an outbox entry for each job with its generation; an existing entry moves to the end."""
        chosen = list(keys)
        self._database.run(OutboxRow.delete().where(OutboxRow.job.in_(chosen)))
        enqueue(self._database, JobRow.id.in_(chosen))

    def retry(self, row_ids: Iterable[int], *, queue: str) -> int:
        """Submit ended jobs again, each as a new generation.

        They are sent to `queue`, which may differ from before. Unfinished jobs are left alone, except those that wait
        for another queue, which move to this queue.

        Returns:
            The number of jobs submitted again.

        Raises:
            StoreError: If the database can't be written.
        """
        waits_elsewhere = (JobRow.status == Status.PENDING) & (JobRow.queue != queue)
        done = 0
        for part in parts(row_ids, ROWS_A_TRANSACTION):
            with self._database.write(durable=True) as revision:
                which = JobRow.id.in_(part) & (JobRow.status.in_(FINAL_STATUSES) | waits_elsewhere)
                done += self._submit_again(which, queue=queue, revision=revision)
        return done

    def relocate(self, row_id: int, file: NewFile, *, queue: str) -> bool:
        """Submit a failed job again, as a new generation with a new path.

        Only new messages lead to the new path: messages of older generations are stale.

        Returns:
            False if the job has not failed.

        Raises:
            StoreError: If the database can't be written.
        """
        text, raw = split_path(file.path)
        moved: dict[str, Any] = {
            "file_path": text,
            "raw_path": raw,
            "name_key": name_key(file.path),
            "file_size": file.size,
            "modified_ns": file.modified_ns,
        }
        which = (JobRow.id == row_id) & (JobRow.status == Status.FAILED)
        with self._database.write(durable=True) as revision:
            return self._submit_again(which, queue=queue, revision=revision, **moved) == 1

    def _submit_again(self, which: Expression, *, queue: str, revision: int, **more: Any) -> int:  # noqa: ANN401
        changed = (
            JobRow.update(
                **_SUBMITTED_AGAIN,
                **LEASE_ENDED,
                lines_count=None,
                attempts=0,
                queue=queue,
                finished_at=None,
                revision=revision,
                **more,
            )
            .where(which, JobRow.removed_at.is_null())
            .returning(JobRow.id, JobRow.uuid, JobRow.generation)
            .tuples()
        )
        rows = list(self._database.run(changed))
        self._fill_outbox(key for key, _, _ in rows)
        for _, file_id, generation in rows:
            log.log(level_for(len(rows)), "job %s: submitted again, submission %d", file_id, generation)
        return len(rows)

    def move_to_front(self, row_ids: Sequence[int], *, queue: str) -> PriorityResult:
        """See `Priority.move_to_front`."""
        return Priority(self._database).move_to_front(row_ids, queue=queue)

    def remove(self, row_ids: Iterable[int], *, now_ms: int) -> int:
        """Remove jobs from the list, whatever their status. The files are not changed.

        A sent message can't be recalled: the hidden row stays, so that the message is recognized when it arrives, and
        the fencing token is incremented, so that the result of running work is discarded.

        Returns:
            The number of jobs removed.

        Raises:
            StoreError: If the database can't be written.
        """
        done = 0
        for part in parts(row_ids, ROWS_A_TRANSACTION):
            with self._database.write(durable=True) as revision:
                worked_on = JobRow.select(JobRow.id).where(JobRow.id.in_(part), JobRow.status == Status.PROCESSING)
                end_open(self._database, AttemptRow.job.in_(worked_on), AttemptOutcome.REMOVED, now_ms=now_ms)
                done += self._database.run(
                    JobRow.update(removed_at=now_ms, revision=revision, **LEASE_ENDED).where(
                        JobRow.id.in_(part), JobRow.removed_at.is_null()
                    )
                )
                self._database.run(OutboxRow.delete().where(OutboxRow.job.in_(part)))
        return done

    def restore(self, row_ids: Iterable[int]) -> int:
        """Restore removed jobs; unfinished ones are sent again.

        Returns:
            The number of jobs restored.

        Raises:
            StoreError: If the database can't be written.
        """
        done = 0
        for part in parts(row_ids, ROWS_A_TRANSACTION):
            with self._database.write(durable=True) as revision:
                back = (
                    JobRow.update(removed_at=None, revision=revision)
                    .where(JobRow.id.in_(part), JobRow.removed_at.is_null(False))
                    .returning(JobRow.id, JobRow.status)
                    .tuples()
                )
                rows = list(self._database.run(back))
                unfinished = [key for key, status in rows if status not in FINAL_STATUSES]
                self._database.run(JobRow.update(**_SUBMITTED_AGAIN).where(JobRow.id.in_(unfinished)))
                self._fill_outbox(unfinished)
                done += len(rows)
        return done

    def forget_removed(self, *, before_ms: int) -> int:
        """Delete rows that were removed from the list before a time; their messages can't arrive any more.

        Returns:
            The number of rows deleted.

        Raises:
            StoreError: If the database can't be written.
        """
        old = JobRow.select(JobRow.id).where(JobRow.removed_at.is_null(False), JobRow.removed_at < before_ms)
        done = 0
        while True:
            with self._database.read():
                keys = [key for (key,) in self._database.run(old.limit(ROWS_A_TRANSACTION).tuples())]
            if not keys:
                return done
            with self._database.write():
                # Checked again: a row may have been restored meanwhile.
                gone = JobRow.delete().where(JobRow.id.in_(keys), JobRow.id.in_(old))
                done += int(self._database.run(gone))


def _row(file: NewFile, batch_id: int, queue: str, now_ms: int, revision: int) -> dict[str, object]:
    text, raw = split_path(file.path)
    return {
        **_DEFAULTS,
        "uuid": str(uuid.uuid4()),
        "batch_id": batch_id,
        "file_path": text,
        "raw_path": raw,
        "name_key": name_key(file.path),
        "queue": queue,
        "file_size": file.size,
        "modified_ns": file.modified_ns,
        "created_at": now_ms,
        "revision": revision,
    }
