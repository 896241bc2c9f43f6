"""The two kinds of trouble: what a person is told, and what is a bug.

A `KnownError` is the user's or the world's (a missing file, no network, a full disk). It carries a plain text that says
what happened and what to do; no traceback is shown for it. Every other exception is a bug of ours: it goes to the log
with its traceback and a person is offered a report.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from desktop_app.domain.iam_policy import MissingRight
    from desktop_app.domain.reasons import Reason


class Cause(StrEnum):
    """What exactly is the matter: decides what a person is offered. The values go to the log: never rename one."""

    OTHER = "other"
    """Nothing that there is a remedy for but patience."""
    NO_SIGN_IN = "no-sign-in"
    """No credentials for the profile, or no such profile, or it can't be used."""
    SESSION_ENDED = "session-ended"
    """Signed in once, but that has run out."""
    KEYS_REFUSED = "keys-refused"
    """AWS does not accept the keys."""
    CLOCK_WRONG = "clock-wrong"
    """This computer's clock is so far off that AWS refuses what it signs."""
    NO_REGION = "no-region"
    """No region is known, or there is none of this name."""
    OTHER_ACCOUNT = "other-account"
    """The queue is in another account than the one signed in to."""
    NO_QUEUE = "no-queue"
    """The queue is not there."""
    NO_RIGHT = "no-right"
    """One action is not allowed."""
    OFFLINE = "offline"
    """No connection, or the service has trouble of its own."""
    NOT_SQS = "not-sqs"
    """Somebody else answers."""
    PROXY = "proxy"
    """The proxy does not let us through."""
    NOT_TRUSTED = "not-trusted"
    """The server's certificate is not one that this computer trusts."""
    THROTTLED = "throttled"
    """The service asks us to go slower."""
    SETUP = "setup"
    """The queue or AWS's configuration is set up in a way that can't be used."""
    LOCAL_QUEUE = "local-queue"
    """The embedded queue can't start."""
    FOREIGN = "foreign"
    """The queue carries messages of another program."""
    DISK_FULL = "disk-full"
    DATABASE_BUSY = "database-busy"
    """Another program keeps the database to itself."""
    DATABASE_DAMAGED = "database-damaged"
    DATABASE_READ_ONLY = "database-read-only"


class KnownError(Exception):
    """Trouble that a person can understand and often mend.

    Args:
        text: One or two plain sentences: what happened, and what to do. No stack, no error code first.
        title: What happened, in a few words without a full stop, if `text` is only what is to be said besides.
        detail: What an expert wants besides (an exception's text, a service code); may be empty.
        cause: What is the matter; by default what the class says.

    Attributes:
        text: All of it, with the title as its first sentence.
        body: What stands under the title.
    """

    cause = Cause.OTHER

    def __init__(self, text: str, *, title: str = "", detail: str = "", cause: Cause | None = None) -> None:
        self.text = Sentence("{title}. {body}", title=title, body=text) if title else text
        super().__init__(self.text)
        self.title = title
        self.body = text
        self.detail = detail
        if cause is not None:
            self.cause = cause


class UsageError(KnownError):
    """A command line that makes no sense; the terminal ends with exit code 2."""


class SettingsError(KnownError):
    """The settings file or an environment variable says something that can't be used."""


class StoreError(KnownError):
    """The database can't be opened, read or written."""


class StoreBusyError(StoreError):
    """Another program holds the database's write lock for longer than we wait; trying again is right."""

    cause = Cause.DATABASE_BUSY


class StoreFullError(StoreError):
    """The disk is full; trying again after room was made is right."""

    cause = Cause.DISK_FULL


class PartlyAddedError(StoreError):
    """Some files of an Add are safe on the list, the others are not.

    Attributes:
        batch_id: The batch of those that are.
        added: How many these are.
    """

    def __init__(self, why: StoreError, *, batch_id: int, added: int, wanted: int) -> None:
        text = Sentence("Only {added} of {wanted} files were added. {why}", added=added, wanted=wanted, why=why.text)
        super().__init__(text, detail=why.detail, cause=why.cause)
        self.batch_id = batch_id
        self.added = added


class StoreDamagedError(StoreError):
    """The database's file is damaged; it has to be put aside before anything else is of use."""

    cause = Cause.DATABASE_DAMAGED


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
        text, title, detail, cause: See `KnownError`; the detail is the service's own code and text.
        trouble: The kind, which decides what happens next.
        right: For a missing right: which.
        command: For a session that has ended: what is typed to sign in again; empty if no command does that.
        was_answered: Whether the service itself has said so.
        said: What it has said, its code if it has said no more; empty if it has not answered.
    """

    def __init__(
        self,
        text: str,
        *,
        trouble: QueueTrouble,
        title: str = "",
        detail: str = "",
        cause: Cause | None = None,
        right: MissingRight | None = None,
        command: str = "",
        was_answered: bool = False,
        said: str = "",
    ) -> None:
        super().__init__(text, title=title, detail=detail, cause=cause)
        self.trouble = trouble
        self.right = right
        self.command = command
        self.was_answered = was_answered
        self.said = said


class FileError(KnownError):
    """One file can't be processed; its job becomes FAILED with this reason.

    Args:
        reason: Why; its sentence is the error's text.
        passing: True if trying again later may help (a share that is away, a file in use).
        detail: The system's own text.
    """

    def __init__(self, reason: Reason, *, passing: bool = False, detail: str = "") -> None:
        super().__init__(reason.sentence, detail=detail)
        self.reason = reason
        self.passing = passing
