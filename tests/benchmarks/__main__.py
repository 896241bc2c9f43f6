"""Run the benchmarks, and write their results as one table.

    python -m tests.benchmarks [--full] [NAME …]

Each script of this folder whose name begins with a letter runs in a process of its own, so that one that fails does not
hide the others; its results are those that it reported with `_results.py`. With names, only these scripts run, and
RESULTS.md is not written. With `--full`, the lists are longer, which takes an hour. What the scripts wrote to the
standard error is in `build/benchmarks/logs`.

The exit code is 1 if something could not be measured, but not if a goal was missed: a number that is too low on a busy
computer is marked in the table, and does not stop anything.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks._programs import BUILD, ROOT
from tests.benchmarks._results import FILE_VARIABLE, Result, as_markdown, missing, read_results

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent
FIRST = ("consuming",)
LONGEST_SECONDS = 1_200
QUICK: dict[str, tuple[str, ...]] = {"cost": ("--draw",), "lists": ("100000",), "start": ("100000",)}
"""The arguments of the scripts, if any."""
FULL: dict[str, tuple[str, ...]] = {"cost": ("--draw", "--full")}


def main() -> int:
    arguments = sys.argv[1:]
    options = FULL if "--full" in arguments else QUICK
    names = [word for word in arguments if word != "--full"]
    logs = BUILD / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    parts = [(name, run_script(name, logs, options.get(name, ()))) for name in names or scripts()]
    text = document(parts, (time.monotonic() - began) / 60)
    print(text)
    if not names:
        (FOLDER / "RESULTS.md").write_text(text, encoding="utf-8")
    return 1 if any(result.is_missing for _, results in parts for result in results) else 0


def scripts() -> list[str]:
    """Return the names of all scripts in the order of the table."""
    found = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    return [*(name for name in FIRST if name in found), *(name for name in found if name not in FIRST)]


def run_script(name: str, logs: Path, options: Sequence[str]) -> list[Result]:
    """Run a script; return its results, with another one if it failed."""
    print(f"== {name}", flush=True)
    path = logs / f"{name}.jsonl"
    path.unlink(missing_ok=True)
    environment = {**os.environ, FILE_VARIABLE: str(path), "PYTHONPATH": str(ROOT)}
    with (logs / f"{name}.txt").open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *options]
        with subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        ) as program:
            assert program.stdout is not None
            for line in program.stdout:
                print(line, end="", flush=True)
    results = read_results(path)
    if program.returncode and not any(result.is_missing for result in results):
        os.environ[FILE_VARIABLE] = str(path)
        results.append(missing(f"{name}: the rest", f"the script ended with code {program.returncode}"))
    return results


def document(parts: list[tuple[str, list[Result]]], minutes: float) -> str:
    """Return the document with the table of all results."""
    results = [result for _, some in parts for result in some]
    with_goal = [result for result in results if result.is_ok is not None]
    reached = sum(result.is_ok is True for result in with_goal)
    unknown = sum(result.is_missing for result in results)
    return f"""# Results of the benchmarks

{machine()}, on {datetime.now(UTC):%Y-%m-%d}, in {minutes:.0f} minutes. {reached} of {len(with_goal)} goals are reached;
{unknown} could not be measured. `make bench` writes this file; CONTRIBUTING.md says how.

{as_markdown(results)}
"""


def machine() -> str:
    """Return a sentence about the computer, without anything that identifies it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3 if hasattr(os, "sysconf") else 0
    return (
        f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def processor() -> str:
    """Return the name of the processor."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
