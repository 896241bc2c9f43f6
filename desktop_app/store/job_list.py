"""Read-only queries of the job list, for the window, the command line and exports."""

from __future__ import annotations

import re
from array import array
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peewee import SQL, Case, fn

from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.fields import ResultField, result_fields
from desktop_app.domain.job import (
    OPEN_STATUSES,
    Attempt,
    AttemptOutcome,
    Batch,
    Ended,
    Held,
    Job,
    RunSums,
    Status,
    StatusCounts,
)
from desktop_app.domain.keys import NOTHING_PENDING, Pending
from desktop_app.domain.query import BY_ADDING, NO_FILTER, Filter, Problem, SelectionSums, Sort
from desktop_app.domain.reasons import ReasonCode
from desktop_app.domain.search import KnownValues
from desktop_app.store.backends.sqlite import DamagedRowError, among, joined_keys, least, recognized_damage, split_keys
from desktop_app.store.change_feed import ChangeFeed
from desktop_app.store.first_keys import FirstKeys, has_result_fields, is_divisible, is_in_order, is_indexed, key_ranges
from desktop_app.store.held_batches import HELD
from desktop_app.store.list_query import (
    condition,
    has_jobs,
    has_status,
    is_retried,
    on_list,
    order_by,
    result_value,
    type_counts,
)
from desktop_app.store.models import AttemptRow, BatchRow, JobRow
from desktop_app.store.processors import fast_fields, is_announced, read_fields, workers_with
from desktop_app.store.rows import LISTED_COLUMNS, jobs_from, parts, read_rows, reason_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from desktop_app.domain.reasons import Reason
    from desktop_app.store.database import Database

NEWEST_BATCHES = 20

_PAGE = 500

_KEY_PARTS = 16

_LOOKED_AT, _OFFERED = 20_000, 200
"""The number of jobs or attempts among which values to offer are found, and the maximum number of values."""

_SUMMED_AT_ONCE = 20_000

_ID_START = re.compile(r"[0-9a-f-]{1,36}")

_COUNT = fn.COUNT(SQL("*"))


def _shown_status(pending: Pending) -> Any:  # noqa: ANN401 - peewee's expressions have no type
    """Return the status of a job, once the pending changes have been written."""
    return Case(None, [(is_retried(pending), Status.PENDING)], JobRow.status) if pending.retried else JobRow.status


class JobList:
    """Read-only access to the jobs on the list. Any thread.

    Args:
        database: The database.
        clock: The clock for conditions such as `added:today`.

    Attributes:
        changes: The change feed.
        pending: The changes that are being written. The list is returned as if they had been written already.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self.changes = ChangeFeed(database)
        self.pending = NOTHING_PENDING

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Enter a context in which all reads on this thread see the same state. Writers are not blocked.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            yield

    # --- jobs

    def ids(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING, *, limit: int | None = None) -> array[int]:
        """Return the keys of the jobs that match a filter, in the given order. The array takes 8 bytes per job.

        Args:
            where: The filter.
            order: The order.
            limit: The greatest number of keys to return; None for all.

        Raises:
            StoreError: If the database can't be read.
        """
        fast: frozenset[str] = frozenset()
        if has_result_fields(where, order):
            with self._database.read():
                fast = fast_fields(self._database)
        in_order = is_in_order(where, order, fast)
        with_index = in_order or is_indexed(where, fast) is not is_indexed(where)
        where_listed = condition(where, self._clock.now_ms(), self.pending, with_index=with_index)
        if limit is not None and is_divisible(where, order, fast):
            return FirstKeys(self._database, where_listed, order, limit).find()
        terms = order_by(order, with_index=in_order)
        query = JobRow.select(JobRow.id).where(where_listed).order_by(*terms).limit(limit)
        with self._database.read():
            if limit is not None or not order.is_by_adding or is_indexed(where, fast):
                return split_keys(self._database.scalar(joined_keys(query)))
            # In parts, since the texts of a million keys take several times as much memory as the keys.
            ranges = key_ranges(self._database, _KEY_PARTS)
            found: array[int] = array("q")
            for first, last in ranges[::-1] if order.terms[0].descending else ranges:
                part = query.where(JobRow.id.between(first, last))
                found += split_keys(self._database.scalar(joined_keys(part)))
            return found

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        """Return the jobs with these keys, by key. Jobs that no longer exist are omitted.

        Raises:
            StoreError: If the database can't be read.
        """
        pending = self.pending
        with self._database.read():
            rows = read_rows(self._database, row_ids)
            listed = [columns for key, removed_at, columns in rows if pending.lists(key, removed_at)]
            return {job.row_id: pending.shown(job) for job in jobs_from(listed)}

    def listed(self, row_ids: Sequence[int]) -> Iterator[Job]:
        """Yield the jobs with these keys, in this order, page by page. Jobs that no longer exist are skipped.

        Raises:
            StoreError: If the database can't be read.
        """
        for part in parts(row_ids, _PAGE):
            jobs = self.page(part)
            yield from (jobs[key] for key in part if key in jobs)

    def all(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING) -> Iterator[Job]:
        """Yield the jobs that match a filter, in the given order. They are read page by page, to limit memory use.

        Raises:
            StoreError: If the database can't be read.
        """
        return self.listed(self.ids(where, order))

    def find(self, id_or_start: str) -> list[Job]:
        """Return up to two jobs whose UUIDs start with a text. If there are two, the text is ambiguous.

        Raises:
            StoreError: If the database can't be read.
        """
        text = id_or_start.strip().lower()
        if not _ID_START.fullmatch(text):
            return []
        upper = text + "g"  # sorts after every hexadecimal digit and the hyphen
        query = JobRow.select(*LISTED_COLUMNS).where(
            JobRow.uuid >= text, JobRow.uuid < upper, JobRow.removed_at.is_null()
        )
        with self._database.read():
            return jobs_from(self._database.run(query.order_by(JobRow.uuid).limit(2).tuples()))

    def attempts(self, row_id: int) -> list[Attempt]:
        """Return the stored attempts of a job, oldest first. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        query = AttemptRow.select().where(AttemptRow.job == row_id).order_by(AttemptRow.token).tuples()
        with self._database.read(), recognized_damage():
            return [
                Attempt(
                    token, generation, number, worker, start, end, outcome and AttemptOutcome(outcome), reason_of(*why)
                )
                for _, token, generation, number, worker, start, end, outcome, *why in self._database.run(query)
            ]

    def attempt_count(self, row_id: int) -> int:
        """Return the number of stored attempts of a job. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return int(self._database.scalar(AttemptRow.select(_COUNT).where(AttemptRow.job == row_id)))

    # --- groups

    def problems(self) -> list[Problem]:
        """Return the problems of FAILED jobs, each with the number of jobs that have it, most frequent first.

        Raises:
            StoreError: If the database can't be read.
        """
        pending = self.pending
        # Uses the index on the status, so the cost depends only on the number of failed jobs.
        query = (
            JobRow.select(JobRow.reason_code, JobRow.reason_args, _COUNT)
            .where(has_status((Status.FAILED,), pending), on_list(pending))
            .group_by(JobRow.reason_code, JobRow.reason_args)
        )
        with self._database.read():
            rows = [(reason_of(*columns), count) for *columns, count in self._database.run(query.tuples())]
        found: dict[str, Problem] = {}
        for reason, count in sorted(rows, key=lambda row: (-row[1], str(row[0] or ""))):
            code = (reason and reason.code.problem) or ""
            known = found.get(code)
            found[code] = (
                replace(known, count=known.count + count, reasons=known.reasons + 1)
                if known
                else Problem(code, reason, count)
            )
        return sorted(found.values(), key=lambda problem: -problem.count)

    def batches(self, also: Collection[int] = (), most: int = NEWEST_BATCHES) -> list[Batch]:
        """Return the newest batches that have jobs on the list, newest first.

        Args:
            also: The keys of older batches to include if they have jobs on the list.
            most: The maximum number of batches, without those.

        Raises:
            StoreError: If the database can't be read.
        """
        pending = self.pending
        is_listed = on_list(pending)
        newest = BatchRow.select(BatchRow.id).where(has_jobs(pending)).order_by(BatchRow.id.desc())
        with self._database.read():
            keys = {key for (key,) in self._database.run(newest.limit(most).tuples())}
            # Not grouped by status, too: SQLite would sort the jobs of all batches.
            shown = _shown_status(pending)
            by_status = [fn.COUNT(Case(None, [(shown == status, 1)])) for status in Status]
            counted = (
                JobRow.select(JobRow.batch, *by_status)
                .where(JobRow.batch.in_(sorted({*keys, *also})), is_listed)
                .group_by(JobRow.batch)
            )
            counts = {key: StatusCounts(*found) for key, *found in self._database.run(counted.tuples())}
            columns = BatchRow.id, BatchRow.name, BatchRow.created_at, BatchRow.processor, BatchRow.options
            facts = BatchRow.select(*columns)
            rows = sorted(self._database.run(facts.where(BatchRow.id.in_(sorted(counts))).tuples()), reverse=True)
            held = self._held(counts)
        return [Batch(key, name, at, counts[key], held.get(key), *chosen) for key, name, at, *chosen in rows]

    def _held(self, keys: Collection[int]) -> dict[int, Held]:
        """Return why some batches are paused; those that are not are left out."""
        paused = BatchRow.select(BatchRow.id, BatchRow.tolerated).where(
            BatchRow.id.in_(sorted(keys)), BatchRow.held_at.is_null(False)
        )
        found = {}
        for key, codes in list(self._database.run(paused.tuples())):
            failed = (
                JobRow.select(JobRow.reason_code, JobRow.reason_args, _COUNT)
                .where(JobRow.batch == key, JobRow.status == Status.FAILED, on_list(self.pending))
                .where(JobRow.reason_code == codes.rpartition(" ")[2])
                .group_by(JobRow.reason_code, JobRow.reason_args)
            )
            reasons = sorted(self._database.run(failed.tuples()), key=lambda row: -row[2])
            count = sum(number for *_, number in reasons)
            found[key] = Held(reason_of(*reasons[0][:2]) if reasons else None, count)
        return found

    def held_batches(self) -> list[Batch]:
        """Return the paused batches with waiting files, newest first. Fast if there are none.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            keys = [key for (key,) in self._database.run(HELD.tuples())]
            return [batch for batch in self.batches(keys, most=0) if batch.counts.pending] if keys else []

    def count_held(self, queue: str) -> int:
        """Return the number of jobs in a queue that are PENDING because their batch is paused.

        Raises:
            StoreError: If the database can't be read.
        """
        waiting = (JobRow.status == Status.PENDING) & (JobRow.queue == queue) & on_list(self.pending)
        with self._database.read():
            if self._database.scalar(HELD.limit(1)) is None:  # otherwise, all waiting jobs would be read
                return 0
            return int(self._database.scalar(JobRow.select(_COUNT).where(JobRow.batch.in_(HELD), waiting)))

    def count_left(self, queue: str, worker: str) -> int | None:
        """Return the number of jobs in a queue that a worker has left, since no running worker has their processor.

        Those of paused batches are not included. While the worker has not announced its processors, it is None.

        Args:
            queue: The key of the queue.
            worker: The identity of the worker.

        Raises:
            StoreError: If the database can't be read.
        """
        left = (
            (JobRow.status == Status.PENDING)
            & (JobRow.queue == queue)
            & (JobRow.reason_code == ReasonCode.NO_WORKER)
            & JobRow.batch.not_in(HELD)
            & on_list(self.pending)
        )
        query = JobRow.select(JobRow.processor, _COUNT).where(left).group_by(JobRow.processor)
        with self._database.read():
            if not is_announced(self._database, worker):
                return None
            now_ms = self._clock.now_ms()
            return sum(
                int(count)
                for name, count in list(self._database.run(query.tuples()))
                if not workers_with(self._database, name, queue=queue, now_ms=now_ms)
            )

    def known_values(self) -> KnownValues:
        """Return values to offer for a search, found among the newest jobs.

        Raises:
            StoreError: If the database can't be read.
        """
        types = type_counts(_LOOKED_AT).limit(_OFFERED)
        newest = JobRow.select(JobRow.processor).where(JobRow.removed_at.is_null()).order_by(JobRow.id.desc())
        jobs = newest.limit(_LOOKED_AT).alias("newest")
        processors = JobRow.select(jobs.c.processor).from_(jobs).distinct().order_by(SQL("1")).limit(_OFFERED)
        batches = BatchRow.select(BatchRow.name).where(BatchRow.name != "", has_jobs())
        attempts = (
            AttemptRow.select(AttemptRow.worker).order_by(AttemptRow.job.desc()).limit(_LOOKED_AT).alias("newest")
        )
        workers = AttemptRow.select(attempts.c.worker).from_(attempts).distinct()
        with self._database.read():
            found = [
                [str(value) for value, *_ in self._database.run(query.tuples())]
                for query in (types, batches.order_by(BatchRow.id.desc()).limit(_OFFERED), workers, processors)
            ]
        computers = sorted({worker.rpartition("/")[0] or worker for worker in found[2]})
        return KnownValues(tuple(found[0]), tuple(dict.fromkeys(found[1])), tuple(computers), tuple(found[3]))

    def result_fields(self) -> tuple[ResultField, ...]:
        """Return the fields that the results on the list can contain. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return result_fields(read_fields(self._database), fast_fields(self._database))

    # --- counts and sums

    def counts(self, queue: str | None = None) -> StatusCounts:
        """Return the number of jobs per status, in one queue or in all queues.

        Raises:
            StoreError: If the database can't be read.
        """
        # One query per status, each of which scans one index range: twice as fast as GROUP BY.
        pending = self.pending
        query = JobRow.select(_COUNT).where(on_list(pending))
        if queue is not None:
            query = query.where(JobRow.queue == queue)
        is_unknown = (JobRow.status < min(Status)) | (JobRow.status > max(Status))
        with self._database.read():
            if self._database.scalar(JobRow.select(JobRow.id).where(is_unknown).limit(1)) is not None:
                raise DamagedRowError("job.status has an invalid value")  # a sum without it would look right
            if not (pending.removed or pending.restored_times):
                counts = [int(self._database.scalar(query.where(JobRow.status == status))) for status in Status]
            else:  # the condition is expensive
                found = query.select(JobRow.status, _COUNT).group_by(JobRow.status)
                numbers = dict(self._database.run(found.tuples()))
                counts = [int(numbers.get(status, 0)) for status in Status]
            if pending.retried:
                retried = query.select(JobRow.status, _COUNT).where(is_retried(pending)).group_by(JobRow.status)
                for status, count in self._database.run(retried.tuples()):
                    counts[status] -= count
                    counts[Status.PENDING] += count
            return StatusCounts(*counts)

    def unfinished_by_queue(self) -> dict[str, int]:
        """Return the number of unfinished jobs per queue key.

        Raises:
            StoreError: If the database can't be read.
        """
        query = (
            JobRow.select(JobRow.queue, _COUNT)
            .where(JobRow.status.in_(OPEN_STATUSES), JobRow.removed_at.is_null())
            .group_by(JobRow.queue)
        )
        with self._database.read():
            return {queue: int(count) for queue, count in self._database.run(query.tuples())}

    def waiting_because(self, code: ReasonCode, queue: str) -> dict[Reason, int]:
        """Return the number of jobs in a queue that wait for a reason with this code, per reason.

        Raises:
            StoreError: If the database can't be read.
        """
        is_waiting = (JobRow.status == Status.PENDING) & (JobRow.reason_code == code)
        query = (
            JobRow.select(JobRow.reason_code, JobRow.reason_args, _COUNT)
            .where(JobRow.queue == queue, JobRow.removed_at.is_null(), is_waiting)
            .group_by(JobRow.reason_args)
        )
        with self._database.read():
            rows = list(self._database.run(query.tuples()))
        counts = {reason_of(code, arguments): int(count) for code, arguments, count in rows}
        return {reason: count for reason, count in counts.items() if reason is not None}

    def sums(self, row_ids: Sequence[int], fields: Sequence[str] = ()) -> SelectionSums:
        """Return the status counts, total size and total line count of jobs. Jobs that no longer exist are skipped.

        Args:
            row_ids: The keys of the jobs.
            fields: The names of fields of results to add up as well.

        Raises:
            StoreError: If the database can't be read.
        """
        counts, size, line_count = [0] * len(Status), 0, 0
        waiting_in = set()
        pending = self.pending
        status = _shown_status(pending)
        lines: Any = JobRow.lines_count
        # As fractions, since a sum of integers fails where it is too large.
        values = [result_value(name).cast("REAL") for name in fields]
        if pending.retried:
            lines, *values = (Case(None, [(is_retried(pending), None)], value) for value in (lines, *values))
        columns = status, JobRow.queue, _COUNT, _total(JobRow.file_size), _total(lines), *map(fn.SUM, values)
        results = dict.fromkeys(fields, 0.0)
        known = set()
        for part in parts(row_ids, _SUMMED_AT_ONCE):
            query = (
                JobRow.select(*columns).where(among(JobRow.id, part), on_list(pending)).group_by(status, JobRow.queue)
            )
            with self._database.read():
                for found, queue, count, more_bytes, more_lines, *more in self._database.run(query.tuples()):
                    counts[found] += count
                    if found == Status.PENDING:
                        waiting_in.add(queue)
                    size += int(more_bytes)
                    line_count += int(more_lines)
                    for name, value in zip(fields, more, strict=True):
                        if value is not None:
                            known.add(name)
                            results[name] += value
        return SelectionSums(
            StatusCounts(*counts),
            size,
            line_count,
            frozenset(waiting_in),
            tuple((name, value) for name, value in results.items() if name in known),
        )

    def run_sums(self, *, queue: str, since_ms: int) -> RunSums:
        """Return the totals of a queue's unfinished jobs, and of all jobs that ended after a given time.

        Jobs that have ended are included even if they were removed from the list afterwards.

        Raises:
            StoreError: If the database can't be read.
        """
        size = _total(JobRow.file_size)
        read = _total(least(JobRow.bytes_done, fn.COALESCE(JobRow.file_size, JobRow.bytes_done)))
        unfinished = JobRow.queue == queue, on_list(self.pending)
        times = fn.MAX(JobRow.finished_at), fn.MIN(JobRow.started_at)
        ended = JobRow.select(_COUNT, size, *times).where(JobRow.finished_at > since_ms)
        with self._database.read():
            # One query per status, each of which scans one index range: faster than GROUP BY.
            pending = JobRow.select(_COUNT, size).where(*unfinished, JobRow.status == Status.PENDING)
            ((waiting, waiting_size),) = self._database.run(pending.tuples())
            processing = JobRow.select(_COUNT, size, read).where(*unfinished, JobRow.status == Status.PROCESSING)
            ((working, working_size, read_size),) = self._database.run(processing.tuples())
            ((done, done_size, newest, oldest),) = self._database.run(ended.tuples())
            failed = self._database.scalar(
                JobRow.select(_COUNT).where(JobRow.finished_at > since_ms, JobRow.status == Status.FAILED)
            )
        return RunSums(
            open_files=waiting + working,
            open_bytes=int(waiting_size + working_size),
            processing=working,
            read_bytes=int(read_size),
            done_files=done,
            done_bytes=int(done_size),
            failed=failed,
            newest_end=newest or 0,
            oldest_start=oldest or 0,
        )

    def ended(self, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
        """Return the number and total size of the jobs that ended in each interval. Empty intervals are omitted.

        Args:
            since_ms: The start of the first interval, in milliseconds since 1970.
            until_ms: The end of the last interval, in milliseconds since 1970.
            step_ms: The length of an interval in milliseconds.

        Raises:
            StoreError: If the database can't be read.
        """
        step = (JobRow.finished_at / step_ms).cast("INTEGER")
        query = (
            JobRow.select(step, _COUNT, _total(JobRow.file_size))
            .where(JobRow.finished_at > since_ms, JobRow.finished_at <= until_ms)
            .group_by(step)
        )
        with self._database.read():
            rows = list(self._database.run(query.tuples()))
        return [Ended(number * step_ms, files, int(size)) for number, files, size in rows]


def _total(value: Any) -> Any:  # noqa: ANN401 - peewee's terms have no common type
    """Return the sum of a value as a fraction, since a sum of integers fails where it is too large: sparse files."""
    return fn.COALESCE(fn.SUM(value.cast("REAL")), 0)
