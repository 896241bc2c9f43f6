"""Process files in the real window without a display: for `filemill --self-test` and `make run`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from desktop_app import __version__
from desktop_app.bootstrap import open_program
from desktop_app.config.paths import find_home, resource
from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import Job, Status
from desktop_app.gui.theme.theme import Theme
from desktop_app.logs.log import log_file, start_logging
from desktop_app.window_app import assemble, make_application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from desktop_app.domain.job import Job
    from desktop_app.gui.adding.adder import AddReport
    from desktop_app.window_app import RunningWindow


SECONDS = 60

_SETTLE_MS = 700
"""Longer than the window takes to show the state of the database."""


def process_offscreen(
    paths: Sequence[str], environment: Mapping[str, str], screenshot: Path | None, *, seconds: float = SECONDS
) -> list[Job]:
    """Open the real window, add files through it, wait until all have ended, and close it.

    Call it once in a process, with QT_QPA_PLATFORM=offscreen and a FILEMILL_HOME of its own in the environment.

    Args:
        paths: The files and folders to add.
        environment: Selects the database and the queue; see `open_program`.
        screenshot: Where to save a screenshot of the window; None for none.
        seconds: The longest time to wait.

    Returns:
        The jobs when all have ended, or when the time is over.

    Raises:
        KnownError: If settings or database can't be opened.
    """
    application = make_application()
    look = Theme()
    look.follow(application)
    program = open_program(environment)
    running = assemble(program, look)
    running.ended.connect(application.quit)
    jobs: list[Job] = []

    def finish() -> None:
        jobs.extend(program.jobs.all())
        if screenshot is not None:
            running.window.grab().save(str(screenshot))
        running.window.close()

    when_all_ended(running, finish, seconds=seconds)
    running.start(paths)
    application.exec()
    return jobs


def when_all_ended(running: RunningWindow, then: Callable[[], None], *, seconds: float) -> None:
    """Call `then` once, when all added files have ended and the window shows it, or when the time is over."""
    timer = QTimer(running)
    timer.setSingleShot(True)
    timer.timeout.connect(then)
    timer.start(round(seconds * 1000))

    added: list[int] = []

    def look() -> None:
        counts = running.jobs.totals.counts
        if added and counts.total >= sum(added) and not counts.unfinished and not running.jobs.adder.busy:
            timer.start(_SETTLE_MS)

    def note(report: AddReport) -> None:
        added.append(report.added)
        look()

    running.jobs.totals.changed.connect(look)
    running.jobs.adder.finished.connect(note)


PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Sample:
    """A file and its expected result."""

    name: str
    content: bytes
    lines: int


SAMPLES = (
    Sample("three lines.txt", b"one\ntwo\nthree", 3),
    Sample("größe.csv", "Größe;Maß\r\n1;2\r\n".encode("utf-16"), 2),
    Sample("empty.txt", b"", 0),
)

_RESOURCES = ("icons/filemill.svg", "translations/filemill_de.qm", "samples")


def self_test(out: TextIO | None = None) -> int:
    """Run the self-test. Call it in a process of its own, before Qt is imported.

    Args:
        out: Where to print; None for standard output, if the program has one.

    Returns:
        0 if everything works, else 1.
    """
    stream = out or sys.stdout

    def say(text: str) -> None:
        if stream is not None:
            print(text, file=stream, flush=True)

    with tempfile.TemporaryDirectory(prefix="filemill-self-test-") as folder:
        os.environ |= {"QT_QPA_PLATFORM": "offscreen", "FILEMILL_HOME": str(Path(folder) / "home")}
        # Do not use the user's own queue or database.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FILEMILL_")}
        with start_logging(find_home().logs, debug=False):
            problems = [*_missing(), *_run(Path(folder) / "files", environment)]
        log = log_file(find_home().logs)
        if problems and log.exists():
            say(log.read_text(encoding="utf-8", errors="replace"))
    for problem in problems:
        say(f"PROBLEM: {problem}")
    outcome = "failed" if problems else "passed"
    say(f"Filemill {__version__}, Python {platform.python_version()}: the self-test {outcome}.")
    return FAILED if problems else PASSED


def _missing() -> Iterator[str]:
    for name in _RESOURCES:
        try:
            resource(name)
        except FileNotFoundError as error:
            yield str(error)


def _run(folder: Path, environment: dict[str, str]) -> Sequence[str]:

    seconds = float(os.environ.get("FILEMILL_SELF_TEST_SECONDS", SECONDS))
    folder.mkdir()
    for sample in SAMPLES:
        (folder / sample.name).write_bytes(sample.content)
    try:
        jobs = process_offscreen([str(folder / sample.name) for sample in SAMPLES], environment, None, seconds=seconds)
    except KnownError as error:
        return [f"{error.text} {error.detail}".strip()]
    except Exception:  # noqa: BLE001 - whatever it is, this copy does not do its work, and that is what is asked
        return [traceback.format_exc()]
    return list(_differences(jobs))


def _differences(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield the differences between the jobs and `SAMPLES`."""
    found = {Path(job.file_path).name: job for job in jobs}
    if len(jobs) != len(SAMPLES):
        yield f"{len(SAMPLES)} files were added, {len(jobs)} are on the list"
    for sample in SAMPLES:
        job = found.get(sample.name)
        if job is None:
            yield f"{sample.name} is not on the list"
        elif job.status is not Status.PROCESSED:
            yield f"{sample.name} is {job.status.name}: {job.reason or 'no reason is given'}"
        elif (job.lines_count, job.file_size) != (sample.lines, len(sample.content)):
            yield f"{sample.name} has {job.lines_count} lines and {job.file_size} bytes"
