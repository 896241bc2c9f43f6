"""Export jobs as CSV or JSON. The names of the fields are stable, since other programs depend on them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from desktop_app.domain.fields import RESULT_PREFIX
from desktop_app.domain.job import Job, iso_utc
from desktop_app.domain.queue_key import queue_label
from desktop_app.domain.sentences import display_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Write = Callable[[TextIO, Iterable[Job]], None]

Value = str | int | float | Mapping[str, object] | None

_ALWAYS: dict[str, Callable[[Job], Value]] = {
    "id": lambda job: job.id,
    "file_path": lambda job: job.file_path,
    "status": lambda job: job.status.name,
    "reason": lambda job: str(job.reason or ""),
    "lines_count": lambda job: job.lines_count,
    "file_size": lambda job: job.file_size,
    "attempts": lambda job: job.attempts,
    "generation": lambda job: job.generation,
    "message_id": lambda job: job.message_id,
    "created_at": lambda job: iso_utc(job.created_at),
    "started_at": lambda job: iso_utc(job.started_at),
    "finished_at": lambda job: iso_utc(job.finished_at),
    "processor": lambda job: job.processor,
    "result": lambda job: dict(job.result),
}

_VALUES: dict[str, Callable[[Job], Value]] = {
    **_ALWAYS,
    # These fields are exported only if they are selected.
    "name": lambda job: job.name,
    "bytes_done": lambda job: job.bytes_done,
    "took_ms": lambda job: job.took_ms,
    "queue": lambda job: queue_label(job.queue),
    "receive_count": lambda job: job.receive_count,
    "sent_at": lambda job: iso_utc(job.sent_at),
    "next_try_at": lambda job: iso_utc(job.next_try_at),
    "modified_at": lambda job: iso_utc(None if job.modified_ns is None else job.modified_ns // 1_000_000),
    "batch": lambda job: job.batch_name,
}

FIELDS = tuple(_ALWAYS)
"""The fields of `filemill status --json` and `filemill export`, in order."""

ALL_FIELDS = tuple(_VALUES)
"""All fields that can be exported. A field of a result is exported as `RESULT_PREFIX` and its name."""

# The last four characters are full-width forms, which some East Asian spreadsheets treat as the ASCII characters.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LIKE_A_NUMBER = re.compile(r"(?i)[\d\s.,:/e-]*\d[\d\s.,:/e-]*|true|false")


def job_record(job: Job, fields: Sequence[str] = FIELDS) -> dict[str, Value]:
    """Return the values of a job's fields by name.

    Args:
        job: The job.
        fields: The names and the order of the fields; see `ALL_FIELDS`.
    """
    return {field: _value(job, field) for field in fields}


def _value(job: Job, field: str) -> Value:
    if field.startswith(RESULT_PREFIX):
        return job.result.get(field.removeprefix(RESULT_PREFIX))
    return _VALUES[field](job)


def json_line(job: Job, fields: Sequence[str] = FIELDS) -> str:
    """Return a job as one line of JSON that contains only ASCII characters.

    A byte of the path that is not valid UTF-8 becomes an escaped lone surrogate, as with `os.fsdecode`. The bytes of
    the path are `os.fsencode(json.loads(line)["file_path"])`.
    """
    return json.dumps(job_record(job, fields))


def csv_writer(fields: Sequence[str] = FIELDS, separator: str = ",", results: Sequence[str] = ()) -> Write:
    """Return a function that writes jobs as CSV according to RFC 4180, with a byte order mark for spreadsheets.

    Texts are escaped by `spreadsheet_text`. The numbers of our own fields are integers, so they do not depend on the
    locale.

    Args:
        fields: The names and the order of the fields; see `ALL_FIELDS`.
        separator: The field separator; spreadsheets expect `;` in locales with a decimal comma.
        results: The names of the fields of results; they take the place of the field `result`.
    """
    own = [field for field in fields if field != "result"]
    if "result" in fields:
        own += [f"{RESULT_PREFIX}{name}" for name in results]
    titles = [field.removeprefix(RESULT_PREFIX) for field in own]

    def write(stream: TextIO, jobs: Iterable[Job]) -> None:
        stream.write("\ufeff")
        writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
        writer.writerow(title if titles.count(title) == 1 else field for field, title in zip(own, titles, strict=True))
        for job in jobs:
            values = job_record(job, own).values()
            writer.writerow([spreadsheet_text(value) if isinstance(value, str) else value for value in values])

    return write


def spreadsheet_text(text: str) -> str:
    """Escape a text for a spreadsheet.

    Invisible characters are replaced by escape sequences. A text that a spreadsheet would treat as a formula, a number
    or a date, such as the file name 007, gets a leading apostrophe.
    """
    needs_apostrophe = text.startswith(_FORMULA_STARTS) or _LIKE_A_NUMBER.fullmatch(text)
    return f"'{display_text(text)}" if needs_apostrophe else display_text(text)


def json_writer(fields: Sequence[str] = FIELDS) -> Write:
    """Return a function that writes jobs as a JSON array with one object per line; see `json_line`.

    Args:
        fields: The names and the order of the fields; see `ALL_FIELDS`.
    """

    def write(stream: TextIO, jobs: Iterable[Job]) -> None:
        before = "[\n"
        for job in jobs:
            stream.write(before + json_line(job, fields))
            before = ",\n"
        stream.write("[]\n" if before == "[\n" else "\n]\n")

    return write
