"""Between rows and `Job`s: the only place that knows how a path is stored."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, Any

from desktop_app.domain.job import Job, Status, natural_key
from desktop_app.store.models import BatchRow, JobRow

if TYPE_CHECKING:
    from collections.abc import Iterable

JOB_COLUMNS = (
    JobRow.id,
    JobRow.uuid,
    JobRow.batch,
    JobRow.file_path,
    JobRow.raw_path,
    JobRow.status,
    JobRow.reason,
    JobRow.reason_code,
    JobRow.file_size,
    JobRow.lines_count,
    JobRow.bytes_done,
    JobRow.attempts,
    JobRow.generation,
    JobRow.queue,
    JobRow.message_id,
    JobRow.receive_count,
    JobRow.created_at,
    JobRow.sent_at,
    JobRow.started_at,
    JobRow.finished_at,
    JobRow.next_try_at,
    JobRow.revision,
    JobRow.modified_ns,
)
LISTED_COLUMNS = (*JOB_COLUMNS, BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch))
"""The same, and what the list says of a job's batch."""

LEASE_ENDED: dict[str, Any] = {"lease_token": JobRow.lease_token + 1, "lease_owner": None, "lease_until": 0}
"""For an update that takes a job from whoever works on it: with the token moved on, a late result is refused."""
PENDING_AGAIN: dict[str, Any] = {"status": Status.PENDING, "bytes_done": 0, "started_at": None, **LEASE_ENDED}
"""For an update that gives a job back before it has ended."""


def jobs_from(rows: Iterable[tuple[Any, ...]]) -> list[Job]:
    """Jobs from tuples of `JOB_COLUMNS` or `LISTED_COLUMNS`."""
    return [_job(row) for row in rows]


def _job(row: tuple[Any, ...]) -> Job:
    row_id, uuid, batch_id, path, raw, status, *rest = row
    return Job(row_id, uuid, batch_id, joined_path(path, raw), Status(status), *rest)


def joined_path(text: str, raw: bytes | None) -> str:
    """The path that these two columns keep; see `split_path`."""
    return text if raw is None else os.fsdecode(bytes(raw))


def split_path(path: str) -> tuple[str, bytes | None]:
    """A path as the two columns that keep it: readable text, and the true bytes where the text had to escape some."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raw = os.fsencode(path)
        return raw.decode("utf-8", "backslashreplace"), raw
    return path, None


def storable(text: str) -> str:
    """A text that is not a path, fit for the database: what is not Unicode in it stands as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def searchable(text: str) -> str:
    """A text that is looked for in paths, as `file_path` would hold it."""
    try:
        return split_path(text)[0]
    except UnicodeEncodeError:  # no path of this system
        return storable(text)


def folded(text: str) -> str:
    """A text as it is compared in a search: upper and lower case alike, however its accents are composed."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


def name_key(path: str) -> str:
    """Return the stored sort key of a file's name; see `natural_key`."""
    return natural_key(split_path(os.path.basename(path))[0])  # noqa: PTH119 - pathlib would normalise the name
