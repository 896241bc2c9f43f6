"""Read the list of jobs, for the window, the command line and exports."""

from __future__ import annotations

import re
from array import array
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from peewee import SQL, fn

from desktop_app.domain.job import OPEN_STATUSES, Batch, Ended, RunSums, Status, StatusCounts
from desktop_app.domain.query import BY_ADDING, NO_FILTER, Problem, SelectionSums
from desktop_app.store.attempts import attempts_of, count_of
from desktop_app.store.backends.sqlite import among, least
from desktop_app.store.change_feed import ChangeFeed
from desktop_app.store.list_query import condition, order_by
from desktop_app.store.models import BatchRow, JobRow
from desktop_app.store.rows import LISTED_COLUMNS, jobs_from, parts, reason_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from desktop_app.domain.job import Attempt, Job
    from desktop_app.domain.query import Filter, Sort
    from desktop_app.store.database import Database


NEWEST_BATCHES = 20

_PAGE = 500

_SUMMED_AT_ONCE = 20_000

_ID_START = re.compile(r"[0-9a-f-]{1,36}")

_ONE_EACH = fn.COUNT(SQL("*"))


class JobList:
    """Read-only queries of the jobs on the list. Any thread.

    Attributes:
        changes: The change feed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changes = ChangeFeed(database)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Make all reads on this thread within the context see the same state; writers are not blocked.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            yield

    # --- jobs

    def ids(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING) -> array[int]:
        """Return the keys of the jobs that match a filter, sorted: 8 bytes per job.

        Raises:
            StoreError: If the database can't be read.
        """
        query = JobRow.select(JobRow.id).where(condition(where)).order_by(*order_by(order)).tuples()
        with self._database.read():
            return array("q", chain.from_iterable(self._database.run(query).cursor))

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        """Return the jobs with these keys, without those that no longer exist.

        Raises:
            StoreError: If the database can't be read.
        """
        query = JobRow.select(*LISTED_COLUMNS).where(JobRow.id.in_(list(row_ids)), JobRow.removed_at.is_null())
        with self._database.read():
            return {job.row_id: job for job in jobs_from(self._database.run(query.tuples()))}

    def listed(self, row_ids: Sequence[int]) -> Iterator[Job]:
        """Yield the jobs with these keys in this order, without those that no longer exist; read in pages.

        Raises:
            StoreError: If the database can't be read.
        """
        for part in parts(row_ids, _PAGE):
            jobs = self.page(part)
            yield from (jobs[key] for key in part if key in jobs)

    def all(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING) -> Iterator[Job]:
        """Yield the jobs that match a filter, sorted; read in pages, so that memory use stays constant.

        Raises:
            StoreError: If the database can't be read.
        """
        return self.listed(self.ids(where, order))

    def find(self, id_or_start: str) -> list[Job]:
        """Return jobs by their UUID or a prefix of it; at most two, which shows whether it is ambiguous.

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
        """Return the kept attempts of a job, oldest first. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return attempts_of(self._database, row_id)

    def attempt_count(self, row_id: int) -> int:
        """Return the number of kept attempts of a job. Fast.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return count_of(self._database, row_id)

    # --- groups

    def problems(self) -> list[Problem]:
        """Return the problems of FAILED jobs with the number of jobs, the most frequent first.

        Raises:
            StoreError: If the database can't be read.
        """
        # Uses the index on the status, so the cost depends on the number of failed jobs only.
        query = (
            JobRow.select(JobRow.reason_code, JobRow.reason_args, _ONE_EACH)
            .where(JobRow.status == Status.FAILED, JobRow.removed_at.is_null())
            .group_by(JobRow.reason_code, JobRow.reason_args)
        )
        with self._database.read():
            rows = [(reason_of(*columns), count) for *columns, count in self._database.run(query.tuples())]
        found: dict[str, Problem] = {}
        for reason, count in sorted(rows, key=lambda row: (-row[1], str(row[0] or ""))):
            code = (reason and reason.code.problem) or ""
            known = found.get(code)
            if known is None:
                found[code] = Problem(code, reason, count)
            else:
                found[code] = replace(known, count=known.count + count, reasons=known.reasons + 1)
        return sorted(found.values(), key=lambda problem: -problem.count)

    def batches(self, also: Collection[int] = ()) -> list[Batch]:
        """Return the batches of the newest `NEWEST_BATCHES` Adds that have jobs on the list, newest first.

        Args:
            also: The keys of older batches to include.

        Raises:
            StoreError: If the database can't be read.
        """
        inner = JobRow.select(SQL("1")).where(JobRow.batch == BatchRow.id, JobRow.removed_at.is_null())
        newest = BatchRow.select(BatchRow.id).where(fn.EXISTS(inner)).order_by(BatchRow.id.desc())
        with self._database.read():
            keys = {key for (key,) in self._database.run(newest.limit(NEWEST_BATCHES).tuples())}
            counted = (
                JobRow.select(JobRow.batch, _ONE_EACH)
                .where(JobRow.batch.in_(sorted({*keys, *also})), JobRow.removed_at.is_null())
                .group_by(JobRow.batch)
            )
            counts = dict(self._database.run(counted.tuples()))
            facts = BatchRow.select(BatchRow.id, BatchRow.name, BatchRow.created_at)
            rows = sorted(self._database.run(facts.where(BatchRow.id.in_(sorted(counts))).tuples()), reverse=True)
        return [Batch(key, name, created_at, counts[key]) for key, name, created_at in rows]

    # --- counts and sums

    def counts(self, queue: str | None = None) -> StatusCounts:
        """Return the number of jobs of each status, of one queue or of all.

        Raises:
            StoreError: If the database can't be read.
        """
        # One count per status scans one range of the index each: twice as fast as GROUP BY.
        query = JobRow.select(_ONE_EACH).where(JobRow.removed_at.is_null())
        if queue is not None:
            query = query.where(JobRow.queue == queue)
        with self._database.read():
            return StatusCounts(
                *(int(self._database.scalar(query.where(JobRow.status == status))) for status in Status)
            )

    def unfinished_by_queue(self) -> dict[str, int]:
        """Return the number of unfinished jobs by the key of their queue.

        Raises:
            StoreError: If the database can't be read.
        """
        query = (
            JobRow.select(JobRow.queue, _ONE_EACH)
            .where(JobRow.status.in_(OPEN_STATUSES), JobRow.removed_at.is_null())
            .group_by(JobRow.queue)
        )
        with self._database.read():
            return {queue: int(count) for queue, count in self._database.run(query.tuples())}

    def sums(self, row_ids: Sequence[int]) -> SelectionSums:
        """Return the totals of jobs: statuses, sizes and lines. Jobs that no longer exist are left out.

        Raises:
            StoreError: If the database can't be read.
        """
        counts, size, lines = [0] * len(Status), 0, 0
        columns = JobRow.status, _ONE_EACH, fn.SUM(JobRow.file_size), fn.SUM(JobRow.lines_count)
        for part in parts(row_ids, _SUMMED_AT_ONCE):
            query = (
                JobRow.select(*columns)
                .where(among(JobRow.id, part), JobRow.removed_at.is_null())
                .group_by(JobRow.status)
            )
            with self._database.read():
                for status, count, more_bytes, more_lines in self._database.run(query.tuples()):
                    counts[status] += count
                    size += more_bytes or 0
                    lines += more_lines or 0
        return SelectionSums(StatusCounts(*counts), size, lines)

    def run_sums(self, *, queue: str, since_ms: int) -> RunSums:
        """Return what is unfinished for a queue, and what has ended after a time.

        Jobs that were removed from the list after they had ended still count.

        Raises:
            StoreError: If the database can't be read.
        """
        size = fn.COALESCE(fn.SUM(JobRow.file_size), 0)
        read = fn.COALESCE(fn.SUM(least(JobRow.bytes_done, fn.COALESCE(JobRow.file_size, JobRow.bytes_done))), 0)
        unfinished = JobRow.queue == queue, JobRow.removed_at.is_null()
        ended = JobRow.select(_ONE_EACH, size, fn.MAX(JobRow.finished_at)).where(JobRow.finished_at > since_ms)
        with self._database.read():
            # One query per status scans one range of the index each: faster than GROUP BY.
            pending = JobRow.select(_ONE_EACH, size).where(*unfinished, JobRow.status == Status.PENDING)
            ((waiting, waiting_size),) = self._database.run(pending.tuples())
            processing = JobRow.select(_ONE_EACH, size, read).where(*unfinished, JobRow.status == Status.PROCESSING)
            ((working, working_size, read_size),) = self._database.run(processing.tuples())
            ((done, done_size, newest),) = self._database.run(ended.tuples())
            failed = self._database.scalar(
                JobRow.select(_ONE_EACH).where(JobRow.finished_at > since_ms, JobRow.status == Status.FAILED)
            )
        return RunSums(
            open_files=waiting + working,
            open_bytes=waiting_size + working_size,
            processing=working,
            read_bytes=read_size,
            done_files=done,
            done_bytes=done_size,
            failed=failed,
            newest_end=newest or 0,
        )

    def ended(self, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
        """Return how much ended between two times, by interval; empty intervals are left out.

        Raises:
            StoreError: If the database can't be read.
        """
        step = (JobRow.finished_at / step_ms).cast("INTEGER")
        query = (
            JobRow.select(step, _ONE_EACH, fn.COALESCE(fn.SUM(JobRow.file_size), 0))
            .where(JobRow.finished_at > since_ms, JobRow.finished_at <= until_ms)
            .group_by(step)
        )
        with self._database.read():
            return [Ended(number * step_ms, files, size) for number, files, size in self._database.run(query.tuples())]
