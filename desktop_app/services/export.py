"""Writing the list of jobs to a file, for spreadsheets or other programs."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, TextIO

from desktop_app.jobs import Job, display_text
from desktop_app.services.records import FIELDS, Value, job_record, json_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Write = Callable[[TextIO, Iterable[Job]], None]

# The wide forms too: some spreadsheets of East Asia take them for the narrow ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LIKE_A_NUMBER = re.compile(r"(?i)[\d\s.,:/e-]*\d[\d\s.,:/e-]*|true|false")


def csv_writer(fields: Sequence[str] = FIELDS, separator: str = ",") -> Write:
    """Writes jobs as RFC 4180 says, with a byte order mark, so that spreadsheets know the encoding.

    Texts that a spreadsheet would take for a formula, a number or a date get an apostrophe in front; characters that
    do not show are written as escapes. Numbers are whole ones, which read the same everywhere.

    Args:
        fields: Some of `records.ALL_FIELDS`.
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
    """A text as a spreadsheet may have it: never a formula, nothing that does not show; a file 007 stays 007."""
    is_taken_wrongly = text.startswith(_FORMULA_STARTS) or _LIKE_A_NUMBER.fullmatch(text)
    return f"'{display_text(text)}" if is_taken_wrongly else display_text(text)


def json_writer(fields: Sequence[str] = FIELDS) -> Write:
    """Writes jobs as one JSON array, an object a line; the same as `filemill status --json` says.

    Args:
        fields: Some of `records.ALL_FIELDS`.
    """

    def write(stream: TextIO, jobs: Iterable[Job]) -> None:
        before = "[\n"
        for job in jobs:
            stream.write(before + json_line(job, fields))
            before = ",\n"
        stream.write("[]\n" if before == "[\n" else "\n]\n")

    return write
