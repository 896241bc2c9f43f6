"""Between rows and `Job`s: the only place that knows how a path and a reason are stored."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from desktop_app.domain.job import Job, Status, natural_key
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import folded
from desktop_app.store.models import BatchRow, JobRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAMED_OTHERWISE: Mapping[str, Any] = {
    "row_id": JobRow.id,
    "id": JobRow.uuid,
    "batch_id": JobRow.batch,
    "reason": JobRow.reason_code,
    "batch_name": BatchRow.select(BatchRow.name).where(BatchRow.id == JobRow.batch),
}
"""The fields of `Job` that are not a column of the same name."""

JOB_COLUMNS: Mapping[str, Any] = {
    field.name: _NAMED_OTHERWISE[field.name] if field.name in _NAMED_OTHERWISE else getattr(JobRow, field.name)
    for field in fields(Job)
}
"""Where each field of a `Job` is read, in the order of the fields."""

_BESIDE = (JobRow.raw_path, JobRow.reason_args)
"""What some fields of a `Job` are put together with."""

CLAIMED_COLUMNS = (*_BESIDE, *(column for name, column in JOB_COLUMNS.items() if name != "batch_name"))
"""What `jobs_from` needs, without the name of the batch, which RETURNING can't ask for."""

LISTED_COLUMNS = (*_BESIDE, *JOB_COLUMNS.values())
"""What `jobs_from` needs."""

ROWS_A_TRANSACTION = 200
"""Large changes are written in parts of so many rows, so that nobody waits long for the write lock."""

LEASE_ENDED: dict[str, Any] = {"lease_token": JobRow.lease_token + 1, "lease_owner": None, "lease_until": 0}
"""For an update that takes a job from whoever works on it: with the token moved on, a late result is refused."""
PENDING_AGAIN: dict[str, Any] = {"status": Status.PENDING, "bytes_done": 0, "started_at": None, **LEASE_ENDED}
"""For an update that gives a job back before it has ended."""


_PATH, _STATUS, _REASON = (list(JOB_COLUMNS).index(name) for name in ("file_path", "status", "reason"))


def jobs_from(rows: Iterable[Iterable[Any]]) -> list[Job]:
    """Return the jobs of rows of `LISTED_COLUMNS` or `CLAIMED_COLUMNS`, both of which are in the order of `Job`."""
    jobs = []
    for raw_path, arguments, *values in rows:
        values[_PATH] = joined_path(values[_PATH], raw_path)
        values[_STATUS] = Status(values[_STATUS])
        values[_REASON] = reason_of(values[_REASON], arguments)
        jobs.append(Job(*values))
    return jobs


def reason_columns(reason: Reason | None) -> dict[str, Any]:
    """Return the columns that keep a reason, of a job or of an attempt."""
    if reason is None:
        return {"reason_code": "", "reason_args": ""}
    values = {name: storable(value) if isinstance(value, str) else value for name, value in reason.arguments.items()}
    return {"reason_code": reason.code.value, "reason_args": json.dumps(values, ensure_ascii=False) if values else ""}


@lru_cache(maxsize=1024)
def reason_of(code: str, arguments: str) -> Reason | None:
    """Return the reason that these two columns keep; one that is not known is shown as it is."""
    if not code:
        return None
    try:
        reason = Reason(ReasonCode(code), json.loads(arguments) if arguments else {})
        str(reason).encode()  # a half of a surrogate pair, which JSON can hold, could be shown nowhere
    except (ValueError, LookupError, TypeError, RecursionError):  # of another version, or not written by us
        return Reason(ReasonCode.TEXT, {"text": f"{code} {arguments}".strip()})
    return reason


def in_arguments(arguments: str, key: str) -> bool:
    """Return whether a value of a reason's arguments has a folded text; a function of the database's."""
    try:
        values = json.loads(arguments or "{}").values()
    except (ValueError, AttributeError, TypeError, RecursionError):  # not written by us
        return key in folded(str(arguments))
    return any(key in folded(str(value)) for value in values)


def joined_path(text: str, raw: bytes | None) -> str:
    """Return the path that these two columns keep; see `split_path`."""
    return text if raw is None else os.fsdecode(bytes(raw))


def split_path(path: str) -> tuple[str, bytes | None]:
    """Return a path as the two columns that keep it: readable text, and the true bytes where that escapes some."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raw = os.fsencode(path)
        return raw.decode("utf-8", "backslashreplace"), raw
    return path, None


def storable(text: str) -> str:
    """Return a text that is not a path, fit for the database: what is not Unicode in it stands as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def searchable(text: str) -> str:
    """Return a text that is looked for in paths, as `file_path` would hold it."""
    try:
        return split_path(text)[0]
    except UnicodeEncodeError:  # no path of this system
        return storable(text)


def parts(keys: Iterable[int], size: int) -> Iterator[list[int]]:
    """Yield the keys in lists of a size; the last one may be shorter."""
    rest = iter(keys)
    while part := list(islice(rest, size)):
        yield part


def name_key(path: str) -> str:
    """Return the stored sort key of a file's name; see `natural_key`."""
    return natural_key(split_path(os.path.basename(path))[0])  # noqa: PTH119 - pathlib would normalise the name
