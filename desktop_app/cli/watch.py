"""`filemill status --watch`: the list as it changes."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Protocol

from desktop_app.cli.output import emit, finish_output, is_terminal, reader_gone
from desktop_app.cli.signals import StopSignals, pause_after
from desktop_app.cli.table import JobTable, totals
from desktop_app.jobs import ListQuery, Status
from desktop_app.services.records import json_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from desktop_app.jobs import Job
    from desktop_app.store.job_list import JobList

POLL_S = 0.5
_CLEAR = "\x1b[H\x1b[J"
_OTHER_LINES = 4
"""Of a screen: the totals, the header, how many more there are, and where the cursor stands."""
_FIRST_SHOWN = (Status.PROCESSING, Status.FAILED, Status.PENDING, Status.PROCESSED)


def watch(jobs: JobList, chosen: AbstractSet[int] | None, *, as_json: bool, steady: Callable[[], float]) -> None:
    """Show jobs, and what becomes of them, until a signal asks to stop or nobody reads any more. Main thread.

    Args:
        jobs: The list.
        chosen: Only the jobs with these keys; None = all.
        as_json: Lines of JSON instead of a table.
        steady: Seconds that never go back.

    Raises:
        StoreError: If the database can't be read.
    """
    view: _View = _Screen(jobs, chosen) if not as_json and _can_redraw() else _Feed(jobs, chosen, as_json=as_json)
    seen = -1
    with StopSignals() as stop:
        while True:
            started = steady()
            newest = jobs.revision()
            if newest != seen:
                view.show(since=seen)
                seen = newest
            pause_s = pause_after(steady() - started, least_s=POLL_S)
            if reader_gone() or not stop.pause(pause_s):
                return


def _can_redraw() -> bool:
    """Whether output goes to a terminal that knows how to go back up; on Windows not all do, so none is asked to."""
    return is_terminal(sys.stdout) and os.name != "nt" and os.environ.get("TERM", "dumb") != "dumb"


class _View(Protocol):
    """A way to show changes."""

    def show(self, since: int) -> None:
        """Show what was written after a revision; -1 = everything."""
        ...


class _Feed:
    """Each changed job on a line of its own, for a pipe or a file."""

    def __init__(self, jobs: JobList, chosen: AbstractSet[int] | None, *, as_json: bool) -> None:
        self._jobs = jobs
        self._chosen = chosen
        self._as_json = as_json
        self._table = JobTable()

    def show(self, since: int) -> None:
        """Print them; at first all, below the columns' names."""
        if since < 0 and not self._as_json:
            emit(self._table.header())
        for job in self._changed(since):
            if self._chosen is None or job.row_id in self._chosen:
                for line in (json_line(job),) if self._as_json else self._table.rows(job):
                    emit(line)
        finish_output()

    def _changed(self, since: int) -> Iterable[Job]:
        if since < 0:
            return self._jobs.all()
        changes = self._jobs.changes_since(since)
        if changes.overflow:
            return (job for job in self._jobs.all() if job.revision > since)
        return changes.jobs


class _Screen:
    """As much as fits a terminal, drawn anew at every change."""

    def __init__(self, jobs: JobList, chosen: AbstractSet[int] | None) -> None:
        self._jobs = jobs
        self._chosen = chosen

    def show(self, since: int) -> None:  # noqa: ARG002 - all is drawn, whatever changed
        """Draw it."""
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
        more = [f"... and {total - shown:,} more"] if shown < total else []
        emit("\n".join([_CLEAR + totals(counts), table.header(), *lines, *more]), flush=True)

    def _in_order(self, *, fits: bool) -> Iterator[Job]:
        """All in the order they were added if they fit; else first what a person looks for."""
        if self._chosen is not None:
            page = self._jobs.page(sorted(self._chosen))
            yield from (page[key] for key in sorted(page))
        elif fits:
            yield from self._jobs.all()
        else:
            for status in _FIRST_SHOWN:
                query = ListQuery(statuses=frozenset({status}), descending=status.is_final)
                yield from self._jobs.all(query)
