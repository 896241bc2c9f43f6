"""Compare the start times of the frozen program and the source tree; run `make installer` first.

    python -m tests.desktop.start [--program dist/filemill/filemill] [--rounds 7]

Both start alternately on the same screen, each with its own home folder, so that a busy computer affects both.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.desktop.screen import Screen, missing_programs, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

CEILING = 1.5
FROZEN = Path("dist", "filemill", "filemill")


def main() -> int:
    """Measure and print; return 1 if the ceiling is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=FROZEN, help="the frozen program")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if missing_programs() or not options.program.exists():
        print(f"Needs {options.program} and {', '.join(missing_programs()) or 'nothing else'}.")
        return 1
    ways: dict[str, Sequence[str]] = {
        "source tree": (sys.executable, "-m", "desktop_app"),
        "frozen program": (str(options.program.absolute()),),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with Screen() as screen:
        for number in range(options.rounds + 1):
            for name, command in ways.items():
                took = seconds_to_window(screen, command)
                if number:  # the first round only fills the disk cache
                    seconds[name].append(took)
    for name, times in seconds.items():
        print(f"{name:<16} {median(times):.2f} s  ({min(times):.2f} to {max(times):.2f})")
    ratio = median(seconds["frozen program"]) / median(seconds["source tree"])
    print(f"ratio {ratio:.2f} of {CEILING}")
    return 1 if ratio > CEILING else 0


def seconds_to_window(screen: Screen, command: Sequence[str]) -> float:
    """Return the seconds from the start of a program to its window."""
    with tempfile.TemporaryDirectory() as home:
        environment = screen.environment | {"FILEMILL_HOME": home, "XDG_RUNTIME_DIR": home, "LC_ALL": "C.UTF-8"}
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_for(lambda: screen.windows("Filemill$"), "the window")
            return time.monotonic() - began
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(30)
            wait_for(lambda: not screen.windows("Filemill$"), "the end of the window")


if __name__ == "__main__":
    sys.exit(main())
