"""An independent witness in the database itself: triggers write down every change of a job's status.

Whoever changes a row, from whichever process, can't do so unseen. So "exactly once" is looked up, not believed.
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
CREATE TABLE IF NOT EXISTS witness (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL, generation INTEGER NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL
)
"""
# A result that is written over another one shows by its time, even where the status stays.
_TRIGGER = """
CREATE TRIGGER IF NOT EXISTS witness_of_status AFTER UPDATE OF status ON job
WHEN NEW.status <> OLD.status OR (NEW.status IN (2, 3) AND NEW.finished_at IS NOT OLD.finished_at)
BEGIN
    INSERT INTO witness (job, generation, before, after) VALUES (NEW.uuid, NEW.generation, OLD.status, NEW.status);
END
"""
PENDING, PROCESSING, PROCESSED, FAILED = range(4)
_LEGAL = {
    (PENDING, PROCESSING),
    (PENDING, FAILED),  # its message was refused or put aside
    (PROCESSING, PENDING),
    (PROCESSING, PROCESSED),
    (PROCESSING, FAILED),
    (PROCESSED, PENDING),  # submitted again
    (FAILED, PENDING),
}


def call(database: Path) -> None:
    """Let the witness watch from now on; calling it twice changes nothing."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.executescript(f"{_TABLE}; {_TRIGGER};")


def ends(database: Path) -> list[str]:
    """The jobs, in the order in which they ended."""
    query = f"SELECT job FROM witness WHERE after IN ({PROCESSED}, {FAILED}) ORDER BY number"
    return [job for (job,) in rows_of(database, query)]


def complaints(database: Path) -> list[str]:
    """What was not as it must be: an illegal step, or an unfinished or repeated end of a submission; empty if all was.

    Also whether the file is whole.
    """
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        steps = connection.execute("SELECT job, generation, before, after FROM witness ORDER BY number").fetchall()
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
