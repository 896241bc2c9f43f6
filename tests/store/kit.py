"""A real database file and everything that uses it, for the tests of the store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from desktop_app.domain.job import Cursor, Job, NewFile
from desktop_app.store.adding import Intake
from desktop_app.store.claims import Claim, ClaimOutcome, ClaimRequest, Claims
from desktop_app.store.job_list import JobList
from desktop_app.store.outbox import Outbox, OutboxEntry, Sent
from desktop_app.store.results import Result, Work
from tests.helpers import a_reason, open_test_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from desktop_app.store.database import Database

QUEUE = "q"
NOW = 1_700_000_000_000
LEASE = 60_000


class Store:
    """The database of a test. A second one on the same file stands for another program."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = open_test_database(path)
        self.intake = Intake(self.database)
        self.outbox = Outbox(self.database)
        self.work = Work(self.database)
        self.claims = Claims(self.database)
        self.jobs = JobList(self.database)

    @property
    def cursor(self) -> Cursor:
        """Return the cursor after the newest write."""
        return self.jobs.changes.cursor()

    @property
    def revision(self) -> int:
        """Return the newest revision."""
        return self.cursor.revision

    def add(self, *paths: str, queue: str = QUEUE, size: int | None = 10) -> list[Job]:
        """Submit files that need not exist."""
        files = [NewFile(path, size, None) for path in paths]
        added = self.intake.add(files, queue=queue, name="batch", now_ms=NOW)
        return [self.jobs.find(job_id)[0] for job_id in added.job_ids]

    def job(self, job: Job | int) -> Job:
        """Return the current job."""
        row_id = job if isinstance(job, int) else job.row_id
        return self.jobs.page([row_id])[row_id]

    def take(
        self, *, queue: str = QUEUE, owner: str = "s1", limit: int = 10, now: int = NOW, in_order: bool = False
    ) -> list[OutboxEntry]:
        """Claim outbox entries for a sender."""
        return self.outbox.claim(queue=queue, owner=owner, limit=limit, now_ms=now, claim_ms=1_000, in_order=in_order)

    def send(self, *, queue: str = QUEUE, now: int = NOW) -> list[OutboxEntry]:
        """Send all entries that are due."""
        entries = self.take(queue=queue, limit=10_000, now=now)
        self.outbox.mark_sent([Sent(entry, f"m-{entry.row_id}") for entry in entries], now_ms=now)
        return entries

    def claim(self, job: Job, *, worker: str = "w1", now: int = NOW, generation: int | None = None) -> Claim:
        """Claim the job for a message of this submission; return the result."""
        request = ClaimRequest(job.id, job.generation if generation is None else generation, "m", 1)
        return self.claims.claim([request], worker=worker, now_ms=now, lease_ms=LEASE)[0]

    def start(self, job: Job, *, worker: str = "w1", now: int = NOW) -> int:
        """Claim a job; return its fencing token."""
        claim = self.claim(job, worker=worker, now=now)
        assert claim.outcome is ClaimOutcome.CLAIMED
        return claim.token

    def finish(self, job: Job, token: int, *, reason: str = "", lines: int | None = 3, now: int = NOW) -> bool:
        """Finish a job."""
        lines = None if reason else lines
        return self.work.finish([Result(job.row_id, token, now, lines_count=lines, reason=a_reason(reason))])[0]

    def process(self, job: Job, *, reason: str = "", now: int = NOW) -> None:
        """Claim and finish a job."""
        assert self.finish(job, self.start(job, now=now), reason=reason, now=now)

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Query the database file directly."""
        return rows_of(self.path, statement, *values)

    def column(self, name: str, job: Job) -> Any:
        """Return a column of a row, whether it is on the list or removed."""
        return self.sql(f"SELECT {name} FROM job WHERE id = ?", job.row_id)[0][0]

    def outbox_rows(self) -> list[tuple[int, int]]:
        """Return row and generation of all outbox entries, in sending order."""
        return self.sql("SELECT job_id, generation FROM outbox ORDER BY position")


def rows_of(path: Path, statement: str, *values: object) -> list[Any]:
    """Execute a statement on a database file with a separate connection."""
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def quick_to_give_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only a millisecond for the database's lock, instead of ten seconds."""
    database.release()
    pragmas = [(name, 1 if name == "busy_timeout" else value) for name, value in database._peewee._pragmas]  # type: ignore[attr-defined]
    monkeypatch.setattr(database._peewee, "_pragmas", pragmas)


def row_ids(jobs: Sequence[Job]) -> list[int]:
    """Return the keys of jobs."""
    return [job.row_id for job in jobs]
