"""The vocabulary that every layer shares: statuses, jobs, batches. Imports nothing of ours."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field, replace
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


class SortBy(StrEnum):
    """The columns that the list of jobs can be ordered by."""

    ADDED = "added"
    NAME = "name"
    STATUS = "status"
    LINES = "lines"
    SIZE = "size"
    TOOK = "took"
    PROGRESS = "progress"
    REASON = "reason"
    FOLDER = "folder"
    TYPE = "type"
    FINISHED = "finished"
    MODIFIED = "modified"
    ATTEMPTS = "attempts"
    BATCH = "batch"
    QUEUE = "queue"
    MESSAGE = "message"
    ID = "id"


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Sizes in bytes from `least` to `most`, both included; None where there is no bound."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What a person looks for; all of it has to apply. `filters.parse_search` makes one from what was typed.

    Attributes:
        words: Each is part of the path or of the reason, upper and lower case alike.
        statuses: One of these; empty = any.
        sizes: The size lies in each of these ranges; a size that is not known lies in none.
        reasons: Each is part of the reason, or of its code.
        spoken: Words and reasons that another language says, and parts of the stored, English reasons that it says so.
    """

    words: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    sizes: tuple[SizeRange, ...] = ()
    reasons: tuple[str, ...] = ()
    spoken: tuple[tuple[str, tuple[str, ...]], ...] = ()


NO_SEARCH = Search()


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which jobs to list, and in which order; jobs that compare equal stay in the order they were added.

    Attributes:
        sort_by, descending: The order.
        then_by, then_descending: The order of those that are equal in it; None = none but that of adding.
        statuses: Only these; empty = all.
        problems, batches: Only those that have failed for (`Job.reason_code`), that are of one of these; empty = all.
        search: Only what matches.
    """

    sort_by: SortBy = SortBy.ADDED
    descending: bool = False
    statuses: frozenset[Status] = frozenset()
    problems: frozenset[str] = frozenset()
    batches: frozenset[int] = frozenset()
    search: Search = NO_SEARCH
    then_by: SortBy | None = None
    then_descending: bool = False

    @property
    def is_by_adding(self) -> bool:
        """True if the jobs stand in the order they were added, or the other way round."""
        return self.sort_by is SortBy.ADDED and self.then_by is None

    def in_order_of(self, other: ListQuery) -> ListQuery:
        """The same jobs, in the order of another query."""
        return replace(other, statuses=self.statuses, problems=self.problems, batches=self.batches, search=self.search)

    @property
    def is_narrowed(self) -> bool:
        """True if jobs may be left out."""
        return bool(self.statuses or self.problems or self.batches or self.search != NO_SEARCH)


@dataclass(frozen=True, slots=True)
class Problem:
    """Jobs that have failed for the same reason.

    Attributes:
        code: The reason's code; empty where none was given.
        text: The sentence that most of them carry.
        count: How many jobs it is.
        texts: How many different sentences they carry.
    """

    code: str
    text: str
    count: int
    texts: int = 1


@dataclass(frozen=True, slots=True)
class SelectionSums:
    """What some jobs are together; sizes in bytes and lines as far as they are known."""

    counts: StatusCounts
    size: int
    lines: int


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
