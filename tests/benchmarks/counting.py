"""Measure how fast lines are counted: in one large file, and in many small ones. Prints each result with its goal.

    python -m tests.benchmarks.counting [GIB]

The files are written to a temporary folder and are in the page cache; the peers are `wc` and `find` on the same files.
All take turns in one run, since the computer may be busy: compare ratios, not runs. A busy computer has no core for a
second thread, so the processor time is printed too: what two threads use together.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.processing.line_feeds import describe_counting
from desktop_app.processing.registry import FileResult, ProcessorRegistry, default_registry
from desktop_app.services.consuming.worker_pool import READ_TOGETHER_SECONDS
from desktop_app.sources import local
from desktop_app.sources.local import MOST_SMALL_FILES, READ_AHEAD_BYTES, SmallSource, read_small_files
from tests.benchmarks._results import at_least, missing, note

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 2
TURNS = 7
SMALL_FILES = 20_000
SMALL_BYTES = 2_048
LINE = b"2026-11-28T07:00:00Z;order 4711;12.50\r\n"
NEVER = 1 << 62


class NoWatch:
    """A watch that nobody looks at."""

    attempt_id = ""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """Do nothing."""

    def on_access(self, *, begins: bool) -> None:
        """Do nothing."""

    def cancelled(self) -> bool:
        return False


def write_large(path: Path, gib: float, line: bytes) -> None:
    """Write a file that consists of one line again and again."""
    block = line * (8 * 1024**2 // len(line))
    with path.open("wb") as file:
        while file.tell() < gib * 1024**3:
            file.write(block)


def write_small(folder: Path) -> list[str]:
    """Write many small files, 1,000 in each folder; return their paths."""
    paths = []
    for number in range(SMALL_FILES):
        path = folder / str(number // 1_000) / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((b"%d\n" % number + LINE * SMALL_BYTES)[:SMALL_BYTES])
        paths.append(str(path))
    return paths


def measure(*works: Callable[[], object]) -> list[tuple[float, float]]:
    """Return the median time and processor time of each function in seconds; they take turns."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(TURNS):
        for work, each in zip(works, taken, strict=True):
            begun, used = time.perf_counter(), sum(os.times()[:4])
            work()
            each.append((time.perf_counter() - begun, sum(os.times()[:4]) - used))
    return [(statistics.median(t for t, _ in each), statistics.median(u for _, u in each)) for each in taken]


def tell(what: str, amount: float, unit: str, own: tuple[float, float], peer: tuple[float, float], goal: float) -> None:
    """Report how much is processed in a second, compared with a peer that is measured in the same turns."""
    name = "wc -lc" if unit == "GiB/s" else "find … -exec wc -lc"
    at_least(what, amount / own[0], unit, peer=name, against=amount / peer[0], goal=goal)
    note("its processor time", f"{own[1]:.2f} s; {name}: {peer[1]:.2f} s")


def with_threads(number: int, path: Path) -> Callable[[], object]:
    """Return a function that processes a large file with one or two threads."""
    registry = default_registry()

    def process() -> object:
        local.READ_AHEAD_BYTES = READ_AHEAD_BYTES if number > 1 else NEVER
        return registry.process(str(path), NoWatch())

    return process


def process_all(registry: ProcessorRegistry, paths: list[str]) -> list[FileResult]:
    """Process small files as the program's threads do: read many with one call, if there is compiled code for that."""
    if read_small_files is None:
        return [registry.process(path, NoWatch()) for path in paths]
    results = []
    for start in range(0, len(paths), MOST_SMALL_FILES):
        some = paths[start : start + MOST_SMALL_FILES]
        contents = read_small_files(some, array("q", [0]), READ_TOGETHER_SECONDS)
        for path, content in zip(some, contents, strict=True):
            opened = None if content is None else SmallSource(content, path)
            results.append(registry.process(path, NoWatch(), opened))
    return results


def run(*command: str) -> Callable[[], object]:
    """Return a function that runs a program without its output."""
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main(gib: float) -> int:
    if not (shutil.which("wc") and shutil.which("find")):
        missing("counting lines", "this system has neither wc nor find to compare with")
        return 0
    note("how lines are counted", describe_counting())
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as folder:
        large = Path(folder) / "large"
        for what, line, mark, goals in (
            (f"lines of {gib:g} GiB", LINE, b"", (1.0, 1.6)),
            (f"lines of {gib:g} GiB of UTF-16", LINE.decode().encode("utf-16-le"), b"\xff\xfe", (0.8, 0.8)),
        ):
            write_large(large, gib, line)
            with large.open("r+b") as file:
                file.write(mark)
            peer, one, two = measure(run("wc", "-lc", str(large)), with_threads(1, large), with_threads(2, large))
            tell(f"{what}, one thread", gib, "GiB/s", one, peer, goals[0])
            tell(f"{what}, two threads", gib, "GiB/s", two, peer, goals[1])
            large.unlink()
        local.READ_AHEAD_BYTES = READ_AHEAD_BYTES
        small = Path(folder) / "small"
        small.mkdir()
        paths = write_small(small)
        registry = default_registry()
        peer, own = measure(
            run("find", str(small), "-type", "f", "-exec", "wc", "-lc", "{}", "+"),
            lambda: process_all(registry, paths),
        )
        what = f"{SMALL_FILES:,} files of {SMALL_BYTES // 1024} KB, processing only"
        tell(what, SMALL_FILES, "files/s", own, peer, 2.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else GIB))
