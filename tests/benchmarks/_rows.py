"""Fill a database with a million different jobs, in seconds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.clock import SystemClock
from desktop_app.store.database import Database, open_database

if TYPE_CHECKING:
    from pathlib import Path

BATCHES, FOLDERS = 10, 2_000

_NAME = "'measurement-' || {} || CASE id % 7 WHEN 0 THEN '.json' WHEN 1 THEN '.log' WHEN 2 THEN '' ELSE '.csv' END"

_COLUMNS = {
    "id": "id",
    "uuid": "lower(hex(randomblob(16)))",
    "batch_id": f"1 + id * {BATCHES} / (1 + :rows)",
    "file_path": (
        f"printf('/data/project-%02d/2026-%02d/run-%04d/', id % 40, 1 + id % 12, id % {FOLDERS})"
        f" || {_NAME.format('id')}"
    ),
    "name_key": _NAME.format("printf('%03d', length(id)) || id"),
    "queue": "'local'",
    "status": "CASE id % 20 WHEN 0 THEN 3 WHEN 1 THEN 0 WHEN 2 THEN 0 ELSE 2 END",
    "reason_args": "''",
    "reason_code": "CASE id % 20 WHEN 0 THEN CASE id % 3 WHEN 0 THEN 'file_gone' ELSE 'may_not_read' END ELSE '' END",
    "file_size": "1000 + id * 7919 % 1000003",
    "lines_count": "CASE WHEN id % 20 > 2 THEN id * 31 % 100003 END",
    "modified_ns": ":now * 1000000 - id",
    "bytes_done": "0",
    "generation": "1",
    "attempts": "id % 20 NOT IN (1, 2)",
    "crashes": "0",
    "lease_token": "id % 20 NOT IN (1, 2)",
    "lease_until": "0",
    "receive_count": "0",
    "created_at": ":now - :rows + id",
    "started_at": "CASE WHEN id % 20 NOT IN (1, 2) THEN :now - 60000 - id % 997 END",
    "finished_at": "CASE WHEN id % 20 NOT IN (1, 2) THEN :now - 60000 END",
    "revision": "1",
    "folder_length": "length('/data/project-00/2026-00/run-0000/')",
    "type_key": "CASE id % 7 WHEN 0 THEN 'json' WHEN 1 THEN 'log' WHEN 2 THEN '' ELSE 'csv' END",
}


def fill(path: Path, rows: int) -> Database:
    """Create a database with this many jobs of several statuses in ten batches; return it.

    The indexes are created last, since that is several times faster than adding each row to them.
    """
    database = open_database(path, MIGRATIONS)
    database.release()
    now = SystemClock().now_ms()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA cache_size = -200000")
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'job' AND sql IS NOT NULL"
        indexes = connection.execute(found).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute("UPDATE counter SET value = 1 WHERE name = 'revision'")
        connection.executemany(
            "INSERT INTO batch (id, name, created_at) VALUES (?, ?, ?)",
            [(key, f"batch {key}", now) for key in range(1, BATCHES + 1)],
        )
        numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < :rows)"
        connection.execute(
            f"{numbers} INSERT INTO job ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS.values())} FROM n",
            {"rows": rows, "now": now},
        )
        connection.execute(
            "INSERT INTO outbox (job_id, queue, generation, tries, next_try_at, claim_until)"
            " SELECT id, queue, generation, 0, 0, 0 FROM job WHERE status = 0 ORDER BY id"
        )
        for _, sql in indexes:
            connection.execute(sql)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database
