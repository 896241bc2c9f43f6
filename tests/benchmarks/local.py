"""Measure how fast files are processed through the embedded queue, by `filemill worker` and by the window.

    python -m tests.benchmarks.local [FILES]

The bare loop and the worker take turns; the rates are as in `consuming.py`. The window shows its list on the offscreen
platform meanwhile. Then files are added to an idle window one by one.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from tests.benchmarks._programs import environment_of, filemill, make_files, run
from tests.benchmarks._results import at_least, at_most, note
from tests.benchmarks.consuming import FILE_BYTES, WORKER, Runs, consumed, printed

FILES, ADDED = 5_000, 60
ROUNDS = 3
OF_BARE, OF_WORKER = 0.9, 0.8
EVENT_LOOP_MS, ON_SCREEN_MS = 10, 150
WINDOW = (sys.executable, "-m", "tests.benchmarks._window_work")
LOOP = (sys.executable, "-m", "tests.benchmarks._embedded_loop")


def main(count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as name:
        folder = Path(name)
        paths = make_files(folder / "in", count, FILE_BYTES)
        listed = folder / "list.txt"
        listed.write_text("\n".join(map(str, paths)), encoding="utf-8")
        measure_rates(folder, listed, count)
        measure_delay(folder, min(count, ADDED))
    return 0


def measure_rates(folder: Path, listed: Path, count: int) -> None:
    worker, window = Runs(), Runs()
    bare, unsent, late, longest = [], [], [], []
    for number in range(ROUNDS):
        database = folder / f"bare-{number}.db"
        loop = [*LOOP, str(database), str(folder / f"queue-{number}"), str(listed)]
        for turn in ("bare", "worker", "window") if number % 2 else ("window", "worker", "bare"):
            if turn == "bare":
                ended = run(loop, environment_of(folder))
                consumed(ended, database, count, unit_s=1)
                bare.append(printed(ended, "rate"))
                unsent.append(printed(ended, "unsent"))
                continue
            home = folder / f"{turn}-{number}"
            home.mkdir()
            filemill(environment_of(home), "submit", "--recursive", str(folder / "in"))
            ended = run(WORKER if turn == "worker" else [*WINDOW, "consuming"], environment_of(home))
            runs = worker if turn == "worker" else window
            runs.taken.append(consumed(ended, home / "filemill.db", count, unit_s=0.001))
            if turn == "window":
                late.append(printed(ended, "p99"))
                longest.append(printed(ended, "longest"))
    at_least(
        f"{count:,} files of 2 KB through the embedded queue, worker", worker.rate, "jobs/s",
        peer="a bare loop on it", against=statistics.median(filter(None, bare)), goal=OF_BARE,
    )  # fmt: skip
    at_least(
        "the same, without the sending of the bare loop", worker.rate, "jobs/s",
        peer="a bare loop on it", against=statistics.median(filter(None, unsent)), goal=None,
    )  # fmt: skip
    note("CPU time a job of the worker, embedded queue", f"{worker.job_us:.0f} µs")
    what = "the same in the window with its consumer"
    at_least(what, window.rate, "jobs/s", peer="the worker", against=worker.rate, goal=OF_WORKER)
    at_most("event loop of the window meanwhile, p99", statistics.median(filter(None, late)), "ms", EVENT_LOOP_MS)
    note("the same, the longest delay", f"{statistics.median(filter(None, longest)):.1f} ms")


def measure_delay(folder: Path, count: int) -> None:
    """Measure how long a file takes that is added while the window is idle."""
    home = folder / "home-delay"
    home.mkdir()
    ended = run([*WINDOW, "adding", str(folder / "in"), str(count)], environment_of(home))
    taken = sorted(float(line.split()[1]) for line in ended.out.splitlines() if line.startswith("took "))
    if len(taken) != count:
        raise RuntimeError(f"only {len(taken)} of {count} files were shown as processed")
    what = "a file added while idle: saved until painted as PROCESSED, p95"
    at_most(what, taken[int(count * 0.95) - 1], "ms", ON_SCREEN_MS)
    note("the same, median", f"{statistics.median(taken):.0f} ms")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
