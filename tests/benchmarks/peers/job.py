"""The job that all peers do for a message: count the lines and bytes of a file, and store them in SQLite.

The peers and the bare loop use the same code. Only the standard library is imported, since each peer has its own
environment.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCHEMA = """CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,
    lines INTEGER, size INTEGER, started_at REAL, finished_at REAL
) WITHOUT ROWID"""
_local = threading.local()


def connect(database: str) -> sqlite3.Connection:
    """Return this thread's connection. A commit survives a power failure, since the message is deleted after it."""
    connection: sqlite3.Connection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = sqlite3.connect(database, isolation_level=None, timeout=30)
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = full")
        _local.connection = connection
    return connection


def add(database: str, paths: Sequence[str]) -> list[str]:
    """Store a row for each file; return their IDs."""
    ids = [str(uuid.uuid4()) for _ in paths]
    connection = connect(database)
    connection.execute(_SCHEMA)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO job (id, path) VALUES (?, ?)", zip(ids, paths, strict=True))
    connection.execute("COMMIT")
    return ids


def process(database: str, ids: Sequence[str]) -> None:
    """Process the files of some rows, and store the results in one transaction."""
    started_at = time.time()
    connection = connect(database)
    results = []
    for row_id in ids:
        (path,) = connection.execute("SELECT path FROM job WHERE id = ?", (row_id,)).fetchone()
        with open(path, "rb") as file:  # noqa: PTH123 - faster than pathlib
            content = file.read()
        lines = content.count(b"\n") + (content[-1:] not in {b"", b"\n"})
        results.append((lines, len(content), started_at, time.time(), row_id))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "UPDATE job SET status = 2, lines = ?, size = ?, started_at = ?, finished_at = ? WHERE id = ?", results
    )
    connection.execute("COMMIT")
