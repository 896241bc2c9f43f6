"""`filemill status`."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.command import Command
from desktop_app.cli.lookup import look_up
from desktop_app.cli.output import emit, emit_json, is_terminal, say
from desktop_app.cli.table import JobTable, totals

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable

    from desktop_app.jobs import Job

EMPTY_HINT = "The list is empty. `filemill submit` adds files."


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print a JSON object a line for each file")
    parser.add_argument("--watch", action="store_true", help="go on showing what changes, until Ctrl+C")


def _status(options: Namespace) -> int:
    from desktop_app.wiring import open_program

    with closing(open_program()) as program:
        found = look_up(program.jobs, options.names)
        for problem in found.problems:
            say(problem)
        code = 1 if found.problems else 0
        if options.names and not found.jobs:
            return code
        chosen = {job.row_id for job in found.jobs} if options.names else None
        if options.watch:
            from desktop_app.cli.watch import watch

            watch(program.jobs, chosen, as_json=options.json, steady=program.clock.steady)
        elif options.json:
            emit_json(found.jobs if options.names else program.jobs.all())
        elif options.names:
            _print_table(found.jobs)
        else:
            counts = program.jobs.counts()
            if counts.total:
                _print_table(program.jobs.all())
            else:
                say(EMPTY_HINT)
            emit(totals(counts))
        return code


def _print_table(jobs: Iterable[Job]) -> None:
    table = JobTable(table_width())
    emit(table.header())
    for job in jobs:
        for line in table.rows(job):
            emit(line)


def table_width() -> int | None:
    """The terminal's width in cells; None if the result does not go to a terminal."""
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None


STATUS = Command(
    name="status",
    usage="[--json] [--watch] [ID …]",
    summary="show the list, or some files of it",
    details="An ID may be an unambiguous beginning of one. With --json there is one object a line, ASCII only; a byte\n"
    "of a path that is not UTF-8 is a lone surrogate (Python: os.fsencode). With --watch and no terminal,\n"
    "or with --json, each line is a file as it is after a change.",
    names="ID",
    add_options=_options,
    run=_status,
)
