"""Read the log files, either as records or only the lines about one job. Not thread-safe."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.logs.log import log_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


MAX_JOB_LINES = 1_000
_HEAD = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<level>[A-Z]+) +"
    r"\[(?P<process>\d+) (?P<thread>[^\]]*)\] (?P<source>[^:\s]+): "
)
_INDENT = "    "
"""The indentation of a continuation line."""
_LEVELS = logging.getLevelNamesMapping()


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record of the log.

    Attributes:
        text: The whole record, as it appears in the file.
        level: The numeric level, as in `logging`; 0 if the line does not have the expected format.
        time: The time in UTC, in ISO 8601 format; empty if the line does not have the expected format.
        source: The name of the logger.
        message: The message, including a traceback.
    """

    text: str
    level: int = 0
    time: str = ""
    source: str = ""
    message: str = ""


def records_of(lines: Iterable[str]) -> Iterator[LogRecord]:
    """Group lines without line endings into records. A continuation line belongs to the preceding record."""
    collected: list[str] = []
    for line in lines:
        if collected and not line.startswith(_INDENT):
            yield _record(collected)
            collected = []
        collected.append(line)
    if collected:
        yield _record(collected)


def _record(lines: list[str]) -> LogRecord:
    text = "\n".join(lines)
    head = _HEAD.match(lines[0])
    if head is None:
        return LogRecord(text, message=text)
    message = "\n".join([lines[0][head.end() :], *(line.removeprefix(_INDENT) for line in lines[1:])])
    return LogRecord(text, _LEVELS.get(head["level"], 0), head["time"], head["source"], message)


class LogTail:
    """Reads the part of the log that has been written since the previous read. The first read returns everything.

    Args:
        folder: The folder of the log files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A file is identified by its device and inode, which do not change when it is renamed.
        self._offsets: dict[tuple[int, int], int] = {}
        self._missed: set[tuple[int, int]] = set()

    def read(self) -> list[LogRecord]:
        """Return the new records, oldest first; see `read_lines`."""
        return list(records_of(self.read_lines()))

    def read_lines(self) -> list[str]:
        """Return the new lines without line endings, oldest first. An incomplete line is left for the next read.

        A file that can't be read is skipped, since another process may be rotating the files.

        Raises:
            PermissionError: If access to the newest file is denied.
        """
        paths = log_files(self._folder)
        lines: list[str] = []
        offsets: dict[tuple[int, int], int] = {}
        for path in paths:
            try:
                with path.open("rb") as stream:
                    info = os.fstat(stream.fileno())
                    key = (info.st_dev, info.st_ino)
                    start = self._offsets.get(key, 0)
                    if start > info.st_size:
                        start = 0  # the file was truncated
                    stream.seek(start)
                    data = stream.read()
            except OSError as error:
                if isinstance(error, PermissionError) and path == paths[-1]:
                    raise
                continue
            complete = data[: data.rfind(b"\n") + 1]
            offsets[key] = start + len(complete)
            lines += complete.decode("utf-8", "backslashreplace").split("\n")[:-1]
        # A file that is being renamed can be missed once. Keep its offset so that its lines are not read twice.
        missed = {
            key: offset for key, offset in self._offsets.items() if key not in offsets and key not in self._missed
        }
        self._offsets, self._missed = offsets | missed, set(missed)
        return lines


class JobLog:
    """Collects the log lines about one job. The messages about a job begin with `job <id>: `.

    Args:
        folder: The folder of the log files.
        job_id: The UUID of the job.
    """

    def __init__(self, folder: Path, job_id: str) -> None:
        self.job_id = job_id
        self._tail = LogTail(folder)
        self._prefix = f"job {job_id}: "
        self._lines: deque[str] = deque(maxlen=MAX_JOB_LINES)
        self._is_about_job = False

    def lines(self) -> tuple[str, ...]:
        """Read the new lines of the log, and return the last `MAX_JOB_LINES` lines about the job, oldest first."""
        try:
            new = self._tail.read_lines()
        except PermissionError:
            new = []
        for line in new:
            if not line.startswith(_INDENT):
                self._is_about_job = self._prefix in line
            if self._is_about_job:
                self._lines.append(line)
        return tuple(self._lines)
