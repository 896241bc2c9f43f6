"""The two kinds of trouble: what a person is told, and what is a bug.

A `KnownError` is the user's or the world's (a missing file, no network, a full disk). It carries a plain text that says
what happened and what to do; no traceback is shown for it. Every other exception is a bug of ours: it goes to the log
with its traceback and a person is offered a report.
"""

from __future__ import annotations

from enum import StrEnum


class KnownError(Exception):
    """Trouble that a person can understand and often mend.

    Args:
        text: One or two plain sentences: what happened, and what to do. No stack, no error code first.
        detail: What an expert wants besides (an exception's text, a service code); may be empty.
    """

    def __init__(self, text: str, *, detail: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.detail = detail


class UsageError(KnownError):
    """A command line that makes no sense; the terminal ends with exit code 2."""


class SettingsError(KnownError):
    """The settings file or an environment variable says something that can't be used."""


class StoreError(KnownError):
    """The database can't be opened, read or written."""


class StoreBusyError(StoreError):
    """Another program holds the database's write lock for longer than we wait; trying again is right."""


class StoreFullError(StoreError):
    """The disk is full; trying again after room was made is right."""


class StoreDamagedError(StoreError):
    """The database's file is damaged; it has to be put aside before anything else is of use."""


class QueueTrouble(StrEnum):
    """What kind of trouble a queue has: decides who waits, how long, and what the window says."""

    OFFLINE = "offline"
    """No connection, a time-out, a server error: try again with backoff."""
    THROTTLED = "throttled"
    """The service asks us to go slower."""
    SIGNED_OUT = "signed out"
    """No credentials, or they have ended: the user has to sign in."""
    NO_RIGHT = "no right"
    """Signed in, but this action is not allowed."""
    NO_QUEUE = "no queue"
    """The queue is not there (deleted, other region, other account)."""
    SETUP = "setup"
    """Something that is set up wrong: region, endpoint, certificate, proxy."""
    LEASE_LOST = "lease lost"
    """A receipt handle no longer holds its message; never tried again."""
    REFUSED = "refused"
    """The service refuses this request for what is in it; trying the same again is no use."""

    @property
    def may_look_different(self) -> bool:
        """Whether it may be over once everything was looked up afresh: the credentials, the region, the queue."""
        return self in {QueueTrouble.SIGNED_OUT, QueueTrouble.NO_RIGHT, QueueTrouble.NO_QUEUE, QueueTrouble.SETUP}


class QueueError(KnownError):
    """A call to the queue did not succeed.

    Args:
        text: Plain sentences for a person.
        trouble: The kind, which decides what happens next.
        detail: The service's own code and text.
    """

    def __init__(self, text: str, *, trouble: QueueTrouble, detail: str = "") -> None:
        super().__init__(text, detail=detail)
        self.trouble = trouble


class FileProblem(StrEnum):
    """Why one file could not be processed. The values are stored (`reason_code`): never rename one."""

    MISSING = "missing"
    NOT_ALLOWED = "not_allowed"
    NOT_A_FILE = "not_a_file"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    CRASHED = "crashed"
    NOT_SENT = "not_sent"
    DEAD_LETTERED = "dead_lettered"
    INTERNAL = "internal"


class FileError(KnownError):
    """One file can't be processed; its job becomes FAILED with this text as the reason.

    Args:
        problem: The kind, for grouping and for what the window offers.
        text: A plain sentence without the file's name, which stands beside it.
        passing: True if trying again later may help (a share that is away, a file in use).
        detail: The system's own text.
    """

    def __init__(self, problem: FileProblem, text: str, *, passing: bool = False, detail: str = "") -> None:
        super().__init__(text, detail=detail)
        self.problem = problem
        self.passing = passing
