"""Writes jobs for other programs: the fields of exports and of the command line's JSON, under stable names."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, TextIO

from desktop_app.domain.job import Job, display_text, iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Write = Callable[[TextIO, Iterable[Job]], None]

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
"""The fields of `filemill status --json` and `filemill export`, in this order."""

ALL_FIELDS = tuple(_VALUES)
"""Every field that there is."""

# The wide forms too: some spreadsheets of East Asia take them for the narrow ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LIKE_A_NUMBER = re.compile(r"(?i)[\d\s.,:/e-]*\d[\d\s.,:/e-]*|true|false")


def job_record(job: Job, fields: Sequence[str] = FIELDS) -> dict[str, Value]:
    """Return what is told of a job, under the names of the fields and in their order.

    Args:
        job: The job.
        fields: Some of `ALL_FIELDS`.
    """
    return {field: _VALUES[field](job) for field in fields}


def json_line(job: Job, fields: Sequence[str] = FIELDS) -> str:
    """Return a job as one line of JSON, ASCII only.

    A byte of the path that is not UTF-8 is the escape of a lone surrogate, as Python's `os.fsdecode` makes it:
    `os.fsencode(json.loads(line)["file_path"])` gives the path's true bytes.
    """
    return json.dumps(job_record(job, fields))


def csv_writer(fields: Sequence[str] = FIELDS, separator: str = ",") -> Write:
    """Return a writer of CSV as RFC 4180 says, with a byte order mark, so that spreadsheets know the encoding.

    Texts that a spreadsheet would take for a formula, a number or a date get an apostrophe in front; characters that
    do not show are written as escapes. Numbers are whole ones, which read the same everywhere.

    Args:
        fields: Some of `ALL_FIELDS`.
        separator: Between the values; spreadsheets of a country that writes 1,5 for one and a half expect `;`.
    """

    def write(stream: TextIO, jobs: Iterable[Job]) -> None:
        stream.write("\ufeff")
        writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
        writer.writerow(fields)
        for job in jobs:
            writer.writerow([_cell(value) for value in job_record(job, fields).values()])

    return write


def _cell(value: Value) -> Value:
    return spreadsheet_text(value) if isinstance(value, str) else value


def spreadsheet_text(text: str) -> str:
    """Return a text as a spreadsheet may have it: never a formula, nothing that does not show; a file 007 stays 007."""
    is_taken_wrongly = text.startswith(_FORMULA_STARTS) or _LIKE_A_NUMBER.fullmatch(text)
    return f"'{display_text(text)}" if is_taken_wrongly else display_text(text)


def json_writer(fields: Sequence[str] = FIELDS) -> Write:
    """Return a writer of one JSON array, an object a line; the same as `filemill status --json` says.

    Args:
        fields: Some of `ALL_FIELDS`.
    """

    def write(stream: TextIO, jobs: Iterable[Job]) -> None:
        before = "[\n"
        for job in jobs:
            stream.write(before + json_line(job, fields))
            before = ",\n"
        stream.write("[]\n" if before == "[\n" else "\n]\n")

    return write
