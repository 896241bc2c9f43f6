"""The command `filemill status`, which shows the list."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.batches import paused_text
from desktop_app.cli.output import emit, emit_json, finish_output, is_terminal, quoted, reader_gone, say
from desktop_app.cli.parser import Command
from desktop_app.cli.table import JobTable, totals
from desktop_app.domain.job import Cursor, Job, Status
from desktop_app.domain.query import ADDED, Filter, Sort
from desktop_app.services.stop_signals import StopSignals, pause_after
from desktop_app.services.support.export import json_line

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from desktop_app.store.job_list import JobList


POLL_S = 0.5
_CLEAR = "\x1b[H\x1b[J"
_OTHER_LINES = 4
"""The number of lines that show no job: the totals, the header, the number of omitted jobs, the cursor's line."""
_FIRST_SHOWN = (Status.PROCESSING, Status.FAILED, Status.PENDING, Status.PROCESSED)
_ID_START = re.compile(r"[0-9a-f-]{1,36}", re.IGNORECASE)
EMPTY_HINT = "The list is empty. Add files with `filemill submit PATH`, or in the window, which `filemill` opens."


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per line for each file")
    parser.add_argument("--watch", action="store_true", help="keep showing changes until Ctrl+C")


def _status(options: Namespace) -> int:
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        found, problems = look_up(program.jobs, options.names)
        for problem in problems:
            say(problem)
        code = 1 if problems else 0
        if options.names and not found:
            return code
        chosen = {job.row_id for job in found} if options.names else None
        counts = program.jobs.counts()
        if not counts.total and not _is_screen(options):  # there, it takes the place of the files
            say(EMPTY_HINT)
        if options.watch:
            view: _Screen | _Feed = _Feed(program.jobs, chosen, as_json=options.json)
            if _is_screen(options):
                view = _Screen(program.jobs, chosen)
            watch(program.jobs, view, steady=program.clock.steady)
        elif options.json:
            emit_json(found if options.names else program.jobs.all())
        elif options.names:
            _print_table(found)
        else:
            if counts.total:
                _print_table(program.jobs.all())
            emit(totals(counts))
            for batch in program.jobs.held_batches():
                say(paused_text(batch))
        return code


def _print_table(jobs: Iterable[Job]) -> None:
    table = JobTable(shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None)
    emit(table.header())
    for job in jobs:
        for line in table.rows(job):
            emit(line)


def watch(jobs: JobList, view: _Screen | _Feed, *, steady: Callable[[], float]) -> None:
    """Show jobs and their changes until a stop signal arrives or the reader of the output exits. Main thread.

    Args:
        jobs: The list.
        view: Shows the jobs.
        steady: A function that returns monotonic time in seconds.

    Raises:
        StoreError: If the database can't be read.
    """
    seen: Cursor | None = None
    with closing(StopSignals()) as stop:
        while True:
            started = steady()
            newest = jobs.changes.cursor()
            if newest != seen:
                view.show(since=seen)
                seen = newest
            pause_s = pause_after(steady() - started, least_s=POLL_S)
            if reader_gone() or not stop.pause(pause_s):
                return


def _is_screen(options: Namespace) -> bool:
    """Return whether the list is redrawn in place. This is never so on Windows, where not every terminal can do it."""
    can_redraw = is_terminal(sys.stdout) and os.name != "nt" and os.environ.get("TERM", "dumb") != "dumb"
    return bool(options.watch) and not options.json and can_redraw


class _Feed:
    """Prints a line for each changed job, for a pipe or a file."""

    def __init__(self, jobs: JobList, chosen: AbstractSet[int] | None, *, as_json: bool) -> None:
        self._jobs = jobs
        self._chosen = chosen
        self._as_json = as_json
        self._table = JobTable()

    def show(self, since: Cursor | None) -> None:
        """Print the jobs that have changed since a cursor or, if it is None, the header and all jobs."""
        if since is None and not self._as_json:
            emit(self._table.header())
        for job in self._changed(since):
            if self._chosen is None or job.row_id in self._chosen:
                for line in (json_line(job),) if self._as_json else self._table.rows(job):
                    emit(line)
        finish_output()

    def _changed(self, since: Cursor | None) -> Iterable[Job]:
        if since is None:
            return self._jobs.all()
        changes = self._jobs.changes.since(since)
        if changes.replaced:
            return self._jobs.all()
        if changes.overflow:
            return (job for job in self._jobs.all() if since.is_before(job))
        return changes.jobs


class _Screen:
    """Shows as many jobs as fit on the terminal, and redraws them after every change."""

    def __init__(self, jobs: JobList, chosen: AbstractSet[int] | None) -> None:
        self._jobs = jobs
        self._chosen = chosen

    def show(self, since: Cursor | None) -> None:  # noqa: ARG002 - everything is redrawn
        """Redraw the screen."""
        size = shutil.get_terminal_size()
        table = JobTable(size.columns)
        counts = self._jobs.counts()
        room = max(1, size.lines - _OTHER_LINES)
        total = counts.total if self._chosen is None else len(self._chosen)
        lines: list[str] = []
        shown = 0
        for job in self._in_order(fits=total <= room):
            rows = list(table.rows(job))
            if len(lines) + len(rows) > room:
                break
            lines += rows
            shown += 1
        if not total:
            lines.append(EMPTY_HINT)
        more = [f"... and {total - shown:,} more"] if shown < total else []
        emit("\n".join([_CLEAR + totals(counts), table.header(), *lines, *more]), flush=True)

    def _in_order(self, *, fits: bool) -> Iterator[Job]:
        """Yield the jobs in the order in which they were added or, if they do not fit, grouped by `_FIRST_SHOWN`."""
        if self._chosen is not None:
            page = self._jobs.page(sorted(self._chosen))
            yield from (page[key] for key in sorted(page))
        elif fits:
            yield from self._jobs.all()
        else:
            for status in _FIRST_SHOWN:
                order = Sort.by(ADDED, descending=status.is_final)
                yield from self._jobs.all(Filter(statuses=frozenset({status})), order)


def look_up(job_list: JobList, ids: Iterable[str]) -> tuple[list[Job], list[str]]:
    """Look up jobs by ID or by an unambiguous prefix of an ID.

    Returns:
        The jobs in the order given, without duplicates, and a sentence for each ID that does not match exactly one job.

    Raises:
        StoreError: If the database can't be read.
    """
    jobs: dict[int, Job] = {}
    problems: list[str] = []
    for text in ids:
        matches = job_list.find(text) if _ID_START.fullmatch(text) else []
        if len(matches) == 1:
            jobs.setdefault(matches[0].row_id, matches[0])
        elif matches:
            problems.append(f"The ID {quoted(text)} is ambiguous: give more characters.")
        else:
            problems.append(f"No file in the list has the ID {quoted(text)}.")
    return list(jobs.values()), problems


STATUS = Command(
    name="status",
    usage="[--json] [--watch] [ID …]",
    summary="show all files on the list, or some of them",
    details="An unambiguous prefix of an ID is enough. --json prints one object per line, ASCII only; a byte\n"
    "of a path that is not UTF-8 is a lone surrogate (Python: os.fsencode). With --watch and no terminal,\n"
    "or with --json, each line shows a file after a change.",
    names="ID",
    add_options=_options,
    run=_status,
)
