"""The user's changes to the job list: add, retry, relocate, prioritize, remove and restore jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from peewee import Expression, fn

from desktop_app.domain.errors import PartlyAddedError, StoreError
from desktop_app.domain.fields import DEFAULT_PROCESSOR, Choice
from desktop_app.domain.job import FINAL_STATUSES, AttemptOutcome, NewFile, PriorityResult, Status
from desktop_app.domain.random_ids import random_uuids
from desktop_app.logs.log import level_for
from desktop_app.store.attempts import end_open
from desktop_app.store.backends.sqlite import among, given_keys
from desktop_app.store.change_feed import MAX_CHANGES, ChangeFeed
from desktop_app.store.claims import is_waiting
from desktop_app.store.facts import store_fact
from desktop_app.store.held_batches import HeldBatches
from desktop_app.store.list_query import has_jobs
from desktop_app.store.models import AttemptRow, BatchRow, FactRow, JobRow, OutboxRow
from desktop_app.store.outbox import enqueue
from desktop_app.store.rows import (
    LEASE_ENDED,
    REST,
    ROWS_A_TRANSACTION,
    folder_length,
    joined_path,
    name_key,
    parts,
    reason_columns,
    split_path,
    storable,
    type_key,
)
from desktop_app.store.statements import Statement, as_keys, parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from desktop_app.store.database import Database


log = logging.getLogger(__name__)


_TIMES_PER_QUERY = 500

_LISTED = JobRow.id, JobRow.file_path, JobRow.raw_path, JobRow.file_size, JobRow.modified_ns
"""The columns for `_matches`."""

_AT_TIMES = Statement(
    lambda: JobRow.select(*_LISTED).where(
        JobRow.modified_ns.in_(given_keys(parameter("times"))), JobRow.removed_at.is_null()
    )
)

ROWS_A_PART = 2_000
"""The maximum number of rows per transaction when the user changes many. It is written in about 0.1 s."""

_RESTORING = "restoring "
"""The start of the name of a fact, which ends with the time of a removal that is being undone."""

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
    "visible_at": None,
    "resends": 0,
    "next_try_at": None,
}
"""The column values for resubmitting a job. Messages of earlier generations become stale."""


_LINES = Choice(DEFAULT_PROCESSOR)

_FILE_COLUMNS = "file_path", "raw_path", "name_key", "file_size", "modified_ns", "folder_length", "type_key"
_NEW_COLUMNS = "uuid", *_FILE_COLUMNS


Step = TypeVar("Step")

Proceed = Callable[[int], bool]
"""Called between the transactions of a large change with the number of rows done. It returns whether to go on."""


def always(_done: int) -> bool:
    """Return True: nothing stops the change."""
    return True


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding files: the batch's key and name, and the UUIDs of the new jobs in the order of the files."""

    batch_id: int
    job_ids: tuple[str, ...]
    name: str = ""


class Intake:
    """Writes the user's changes to the database. Any thread.

    Attributes:
        held_batches: Pauses and continues batches.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.held_batches = HeldBatches(database)

    def revision(self) -> int:
        """Return the revision of the latest change to the database.

        Raises:
            StoreError: If the database can't be read.
        """
        return ChangeFeed(self._database).cursor().revision

    def listed_since(self, files: Sequence[NewFile], revision: int) -> set[int]:
        """Return the positions of the files that are on the list, as by `listed`, because of changes after a revision.

        Raises:
            StoreError: If the database can't be read.
        """
        query = JobRow.select(*_LISTED).where(JobRow.revision > revision, JobRow.removed_at.is_null())
        with self._database.read():
            rows = list(self._database.run(query.tuples()))
        places = {file.path: place for place, file in enumerate(files)} if rows else {}
        return {place for place, _ in _matches(rows, files, places)}

    def listed(self, files: Sequence[NewFile], cancelled: Callable[[], bool]) -> bytearray:
        """Return, for each file, 1 if a job on the list has the same path, size and modification time, otherwise 0.

        A file with an unknown modification time is never considered listed.

        Args:
            files: The files found by a scan, without duplicate paths.
            cancelled: Called before each query; if it returns True, the remaining results are 0.

        Raises:
            StoreError: If the database can't be read.
        """
        found = bytearray(len(files))
        for place, _ in self._listed(files, cancelled):
            found[place] = 1
        return found

    def listed_jobs(self, files: Sequence[NewFile]) -> dict[int, int]:
        """Return the positions of the files that are on the list, as by `listed`, with the key of the newest job.

        Raises:
            StoreError: If the database can't be read.
        """
        found: dict[int, int] = {}
        for place, key in self._listed(files, lambda: False):
            found[place] = max(key, found.get(place, 0))
        return found

    def _listed(self, files: Sequence[NewFile], cancelled: Callable[[], bool]) -> Iterator[tuple[int, int]]:
        """Yield the position of each file that is on the list, with the key of its job.

        Rows are looked up by distinct modification times, so that no row is read twice even if all files have the same
        time.
        """
        places = {file.path: place for place, file in enumerate(files)}
        moments = {file.modified_ns for file in files if file.modified_ns is not None}
        for times in parts(sorted(moments), _TIMES_PER_QUERY):
            if cancelled():
                return
            with self._database.read():
                rows = self._database.rows(_AT_TIMES, times=as_keys(times))
            yield from _matches(rows, files, places)

    def add(
        self,
        files: Sequence[NewFile],
        *,
        queue: str,
        name: str,
        now_ms: int,
        choice: Choice = _LINES,
        processor_of: Callable[[str], str] = lambda _: DEFAULT_PROCESSOR,
        batch_id: int = 0,
        proceed: Proceed = always,
    ) -> Added:
        """Add a batch. Each file's job row and outbox entry are written in the same transaction.

        A large batch is written in several transactions of up to `ROWS_A_PART` files. After a crash, the list
        contains the files of the transactions that were committed.

        Args:
            files: The files to add; may be empty.
            queue: The key of the queue that the jobs belong to.
            name: The name of the batch.
            now_ms: The current time, in milliseconds since 1970.
            choice: The processor and its options.
            processor_of: Returns the name of the processor for a path, if the choice is to choose it by the file type.
            batch_id: The key of an existing batch to add the files to; 0 to create one.
            proceed: Called after each transaction.

        Raises:
            PartlyAddedError: If the database can't be written, but some files have already been added.
            StoreError: If the database can't be written, and no files have been added.
        """
        ids: list[str] = []
        chosen = {"processor": choice.processor, "options": choice.options}
        common = {**_DEFAULTS, **chosen, "queue": queue, "created_at": now_ms}
        if not choice.processor:
            del common["processor"]
        for new_ids, rows in _paced(_prepared(files, None if choice.processor else processor_of)):
            try:
                with self._database.write(durable=True) as revision:
                    if not batch_id:
                        batch = BatchRow.insert(name=storable(name), created_at=now_ms, **chosen)
                        batch_id = int(self._database.run(batch))
                    self._insert(rows, {**common, "batch_id": batch_id, "revision": revision})
            except StoreError as error:
                if not ids:
                    raise
                raise PartlyAddedError(error, batch_id=batch_id, added=len(ids), wanted=len(files)) from error
            ids += new_ids
            if not proceed(len(ids)):
                break
        return Added(batch_id, tuple(ids), name)

    def batch_names(self, start: str) -> set[str]:
        """Return the names, beginning with a text, of the batches that have jobs on the list.

        Raises:
            StoreError: If the database can't be read.
        """
        start = storable(start)
        begins = fn.SUBSTR(BatchRow.name, 1, len(start)) == start  # LIKE would ignore case
        with self._database.read():
            names = BatchRow.select(BatchRow.name).where(begins, has_jobs())
            return {name for (name,) in self._database.run(names.tuples())}

    def rename_batch(self, batch_id: int, name: str) -> None:
        """Change the name of a batch.

        The change feed then contains the batch's jobs, which have its name; if they are many, only so many that the
        feed overflows, and readers read everything again.

        Raises:
            StoreError: If the database can't be written.
        """
        jobs = JobRow.select(JobRow.id).where(JobRow.batch == batch_id, JobRow.removed_at.is_null())
        with self._database.write() as revision:
            self._database.run(BatchRow.update(name=storable(name)).where(BatchRow.id == batch_id))
            self._database.run(JobRow.update(revision=revision).where(JobRow.id.in_(jobs.limit(MAX_CHANGES + 1))))

    def _insert(self, rows: Sequence[Sequence[object]], common: Mapping[str, object]) -> None:
        if rows:
            columns = _NEW_COLUMNS if "processor" in common else (*_NEW_COLUMNS, "processor")
            self._database.insert_all(JobRow, columns, rows, common)
            enqueue(self._database, JobRow.revision == common["revision"])

    def _fill_outbox(self, keys: Sequence[int]) -> None:
        """Create an outbox entry for each job. Existing entries are replaced, which moves these jobs to the end."""
        self._database.run(OutboxRow.delete().where(among(OutboxRow.job, keys)))
        enqueue(self._database, among(JobRow.id, keys))

    def retry(
        self,
        row_ids: Iterable[int],
        *,
        queue: str,
        choice: Choice | None = None,
        proceed: Proceed = always,
    ) -> int:
        """Resubmit jobs that have ended, each as a new generation.

        Jobs that are waiting in another queue are moved to this queue. With another processor, all waiting jobs are
        resubmitted. Other unfinished jobs do not change.

        Args:
            row_ids: The keys of the jobs.
            queue: The key of the queue to send the messages to.
            choice: Another processor and its options; None to use the previous ones.
            proceed: Called after each transaction.

        Returns:
            The number of resubmitted jobs.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been resubmitted.
        """
        waits_elsewhere = (JobRow.status == Status.PENDING) & (JobRow.queue != queue)
        may_retry = JobRow.status.in_(FINAL_STATUSES) | waits_elsewhere
        chosen: dict[str, Any] = {}
        if choice is not None:
            may_retry |= JobRow.status == Status.PENDING
            chosen = {"processor": choice.processor, "options": choice.options, "processor_version": 0}
        epoch = self._database.epoch

        def write(part: Sequence[int]) -> int:
            with self._database.write(durable=True, epoch=epoch) as revision:
                which = among(JobRow.id, part) & may_retry
                return self._submit_again(which, queue=queue, revision=revision, **chosen)

        return _in_parts(row_ids, write, proceed)

    def relocate(self, row_id: int, file: NewFile, *, queue: str) -> bool:
        """Resubmit a failed job with a new path, as a new generation. Earlier messages become stale.

        Returns:
            False if the job is not FAILED.

        Raises:
            StoreError: If the database can't be written.
        """
        which = (JobRow.id == row_id) & (JobRow.status == Status.FAILED)
        with self._database.write(durable=True) as revision:
            return (
                self._submit_again(
                    which, queue=queue, revision=revision, **dict(zip(_FILE_COLUMNS, _file_values(file), strict=True))
                )
                == 1
            )

    def _submit_again(self, which: Expression, *, queue: str, revision: int, **more: Any) -> int:  # noqa: ANN401
        changed = (
            JobRow.update(
                **_SUBMITTED_AGAIN,
                **LEASE_ENDED,
                lines_count=None,
                result=None,
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
        self._fill_outbox([key for key, _, _ in rows])
        if log.isEnabledFor(level := level_for(len(rows))):
            for _, file_id, generation in rows:
                log.log(level, "job %s: submitted again, submission %d", file_id, generation)
        return len(rows)

    def move_to_front(self, row_ids: Sequence[int], *, queue: str, proceed: Proceed = always) -> PriorityResult:
        """Send the messages of waiting jobs before all others, in the order given.

        A message that is already being sent keeps its place.

        Args:
            row_ids: The keys of the jobs. Jobs that are not waiting are skipped.
            queue: The key of the queue; jobs of other queues are skipped.
            proceed: Called after each transaction.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been moved.
        """
        keys: list[int] = []
        front = 0
        # In reverse, since each part is put in front of the previous one.
        for end in range(len(row_ids), 0, -ROWS_A_TRANSACTION):
            part = row_ids[max(0, end - ROWS_A_TRANSACTION) : end]
            with self._database.write():
                query = JobRow.select(JobRow.id).where(is_waiting(part, queue))
                found = {key for (key,) in self._database.run(query.tuples())}
                waiting = [key for key in part if key in found]
                keys[:0] = waiting
                front += self._move(waiting)
            if not proceed(len(row_ids) - max(0, end - ROWS_A_TRANSACTION)):
                break
        return PriorityResult(tuple(keys), front)

    def _move(self, row_ids: Sequence[int]) -> int:
        query = OutboxRow.select(OutboxRow.job).where(OutboxRow.job.in_(list(row_ids)))
        unsent = {key for (key,) in self._database.run(query.tuples())}
        first = int(self._database.scalar(OutboxRow.select(fn.MIN(OutboxRow.position))) or 0)
        chosen = [key for key in row_ids if key in unsent]
        for place, key in enumerate(chosen, first - len(chosen)):
            self._database.run(OutboxRow.update(position=place, next_try_at=0).where(OutboxRow.job == key))
        return len(chosen)

    def remove(self, row_ids: Iterable[int], *, now_ms: int, proceed: Proceed = always) -> int:
        """Remove jobs of any status from the list. The files themselves are not touched.

        The rows are only hidden, because messages that have already been sent may still arrive. The fencing tokens are
        incremented, so that workers that are processing these jobs can't write their results.

        Args:
            row_ids: The keys of the jobs.
            now_ms: The current time, in milliseconds since 1970. `restore` can select the jobs by it.
            proceed: Called after each transaction.

        Returns:
            The number of jobs removed.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been removed.
        """
        epoch = self._database.epoch

        def write(part: Sequence[int]) -> int:
            with self._database.write(durable=True, epoch=epoch) as revision:
                which = among(JobRow.id, part)
                worked_on = JobRow.select(JobRow.id).where(which, JobRow.status == Status.PROCESSING)
                end_open(self._database, AttemptRow.job.in_(worked_on), AttemptOutcome.REMOVED, now_ms=now_ms)
                removed = JobRow.update(removed_at=now_ms, revision=revision, **LEASE_ENDED)
                count = int(self._database.run(removed.where(which, JobRow.removed_at.is_null())))
                self._database.run(OutboxRow.delete().where(among(OutboxRow.job, part)))
                return count

        return _in_parts(row_ids, write, proceed)

    def remove_processed(self, *, before_ms: int, limit: int, now_ms: int) -> int:
        """Remove PROCESSED jobs that ended before a given time from the list, oldest first; see `remove`.

        Args:
            before_ms: The time, in milliseconds since 1970.
            limit: The maximum number of jobs to remove.
            now_ms: The current time, in milliseconds since 1970.

        Returns:
            The number of jobs removed.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been removed.
        """
        is_old = (JobRow.status == Status.PROCESSED) & (JobRow.finished_at < before_ms) & JobRow.removed_at.is_null()
        query = JobRow.select(JobRow.id).where(is_old).order_by(JobRow.finished_at).limit(limit)
        with self._database.read():
            keys = [key for (key,) in self._database.run(query.tuples())]

        def write(part: Sequence[int]) -> int:
            # Not durable: what is lost in a power failure is removed again. Retried in the meantime, a job stays.
            with self._database.write() as revision:
                change = JobRow.update(removed_at=now_ms, revision=revision, **LEASE_ENDED)
                return int(self._database.run(change.where(among(JobRow.id, part), is_old)))

        return _in_parts(keys, write, always)

    def restore(self, row_ids: Iterable[int], *, removed_at: Collection[int] = (), proceed: Proceed = always) -> int:
        """Restore removed jobs, and resubmit those that have not ended.

        The times are stored with the first jobs, so that `unrestored` finds the rest if the program ends too early.
        Call `forget_restoration` after all jobs have been restored, or if the rest is not wanted.

        Args:
            row_ids: The keys of the jobs.
            removed_at: The times at which the jobs were removed; jobs that were removed at other times stay removed.
                Empty for any time.
            proceed: Called after each transaction.

        Returns:
            The number of jobs restored.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been restored.
        """
        was_removed = JobRow.removed_at.in_(sorted(removed_at)) if removed_at else JobRow.removed_at.is_null(False)
        epoch = self._database.epoch

        def write(part: Sequence[int]) -> int:
            with self._database.write(durable=True, epoch=epoch) as revision:
                for moment in removed_at:
                    store_fact(self._database, f"{_RESTORING}{moment}", "")
                which = among(JobRow.id, part) & was_removed
                query = JobRow.select(JobRow.id).where(which, JobRow.status.not_in(FINAL_STATUSES))
                unfinished = [key for (key,) in self._database.run(query.tuples())]
                back = JobRow.update(removed_at=None, revision=revision).where(which)
                count = int(self._database.run(back))
                self._database.run(JobRow.update(**_SUBMITTED_AGAIN).where(among(JobRow.id, unfinished)))
                self._fill_outbox(unfinished)
                return count

        return _in_parts(row_ids, write, proceed)

    def forget_restoration(self, removed_at: Collection[int]) -> None:
        """Forget that jobs removed at these times were being restored.

        Raises:
            StoreError: If the database can't be written.
        """
        names = [f"{_RESTORING}{moment}" for moment in removed_at]
        with self._database.write():
            self._database.run(FactRow.delete().where(FactRow.name.in_(names)))

    def unrestored(self) -> tuple[list[int], frozenset[int]]:
        """Return the jobs that were still to be restored when the program ended, and when they were removed.

        Raises:
            StoreError: If the database can't be read.
        """
        names = FactRow.select(FactRow.name).where(FactRow.name.startswith(_RESTORING)).tuples()
        with self._database.read():
            times = frozenset(int(name.removeprefix(_RESTORING)) for (name,) in self._database.run(names))
            query = JobRow.select(JobRow.id).where(JobRow.removed_at.in_(sorted(times))).tuples()
            return [key for (key,) in self._database.run(query)] if times else [], times

    def forget_removed(self, *, before_ms: int) -> int:
        """Delete the rows of jobs that were removed from the list before a given time.

        Args:
            before_ms: The time, in milliseconds since 1970; early enough that no older message can still arrive.

        Returns:
            The number of rows deleted.

        Raises:
            StoreError: If the database can't be written.
        """
        old = JobRow.select(JobRow.id).where(JobRow.removed_at.is_null(False), JobRow.removed_at < before_ms)
        done = 0
        while True:
            with self._database.read():
                keys = [key for (key,) in self._database.run(old.limit(ROWS_A_PART).tuples())]
            if not keys:
                return done
            with self._database.write():
                # Check again, since a row may have been restored in the meantime.
                gone = JobRow.delete().where(among(JobRow.id, keys), JobRow.id.in_(old))
                done += int(self._database.run(gone))


def _in_parts(row_ids: Iterable[int], write: Callable[[Sequence[int]], int], proceed: Proceed) -> int:
    """Write a large change in short transactions; return the number of rows changed.

    Args:
        row_ids: The keys of the rows.
        write: Writes a part in one transaction, and returns the number of rows changed.
        proceed: Called after each part.
    """
    changed = done = 0
    for part in _paced(parts(row_ids, ROWS_A_PART)):
        changed += write(part)
        done += len(part)
        if not proceed(done):
            break
    return changed


def _paced(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps of a large change, and rest between them, so that other writers get their turn.

    The time that preparing the next step takes is part of the rest.
    """
    rested_at = 0.0
    for step in steps:
        began = time.monotonic()
        if began < rested_at:
            time.sleep(rested_at - began)
            began = time.monotonic()
        yield step
        ended = time.monotonic()
        rested_at = ended + (ended - began) * REST


def _prepared(
    files: Sequence[NewFile], processor_of: Callable[[str], str] | None
) -> Iterator[tuple[list[str], list[tuple[object, ...]]]]:
    """Yield the UUIDs and the values of `_NEW_COLUMNS` for the files of each transaction; one without files if none.

    Args:
        files: The files.
        processor_of: Returns the name of the processor for a path, which is one more value; None without it.
    """
    for start in range(0, max(1, len(files)), ROWS_A_PART):
        part = files[start : start + ROWS_A_PART]
        ids = random_uuids(len(part))
        rows: list[tuple[object, ...]] = [(new_id, *_file_values(file)) for new_id, file in zip(ids, part, strict=True)]
        if processor_of is not None:
            rows = [(*row, processor_of(file.path)) for row, file in zip(rows, part, strict=True)]
        yield ids, rows


def _matches(
    rows: Iterable[tuple[int, str, bytes | None, int | None, int | None]],
    files: Sequence[NewFile],
    places: Mapping[str, int],
) -> Iterator[tuple[int, int]]:
    """Yield the position and the key for each row that has the path, size and modification time of a file.

    Args:
        rows: The columns `_LISTED` of jobs.
        files: The files.
        places: The positions of the files by their paths.
    """
    for key, path, raw, size, moment in rows:
        place = places.get(joined_path(path, raw))
        if place is not None and moment is not None and (files[place].size, files[place].modified_ns) == (size, moment):
            yield place, key


def _file_values(file: NewFile) -> tuple[str, bytes | None, str, int | None, int | None, int, str]:
    """Return the values of `_FILE_COLUMNS`."""
    text, raw = split_path(file.path)
    name = name_key(file.path)
    return text, raw, name, file.size, file.modified_ns, folder_length(text), type_key(name)
