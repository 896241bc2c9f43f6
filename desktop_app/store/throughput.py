"""How far the work is that is under way, and how much was done when. Read only; inside the index as far as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import SQL, fn

from desktop_app.jobs import Status
from desktop_app.runs import Ended, RunSums
from desktop_app.store.models import JobRow

if TYPE_CHECKING:
    from desktop_app.store.database import Database


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
