"""Reading the list of jobs: for the window, the terminal and exports."""

from __future__ import annotations

import json
import re
from array import array
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from peewee import SQL, fn

from desktop_app.domain.job import OPEN_STATUSES, Batch, Changes, Ended, Job, RunSums, Status, StatusCounts
from desktop_app.domain.query import ListQuery, Problem, SelectionSums
from desktop_app.store.attempts import attempts_of, count_of
from desktop_app.store.list_query import condition, order_of
from desktop_app.store.models import BatchRow, CounterRow, JobRow
from desktop_app.store.rows import LISTED_COLUMNS, jobs_from, reason_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from desktop_app.domain.job import Attempt
    from desktop_app.store.database import Database


MAX_CHANGES = 2_000

NEWEST_BATCHES = 20

_PAGE = 500

_SUMMED_AT_ONCE = 20_000

_ID_START = re.compile(r"[0-9a-f-]{1,36}")


class JobList:
    """Queries over the jobs that are on the list. Any thread; none of them writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """The newest revision: cheap, and moved by every write of every program.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return self._head()

    def _head(self) -> int:
        return int(self._database.scalar(CounterRow.select(CounterRow.value).where(CounterRow.name == "revision")) or 0)

    def changes_since(self, revision: int) -> Changes:
        """What was written after a revision, newest state only; `overflow` if it is more than `MAX_CHANGES` rows.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            head = self._head()
            newer = JobRow.select(*LISTED_COLUMNS, JobRow.removed_at).where(JobRow.revision > revision)
            # Not ordered by the database: it would walk through all rows in that order instead of using the index.
            rows = sorted(self._database.run(newer.limit(MAX_CHANGES + 1).tuples()))
        if len(rows) > MAX_CHANGES:
            return Changes(head, overflow=True)
        listed = jobs_from(row[:-1] for row in rows if row[-1] is None)
        return Changes(head, tuple(listed), tuple(row[0] for row in rows if row[-1] is not None))

    def ids(self, query: ListQuery) -> array[int]:
        """The keys of all jobs that a query lists, in its order: 8 bytes a job.

        Raises:
            StoreError: If the database can't be read.
        """
        chosen = JobRow.select(JobRow.id).where(condition(query)).order_by(*order_of(query)).tuples()
        with self._database.read():
            return array("q", chain.from_iterable(self._database.run(chosen).cursor))

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        """The jobs with these keys; those that are gone are missing.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            query = JobRow.select(*LISTED_COLUMNS).where(JobRow.id.in_(list(row_ids)), JobRow.removed_at.is_null())
            return {job.row_id: job for job in jobs_from(self._database.run(query.tuples()))}

    def counts(self, queue: str | None = None) -> StatusCounts:
        """How many jobs have each status; of one queue, or of all.

        Raises:
            StoreError: If the database can't be read.
        """
        # One count a status is a run over one piece of the index each: twice as quick as grouping.
        query = JobRow.select(fn.COUNT(SQL("*"))).where(JobRow.removed_at.is_null())
        if queue is not None:
            query = query.where(JobRow.queue == queue)
        with self._database.read():
            return StatusCounts(
                *(int(self._database.scalar(query.where(JobRow.status == status))) for status in Status)
            )

    def problems(self) -> list[Problem]:
        """What jobs have failed for, and how many each; the most frequent first.

        Raises:
            StoreError: If the database can't be read.
        """
        # Read by the index over the status, so it costs as much as there are failed jobs.
        number = fn.COUNT(SQL("*"))
        query = (
            JobRow.select(JobRow.reason_code, JobRow.reason_args, number)
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
        """The batches of the newest `NEWEST_BATCHES` Adds that have jobs on the list, newest first.

        Args:
            also: The keys of older batches to list too.

        Raises:
            StoreError: If the database can't be read.
        """
        inner = JobRow.select(SQL("1")).where(JobRow.batch == BatchRow.id, JobRow.removed_at.is_null())
        newest = BatchRow.select(BatchRow.id).where(fn.EXISTS(inner)).order_by(BatchRow.id.desc())
        with self._database.read():
            keys = {key for (key,) in self._database.run(newest.limit(NEWEST_BATCHES).tuples())}
            counted = (
                JobRow.select(JobRow.batch, fn.COUNT(SQL("*")))
                .where(JobRow.batch.in_(sorted({*keys, *also})), JobRow.removed_at.is_null())
                .group_by(JobRow.batch)
            )
            counts = dict(self._database.run(counted.tuples()))
            facts = BatchRow.select(BatchRow.id, BatchRow.name, BatchRow.created_at)
            rows = sorted(self._database.run(facts.where(BatchRow.id.in_(sorted(counts))).tuples()), reverse=True)
        return [Batch(key, name, created_at, counts[key]) for key, name, created_at in rows]

    def sums(self, row_ids: Sequence[int]) -> SelectionSums:
        """Statuses, sizes and lines of jobs together; those that are gone are left out.

        Raises:
            StoreError: If the database can't be read.
        """
        counts, size, lines = [0] * len(Status), 0, 0
        columns = JobRow.status, fn.COUNT(SQL("*")), fn.SUM(JobRow.file_size), fn.SUM(JobRow.lines_count)
        for start in range(0, len(row_ids), _SUMMED_AT_ONCE):
            # As one value: measured, five times as quick as a parameter for each key.
            keys = json.dumps(sorted(row_ids[start : start + _SUMMED_AT_ONCE]))
            chosen = JobRow.id.in_(SQL("(SELECT value FROM json_each(?))", [keys]))
            query = JobRow.select(*columns).where(chosen, JobRow.removed_at.is_null()).group_by(JobRow.status)
            with self._database.read():
                for status, count, more_bytes, more_lines in self._database.run(query.tuples()):
                    counts[status] += count
                    size += more_bytes or 0
                    lines += more_lines or 0
        return SelectionSums(StatusCounts(*counts), size, lines)

    def attempts(self, row_id: int) -> list[Attempt]:
        """The tries at a job that are kept, oldest first; quick.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return attempts_of(self._database, row_id)

    def attempt_count(self, row_id: int) -> int:
        """How many tries at a job are kept; quick.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            return count_of(self._database, row_id)

    def run_sums(self, *, queue: str, since_ms: int) -> RunSums:
        """What of a queue is unfinished, and what has ended after a time.

        Raises:
            StoreError: If the database can't be read.
        """
        return run_sums(self._database, queue=queue, since_ms=since_ms)

    def ended(self, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
        """How much has ended after a time and up to another, in steps of the clock.

        Raises:
            StoreError: If the database can't be read.
        """
        return ended(self._database, since_ms=since_ms, until_ms=until_ms, step_ms=step_ms)

    def all(self, query: ListQuery | None = None) -> Iterator[Job]:
        """Every job that a query lists, read in pages, so that memory stays flat.

        Raises:
            StoreError: If the database can't be read.
        """
        return self.listed(self.ids(query or ListQuery()))

    def listed(self, row_ids: Sequence[int]) -> Iterator[Job]:
        """The jobs with these keys in their order, without those that are gone; read in pages.

        Raises:
            StoreError: If the database can't be read.
        """
        for part in _parts(row_ids):
            jobs = self.page(part)
            yield from (jobs[key] for key in part if key in jobs)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read on this thread while it is entered is of one moment; writers are not held up.

        Raises:
            StoreError: If the database can't be read.
        """
        with self._database.read():
            yield

    def unfinished_by_queue(self) -> dict[str, int]:
        """How many jobs have not ended, by the key of their queue.

        Raises:
            StoreError: If the database can't be read.
        """
        query = (
            JobRow.select(JobRow.queue, fn.COUNT(JobRow.id))
            .where(JobRow.status.in_(OPEN_STATUSES), JobRow.removed_at.is_null())
            .group_by(JobRow.queue)
        )
        with self._database.read():
            return {queue: int(count) for queue, count in self._database.run(query.tuples())}

    def find(self, id_or_start: str) -> list[Job]:
        """The jobs whose UUID is this, or begins with it; at most two, so that a caller sees what is ambiguous.

        Raises:
            StoreError: If the database can't be read.
        """
        text = id_or_start.strip().lower()
        if not _ID_START.fullmatch(text):
            return []
        upper = text + "g"  # sorts behind every hexadecimal digit and the hyphen
        query = JobRow.select(*LISTED_COLUMNS).where(
            JobRow.uuid >= text, JobRow.uuid < upper, JobRow.removed_at.is_null()
        )
        with self._database.read():
            return jobs_from(self._database.run(query.order_by(JobRow.uuid).limit(2).tuples()))


def _parts(row_ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(row_ids), _PAGE):
        yield list(row_ids[start : start + _PAGE])


def run_sums(database: Database, *, queue: str, since_ms: int) -> RunSums:
    """What of a queue is unfinished, and what has ended after a time.

    Jobs that were taken off the list after they had ended count on: the work was done.

    Raises:
        StoreError: If the database can't be read.
    """
    number, size = fn.COUNT(SQL("*")), fn.COALESCE(fn.SUM(JobRow.file_size), 0)
    read = fn.COALESCE(fn.SUM(fn.MIN(JobRow.bytes_done, fn.COALESCE(JobRow.file_size, JobRow.bytes_done))), 0)
    unfinished = JobRow.queue == queue, JobRow.removed_at.is_null()
    ended = JobRow.select(number, size, fn.MAX(JobRow.finished_at)).where(JobRow.finished_at > since_ms)
    with database.read():
        # One query a status is a run over one piece of the index each: quicker than grouping.
        pending = JobRow.select(number, size).where(*unfinished, JobRow.status == Status.PENDING)
        ((waiting, waiting_size),) = database.run(pending.tuples())
        processing = JobRow.select(number, size, read).where(*unfinished, JobRow.status == Status.PROCESSING)
        ((working, working_size, read_size),) = database.run(processing.tuples())
        ((done, done_size, newest),) = database.run(ended.tuples())
        failed = database.scalar(
            JobRow.select(number).where(JobRow.finished_at > since_ms, JobRow.status == Status.FAILED)
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


def ended(database: Database, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
    """How many files and bytes have ended after a time and up to another, in steps of the clock; empty ones left out.

    Raises:
        StoreError: If the database can't be read.
    """
    step = (JobRow.finished_at / step_ms).cast("INTEGER")
    query = (
        JobRow.select(step, fn.COUNT(SQL("*")), fn.COALESCE(fn.SUM(JobRow.file_size), 0))
        .where(JobRow.finished_at > since_ms, JobRow.finished_at <= until_ms)
        .group_by(step)
    )
    with database.read():
        return [Ended(number * step_ms, files, size) for number, files, size in database.run(query.tuples())]
