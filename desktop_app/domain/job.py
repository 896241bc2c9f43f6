"""The vocabulary that every layer shares: statuses, jobs, batches. Imports nothing of ours."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum


class Status(IntEnum):
    """Where a job stands. Exactly four, stored as numbers; anything finer is the job's reason."""

    PENDING = 0
    PROCESSING = 1
    PROCESSED = 2
    FAILED = 3

    @property
    def is_final(self) -> bool:
        """True if nothing more happens to the job by itself."""
        return self in {Status.PROCESSED, Status.FAILED}


OPEN_STATUSES = tuple(status for status in Status if not status.is_final)

FINAL_STATUSES = tuple(status for status in Status if status.is_final)


@dataclass(frozen=True, slots=True)
class Job:
    """One file that a person submitted; one row of the database, as it was when it was read.

    Times are milliseconds since 1970, UTC; None where the thing has not happened.
    """

    row_id: int
    """The database's key: small, ordered by submission, never shown."""
    id: str
    """The UUID that the message carries and the command line shows."""
    batch_id: int
    file_path: str
    """Absolute; as `os.fsdecode` gives it, so it opens the file even if its name is not UTF-8."""
    status: Status
    reason: str
    """A plain sentence for a person; empty where the status says all."""
    reason_code: str
    """A value of `FileProblem`, or empty."""
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
    """The store's counter at the last write of this row; grows with every write."""
    modified_ns: int | None = None
    """The file's own time as it was seen last, in nanoseconds since 1970."""
    batch_name: str = field(default="", compare=False)
    """The name of its batch, where the list was read; may be empty."""

    @property
    def name(self) -> str:
        """The last part of the path, safe to show."""
        return display_text(os.path.basename(self.file_path) or self.file_path)  # noqa: PTH119 - keep surrogates

    @property
    def took_ms(self) -> int | None:
        """How long the last attempt worked, in milliseconds; None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0, self.finished_at - self.started_at)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that intake has looked at and accepted, before it has a row.

    `size` and `modified_ns` are what `stat` said then; None where it could not be asked.
    """

    path: str
    size: int | None
    modified_ns: int | None


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """How many jobs have each status."""

    pending: int = 0
    processing: int = 0
    processed: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All jobs."""
        return self.pending + self.processing + self.processed + self.failed

    @property
    def unfinished(self) -> int:
        """Jobs that something still has to happen to."""
        return self.pending + self.processing

    def of(self, status: Status) -> int:
        """The count of one status."""
        return (self.pending, self.processing, self.processed, self.failed)[status]


def display_text(text: str) -> str:
    r"""Make a file name or foreign text safe to show in a table, a log line or a terminal.

    Bytes that are not UTF-8 become `\xNN`, control, line-break and bidirectional-override characters become their
    escapes, so that a name can neither break a line nor pretend to be another.
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
    """Return a text that sorts names as people expect: file2 before file10, whatever the case."""
    return _NUMBER.sub(_number_key, name.casefold())


def _number_key(match: re.Match[str]) -> str:
    """Put a number behind its length: of two numbers the longer one is greater. A name has at most 255 characters."""
    digits = match.group().lstrip("0")
    return f"{len(digits):03}{digits}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_utc(milliseconds: int | None) -> str | None:
    """An instant as ISO 8601 in UTC with milliseconds, `2026-01-31T09:05:07.123Z`; None stays None."""
    if milliseconds is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Changes:
    """What the database changed since a reader looked last.

    Attributes:
        revision: What to ask from the next time.
        jobs: The rows that were written, as they are now.
        removed: The keys of rows that were taken off the list.
        overflow: True if there were too many to list one by one: read everything again; `jobs` and `removed` are
            empty then.
    """

    revision: int
    jobs: tuple[Job, ...] = ()
    removed: tuple[int, ...] = ()
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of one Add that are on the list.

    Attributes:
        id, name: The database's key; what a person reads, may be empty.
        created_at: When it was added, in milliseconds since 1970.
        count: How many of its jobs are on the list.
    """

    id: int
    name: str
    created_at: int
    count: int


class AttemptOutcome(StrEnum):
    """How a try ended. The values are stored: never rename one."""

    PROCESSED = "processed"
    FAILED = "failed"
    LATER = "later"
    """It failed for a reason that may pass; another one follows."""
    RETURNED = "returned"
    """The program that worked on it was closed in order, or its share of the work was taken back."""
    STOPPED = "stopped"
    """No result: the program ended, or did not answer until its lease was over."""
    PUT_ASIDE = "put_aside"
    """No result: the queue has put the message aside meanwhile."""
    REMOVED = "removed"
    """The job was taken off the list meanwhile."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a job, as it was when it was read. Times are milliseconds since 1970, UTC.

    Attributes:
        token: The fencing token of the claim; grows with every try of a job.
        generation: Of which submission.
        number: The how-manieth of that submission.
        worker: Who worked, as `<computer>/<tag>`.
        started_at: When the job was claimed.
        ended_at: When it was known how it ended; None while it runs.
        outcome: None while it runs.
        reason: A plain sentence; empty where the outcome says all.
    """

    token: int
    generation: int
    number: int
    worker: str
    started_at: int
    ended_at: int | None = None
    outcome: AttemptOutcome | None = None
    reason: str = ""

    @property
    def computer(self) -> str:
        """The computer's name."""
        return self.worker.rpartition("/")[0] or self.worker

    @property
    def took_ms(self) -> int | None:
        """How long it worked, in milliseconds; None while it runs, and where nobody saw its end."""
        if self.ended_at is None or self.outcome in _UNSEEN:
            return None
        return max(0, self.ended_at - self.started_at)


_UNSEEN = frozenset({AttemptOutcome.STOPPED, AttemptOutcome.PUT_ASIDE})


@dataclass(frozen=True, slots=True)
class RunSums:
    """What is under way, and what has ended since a time; sizes in bytes, as far as they are known.

    Attributes:
        open_files, open_bytes: What has not ended, PENDING and PROCESSING.
        processing: How many of them are being processed.
        read_bytes: How much of those is read.
        done_files, done_bytes: What has ended since then, however.
        failed: How many of those have failed.
        newest_end: When the last of them ended, in milliseconds since 1970; 0 if there is none.
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
    """What has ended in a step of the clock that begins at `start_ms`: files, and their bytes."""

    start_ms: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PriorityResult:
    """What became of jobs that should be next.

    Attributes:
        keys: Those that wait, in the order asked for.
        front: How many of them stand at the front of the outbox now.
        is_served: Whether somebody begins them at once, whatever the queue's order is.
    """

    keys: tuple[int, ...] = ()
    front: int = 0
    is_served: bool = False

    @property
    def sent(self) -> int:
        """How many have their message in the queue already, which nobody can move there."""
        return len(self.keys) - self.front
