"""`make run`: open the window or, without a display, process the samples offscreen and print the result."""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.paths import find_home, resource
from desktop_app.domain.job import Status
from desktop_app.gui.startup.display import display
from desktop_app.gui.startup.stop_signals import QtStopSignals
from desktop_app.logs.log import log_file, start_logging
from desktop_app.self_test import process_offscreen
from desktop_app.window_app import DONE, TROUBLE, make_application, run_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.job import Job

FOLDER = Path("build", "tryout")
_UNSEEN = ("offscreen", "minimal")
"""Qt's platforms whose windows nobody sees."""


def main(paths: Sequence[str]) -> int:
    """Open the window with these paths, or process them without one; return the exit code."""
    if os.environ.get("QT_QPA_PLATFORM", "").startswith(_UNSEEN):
        return try_offscreen(paths)
    with display(os.environ) as is_found:
        application = make_application() if is_found else None
    if application is None:
        return try_offscreen(paths)
    with start_logging(find_home().logs, debug=False), closing(QtStopSignals()) as signals:
        return run_window(application, paths, signals)


def try_offscreen(paths: Sequence[str]) -> int:
    """Process the paths with a home of its own under `FOLDER`, which is emptied first and kept afterwards."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    folder = FOLDER.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    os.environ["FILEMILL_HOME"] = str(folder / "home")
    # Do not use the user's own database or queue.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FILEMILL_")}
    with start_logging(find_home().logs, debug=False):
        return process_and_tell([*paths] or [str(resource("samples"))], folder / "filemill.png", environment)


def process_and_tell(paths: Sequence[str], screenshot: Path, environment: dict[str, str]) -> int:
    """Process the paths and print the result.

    Args:
        paths: The files and folders to add.
        screenshot: Where to save a screenshot of the window.
        environment: Used instead of `os.environ`.

    Returns:
        0 if every file is PROCESSED, else 1.
    """
    print("No display was found, so the files are processed without one.")
    jobs = process_offscreen(paths, environment, screenshot)
    print(table_of(jobs))
    print(f"\nScreenshot of the window: {screenshot}")
    unfinished = [job for job in jobs if job.status is not Status.PROCESSED]
    if unfinished or not jobs:
        print(f"{len(unfinished)} of {len(jobs)} files were not processed; see {log_file(find_home().logs)}.")
        return TROUBLE
    return DONE


def table_of(jobs: Sequence[Job]) -> str:
    """Return the jobs as a text table: name, status, lines, bytes."""
    rows = [("Name", "Status", "Lines", "Bytes")]
    for job in jobs:
        status = f"{job.status.name} - {job.reason}" if job.reason else job.status.name
        rows.append((job.name, status, _number(job.lines_count), _number(job.file_size)))
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        f"{name:<{wide[0]}}  {status:<{wide[1]}}  {lines:>{wide[2]}}  {size:>{wide[3]}}"
        for name, status, lines, size in rows
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
