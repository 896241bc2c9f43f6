"""Measure sorting and filtering by fields of results in a list with a million rows, with and without an index.

    python -m tests.benchmarks.results [ROWS]

The first rows, which the window shows first, and the files that match a filter should be found in 1.5 s without an
index, and in 0.3 s with one.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.fields import Field, result_fields
from desktop_app.domain.query import BY_ADDING, NO_FILTER, Filter, Sort
from desktop_app.domain.search_parser import Names, parse_search
from desktop_app.gui.table.model import FIRST_ROWS
from desktop_app.store.job_list import JobList
from desktop_app.store.processors import WorkerProcessors, keep_fields
from tests.benchmarks._results import at_most, at_most_times, note
from tests.benchmarks._rows import fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.store.database import Database

ROWS = 1_000_000
TRIES = 3
WITHOUT, WITH = 1.5, 0.3
"""The goals in seconds, without an index and with one."""
FIELDS = (
    Field("sha256", str, "SHA-256"),
    Field("verified", bool, "Verified"),
    Field("pages", int, "Pages"),
    Field("ratio", float, "Ratio"),
)
NAMES = Names(fields={field.name: field for field in result_fields(("benchmark", field) for field in FIELDS)})
FILTERS = ("pages:1..10", "pages:>900", "ratio:<0.5", "verified:no", "sha256:abcde", "sha256:0ff*")
_RESULT = """'{"sha256":"' || lower(hex(randomblob(32))) || '","verified":'
    || CASE WHEN id % 3 THEN 'true' ELSE 'false' END || ',"pages":' || (id * 7919 % 1009)
    || ',"ratio":' || (id % 97 / 7.0) || '}'"""


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.db"
        database = fill(path, rows)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"UPDATE job SET processor = 'benchmark', result = {_RESULT} WHERE id % 20 > 2")
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with database.session():
            with database.write():
                keep_fields(database, {("benchmark", field.name): field for field in FIELDS})
            measure(database, rows)


def measure(database: Database, rows: int) -> None:
    jobs, processors = JobList(database), WorkerProcessors(database)
    size = f"{rows:,} jobs"
    plain = seconds(lambda: jobs.ids(order=Sort.by("file_size")))
    queries(jobs, f"{size}, no index", plain, WITHOUT, 3.5)
    keys = jobs.ids()
    totals = seconds(lambda: jobs.sums(keys), 1)
    took = seconds(lambda: jobs.sums(keys, ("pages",)), 1)
    at_most_times(f"totals with a field, {size}", took, "s", peer="without", against=totals, goal=2)
    for field in FIELDS:
        note(
            f"make {field.name} fast, {size}",
            f"{seconds(partial(processors.make_fast, field.name, fast=True), 1):.2f} s",
        )
    queries(jobs, f"{size}, index", plain, WITH, 1)


def queries(jobs: JobList, size: str, plain: float, goal: float, times: float) -> None:
    """Measure the orders and the filters.

    Args:
        jobs: The list.
        size: Its size, for the names of the results.
        plain: How many seconds it takes to sort by a column of its own.
        goal: In how many seconds the first rows, and the files that match a filter, should be found.
        times: How many times as long as by a column of its own it may take to sort all.
    """
    for field in FIELDS:
        for descending in (False, True):
            order = Sort.by(f"result.{field.name}", descending=descending)
            name = f"{field.name}{' descending' if descending else ''}, {size}"
            first = seconds(partial(jobs.ids, order=order, limit=FIRST_ROWS))
            at_most(f"first rows by {name}", first, "s", goal)
            took = seconds(partial(jobs.ids, order=order))
            at_most_times(f"all rows by {name}", took, "s", peer="by size", against=plain, goal=times)
    for typed in FILTERS:
        where = Filter(search=parse_search(typed, NAMES))
        found = len(jobs.ids(where, BY_ADDING))
        assert 0 < found < len(jobs.ids(NO_FILTER)), typed
        at_most(f"{typed} finds {found:,}, {size}", seconds(partial(jobs.ids, where)), "s", goal)


def seconds(work: Callable[[], object], tries: int = TRIES) -> float:
    """Return the shortest time of several tries."""
    took = []
    for _ in range(tries):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


if __name__ == "__main__":
    main()
