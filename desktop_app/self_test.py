"""`filemill --self-test`: does the main job with what this copy of the program brings, and says whether it was right.

For whoever builds an installer, and for whoever wants to know whether an installation is whole. It touches nothing of
the user's: home, database and embedded queue lie in a folder that is taken away afterwards. The environment variable
FILEMILL_SELF_TEST_SECONDS says how long it may take; it has a minute if that is not set.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app import __version__
from desktop_app.errors import KnownError
from desktop_app.jobs import Job, Status
from desktop_app.log import log_file, start_logging
from desktop_app.paths import find_home, resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and what has to be found out about it."""

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
    """Do it. Call it in a process of its own, before anything of Qt's is imported.

    Args:
        out: Where the words go; standard output if None, and nowhere in a program without one.

    Returns:
        0 if everything is right, else 1.
    """
    stream = out or sys.stdout

    def say(text: str) -> None:
        if stream is not None:
            print(text, file=stream, flush=True)

    with tempfile.TemporaryDirectory(prefix="filemill-self-test-") as folder:
        os.environ |= {"QT_QPA_PLATFORM": "offscreen", "FILEMILL_HOME": str(Path(folder) / "home")}
        # Also no queue and no database of the user's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FILEMILL_")}
        with start_logging(find_home().logs, debug=False):
            problems = [*_missing(), *_run(Path(folder) / "files", environment)]
        log = log_file(find_home().logs)
        if problems and log.exists():
            say(log.read_text(encoding="utf-8", errors="replace"))
    for problem in problems:
        say(f"NOT RIGHT: {problem}")
    say(f"Filemill {__version__}, Python {platform.python_version()}: {'not whole' if problems else 'all is well'}.")
    return FAILED if problems else PASSED


def _missing() -> Iterator[str]:
    for name in _RESOURCES:
        try:
            resource(name)
        except FileNotFoundError as error:
            yield str(error)


def _run(folder: Path, environment: dict[str, str]) -> Sequence[str]:
    from desktop_app.offscreen import SECONDS, process_offscreen

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
    """What is not as `SAMPLES` says."""
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
