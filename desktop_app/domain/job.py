"""Jobs, their statuses, batches and attempts."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.domain.reasons import FileProblem, Reason


class Status(IntEnum):
    """The status of a job. There are exactly four, stored as numbers; anything finer is the job's reason."""

    PENDING = 0
    PROCESSING = 1
    PROCESSED = 2
    FAILED = 3

    @property
    def is_final(self) -> bool:
        """Whether the job has ended: nothing more happens to it by itself."""
        return self in {Status.PROCESSED, Status.FAILED}


OPEN_STATUSES = tuple(status for status in Status if not status.is_final)

FINAL_STATUSES = tuple(status for status in Status if status.is_final)


@dataclass(frozen=True, slots=True)
class Job:
    """A file that was submitted: one row of the database, as it was when it was read.

    Times are milliseconds since 1970, UTC; None for what has not happened yet.
    """

    row_id: int
    """The database's key: ordered by submission, never shown."""
    id: str
    """The UUID that the message contains and the command line shows."""
    batch_id: int
    file_path: str
    """The absolute path as decoded by `os.fsdecode`, so it opens the file even if its name is not UTF-8."""
    status: Status
    reason: Reason | None
    """None if the status needs no explanation."""
    file_size: int | None
    lines_count: int | None
    bytes_done: int
    attempts: int
    generation: int
    queue: str
    """The key of the queue that this job belongs to (`Connection.key`)."""
    message_id: str | None
    receive_count: int
    created_at: int
    sent_at: int | None
    started_at: int | None
    finished_at: int | None
    next_try_at: int | None
    revision: int
    """The store's write counter at the last write of this row."""
    modified_ns: int | None = None
    """The file's last known modification time, in nanoseconds since 1970."""
    batch_name: str = field(default="", compare=False)
    """The name of its batch; may be empty. Filled only where the list is read."""

    @property
    def name(self) -> str:
        """The last component of the path, safe to show."""
        return display_text(os.path.basename(self.file_path) or self.file_path)  # noqa: PTH119 - keep surrogates

    @property
    def problem(self) -> FileProblem | None:
        """The category of the reason why it failed; None if it has not failed or the reason has no category."""
        return self.reason.code.problem if self.reason and self.status is Status.FAILED else None

    @property
    def took_ms(self) -> int | None:
        """The duration of the last attempt in milliseconds; None until it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0, self.finished_at - self.started_at)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was accepted for adding and has no row yet.

    `size` and `modified_ns` are as `stat` reported them; None where it failed.
    """

    path: str
    size: int | None
    modified_ns: int | None


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """The number of jobs of each status."""

    pending: int = 0
    processing: int = 0
    processed: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """The number of all jobs."""
        return self.pending + self.processing + self.processed + self.failed

    @property
    def unfinished(self) -> int:
        """The number of jobs that have not ended."""
        return self.pending + self.processing

    def of(self, status: Status) -> int:
        """Return the count of one status."""
        return (self.pending, self.processing, self.processed, self.failed)[status]


def display_text(text: str) -> str:
    r"""Make a file name or other outside text safe to show in a table, a log line or a terminal.

    Bytes that are not UTF-8 become `\xNN`; control, line-break and bidirectional-override characters become escapes,
    so that a name can neither break a line nor imitate another name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_display_char(char) for char in text)


_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_SURROGATE_ESCAPE = range(0xDC80, 0xDD00)


def _display_char(char: str) -> str:
    code = ord(char)
    if code in _SURROGATE_ESCAPE:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(char) not in _HIDDEN_CATEGORIES or char in "\u200c\u200d":
        return char
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


_NUMBER = re.compile(r"\d+")


def natural_key(name: str) -> str:
    """Return a key that sorts names as people expect: file2 before file10, ignoring case."""
    return _NUMBER.sub(_number_key, name.casefold())


def _number_key(match: re.Match[str]) -> str:
    """Prefix a number with its length, so that the longer number sorts last. A name has at most 255 characters."""
    digits = match.group().lstrip("0")
    return f"{len(digits):03}{digits}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_utc(milliseconds: int | None) -> str | None:
    """Return an instant as ISO 8601 in UTC with milliseconds, `2026-01-31T09:05:07.123Z`; None stays None."""
    if milliseconds is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Cursor:
    """An opaque position in the store's change feed."""

    revision: int

    def is_before(self, job: Job) -> bool:
        """Return whether a job was written after this position."""
        return job.revision > self.revision


BEGINNING = Cursor(0)
"""The position before the first write."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of the list after a cursor.

    Attributes:
        cursor: The position to continue from.
        jobs: The jobs that were written, in their current state.
        removed: The keys of jobs that were removed from the list.
        overflow: True if there were too many changes to return; read the whole list again. `jobs` and `removed` are
            then empty.
    """

    cursor: Cursor
    jobs: tuple[Job, ...] = ()
    removed: tuple[int, ...] = ()
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch: the files of one Add that are on the list.

    Attributes:
        id, name: The database's key, and the name to show, which may be empty.
        created_at: When it was added, in milliseconds since 1970.
        count: The number of its jobs that are on the list.
    """

    id: int
    name: str
    created_at: int
    count: int


class AttemptOutcome(StrEnum):
    """How an attempt ended. The values are stored: never rename one."""

    PROCESSED = "processed"
    FAILED = "failed"
    LATER = "later"
    """Failed for a reason that may be temporary; another attempt follows."""
    RETURNED = "returned"
    """The program was closed while it processed the file, or released the message."""
    STOPPED = "stopped"
    """No result: the program ended unexpectedly, or its lease expired."""
    PUT_ASIDE = "put_aside"
    """No result: SQS moved the message to the dead-letter queue in the meantime."""
    REMOVED = "removed"
    """The job was removed from the list in the meantime."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to process a job, as it was when it was read. Times are milliseconds since 1970, UTC.

    Attributes:
        token: The fencing token of the claim; grows with every attempt.
        generation: The submission it belongs to.
        number: Its 1-based number within that submission.
        worker: The worker, as `<computer>/<tag>`.
        started_at: When the job was claimed.
        ended_at: When its outcome was recorded; None while it runs.
        outcome: None while it runs.
        reason: None if the outcome needs no explanation.
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
        """The duration in milliseconds; None while it runs, and if its end was not observed."""
        if self.ended_at is None or self.outcome in _UNSEEN:
            return None
        return max(0, self.ended_at - self.started_at)


_UNSEEN = frozenset({AttemptOutcome.STOPPED, AttemptOutcome.PUT_ASIDE})


@dataclass(frozen=True, slots=True)
class RunSums:
    """What is unfinished, and what has ended since a given time. Sizes are in bytes; unknown ones count as 0.

    Attributes:
        open_files, open_bytes: Jobs that are PENDING or PROCESSING.
        processing: The number of those that are PROCESSING.
        read_bytes: The bytes of those that have been read.
        done_files, done_bytes: Jobs that ended since then, PROCESSED or FAILED.
        failed: The number of those that are FAILED.
        newest_end: When the last of them ended, in milliseconds since 1970; 0 if none did.
    """

    open_files: int = 0
    open_bytes: int = 0
    processing: int = 0
    read_bytes: int = 0
    done_files: int = 0
    done_bytes: int = 0
    failed: int = 0
    newest_end: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The files that ended within the interval that begins at `start_ms`, and their bytes."""

    start_ms: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PriorityResult:
    """The result of moving jobs to the front.

    Attributes:
        keys: The jobs that are waiting, in the requested order.
        front: The number of them that are now at the front of the outbox.
        is_served: Whether a consumer starts them at once, regardless of the queue's order.
    """

    keys: tuple[int, ...] = ()
    front: int = 0
    is_served: bool = False

    @property
    def sent(self) -> int:
        """The number of jobs whose message is already in the queue, where it can't be moved."""
        return len(self.keys) - self.front
