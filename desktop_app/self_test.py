"""Process files in the real window without a display, for `filemill --self-test` and `make run`."""

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
from desktop_app.processing.line_feeds import describe_counting
from desktop_app.window_app import DONE, TROUBLE, RunningWindow, assemble, make_application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from desktop_app.gui.adding.adder import AddReport


SECONDS = 60

_SETTLE_MS = 700
"""More time than the window needs to show a change in the database."""


def isolate(home: Path) -> dict[str, str]:
    """Make this process use the offscreen platform and another home folder. Call it before Qt is used.

    Returns:
        The environment variables for `open_program`, without the user's own database and queue.
    """
    os.environ |= {"QT_QPA_PLATFORM": "offscreen", "FILEMILL_HOME": str(home)}
    return {name: value for name, value in os.environ.items() if not name.startswith("FILEMILL_")}


def process_offscreen(
    paths: Sequence[str], environment: Mapping[str, str], screenshot: Path | None, *, seconds: float = SECONDS
) -> list[Job]:
    """Open the real window, add files through it, wait until all jobs have ended, and close the window.

    Call it only once per process, and after `isolate`.

    Args:
        paths: The files and folders to add.
        environment: The environment variables from `isolate`.
        screenshot: Where to save a screenshot of the window; None to save none.
        seconds: The maximum time to wait, in seconds.

    Returns:
        The jobs. Some are unfinished if the wait timed out.

    Raises:
        KnownError: If the settings or the database can't be opened.
    """
    application = make_application()
    theme = Theme()
    theme.follow(application)
    program = open_program(environment)
    running = assemble(program, theme)
    running.ended.connect(application.quit)
    jobs: list[Job] = []

    def finish() -> None:
        jobs.extend(program.jobs.all())
        if screenshot is not None:
            running.window.grab().save(str(screenshot))
        running.window.close()

    _call_when_ended(running, finish, seconds=seconds)
    running.start(paths)
    application.exec()
    return jobs


def _call_when_ended(running: RunningWindow, then: Callable[[], None], *, seconds: float) -> None:
    """Call a function once the jobs of all added files have ended and the window shows this, or after a timeout."""
    timer = QTimer(running, singleShot=True)
    timer.timeout.connect(then)
    timer.start(round(seconds * 1000))

    added: list[int] = []

    def check() -> None:
        counts = running.jobs.totals.counts
        if added and counts.total >= sum(added) and not counts.unfinished and not running.jobs.adder.busy:
            timer.start(_SETTLE_MS)

    def count(report: AddReport) -> None:
        added.append(report.added)
        check()

    running.jobs.totals.changed.connect(check)
    running.jobs.adder.finished.connect(count)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file and the expected result of processing it."""

    name: str
    content: bytes
    lines: int


SAMPLES = (
    Sample("three lines.txt", b"one\ntwo\nthree", 3),
    Sample("größe.csv", "Größe;Maß\r\n1;2\r\n".encode("utf-16"), 2),
    Sample("empty.txt", b"", 0),
)

_RESOURCES = ("icons/filemill.svg", "translations/filemill_de.qm", "samples")


def self_test() -> int:
    """Check that this copy of the program is complete and processes files; print the result.

    Call it only once per process, before Qt is used.

    Returns:
        The exit code: 0 if the test passed, otherwise 1.
    """
    with tempfile.TemporaryDirectory(prefix="filemill-self-test-") as folder:
        environment = isolate(Path(folder) / "home")
        logs = find_home().logs
        with start_logging(logs, debug=False):
            problems = [*_missing(), *_process_samples(Path(folder) / "files", environment)]
        log = log_file(logs)
        if problems and log.exists():
            _print(log.read_text(encoding="utf-8", errors="replace"))
    for problem in problems:
        _print(f"PROBLEM: {problem}")
    _print(describe_counting())
    outcome = "failed" if problems else "passed"
    _print(f"Filemill {__version__}, Python {platform.python_version()}: the self-test {outcome}.")
    return TROUBLE if problems else DONE


def _print(text: str) -> None:
    if sys.stdout is not None:  # without a console, there is no standard output
        print(text, flush=True)  # noqa: T201 - the result of a command


def _missing() -> Iterator[str]:
    for name in _RESOURCES:
        try:
            resource(name)
        except FileNotFoundError as error:
            yield str(error)
    if getattr(sys, "frozen", False):  # the packages contain the libraries of all processors
        from desktop_app.processing.registry import default_registry

        yield from (processor.unavailable for processor in default_registry() if processor.unavailable)


def _process_samples(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Process the samples and return the problems."""
    seconds = float(os.environ.get("FILEMILL_SELF_TEST_SECONDS", SECONDS))
    folder.mkdir()
    for sample in SAMPLES:
        (folder / sample.name).write_bytes(sample.content)
    try:
        jobs = process_offscreen([str(folder / sample.name) for sample in SAMPLES], environment, None, seconds=seconds)
    except KnownError as error:
        return [f"{error.text} {error.detail}".strip()]
    except Exception:  # noqa: BLE001 - any exception means that the test has failed
        return [traceback.format_exc()]
    return list(_differences(jobs))


def _differences(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield a sentence for each difference between the jobs and `SAMPLES`."""
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
