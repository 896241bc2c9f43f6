"""Find the log lines about one job. Each such message begins with `job <id>: `.

Failures of a job and actions of the user are logged at INFO, the ordinary steps at DEBUG.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.logs.log import log_files
from desktop_app.logs.tail import added

if TYPE_CHECKING:
    from pathlib import Path


MOST_LINES = 1_000

_FEW = 20

_CONTINUED = b"    "


def level_for(jobs: int) -> int:
    """Return the level for messages about jobs that were changed together: DEBUG for many, to keep the log short."""
    return logging.INFO if jobs <= _FEW else logging.DEBUG


@dataclass(slots=True)
class _File:
    """The position up to which a log file was read, and the lines found."""

    offset: int
    lines: list[str]
    is_ours: bool = False
    """Whether the last record was about the job, so that its continuation lines are too."""


class JobLog:
    """Collects the lines about one job from the log files, oldest first. One thread at a time; reads files.

    Args:
        folder: The folder of the log files.
        job_id: The job's UUID.
    """

    def __init__(self, folder: Path, job_id: str) -> None:
        self.job_id = job_id
        self._folder = folder
        self._mark = f"job {job_id}: ".encode()
        self._known: dict[tuple[int, int], _File] = {}

    def lines(self) -> tuple[str, ...]:
        """Return the newest `MOST_LINES` lines. Reads only what was written since the last call."""
        found: list[str] = []
        known: dict[tuple[int, int], _File] = {}
        read_to = {key: file.offset for key, file in self._known.items()}
        for path in log_files(self._folder):
            try:
                new = added(path, read_to)
            except OSError:
                continue  # rotated, or not readable: use what was found so far
            file = self._known[new.key] if new.start else _File(0, [])
            self._take(file, new.data)
            known[new.key] = file
            found += file.lines
        self._known = known
        return tuple(found[-MOST_LINES:])

    def _take(self, file: _File, data: bytes) -> None:
        file.offset += len(data)
        if self._mark not in data and not file.is_ours:
            return
        for line in data.splitlines():
            if not line.startswith(_CONTINUED):
                file.is_ours = self._mark in line
            if file.is_ours:
                file.lines.append(line.decode("utf-8", "backslashreplace"))
        del file.lines[:-MOST_LINES]
