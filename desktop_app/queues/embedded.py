"""The embedded queue: a table in an SQLite file that behaves like a standard SQS queue, for use without AWS.

There is no server: each program opens the file, and SQLite handles concurrent access. A waiting `receive` call wakes
up when its own process sends messages and when a message becomes visible again, and polls for messages from other
processes.

The queue provides the same guarantees as SQS, which `tests/queues/test_client_contract.py` checks: visibility timeouts,
receive counts, and receipt handles that become invalid when the message is received again. It does not enforce the
limits of SQS, such as the maximum message size, since only Filemill sends messages to it.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from contextlib import closing, contextmanager
from functools import lru_cache, partial
from itertools import chain
from threading import Condition
from typing import TYPE_CHECKING, NamedTuple, Self

from desktop_app.config.private_files import create_private, make_private, refuse_planted
from desktop_app.domain.errors import Cause, QueueError, QueueTrouble, database_gone, file_not_opened, is_disk_full
from desktop_app.domain.random_ids import random_uuids
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.messages import MAX_ENTRIES, EntryResult, Outgoing, QueueInfo, QueueState, Received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

POLL_SECONDS = 1.0
"""The interval at which a waiting `receive` call checks for messages from other processes."""
RETENTION_SECONDS = 14 * 24 * 3600
LONGEST_VISIBILITY_SECONDS = 12 * 3600
_BUSY_SECONDS = 5.0
"""The maximum time to wait for the lock. It is held only briefly, unless a program is suspended while holding it."""
_CLOSE_SECONDS = 0.1
_MAX_ENTRIES = 1_000
_VERSION = 1
# New messages have a `visible_at` of 0 instead of their sending time, so that setting the clock back can't hide them.
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
_NEXT_VISIBLE_AT = "SELECT min(visible_at) FROM message"
# Many rows are passed as one value, since Python's `sqlite3` releases the interpreter lock for each row. Beside a busy
# thread, that takes many times as long (measured).
# Messages that have become visible again come first, then new messages in the order in which they were sent.
_VISIBLE = """
SELECT json_group_array(json_array(id, receive_count + 1, CAST(message_id AS TEXT), CAST(body AS TEXT)))
FROM (SELECT * FROM message WHERE visible_at <= ? ORDER BY visible_at DESC, id LIMIT ?)
"""
_IS_HANDLE = "(id = ? AND receive_count = ? AND message_id = ?)"
_CHANGE_VISIBILITY = "UPDATE message SET visible_at = ? WHERE id = ? AND receive_count = ? AND message_id = ?"
_EXPIRE = "DELETE FROM message WHERE sent_at <= ?"
_MEND_VISIBILITY = "UPDATE message SET visible_at = 0 WHERE visible_at > ?"
_COUNT = "SELECT count(*), count(*) FILTER (WHERE visible_at <= ?) FROM message"
_RECEIVERS = "SELECT DISTINCT receiver FROM message WHERE visible_at > ? AND receiver <> ''"
_RELEASE = "UPDATE message SET visible_at = 0 WHERE visible_at > ? AND receiver = ?"
# If the row is missing, the time is 0. The reconciler then treats the queue as new, and resends all messages once.
_CREATED_AT = "SELECT coalesce(max(created_at), 0) FROM queue"
_HANDLE = re.compile(r"(\d{1,19})\.(\d{1,18})\.([0-9a-f-]{36})")
_LARGEST_ID = (1 << 63) - 1


class EmbeddedQueue:
    """The embedded queue, as a `QueueClient` and a `QueueConnector`. Any thread.

    All threads share one connection and take turns, since each call takes far less than a millisecond.

    Args:
        path: The file, created on first use. The reconciler recognizes a new file by its creation time.
        receiver: The name of this program, stored with the messages that it receives; see `release_abandoned`.
        database: The database that the queue belongs to. While it is missing, the file is not created, since its disk
            might have been removed. None if there is none.
        on_replaced: Called after the file was deleted or replaced while it was in use, so that its messages are gone.
    """

    def __init__(
        self,
        path: Path,
        *,
        receiver: str = "",
        database: Path | None = None,
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self.info = QueueInfo(path.absolute().as_uri(), "local", is_fifo=False, max_entries=_MAX_ENTRIES)
        self._path = path
        self._names = [f"{path}{suffix}" for suffix in ("", "-wal", "-shm")]
        self._receiver = receiver
        self._database = database
        self._on_replaced = on_replaced
        self._turn = Condition()
        self._connection: sqlite3.Connection | None = None
        self._file: _Files | None = None
        self._is_closed = False

    # --- QueueConnector

    def connect(self) -> Self:
        """See `QueueConnector.connect`. Opens the file, so that errors are raised here."""
        with self._use():
            return self

    def reset(self) -> None:
        """See `QueueConnector.reset`. The next call opens the file again."""
        with self._turn:
            self._drop()

    def close(self) -> None:
        """See `QueueConnector.close`. Wakes waiting `receive` calls. The file is closed after any call in progress."""
        self._is_closed = True
        if self._turn.acquire(timeout=_CLOSE_SECONDS):
            self._drop()
            self._turn.notify_all()
            self._turn.release()

    def interrupt(self) -> None:
        """Do nothing: the embedded queue needs no credentials."""

    def give_up(self) -> None:
        """Do nothing: the embedded queue needs no credentials."""

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
        ids = random_uuids(len(messages))
        values = [value for new_id, message in zip(ids, messages, strict=True) for value in (new_id, message.body, now)]
        with self._write() as connection:
            connection.execute(_sending(len(messages)), values)
        return [EntryResult(new_id) for new_id in ids]

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:  # noqa: ARG002 - FIFO's
        """See `QueueClient.receive`."""
        end = time.monotonic() + wait_s
        while True:
            with self._use() as connection:
                # Read first, so that polling does not take the write lock.
                (next_ms,) = connection.execute(_NEXT_VISIBLE_AT).fetchone()
                hidden_s = POLL_SECONDS if next_ms is None else (next_ms - _now_ms()) / 1000
                messages = self._take(connection, limit, visibility_s) if hidden_s <= 0 else []
                left = end - time.monotonic()
                if messages or left <= 0:
                    return messages
                self._turn.wait(max(0.0, min(left, hidden_s, POLL_SECONDS)))

    def _take(self, connection: sqlite3.Connection, limit: int, visibility_s: int) -> list[Received]:
        now = _now_ms()
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute(_VISIBLE, (now, limit)).fetchone()
        rows = sorted(json.loads(found))
        keys = [row_id for row_id, *_ in rows]
        connection.execute(_receiving(len(rows)), [now + visibility_s * 1000, self._receiver, *keys])
        connection.execute("COMMIT")
        return [
            Received(message_id, f"{row_id}.{count}.{message_id}", body, count, "")
            for row_id, count, message_id, body in rows
        ]

    def delete(self, receipt_handles: Sequence[str]) -> list[EntryResult]:
        """See `QueueClient.delete`."""
        keys = [_key_of(handle) for handle in receipt_handles]
        valid = [key for key in keys if key is not None]
        with self._write() as connection:
            for start in range(0, len(valid), MAX_ENTRIES):
                some = valid[start : start + MAX_ENTRIES]
                connection.execute(_deleting(len(some)), list(chain.from_iterable(some)))
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
        """See `QueueClient.state`. Also deletes messages whose retention period has expired."""
        now = _now_ms()
        with self._write() as connection:
            connection.execute(_EXPIRE, (now - RETENTION_SECONDS * 1000,))
            # Messages hidden for longer than the maximum were received while the clock was wrong.
            connection.execute(_MEND_VISIBILITY, (now + LONGEST_VISIBILITY_SECONDS * 1000,))
            total, visible = connection.execute(_COUNT, (now,)).fetchone()
            (created_at,) = connection.execute(_CREATED_AT).fetchone()
        return QueueState(visible, total - visible, 0, created_at, RETENTION_SECONDS)

    def dead_letters(self) -> None:
        """See `QueueClient.dead_letters`. Always None, since jobs that crash too often fail (see `MAX_CRASHES`)."""

    # --- the file

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Enter a write transaction. Its commit wakes waiting `receive` calls."""
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            self._turn.notify_all()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """Enter a context in which only this thread uses the connection.

        Raises:
            QueueError: If the file can't be used.
        """
        with self._turn:
            succeeded = False
            try:
                yield self._opened()
                succeeded = True
            except (sqlite3.Error, OSError) as error:
                raise _known_error(error, self._path) from error
            finally:
                # After an error, closing the connection rolls back the transaction. The next call opens the file again.
                if not succeeded or self._is_closed:
                    self._drop()

    def _opened(self) -> sqlite3.Connection:
        if self._is_closed:
            raise QueueError(Sentence("The connection to the queue has been closed."), trouble=QueueTrouble.OFFLINE)
        found = _files(self._names)
        before = self._file
        if before is not None and self._connection is None:
            # SQLite deletes these files when the last program closes the queue.
            before = before._replace(log=found.log, log_index=found.log_index)
        was_replaced = before is not None and not found.is_same(before)
        if was_replaced:
            self._drop()  # messages sent to the old file would be lost
        if self._connection is None:
            if self._database is not None and not self._database.exists():
                raise QueueError(database_gone(self._database), trouble=QueueTrouble.OFFLINE, cause=Cause.DATABASE_GONE)
            self._connection = _open(self._path)
            found = _files(self._names)
        self._file = found
        if was_replaced:
            self._on_replaced()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, and create it and its schema if necessary. Several programs can do so at the same time."""
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    refuse_planted(*files)
    create_private(path)
    for file in files:
        make_private(file)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # Text that is not UTF-8, written by another program, must become a foreign message, not a permanent error.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        connection.execute("PRAGMA temp_store = memory")  # independent of TMPDIR and SQLITE_TMPDIR
        connection.execute("PRAGMA journal_mode = wal")
        # Commits are not flushed, so a power failure can undo the last ones, but can't corrupt the file. After a lost
        # receive or delete, the message is redelivered, which fenced claims can handle. After a lost send, the
        # reconciler detects that the message is missing and resends it.
        connection.execute("PRAGMA synchronous = normal")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        _check_version(version, path)
        if version == 0:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO queue (created_at, opened_at) VALUES (?, 0)", (_now_ms(),))
        # Write something, so that opening fails if the file is read-only or the disk is full.
        connection.execute("UPDATE queue SET opened_at = ?", (_now_ms(),))
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def check_queue_file(path: Path) -> None:
    """Read the whole file of the embedded queue to find damage.

    Raises:
        QueueError: If it is damaged or can't be read.
    """
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise _known_error(error, path) from error
    if said != "ok":
        raise _damaged(path, said)


def _check_version(version: int, path: Path) -> None:
    if version > _VERSION:
        text = Sentence(
            "{file} was written by a newer version of Filemill. Install that version, or delete "
            "the file: the messages of waiting files will be sent again.",
            file=path,
        )
        raise _unusable(text, f"version {version}, this one knows {_VERSION}")


class _Files(NamedTuple):
    """The attributes of the queue's files that show whether they are still the files that were opened.

    Attributes:
        database, log, log_index: The device and inode of the database, of its write-ahead log, and of the log's index;
            None if it does not exist.
        size: The size of the database, which SQLite never shrinks.
    """

    database: tuple[int, int] | None
    log: tuple[int, int] | None
    log_index: tuple[int, int] | None
    size: int

    def is_same(self, before: _Files) -> bool:
        return self[:3] == before[:3] and self.size >= before.size


def _files(names: Sequence[str]) -> _Files:
    found = [_stat(name) for name in names]
    database, log, log_index = (None if file is None else (file.st_dev, file.st_ino) for file in found)
    return _Files(database, log, log_index, 0 if found[0] is None else found[0].st_size)


@lru_cache(maxsize=64)
def _sending(count: int) -> str:
    marks = ", ".join(["(?, ?, ?)"] * count)
    return f"INSERT INTO message (message_id, body, sent_at) VALUES {marks}"  # noqa: S608 - only question marks


@lru_cache(maxsize=16)
def _receiving(count: int) -> str:
    marks = ", ".join("?" * count)
    changed = "visible_at = ?, receive_count = receive_count + 1, receiver = ?"
    return f"UPDATE message SET {changed} WHERE id IN ({marks})"  # noqa: S608


@lru_cache(maxsize=16)
def _deleting(count: int) -> str:
    return f"DELETE FROM message WHERE {' OR '.join([_IS_HANDLE] * count)}"  # noqa: S608


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - in each call of the queue, and twice as fast as `Path.stat`
    except FileNotFoundError:
        return None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _key_of(handle: str) -> tuple[int, int, str] | None:
    """Return the row id, receive count and message id in a receipt handle; None if the handle is not valid."""
    match = _HANDLE.fullmatch(handle)
    return (int(match[1]), int(match[2]), match[3]) if match and int(match[1]) <= _LARGEST_ID else None


def _lost(text: str) -> EntryResult:
    return EntryResult(trouble=QueueTrouble.LEASE_LOST, text=text)


def _unusable(text: str, detail: str = "", cause: Cause = Cause.LOCAL_QUEUE) -> QueueError:
    title = Sentence("The local queue can't be used")
    return QueueError(text, title=title, trouble=QueueTrouble.SETUP, cause=cause, detail=detail)


def _known_error(error: sqlite3.Error | OSError, path: Path) -> QueueError:
    """Convert an error to a readable `QueueError`.

    Raises:
        sqlite3.Error: The same error, if it indicates a bug in Filemill.
    """
    if isinstance(error, OSError):
        cause = Cause.DISK_FULL if is_disk_full(error) else Cause.LOCAL_QUEUE
        return _unusable(file_not_opened(path, error), str(error), cause)
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return QueueError(
                Sentence("This computer may be very busy. Filemill will try again."),
                title=Sentence("The local queue did not respond in time"),
                trouble=QueueTrouble.OFFLINE,
                cause=Cause.LOCAL_QUEUE,
                detail=str(error),
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            text = Sentence(
                "The disk that contains {file} is full or not writable. Free some space or check the disk, "
                "then try again.",
                file=path,
            )
            return _unusable(text, str(error), Cause.DISK_FULL)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            text = Sentence("{file} can't be written. Check the permissions of the file and its folder.", file=path)
            return _unusable(text, str(error))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR:  # SQLITE_ERROR: a table is missing
            return _damaged(path, str(error))
    raise error


def _damaged(path: Path, detail: str) -> QueueError:
    text = Sentence(
        "{file} is damaged. Delete it, then try again: the messages of waiting files will be sent again.", file=path
    )
    return _unusable(text, detail)
