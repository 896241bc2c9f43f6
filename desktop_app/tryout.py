"""Run the program for `make run`: open the window or, without a display, process files offscreen."""
# ruff: noqa: T201 - it prints to a terminal

from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.paths import find_home, resource
from desktop_app.domain.job import Job, Status
from desktop_app.gui.startup.display import display
from desktop_app.gui.startup.shutdown import end_process
from desktop_app.gui.startup.stop_signals import QtStopSignals
from desktop_app.logs.log import log_file, start_logging
from desktop_app.self_test import isolate, process_offscreen
from desktop_app.window_app import DONE, TROUBLE, make_application, run_window

if TYPE_CHECKING:
    from collections.abc import Sequence


FOLDER = Path("build", "tryout")
_INVISIBLE = ("offscreen", "minimal")
"""The Qt platforms that show no windows."""


def main(paths: Sequence[str]) -> int:
    """Add files to the window or, without a display, process them offscreen. Return the exit code."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen.startswith(_INVISIBLE):
        return try_offscreen(paths, f"QT_QPA_PLATFORM is “{chosen}”, which shows no window")
    with display(os.environ) as is_found:
        application = make_application() if is_found else None
    if application is None:
        return try_offscreen(paths, "No display was found")
    with start_logging(find_home().logs, debug=False), closing(QtStopSignals()) as signals:
        return run_window(application, paths, signals)


def try_offscreen(paths: Sequence[str], why: str) -> int:
    """Process files in an offscreen window, print the jobs, and save a screenshot.

    Everything is stored in `FOLDER`, which is emptied first and kept afterwards.

    Args:
        paths: The files and folders to add; the samples if there are none.
        why: The beginning of a sentence: why no window is opened.

    Returns:
        The exit code: 0 if every file is PROCESSED, otherwise 1.
    """
    folder = FOLDER.absolute()
    screenshot = folder / "filemill.png"
    shutil.rmtree(folder, ignore_errors=True)
    environment = isolate(folder / "home")
    print(f"{why}, so the files are processed without one.")
    with start_logging(find_home().logs, debug=False):
        jobs = process_offscreen(paths or [str(resource("samples"))], environment, screenshot)
    print(table_of(jobs))
    print(f"\nScreenshot of the window: {screenshot}")
    unfinished = [job for job in jobs if job.status is not Status.PROCESSED]
    if unfinished or not jobs:
        print(f"{len(unfinished)} of {len(jobs)} files were not processed; see {log_file(find_home().logs)}.")
        return TROUBLE
    return DONE


def table_of(jobs: Sequence[Job]) -> str:
    """Return the jobs as a text table with columns for the name, status, lines and bytes."""
    rows = [("Name", "Status", "Lines", "Bytes")]
    for job in jobs:
        status = f"{job.status.name} - {job.reason}" if job.reason else job.status.name
        lines, size = ("" if number is None else f"{number:,}" for number in (job.lines_count, job.file_size))
        rows.append((job.name, status, lines, size))
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{wide[0]}}  {status:<{wide[1]}}  {lines:>{wide[2]}}  {size:>{wide[3]}}"
        for name, status, lines, size in rows
    )


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
