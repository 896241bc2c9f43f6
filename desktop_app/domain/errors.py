"""Errors that a user can understand, as opposed to bugs.

A `KnownError` has a cause outside the program (a missing file, no network, a full disk). Its text says what happened
and what to do, and no traceback is shown. Every other exception is a bug: it is logged with its traceback, and the
user is offered a report.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from desktop_app.domain.iam_policy import MissingRight
    from desktop_app.domain.reasons import Reason


class Cause(StrEnum):
    """The exact cause of an error. It decides which remedies are offered. The values are logged: never rename one."""

    OTHER = "other"
    """No remedy but to wait."""
    NO_SIGN_IN = "no-sign-in"
    """The profile does not exist, has no credentials, or can't be used."""
    SESSION_ENDED = "session-ended"
    """The session has expired."""
    KEYS_REFUSED = "keys-refused"
    """AWS rejects the access keys."""
    CLOCK_WRONG = "clock-wrong"
    """This computer's clock is so far off that AWS rejects its signatures."""
    NO_REGION = "no-region"
    """No region is set, or it does not exist."""
    OTHER_ACCOUNT = "other-account"
    """The queue belongs to another account."""
    NO_QUEUE = "no-queue"
    """The queue does not exist."""
    NO_RIGHT = "no-right"
    """An action is not allowed."""
    OFFLINE = "offline"
    """No connection, or the service reports an error of its own."""
    NOT_SQS = "not-sqs"
    """The response is not from SQS."""
    PROXY = "proxy"
    """The proxy refuses the connection."""
    NOT_TRUSTED = "not-trusted"
    """This computer does not trust the server's certificate."""
    THROTTLED = "throttled"
    """The service throttles requests."""
    SETUP = "setup"
    """The configuration of the queue or of AWS can't be used."""
    LOCAL_QUEUE = "local-queue"
    """The embedded queue can't be opened."""
    FOREIGN = "foreign"
    """The queue contains messages of another program."""
    DISK_FULL = "disk-full"
    DATABASE_BUSY = "database-busy"
    """Another program holds the database's lock."""
    DATABASE_DAMAGED = "database-damaged"
    DATABASE_READ_ONLY = "database-read-only"


class KnownError(Exception):
    """An error that a user can understand and often fix.

    Args:
        text: One or two sentences: what happened and what to do.
        title: What happened, in a few words without a full stop; `text` then says only the rest. May be empty.
        detail: Technical details (an exception's text, a service's error code); may be empty.
        cause: The cause; the class's own by default.

    Attributes:
        text: The whole text, with the title as its first sentence.
        body: The text below the title.
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
    """The command line is not valid; the program exits with code 2."""


class SettingsError(KnownError):
    """The settings file or an environment variable has a value that can't be used."""


class StoreError(KnownError):
    """The database can't be opened, read or written."""


class StoreBusyError(StoreError):
    """Another program holds the database's write lock for too long; try again later."""

    cause = Cause.DATABASE_BUSY


class StoreFullError(StoreError):
    """The disk is full; try again after space was freed."""

    cause = Cause.DISK_FULL


class PartlyAddedError(StoreError):
    """Only some files of a batch were added; those are saved.

    Attributes:
        batch_id: The batch of the files that were added.
        added: The number of files that were added.
    """

    def __init__(self, why: StoreError, *, batch_id: int, added: int, wanted: int) -> None:
        text = Sentence("Only {added} of {wanted} files were added. {why}", added=added, wanted=wanted, why=why.text)
        super().__init__(text, detail=why.detail, cause=why.cause)
        self.batch_id = batch_id
        self.added = added


class StoreDamagedError(StoreError):
    """The database file is damaged; it has to be set aside before anything else can work."""

    cause = Cause.DATABASE_DAMAGED


class QueueTrouble(StrEnum):
    """The kind of a queue error. It decides whether and when to try again, and what the window shows."""

    OFFLINE = "offline"
    """No connection, a timeout or a server error: try again with backoff."""
    THROTTLED = "throttled"
    """The service throttles requests."""
    SIGNED_OUT = "signed out"
    """No credentials, or they have expired: the user has to sign in."""
    NO_RIGHT = "no right"
    """Signed in, but this action is not allowed."""
    NO_QUEUE = "no queue"
    """The queue does not exist (deleted, or in another region or account)."""
    SETUP = "setup"
    """Wrong configuration: region, endpoint, certificate or proxy."""
    LEASE_LOST = "lease lost"
    """The receipt handle is no longer valid for its message; never tried again."""
    REFUSED = "refused"
    """The service rejects the content of the request; trying again is pointless."""

    @property
    def may_look_different(self) -> bool:
        """Whether resolving the credentials, the region and the queue again may solve it."""
        return self in {QueueTrouble.SIGNED_OUT, QueueTrouble.NO_RIGHT, QueueTrouble.NO_QUEUE, QueueTrouble.SETUP}


class QueueError(KnownError):
    """A call to the queue failed.

    Args:
        text, title, detail, cause: See `KnownError`; the detail is the service's error code and text.
        trouble: The kind of error, which decides what happens next.
        right: The missing permission, if that is the cause.
        command: For an expired session: the command that signs in again; empty if there is none.
        was_answered: Whether the service itself returned the error.
        said: The service's message, or its error code if it sent no message; empty if it did not respond.
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
    """A file can't be processed; its job becomes FAILED with this reason.

    Args:
        reason: The reason; its sentence becomes the error's text.
        passing: True if trying again later may help (a share that is offline, a file in use).
        detail: The operating system's text.
    """

    def __init__(self, reason: Reason, *, passing: bool = False, detail: str = "") -> None:
        super().__init__(reason.sentence, detail=detail)
        self.reason = reason
        self.passing = passing
