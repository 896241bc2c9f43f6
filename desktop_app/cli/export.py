"""`filemill export`."""

from __future__ import annotations

import contextlib
import csv
import os
import secrets
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from desktop_app.cli.command import Command
from desktop_app.cli.output import FIELDS, counted, emit, job_record, json_line, progress, quoted
from desktop_app.errors import KnownError, UsageError
from desktop_app.jobs import Job, display_text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_EVERY = 1000


def _export(options: Namespace) -> int:
    if len(options.names) != 1:
        raise UsageError("Name one file to write, ending in .csv or .json. See `filemill export --help`.")
    target = Path(options.names[0])
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise UsageError(f"{quoted(str(target))} does not end in .csv or .json.")
    from desktop_app.wiring import open_program

    with closing(open_program()) as program, progress("Exporting", "files") as bar:
        total = program.jobs.counts().total
        count = 0

        def counted_jobs() -> Iterator[Job]:
            nonlocal count
            for job in program.jobs.all():
                yield job
                count += 1
                if count % _EVERY == 0:
                    bar.move_to(count, total)

        write_whole(target, lambda stream: write(stream, counted_jobs()))
    emit(f"Exported {counted(count, 'file')} to {display_text(str(target))}.")
    return 0


def write_whole(target: Path, write: Callable[[TextIO], None]) -> None:
    """Write a text file that is there whole or not at all; one that was there before is replaced at the end.

    Args:
        target: The file. A symbolic link is followed.
        write: Writes the content to a stream that leaves line ends alone.

    Raises:
        KnownError: If it can't be written.
    """
    goal = Path(os.path.realpath(target))
    part = goal.with_name(f".filemill-{secrets.token_hex(4)}.part")
    try:
        try:
            with part.open("x", encoding="utf-8", newline="") as stream:
                write(stream)
            part.replace(goal)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        raise KnownError(f"{display_text(str(target))} can't be written: {error.strerror or error}.") from error


def write_csv(stream: TextIO, jobs: Iterable[Job]) -> None:
    """Write jobs as RFC 4180 says, with a byte order mark, so that spreadsheets know the encoding.

    Texts that a spreadsheet would take for a formula get an apostrophe in front; characters that do not show are
    written as escapes.
    """
    stream.write("\ufeff")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(FIELDS)
    for job in jobs:
        writer.writerow([_cell(value) for value in job_record(job).values()])


def _cell(value: str | int | None) -> str | int | None:
    if not isinstance(value, str):
        return value
    return f"'{display_text(value)}" if value.startswith(_FORMULA_STARTS) else display_text(value)


def write_json(stream: TextIO, jobs: Iterable[Job]) -> None:
    """Write jobs as one JSON array, an object a line; the same as `filemill status --json` says."""
    before = "[\n"
    for job in jobs:
        stream.write(before + json_line(job))
        before = ",\n"
    stream.write("[]\n" if before == "[\n" else "\n]\n")


_WRITERS: dict[str, Callable[[TextIO, Iterable[Job]], None]] = {".csv": write_csv, ".json": write_json}

EXPORT = Command(
    name="export",
    usage="FILE.csv|FILE.json",
    summary="write the list to a file",
    details="A file of that name is replaced once the new one is whole. In JSON, a byte of a path that is\n"
    "not UTF-8 is a lone surrogate (Python: os.fsencode); in CSV it is shown as an escape such as \\xff.",
    names="FILE",
    run=_export,
)
