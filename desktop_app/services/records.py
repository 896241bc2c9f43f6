"""What is told of a job outside of Filemill: the fields of exports and of the terminal's JSON, under stable names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from desktop_app.jobs import Job, iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value = str | int | None

_VALUES: dict[str, Callable[[Job], Value]] = {
    "id": lambda job: job.id,
    "file_path": lambda job: job.file_path,
    "status": lambda job: job.status.name,
    "reason": lambda job: job.reason,
    "lines_count": lambda job: job.lines_count,
    "file_size": lambda job: job.file_size,
    "attempts": lambda job: job.attempts,
    "generation": lambda job: job.generation,
    "message_id": lambda job: job.message_id,
    "created_at": lambda job: iso_utc(job.created_at),
    "started_at": lambda job: iso_utc(job.started_at),
    "finished_at": lambda job: iso_utc(job.finished_at),
    # These only where they are asked for.
    "name": lambda job: job.name,
    "bytes_done": lambda job: job.bytes_done,
    "took_ms": lambda job: job.took_ms,
    "queue": lambda job: job.queue,
    "receive_count": lambda job: job.receive_count,
    "sent_at": lambda job: iso_utc(job.sent_at),
    "next_try_at": lambda job: iso_utc(job.next_try_at),
    "modified_at": lambda job: iso_utc(None if job.modified_ns is None else job.modified_ns // 1_000_000),
    "batch": lambda job: job.batch_name,
}
FIELDS = tuple(_VALUES)[:12]
"""What `filemill status --json` and `filemill export` tell of each job, in this order."""
ALL_FIELDS = tuple(_VALUES)
"""Every field that there is."""


def job_record(job: Job, fields: Sequence[str] = FIELDS) -> dict[str, Value]:
    """What is told of a job, under the names of the fields and in their order.

    Args:
        job: The job.
        fields: Some of `ALL_FIELDS`.
    """
    return {field: _VALUES[field](job) for field in fields}


def json_line(job: Job, fields: Sequence[str] = FIELDS) -> str:
    """A job as one line of JSON, ASCII only.

    A byte of the path that is not UTF-8 is the escape of a lone surrogate, as Python's `os.fsdecode` makes it:
    `os.fsencode(json.loads(line)["file_path"])` gives the path's true bytes.
    """
    return json.dumps(job_record(job, fields))
