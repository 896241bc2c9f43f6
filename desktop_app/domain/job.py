"""Jobs, their statuses, batches and attempts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.fields import DEFAULT_PROCESSOR, read_result
from desktop_app.domain.sentences import display_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.domain.fields import Value
    from desktop_app.domain.reasons import FileProblem, Reason


class Status(IntEnum):
    """The status of a job, stored as a number. There are exactly four statuses; the job's reason gives the details."""

    PENDING = 0
    PROCESSING = 1
    PROCESSED = 2
    FAILED = 3

    @property
    def is_final(self) -> bool:
        """Whether the job has ended; it is processed again only if the user retries it."""
        return self in {Status.PROCESSED, Status.FAILED}


OPEN_STATUSES = tuple(status for status in Status if not status.is_final)

FINAL_STATUSES = tuple(status for status in Status if status.is_final)


@dataclass(frozen=True, slots=True)
class Job:
    """A submitted file: a snapshot of one database row.

    Times are in milliseconds since the Unix epoch, or None if the event has not happened yet.
    """

    row_id: int
    """The primary key, in order of submission; never shown to the user."""
    id: str
    """The UUID that identifies the job in messages and on the command line."""
    batch_id: int
    file_path: str
    """The absolute path as decoded by `os.fsdecode`, which preserves bytes that are not UTF-8."""
    status: Status
    reason: Reason | None
    """None if the status needs no explanation."""
    file_size: int | None
    lines_count: int | None
    bytes_done: int
    attempts: int
    generation: int
    queue: str
    """The key of the job's queue; see `Connection.key`."""
    message_id: str | None
    receive_count: int
    created_at: int
    sent_at: int | None
    started_at: int | None
    finished_at: int | None
    next_try_at: int | None
    revision: int
    """The value of the database's change counter when this row was last written."""
    modified_ns: int | None = None
    """The file's last known modification time, in nanoseconds since the Unix epoch."""
    resends: int = 0
    """How often the message of this generation was sent again because it was lost."""
    processor: str = DEFAULT_PROCESSOR
    """The name of the processor."""
    options: str = ""
    """The options of the processor as JSON; empty for the defaults."""
    processor_version: int = 0
    """The version of the processor that has processed the file last; 0 if it was not processed yet."""
    result_text: str | None = None
    """The result as it is stored; see `result`."""
    batch_name: str = field(default="", compare=False)
    """The name of the batch; may be empty. Set only on jobs read through `JobList`."""

    @property
    def result(self) -> Mapping[str, Value]:
        """The fields of the result, without `file_size` and `lines_count`."""
        return read_result(self.result_text)

    @property
    def name(self) -> str:
        """The last component of the path, escaped for display."""
        return display_text(os.path.basename(self.file_path) or self.file_path)  # noqa: PTH119 - keep surrogates

    @property
    def problem(self) -> FileProblem | None:
        """The category of the failure; None if the job has not failed or its reason has no category."""
        return self.reason.code.problem if self.reason and self.status is Status.FAILED else None

    @property
    def took_ms(self) -> int | None:
        """The duration of the last attempt in milliseconds; None until the attempt has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0, self.finished_at - self.started_at)


def submitted_again(job: Job) -> Job:
    """Return a job as it will be shown once it has been submitted again."""
    return replace(
        job,
        status=Status.PENDING,
        reason=None,
        lines_count=None,
        result_text=None,
        bytes_done=0,
        attempts=0,
        generation=job.generation + 1,
        message_id=None,
        receive_count=0,
        sent_at=None,
        started_at=None,
        finished_at=None,
        next_try_at=None,
        resends=0,
    )


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to add to the list.

    `size` and `modified_ns` are the values from `stat`, or None if `stat` failed.
    """

    path: str
    size: int | None
    modified_ns: int | None


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """The number of jobs with each status."""

    pending: int = 0
    processing: int = 0
    processed: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """The total number of jobs."""
        return self.pending + self.processing + self.processed + self.failed

    @property
    def unfinished(self) -> int:
        """The number of jobs that have not ended."""
        return self.pending + self.processing

    def of(self, status: Status) -> int:
        """Return the number of jobs with a status."""
        return (self.pending, self.processing, self.processed, self.failed)[status]


_NUMBER = re.compile(r"\d+")


def natural_key(name: str) -> str:
    """Return a key for natural, case-insensitive sorting: file2 before file10."""
    return _NUMBER.sub(_number_key, name.casefold())


def _number_key(match: re.Match[str]) -> str:
    """Prefix a number with its length in digits, so that longer numbers sort after shorter ones."""
    digits = match.group().lstrip("0")
    return f"{len(digits):03}{digits}"  # a name has at most 255 characters


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_utc(milliseconds: int | None) -> str | None:
    """Format a time as ISO 8601 in UTC, such as `2026-01-31T09:05:07.123Z`; return None for None."""
    if milliseconds is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Cursor:
    """An opaque position in the store's change feed."""

    revision: int
    epoch: int = 0

    def is_before(self, job: Job) -> bool:
        """Return whether a job was last written after this position."""
        return job.revision > self.revision


BEGINNING = Cursor(0)
"""The position before the first write."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to the list since a cursor.

    Attributes:
        cursor: The position to continue from.
        jobs: The changed jobs, in their current state.
        removed: The keys of jobs that were removed from the list.
        overflow: Whether there were too many changes to return. `jobs` and `removed` are then empty, and the whole
            list has to be read again.
        replaced: Whether the database was replaced by another one since the cursor. The keys of jobs that were read
            before are no longer valid, and the whole list has to be read again; `overflow` is set too.
    """

    cursor: Cursor
    jobs: tuple[Job, ...] = ()
    removed: tuple[int, ...] = ()
    overflow: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Why a batch is paused.

    Attributes:
        reason: The most frequent one of the reasons, which differ in their arguments; None if no file has it any more.
        failed: The number of files that failed for such a reason.
    """

    reason: Reason | None
    failed: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that were added together.

    Attributes:
        id: The primary key.
        name: The name to show; may be empty.
        created_at: When the files were added, in milliseconds since the Unix epoch.
        counts: The number of the batch's jobs that are still on the list, by status.
        held: Why the batch is paused; None if it is not.
        processor, options: What was chosen for the files when they were added.
    """

    id: int
    name: str
    created_at: int
    counts: StatusCounts
    held: Held | None = None
    processor: str = DEFAULT_PROCESSOR
    options: str = ""


class AttemptOutcome(StrEnum):
    """The outcome of an attempt. The values are stored, so do not rename them."""

    PROCESSED = "processed"
    FAILED = "failed"
    LATER = "later"
    """The attempt failed for a reason that might be temporary; another attempt follows."""
    RETURNED = "returned"
    """The program released the job without a result, for example because the program was closed."""
    STOPPED = "stopped"
    """The program exited unexpectedly, or its lease expired."""
    PUT_ASIDE = "put_aside"
    """SQS moved the message to the dead-letter queue during the attempt."""
    REMOVED = "removed"
    """The job was removed from the list during the attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A snapshot of one attempt to process a job. Times are in milliseconds since the Unix epoch.

    Attributes:
        token: The fencing token of the claim; increases with every attempt.
        generation: The generation of the job.
        number: The number of the attempt within its generation, starting at 1.
        worker: The worker, as `<computer>/<tag>`.
        started_at: When the job was claimed.
        ended_at: When the outcome was recorded; None while the attempt is running.
        outcome: The outcome; None while the attempt is running.
        reason: The reason for the outcome; None if it needs no explanation.
    """

    token: int
    generation: int
    number: int
    worker: str
    started_at: int
    ended_at: int | None = None
    outcome: AttemptOutcome | None = None
    reason: Reason | None = None

    @property
    def computer(self) -> str:
        """The name of the worker's computer."""
        return self.worker.rpartition("/")[0] or self.worker

    @property
    def took_ms(self) -> int | None:
        """The duration in milliseconds; None while the attempt is running or if its actual end is unknown."""
        if self.ended_at is None or self.outcome in _UNSEEN:
            return None
        return max(0, self.ended_at - self.started_at)


_UNSEEN = frozenset({AttemptOutcome.STOPPED, AttemptOutcome.PUT_ASIDE})


@dataclass(frozen=True, slots=True)
class RunSums:
    """Totals of the unfinished jobs, and of the jobs that have ended since a given time.

    Sizes are in bytes; unknown sizes count as 0.

    Attributes:
        open_files, open_bytes: The number and total size of the PENDING and PROCESSING jobs.
        processing: The number of PROCESSING jobs.
        read_bytes: The number of bytes that have been read from the files of the PROCESSING jobs.
        done_files, done_bytes: The number and total size of the ended jobs.
        failed: The number of ended jobs that are FAILED.
        newest_end: When the most recent job ended, in milliseconds since the Unix epoch; 0 if no job has ended.
        oldest_start: When the last attempt of the first of the ended jobs began; 0 if no job has ended.
    """

    open_files: int = 0
    open_bytes: int = 0
    processing: int = 0
    read_bytes: int = 0
    done_files: int = 0
    done_bytes: int = 0
    failed: int = 0
    newest_end: int = 0
    oldest_start: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The number and total size of the jobs that ended in the interval starting at `start_ms`."""

    start_ms: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PriorityResult:
    """The result of moving jobs to the front of the outbox.

    Attributes:
        keys: The keys of the jobs that are still waiting, in the requested order.
        front: The number of these jobs that are now at the front of the outbox.
        is_served: Whether a consumer in this program will start them next, regardless of the queue's order.
    """

    keys: tuple[int, ...] = ()
    front: int = 0
    is_served: bool = False

    @property
    def sent(self) -> int:
        """The number of jobs whose messages are already in the queue and can't be moved."""
        return len(self.keys) - self.front
