"""The embedded queue: a table in an SQLite file that behaves like a standard SQS queue, for use without AWS.

There is no server, port or lock of our own: each program opens the file itself, SQLite isolates them, and the messages
survive them all. A waiting receive is woken by a send in the same process, and polls for those of other processes.

It keeps the guarantees of SQS that `tests/queues/test_client_contract.py` checks: visibility timeouts, receive counts,
and receipt handles that expire with the next receive. It does not enforce the limits of SQS (sizes, characters, 12
hours of visibility), since only Filemill sends to this queue.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import time
import uuid
from contextlib import contextmanager, suppress
from functools import partial
from threading import Condition
from typing import TYPE_CHECKING, Self

from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.messages import EntryResult, Outgoing, QueueInfo, QueueState, Received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LOOK_SECONDS = 0.25
"""How often a waiting receive looks for messages that other processes sent or that have become visible again."""
RETENTION_SECONDS = 14 * 24 * 3600
LONGEST_VISIBILITY_SECONDS = 12 * 3600
_BUSY_SECONDS = 5.0
"""Far longer than any statement takes; a program that was suspended during one makes the others wait."""
_CLOSE_SECONDS = 0.1
_VERSION = 1
# A message that was never received has `visible_at` 0, not its send time, so that setting back the clock hides none.
_SCHEMA = (
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL DEFAULT 0,
        receive_count INTEGER NOT NULL DEFAULT 0,
        receiver TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX message_visible_at ON message (visible_at DESC)",
    "CREATE TABLE queue (created_at INTEGER NOT NULL, opened_at INTEGER NOT NULL)",
    f"PRAGMA user_version = {_VERSION}",
)
_SEND = "INSERT INTO message (message_id, body, sent_at) VALUES (?, ?, ?)"
_IS_ANY_VISIBLE = "SELECT 1 FROM message WHERE visible_at <= ? LIMIT 1"
# Messages that became visible again come first, however many new ones wait; new ones are in send order.
_RECEIVE = """
UPDATE message SET visible_at = ?, receive_count = receive_count + 1, receiver = ?
WHERE id IN (SELECT id FROM message WHERE visible_at <= ? ORDER BY visible_at DESC, id LIMIT ?)
RETURNING id, message_id, receive_count, body
"""
_DELETE = "DELETE FROM message WHERE id = ? AND receive_count = ? AND message_id = ?"
_CHANGE_VISIBILITY = "UPDATE message SET visible_at = ? WHERE id = ? AND receive_count = ? AND message_id = ?"
_EXPIRE = "DELETE FROM message WHERE sent_at <= ?"
_MEND_VISIBILITY = "UPDATE message SET visible_at = 0 WHERE visible_at > ?"
_COUNT = "SELECT count(*), count(*) FILTER (WHERE visible_at <= ?) FROM message"
_RECEIVERS = "SELECT DISTINCT receiver FROM message WHERE visible_at > ? AND receiver <> ''"
_RELEASE = "UPDATE message SET visible_at = 0 WHERE visible_at > ? AND receiver = ?"
# A queue that has lost its date is another one: all that waits is sent again, once.
_CREATED_AT = "SELECT coalesce(max(created_at), 0) FROM queue"
_HANDLE = re.compile(r"(\d{1,19})\.(\d{1,18})\.([0-9a-f-]{36})")
_LARGEST_ID = (1 << 63) - 1


class EmbeddedQueue:
    """The embedded queue as `QueueClient` and `QueueConnector`. Any thread.

    All threads share one connection, one at a time: a call takes far less than a millisecond, and closing the queue
    closes everything.

    Args:
        path: The file. Created when first needed, and again if it is deleted; the reconciler recognizes a new file
            by its creation time.
        receiver: The name of this program, by which `release_abandoned` in another program finds its messages.
    """

    def __init__(self, path: Path, *, receiver: str = "") -> None:
        self.info = QueueInfo(path.absolute().as_uri(), "local", is_fifo=False)
        self._path = path
        self._receiver = receiver
        self._turn = Condition()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._is_closed = False

    # --- QueueConnector

    def connect(self) -> Self:
        """See `QueueConnector.connect`; opens the file, so that errors show here."""
        with self._use():
            return self

    def reset(self) -> None:
        """See `QueueConnector.reset`; the next call opens the file again."""
        with self._turn:
            self._drop()

    def close(self) -> None:
        """See `QueueConnector.close`. A waiting receive ends; a call that hangs closes the file when it ends."""
        self._is_closed = True
        if self._turn.acquire(timeout=_CLOSE_SECONDS):
            self._drop()
            self._turn.notify_all()
            self._turn.release()

    def release_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """See `QueueConnector.release_abandoned`."""
        now = _now_ms()
        with self._use() as connection:
            receivers = [name for (name,) in connection.execute(_RECEIVERS, (now,))]
            dead = [(now, name) for name in receivers if not is_alive(name)]
            if dead:
                connection.executemany(_RELEASE, dead)
                self._turn.notify_all()

    # --- QueueClient

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        """See `QueueClient.send`."""
        now = _now_ms()
        ids = [str(uuid.uuid4()) for _ in messages]
        rows = [(message_id, message.body, now) for message_id, message in zip(ids, messages, strict=True)]
        with self._write() as connection:
            connection.executemany(_SEND, rows)
        digests = [hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest() for message in messages]
        return [EntryResult(message_id, digest) for message_id, digest in zip(ids, digests, strict=True)]

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:  # noqa: ARG002 - FIFO's
        """See `QueueClient.receive`."""
        end = time.monotonic() + wait_s
        while True:
            with self._use() as connection:
                messages = self._take(connection, limit, visibility_s)
                left = end - time.monotonic()
                if messages or left <= 0:
                    return messages
                self._turn.wait(min(left, LOOK_SECONDS))

    def _take(self, connection: sqlite3.Connection, limit: int, visibility_s: int) -> list[Received]:
        now = _now_ms()
        # A read first: polling four times a second must not take the write lock.
        if connection.execute(_IS_ANY_VISIBLE, (now,)).fetchone() is None:
            return []
        until = now + visibility_s * 1000
        rows = connection.execute(_RECEIVE, (until, self._receiver, now, limit)).fetchall()
        return [
            Received(message_id, f"{row_id}.{count}.{message_id}", body, count, "")
            for row_id, message_id, count, body in sorted(rows)
        ]

    def delete(self, receipt_handles: Sequence[str]) -> list[EntryResult]:
        """See `QueueClient.delete`."""
        keys = [_key_of(handle) for handle in receipt_handles]
        with self._write() as connection:
            connection.executemany(_DELETE, [key for key in keys if key is not None])
        return [EntryResult() if key is not None else _lost("the receipt handle is not valid") for key in keys]

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[EntryResult]:
        """See `QueueClient.change_visibility`."""
        now = _now_ms()
        results = []
        with self._write() as connection:
            for handle, seconds in changes:
                key = _key_of(handle)
                until = now + seconds * 1000 if seconds else 0
                is_held = key is not None and connection.execute(_CHANGE_VISIBILITY, (until, *key)).rowcount
                results.append(EntryResult() if is_held else _lost("the message was deleted or received again"))
        return results

    def state(self) -> QueueState:
        """See `QueueClient.state`. Also deletes messages past the retention period, as SQS does by itself."""
        now = _now_ms()
        with self._write() as connection:
            connection.execute(_EXPIRE, (now - RETENTION_SECONDS * 1000,))
            # Hidden longer than any visibility timeout: the clock was wrong.
            connection.execute(_MEND_VISIBILITY, (now + LONGEST_VISIBILITY_SECONDS * 1000,))
            total, visible = connection.execute(_COUNT, (now,)).fetchone()
            (created_at,) = connection.execute(_CREATED_AT).fetchone()
        return QueueState(visible, total - visible, 0, created_at, RETENTION_SECONDS)

    def dead_letters(self) -> None:
        """See `QueueClient.dead_letters`: there is none; the store fails jobs that crash programs repeatedly."""

    # --- the file

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Run one write transaction; its end wakes waiting receives."""
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            self._turn.notify_all()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection to one thread at a time.

        Raises:
            QueueError: If the file can't be used.
        """
        with self._turn:
            is_fine = False
            try:
                yield self._opened()
                is_fine = True
            except (sqlite3.Error, OSError) as error:
                raise _known_error(error, self._path) from error
            finally:
                # Closing the connection rolls back its transaction; the next call opens the file again.
                if not is_fine or self._is_closed:
                    self._drop()

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise QueueError(Sentence("The connection to the queue has been closed."), trouble=QueueTrouble.OFFLINE)
        if self._connection is not None and _identity(self._path) != self._file:
            self._drop()  # the file was deleted: messages sent to the old one would never be found
        if self._connection is None:
            self._connection = _open(self._path)
            self._file = _identity(self._path)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, readable by its owner only, and create what is missing. Two programs may do so at once."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # Whatever somebody else has written here is a message that is not ours, rather than an error for ever.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        connection.execute("PRAGMA journal_mode = wal")
        # Not flushed at each commit: a power failure may lose the last commits, but never corrupts the file. A lost
        # receive or delete delivers its message again, which the claim of the row absorbs; a lost send leaves a row
        # without a message, which the reconciler detects and sends again.
        connection.execute("PRAGMA synchronous = normal")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        _check_version(version, path)
        if version == 0:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO queue (created_at, opened_at) VALUES (?, 0)", (_now_ms(),))
        # Write something, so that a read-only file or a full disk shows when the connection is tested.
        connection.execute("UPDATE queue SET opened_at = ?", (_now_ms(),))
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_version(version: int, path: Path) -> None:
    if version > _VERSION:
        text = Sentence(
            "{file} was written by a newer Filemill. Install the newer version, or delete the file: the files that "
            "wait are sent again.",
            file=path,
        )
        raise _unusable(text, f"version {version}, this one knows {_VERSION}")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the identity of the file with this name; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _key_of(handle: str) -> tuple[int, int, str] | None:
    """Return what a receipt handle identifies: one receive of one message. None if it is not valid."""
    match = _HANDLE.fullmatch(handle)
    return (int(match[1]), int(match[2]), match[3]) if match and int(match[1]) <= _LARGEST_ID else None


def _lost(text: str) -> EntryResult:
    return EntryResult(trouble=QueueTrouble.LEASE_LOST, text=text)


def _unusable(text: str, detail: str = "", cause: Cause = Cause.LOCAL_QUEUE) -> QueueError:
    title = Sentence("The local queue can't be used")
    return QueueError(text, title=title, trouble=QueueTrouble.SETUP, cause=cause, detail=detail)


def _known_error(error: sqlite3.Error | OSError, path: Path) -> QueueError:
    """Return a readable error for an SQLite error.

    Raises:
        sqlite3.Error: The same error, if it is a bug in our SQL.
    """
    if isinstance(error, OSError):
        text = Sentence(
            "{file} can't be opened: {why}. Make its folder writable, or set FILEMILL_DATABASE.",
            file=path,
            why=error.strerror or error,
        )
        return _unusable(text, str(error))
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return QueueError(
                Sentence("If this computer is very busy, wait: Filemill tries again."),
                title=Sentence("The local queue does not respond in time"),
                trouble=QueueTrouble.OFFLINE,
                cause=Cause.LOCAL_QUEUE,
                detail=str(error),
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            text = Sentence(
                "The disk with {file} is full or can't be written. Free some space, then try again.", file=path
            )
            return _unusable(text, str(error), Cause.DISK_FULL)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            text = Sentence("{file} can't be written. Check the permissions of the file and its folder.", file=path)
            return _unusable(text, str(error))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR:  # the last one: a table is missing
            text = Sentence(
                "{file} is damaged. Delete it, then try again: the waiting files are sent again.", file=path
            )
            return _unusable(text, str(error))
    raise error
