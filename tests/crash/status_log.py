"""Log every change of a job's status with triggers in the database.

The log contains the changes by all processes, so that a test can check that each job ended exactly once.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from tests.store.kit import rows_of

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = """
CREATE TABLE IF NOT EXISTS status_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL, generation INTEGER NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL
)
"""
# A result that overwrites another one changes the time, even if the status stays the same.
_TRIGGER = """
CREATE TRIGGER IF NOT EXISTS log_status AFTER UPDATE OF status ON job
WHEN NEW.status <> OLD.status OR (NEW.status IN (2, 3) AND NEW.finished_at IS NOT OLD.finished_at)
BEGIN
    INSERT INTO status_log (job, generation, before, after) VALUES (NEW.uuid, NEW.generation, OLD.status, NEW.status);
END
"""
PENDING, PROCESSING, PROCESSED, FAILED = range(4)
_LEGAL = {
    (PENDING, PROCESSING),
    (PENDING, FAILED),  # its message was rejected or dead-lettered
    (PROCESSING, PENDING),
    (PROCESSING, PROCESSED),
    (PROCESSING, FAILED),
    (PROCESSED, PENDING),  # submitted again
    (FAILED, PENDING),
}


def install(database: Path) -> None:
    """Start the log; has no effect the second time."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.executescript(f"{_TABLE}; {_TRIGGER};")


def ends(database: Path) -> list[str]:
    """Return the jobs, in the order in which they ended."""
    query = f"SELECT job FROM status_log WHERE after IN ({PROCESSED}, {FAILED}) ORDER BY number"
    return [job for (job,) in rows_of(database, query)]


def violations(database: Path) -> list[str]:
    """Return violations: a damaged file, an invalid transition, a submission that ended never or more than once."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        steps = connection.execute("SELECT job, generation, before, after FROM status_log ORDER BY number").fetchall()
        jobs = connection.execute("SELECT uuid, generation, status FROM job WHERE removed_at IS NULL").fetchall()
    found = [] if integrity == "ok" else [f"integrity_check: {integrity}"]
    found += [f"foreign_key_check: {row}" for row in dangling]
    ends: Counter[tuple[str, int]] = Counter()
    for job, generation, before, after in steps:
        if (before, after) not in _LEGAL:
            found.append(f"job {job}, generation {generation}: status went from {before} to {after}")
        ends[job, generation] += after in {PROCESSED, FAILED}
    for job, generation, status in jobs:
        if status not in {PROCESSED, FAILED}:
            found.append(f"job {job}, generation {generation}: never ended")
        elif ends[job, generation] != 1:
            found.append(f"job {job}, generation {generation}: ended {ends[job, generation]} times")
    return found
