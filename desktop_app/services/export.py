"""Writing the list of jobs to a file, for spreadsheets or other programs."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from desktop_app.errors import KnownError
from desktop_app.jobs import Job, display_text
from desktop_app.sentences import Sentence
from desktop_app.services.records import FIELDS, Value, job_record, json_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Write = Callable[[TextIO, Iterable[Job]], None]

# The wide forms too: some spreadsheets of East Asia take them for the narrow ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LIKE_A_NUMBER = re.compile(r"(?i)[\d\s.,:/e-]*\d[\d\s.,:/e-]*|true|false")


class NotWrittenError(KnownError):
    """A file can't be written.

    Args:
        text: Plain sentences for a person.
        code: The system's number for what went wrong (`errno`), or 0.
    """

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


def write_whole(target: Path, write: Callable[[TextIO], None], *, replace: bool = True) -> None:
    """Write a text file that is there whole or not at all; one that was there before is replaced at the end.

    Args:
        target: The file. A symbolic link is followed.
        write: Writes the content to a stream that leaves line ends alone. What it raises goes through, and nothing is
            left behind.
        replace: False to leave a file alone that is there when the writing begins.

    Raises:
        NotWrittenError: If it can't be written.
    """
    goal = Path(os.path.realpath(target))
    try:
        if not replace and os.path.lexists(goal):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        part = goal.with_name(f".filemill-{secrets.token_hex(4)}.part")
        try:
            with part.open("x", encoding="utf-8", newline="") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())  # else a power cut could leave the name with nothing in it
            part.replace(goal)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        text = Sentence("{file} can't be written: {cause}.", file=display_text(str(target)), cause=cause)
        raise NotWrittenError(text, code=error.errno or 0) from error


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
