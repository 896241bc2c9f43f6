"""Errors that a user can understand, as opposed to bugs.

A `KnownError` has a cause outside the program, such as a missing file, no network or a full disk. Its text says what
happened and what to do; no traceback is shown. Every other exception is a bug: it is logged with its traceback, and
the user is offered a support report.
"""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence, foreign_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.domain.iam_policy import MissingRight
    from desktop_app.domain.reasons import Reason


class Cause(StrEnum):
    """The cause of an error, which determines the remedies offered. The values are logged, so do not rename them."""

    OTHER = "other"
    """A cause without a specific remedy."""
    NO_SIGN_IN = "no-sign-in"
    """The profile does not exist, has no credentials, or can't be used."""
    SESSION_ENDED = "session-ended"
    """The sign-in session has expired."""
    KEYS_REFUSED = "keys-refused"
    """AWS rejects the access keys."""
    CLOCK_WRONG = "clock-wrong"
    """This computer's clock is so far off that AWS rejects the signatures of requests."""
    NO_REGION = "no-region"
    """No region is set, or the region does not exist."""
    OTHER_ACCOUNT = "other-account"
    """The queue belongs to another account."""
    NO_QUEUE = "no-queue"
    """The queue does not exist."""
    NO_RIGHT = "no-right"
    """The credentials do not allow an action."""
    OFFLINE = "offline"
    """The service can't be reached or reports an internal error."""
    NOT_SQS = "not-sqs"
    """The response is not from SQS."""
    MALFORMED = "malformed"
    """The response is from SQS or a compatible server, but has a missing or invalid field."""
    PROTOCOL = "protocol"
    """The server does not use the protocol that its address or SQS requires."""
    PROXY = "proxy"
    """The proxy refuses the connection, or can't be used."""
    NOT_TRUSTED = "not-trusted"
    """This computer does not trust the server's certificate."""
    THROTTLED = "throttled"
    """The service throttles requests."""
    SETUP = "setup"
    """The AWS configuration or the queue's attributes are not usable."""
    LOCAL_QUEUE = "local-queue"
    """The embedded queue can't be opened."""
    FOREIGN = "foreign"
    """The queue contains messages from another program."""
    DISK_FULL = "disk-full"
    DATABASE_BUSY = "database-busy"
    """Another program holds the database's lock."""
    DATABASE_DAMAGED = "database-damaged"
    DATABASE_READ_ONLY = "database-read-only"
    DATABASE_GONE = "database-gone"
    """The database is not at its path: it was moved or deleted, or its disk is not mounted."""


class KnownError(Exception):
    """An error that a user can understand and often fix.

    Args:
        text: One or two sentences that say what happened and what to do.
        title: A short heading without a full stop, which `text` does not repeat; may be empty.
        detail: Technical details, such as an exception's text or an error code; may be empty.
        cause: The cause; by default the `cause` of the class.

    Attributes:
        text: The complete text, beginning with the title.
        body: The text without the title.
    """

    cause = Cause.OTHER

    def __init__(self, text: str, *, title: str = "", detail: str = "", cause: Cause | None = None) -> None:
        self.title = _own(title)
        self.body = _own(text)
        self.text = Sentence("{title}. {body}", title=self.title, body=self.body) if title else self.body
        super().__init__(self.text)
        self.detail = foreign_text(detail)
        if cause is not None:
            self.cause = cause


def _own(text: str) -> str:
    """Return a text that is not a `Sentence` as one line without control characters; it may quote anything."""
    return text if isinstance(text, Sentence) else foreign_text(text)


class UsageError(KnownError):
    """The command line is not valid; the program exits with code 2."""


class SettingsError(KnownError):
    """The settings file or an environment variable contains an invalid value."""


class StoreError(KnownError):
    """The database can't be opened, read or written."""


class StoreBusyError(StoreError):
    """Another program held the database's write lock for too long; a retry might succeed."""

    cause = Cause.DATABASE_BUSY


class StoreFullError(StoreError):
    """The disk is full; a retry can succeed after space has been freed."""

    cause = Cause.DISK_FULL


class PartlyAddedError(StoreError):
    """Only some of a batch's files were added; those remain in the database.

    Attributes:
        batch_id: The key of the batch.
        added: The number of files that were added.
    """

    def __init__(self, why: StoreError, *, batch_id: int, added: int, wanted: int) -> None:
        text = Sentence("Only {added} of {wanted} files were added. {why}", added=added, wanted=wanted, why=why.text)
        super().__init__(text, detail=why.detail, cause=why.cause)
        self.batch_id = batch_id
        self.added = added


class StoreDamagedError(StoreError):
    """The database file is damaged and must be replaced before the program can continue."""

    cause = Cause.DATABASE_DAMAGED


class StoreGoneError(StoreError):
    """The database is not at its path; the program continues when it is back."""

    cause = Cause.DATABASE_GONE


def database_gone(path: object) -> Sentence:
    """Return the text for a database that is not at its path. The embedded queue, next to it, uses the same text."""
    return Sentence(
        "{file} can't be found: it was moved or deleted, or its disk is not connected. Put it back, and Filemill will "
        "continue.",
        file=path,
    )


def is_disk_full(error: OSError) -> bool:
    """Return whether a file can't be created or written because the disk is full or the user's quota is used up."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def file_not_opened(path: object, error: OSError) -> Sentence:
    """Return the text for the database or the embedded queue if it can't be opened, with what helps."""
    why = error.strerror or error
    if is_disk_full(error):
        return Sentence("{file} can't be opened: {why}. Free some space, then try again.", file=path, why=why)
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Sentence("{file} can't be opened: {why}. Close other programs, then try again.", file=path, why=why)
    if error.errno == errno.EPERM:
        file = error.filename or path  # possibly a lock or a log next to the database
        return Sentence("{file} can't be opened: {why}. Set FILEMILL_DATABASE to another file.", file=file, why=why)
    return Sentence(
        "{file} can't be opened: {why}. Make its folder writable, or set FILEMILL_DATABASE.", file=path, why=why
    )


class QueueTrouble(StrEnum):
    """The kind of queue error, which determines whether and when to retry, and what the window shows."""

    OFFLINE = "offline"
    """The connection failed or timed out, or the server reported an error; the call is retried with backoff."""
    THROTTLED = "throttled"
    """The service throttles requests."""
    SIGNED_OUT = "signed out"
    """There are no credentials, or they have expired; the user has to sign in."""
    NO_RIGHT = "no right"
    """The credentials are valid but do not allow this action."""
    NO_QUEUE = "no queue"
    """The queue does not exist: it was deleted, or is in another region or account."""
    SETUP = "setup"
    """The region, endpoint, certificate or proxy is not configured correctly."""
    LEASE_LOST = "lease lost"
    """The receipt handle is no longer valid for its message; the call is never retried."""
    REFUSED = "refused"
    """The service rejects the content of the request, so a retry would fail too."""

    @property
    def needs_reconnect(self) -> bool:
        """Whether resolving the credentials, the region and the queue again might help."""
        return self in {QueueTrouble.SIGNED_OUT, QueueTrouble.NO_RIGHT, QueueTrouble.NO_QUEUE, QueueTrouble.SETUP}


class QueueError(KnownError):
    """A call to the queue failed.

    Args:
        text, title, detail, cause: See `KnownError`; the detail is the service's error code and text.
        trouble: The kind of queue error.
        right: The missing permission, if that is the cause.
        command: For an expired session, the command that signs in again, as a program and its arguments; empty if
            there is none.
        was_answered: Whether the service itself returned the error.
        said: The service's error message, or its error code if there is no message; empty without a response.
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
        command: tuple[str, ...] = (),
        was_answered: bool = False,
        said: str = "",
    ) -> None:
        super().__init__(text, title=title, detail=detail, cause=cause)
        self.trouble = trouble
        self.right = right
        self.command = command
        self.was_answered = was_answered
        self.said = foreign_text(said)


class FileError(KnownError):
    """A file can't be processed; its job becomes FAILED with this reason.

    Args:
        reason: The reason; its sentence becomes the error's text.
        passing: Whether a later attempt might succeed, for example because a network share is temporarily offline.
        detail: The operating system's error message; may be empty.
        values: What was found out about the file nevertheless, by the names of the fields of its processor.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        passing: bool = False,
        detail: str = "",
        values: Mapping[str, int | float | str | bool] | None = None,
    ) -> None:
        super().__init__(reason.sentence, detail=detail)
        self.reason = reason
        self.passing = passing
        self.values = values or {}
