"""The embedded queue: a table in an SQLite file that behaves like a standard SQS queue, for people without AWS.

No server, no port and no lock of ours: each program opens the file itself, SQLite keeps them apart, and what is in it
outlives them all. A receive that waits is woken by a send of the same process, and looks for those of others.

What SQS promises and `tests/queues/test_client_contract.py` holds is here as well: visibility timeouts, receive counts,
and receipt handles that end with the next receive. What it limits (sizes, characters, 12 hours of visibility) is not:
nobody but Filemill sends to this queue.
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
"""So often a receive that waits looks for what other processes have sent, and for what has become visible again."""
RETENTION_SECONDS = 14 * 24 * 3600
LONGEST_VISIBILITY_SECONDS = 12 * 3600
_BUSY_SECONDS = 5.0
"""Far more than any statement here takes; a program that was stopped in the middle of one keeps the others waiting."""
_CLOSE_SECONDS = 0.1
_VERSION = 1
# A message that nobody has received has `visible_at` 0, not the time of sending: a clock that is set back hides none.
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
# What has come back goes first, however many new ones wait; those in the order of sending.
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
    """A `QueueClient`, and the `QueueConnector` that gives it. Any thread.

    All threads share one connection, one at a time: a call takes far less than a millisecond, and who closes the queue
    closes all that was opened.

    Args:
        path: The file. Made when it is first needed, and again if somebody deletes it; the reconciler knows the new
            one by its date of creation.
        receiver: The name of this program, by which `release_abandoned` of another one knows what it held.
    """

    def __init__(self, path: Path, *, receiver: str = "") -> None:
        self.info = QueueInfo(path.absolute().as_uri(), "local", is_fifo=False)
        self._path = path
        self._receiver = receiver
        self._turn = Condition()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._is_closed = False

    # --- as a connector

    def connect(self) -> Self:
        """See `QueueConnector.connect`; opens the file, so that what is wrong with it shows here."""
        with self._use():
            return self

    def reset(self) -> None:
        """See `QueueConnector.reset`: the next call opens the file afresh."""
        with self._turn:
            self._drop()

    def close(self) -> None:
        """See `QueueConnector.close`. A receive that waits ends; a call that hangs closes the file when it ends."""
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

    # --- as a client

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
        # Reading disturbs nobody: a queue that is looked at four times a second is not locked for writing by it.
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
        return [EntryResult() if key is not None else _lost("the receipt handle is none") for key in keys]

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
        """See `QueueClient.state`. Also takes out what is older than the queue keeps, which SQS does by itself."""
        now = _now_ms()
        with self._write() as connection:
            connection.execute(_EXPIRE, (now - RETENTION_SECONDS * 1000,))
            # Hidden by a clock that was wrong: nobody can have asked for that.
            connection.execute(_MEND_VISIBILITY, (now + LONGEST_VISIBILITY_SECONDS * 1000,))
            total, visible = connection.execute(_COUNT, (now,)).fetchone()
            (created_at,) = connection.execute(_CREATED_AT).fetchone()
        return QueueState(visible, total - visible, 0, created_at, RETENTION_SECONDS)

    def dead_letters(self) -> None:
        """See `QueueClient.dead_letters`: it has none; the store ends jobs that end programs again and again."""

    # --- the file

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; who waits for a message is woken by its end."""
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            self._turn.notify_all()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time.

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
                # With the connection goes a transaction that was begun; what is mended meanwhile, the next one finds.
                if not is_fine or self._is_closed:
                    self._drop()

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise QueueError(Sentence("The connection to the queue has been closed."), trouble=QueueTrouble.OFFLINE)
        if self._connection is not None and _identity(self._path) != self._file:
            self._drop()  # somebody deleted the file: what is sent into the old one nobody would ever find
        if self._connection is None:
            self._connection = _open(self._path)
            self._file = _identity(self._path)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, for its owner's eyes only, and make what is not there. Two programs may do so at once."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # Whatever somebody else has written here is a message that is not ours, rather than an error for ever.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        connection.execute("PRAGMA journal_mode = wal")
        # Not flushed at each commit: a power cut may take the last ones back, and leaves the file whole. A receive or a
        # delete that is taken back brings its message again, which the claim of the row absorbs; a send that is taken
        # back leaves a row without a message, which the reconciler counts, and sends again.
        connection.execute("PRAGMA synchronous = normal")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        _check_version(version, path)
        if version == 0:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO queue (created_at, opened_at) VALUES (?, 0)", (_now_ms(),))
        # Something is written, so that a file that can be read only, or a full disk, shows when the queue is tested.
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
    """Which file has this name now; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _key_of(handle: str) -> tuple[int, int, str] | None:
    """What a receipt handle stands for: this receive of this message. None if it never was one."""
    match = _HANDLE.fullmatch(handle)
    return (int(match[1]), int(match[2]), match[3]) if match and int(match[1]) <= _LARGEST_ID else None


def _lost(text: str) -> EntryResult:
    return EntryResult(trouble=QueueTrouble.LEASE_LOST, text=text)


def _unusable(text: str, detail: str = "", cause: Cause = Cause.LOCAL_QUEUE) -> QueueError:
    title = Sentence("The local queue can't be used")
    return QueueError(text, title=title, trouble=QueueTrouble.SETUP, cause=cause, detail=detail)


def _known_error(error: sqlite3.Error | OSError, path: Path) -> QueueError:
    """Say in plain words what is wrong with the file.

    Raises:
        sqlite3.Error: The same error again, if it is a mistake in our SQL rather than the world's doing.
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
                Sentence("If this computer is very busy, wait: it is tried again."),
                title=Sentence("The local queue does not answer in time"),
                trouble=QueueTrouble.OFFLINE,
                cause=Cause.LOCAL_QUEUE,
                detail=str(error),
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            text = Sentence("The disk with {file} is full or can't be written. Make room, then go on.", file=path)
            return _unusable(text, str(error), Cause.DISK_FULL)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            text = Sentence("{file} can't be written. Check the rights of the file and its folder.", file=path)
            return _unusable(text, str(error))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR:  # the last: a table is gone
            text = Sentence(
                "{file} is damaged. Delete it, then try again: the files that wait are sent again.", file=path
            )
            return _unusable(text, str(error))
    raise error
