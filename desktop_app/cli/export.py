"""The command `filemill export`, which writes the list to a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.cli.output import Progress, counted, emit, quoted
from desktop_app.cli.parser import Command
from desktop_app.config.atomic_write import write_whole
from desktop_app.domain.errors import UsageError
from desktop_app.domain.sentences import display_text
from desktop_app.services.support.export import csv_writer, json_writer

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from desktop_app.domain.job import Job

_EVERY = 1000


def _export(options: Namespace) -> int:
    if len(options.names) != 1:
        raise UsageError("Name one file to write, ending in .csv or .json. See `filemill export --help`.")
    target = Path(options.names[0])
    suffix = target.suffix.lower()
    if suffix not in {".csv", ".json"}:
        raise UsageError(f"{quoted(str(target))} does not end in .csv or .json.")
    from desktop_app.bootstrap import note_output, open_program
    from desktop_app.sources.share_access import require_response

    require_response(str(target))
    with closing(open_program()) as program, closing(Progress("Exporting", "files")) as bar:
        count = 0

        def counted_jobs() -> Iterator[Job]:
            nonlocal count
            for job in program.jobs.all():
                yield job
                count += 1
                if count % _EVERY == 0:
                    bar.move_to(count, total)

        with program.jobs.snapshot():
            names = [field.name for field in program.jobs.result_fields()]
            write = json_writer() if suffix == ".json" else csv_writer(results=names)
            total = program.jobs.counts().total
            write_whole(target, lambda stream: write(stream, counted_jobs()))
        note_output(program, target, target)
    emit(f"Exported {counted(count, 'file')} to {display_text(str(target))}.")
    return 0


EXPORT = Command(
    name="export",
    usage="FILE.csv|FILE.json",
    summary="write the list to a file",
    details="An existing file is replaced once the new one is complete. In JSON, a byte of a path that is\n"
    "not UTF-8 is a lone surrogate (Python: os.fsencode); in CSV it is shown as an escape such as \\xff.",
    names="FILE",
    run=_export,
)
