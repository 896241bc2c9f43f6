"""Measure whether the cost of adding, processing, sorting and removing grows linearly with the list, and draw it.

    python -m tests.benchmarks.cost [--full] [--draw]

The lists have 1,000, 10,000 and 100,000 jobs, and with `--full` 1,000,000. Added, sorted and removed are all jobs of a
list. Of processing, only the share of the store is measured, which alone depends on the list: 1,000 of the jobs are
claimed and finished by fifties, as the consumer does at load. A start lasts until the window responds to a key.
`--draw` writes `cost.svg` beside this script; `make bench` does so.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.domain.clock import SystemClock
from desktop_app.domain.job import NewFile
from desktop_app.domain.query import NO_FILTER, Sort
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.consuming.consumer import MANY
from desktop_app.services.control import ProcessingControl
from desktop_app.store.adding import Intake
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.database import open_database
from desktop_app.store.job_list import JobList
from desktop_app.store.results import Result, Work
from tests.benchmarks._chart import draw_chart
from tests.benchmarks._programs import environment_of
from tests.benchmarks._results import at_most, at_most_times, note
from tests.benchmarks._rows import fill
from tests.benchmarks._window import STARTED
from tests.benchmarks.start import run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.store.database import Database

SIZES, FULL_SIZES = (1_000, 10_000, 100_000), (1_000, 10_000, 100_000, 1_000_000)
CLAIMED = 1_000
TIMES = 3
GROWTH = 1.5
"""How many times as much a job may cost in the longest list as in one of a tenth of its length."""
STORE_US = 60
CHART = Path(__file__).with_name("cost.svg")


def editor_of(database: Database) -> JobEditor:
    return JobEditor(Intake(database), queue="local", clock=SystemClock(), control=ProcessingControl())


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds of a call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def measured_adding(folder: Path, size: int) -> tuple[float, float]:
    """Add files to an empty list; return the milliseconds, and the CPU microseconds a job of claims and results."""
    files = [NewFile(f"/in/{at % 97:02}/orders {at}.csv", at, at + 1) for at in range(size)]
    taken = []
    for number in range(TIMES):
        database = open_database(folder / f"{number}.db", MIGRATIONS)
        with database.session():
            taken.append(timed(lambda database=database: editor_of(database).add(files)))  # type: ignore[misc]
    with database.session(), closing(sqlite3.connect(database.path)) as connection:
        step = max(1, size // CLAIMED)  # evenly from the whole list, since neighbors would share pages
        ids = [one for (one,) in connection.execute(f"SELECT uuid FROM job WHERE id % {step} = 0")]
        return statistics.median(taken), store_us(database, ids)


def store_us(database: Database, ids: Sequence[str]) -> float:
    """Claim and finish jobs as the consumer does at load; return the CPU time a job in microseconds."""
    claims, work = Claims(database), Work(database)
    finished: list[Result] = []
    done = 0
    began = time.thread_time()
    for start in range(0, len(ids) + MANY, MANY):
        requests = [ClaimRequest(one, 1, one, 1) for one in ids[start : start + MANY]]
        written, claimed = work.finish_and(
            finished,
            lambda requests=requests: claims.claim(requests, worker="worker", now_ms=1_000, lease_ms=60_000),  # type: ignore[misc]
        )
        done += sum(written)
        finished = [Result(one.job.row_id, one.token, 2_000, 2_048, 53) for one in claimed if one.job is not None]
    spent = time.thread_time() - began
    assert done == len(ids)
    return spent / done * 1e6


def measured_list(folder: Path, size: int) -> tuple[float, float, float]:
    """Return the milliseconds of a start with a list, and of sorting and removing all of its jobs."""
    database = fill(folder / "filemill.db", size)
    environment = environment_of(folder)
    run_program(STARTED, environment)
    start = statistics.median(run_program(STARTED, environment)[0] for _ in range(TIMES))
    with database.session():
        jobs, editor = JobList(database), editor_of(database)
        sort = statistics.median(timed(lambda: jobs.ids(NO_FILTER, Sort.by("name"))) for _ in range(TIMES))
        ids = jobs.ids()
        assert len(ids) == size
        taken = []
        for _ in range(TIMES):
            taken.append(timed(lambda: editor.remove(ids)))
            assert not jobs.ids()
            editor.restore(ids)
        assert len(jobs.ids()) == size
    return start, sort, statistics.median(taken)


def main(sizes: Sequence[int], *, draws: bool) -> int:
    costs: dict[str, list[tuple[float, float]]] = {
        name: [] for name in ("add", "claim and finish", "start", "sort by name", "remove")
    }
    for size in sizes:
        with (
            tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as added,
            tempfile.TemporaryDirectory() as listed,
        ):
            add, store = measured_adding(Path(added), size)
            taken = (add, store * size / 1_000, *measured_list(Path(listed), size))
        for name, milliseconds in zip(costs, taken, strict=True):
            costs[name].append((size, milliseconds))
    at_most("CPU time a job in the store, claim and finish by fifties", costs["claim and finish"][0][1], "µs", STORE_US)
    for name, line in costs.items():
        (few, before), (many, after) = line[-2:]
        if name == "start":
            continue
        at_most_times(
            f"{name}: cost a job with {many:,} jobs", after / many * 1_000, "µs",
            peer=f"with {few:,}", against=before / few * 1_000, goal=GROWTH,
        )  # fmt: skip
    note("start with each of the lists", ", ".join(f"{size:,}: {taken:,.0f} ms" for size, taken in costs["start"]))
    if draws:
        title = "Cost against the number of jobs (dashed: linear)"
        draw_chart(CHART, title, "jobs in the list", "milliseconds for all", costs)
    return 0


if __name__ == "__main__":
    sys.exit(main(FULL_SIZES if "--full" in sys.argv else SIZES, draws="--draw" in sys.argv))
