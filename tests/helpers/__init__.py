"""Tools shared by many tests; import them as `from tests.helpers import wait_until`."""

from __future__ import annotations

import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.job import Job, Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.store.claims import ClaimedJob
from desktop_app.store.database import Database, open_database

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.005
NEW_JOB = Job(
    row_id=1,
    id="00000000-0000-4000-8000-000000000000",
    batch_id=1,
    file_path="/data/a.txt",
    status=Status.PENDING,
    reason=None,
    file_size=None,
    lines_count=None,
    bytes_done=0,
    attempts=0,
    generation=1,
    queue="local",
    message_id=None,
    receive_count=0,
    created_at=0,
    sent_at=None,
    started_at=None,
    finished_at=None,
    next_try_at=None,
    revision=1,
)
"""A job that has just been added; use `dataclasses.replace` for variants."""


def as_claimed(job: Job) -> ClaimedJob:
    """Return what a claim returns of a job."""
    return ClaimedJob(*(getattr(job, name) for name in ClaimedJob._fields))


def open_test_database(path: Path) -> Database:
    """Open a database. A new one is a copy of an empty database, which is faster than running the migrations."""
    if not path.exists():
        path.write_bytes(_empty_database())
        path.chmod(0o600)
    return open_database(path, MIGRATIONS)


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.db"
        open_database(path, MIGRATIONS).release()
        return path.read_bytes()


def wait_for_another_time(file: Path) -> None:
    """Wait until the file system's clock has advanced since a file was changed, so that the next change is later."""
    probe = file.with_name("probe")
    while probe.write_bytes(b"") or probe.stat().st_ctime_ns <= file.stat().st_ctime_ns:
        pass
    probe.unlink()


def a_reason(text: str) -> Reason | None:
    """Return a `TEXT` reason with this text; None without one."""
    return Reason(ReasonCode.TEXT, {"text": text}) if text else None


def wait_until(condition: Callable[[], object], timeout: float = 30.0, what: str = "") -> None:
    """Wait until other threads or processes make a condition true; Qt tests use `qtbot.waitUntil`.

    Args:
        condition: Called every 5 ms on the calling thread until it returns a true value.
        timeout: In seconds.
        what: The condition's description for the error; its name by default.

    Raises:
        AssertionError: If the condition is not true in time.
    """
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            wanted = what or getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"not within {timeout} s: {wanted}")
        pause.wait(_POLL_SECONDS)


def is_running(pid: int) -> bool:
    """Return whether a process exists and has not exited; one that has exited may be waiting for its parent.

    If only its first thread has exited, the parent can't know yet that it will.
    """
    try:
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return facts[0] != "Z" or int(facts[17]) > 1  # the number of threads
    except (FileNotFoundError, ProcessLookupError):  # the latter, if it has gone since the file was opened
        return False
