"""Format jobs as the lines of a table."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, human_size
from desktop_app.domain.job import Job, Status, StatusCounts
from desktop_app.domain.sentences import display_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORT_ID = 8
_LONG_ID = 36
_STATUS = len("PROCESSING 100%")
_LINES = len("999,999,999")
_SIZE = len("999.9 MB")
_GAP = "  "
_DASH = " - "
_CUT = "..."
_MIN_TEXT = 16
_WIDE = frozenset({"W", "F"})
_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})


@dataclass(frozen=True, slots=True)
class JobTable:
    """Formats one job at a time, so that a long list needs little memory.

    Attributes:
        width: The terminal's width in cells; None for a file or a pipe, where nothing is shortened.
    """

    width: int | None = None

    def header(self) -> str:
        """Return the header line."""
        return self._line("ID", "STATUS", "LINES", "SIZE", "FILE")

    def rows(self, job: Job) -> Iterator[str]:
        """Yield the line of a job, followed by the lines of its reason if the reason does not fit after the path."""
        line = self._line(
            job.id[: self._id_width],
            _status(job),
            "" if job.lines_count is None else f"{job.lines_count:,}",
            "" if job.file_size is None else human_size(job.file_size),
            self._path(display_text(job.file_path)),
        )
        reason = display_text(str(job.reason or ""))
        if not reason:
            yield line
        elif self.width is None or cells(line + _DASH + reason) <= self.width:
            yield line + _DASH + reason
        else:
            yield line
            indent = " " * (self._id_width + len(_GAP))
            for part in textwrap.wrap(reason, max(_MIN_TEXT, self.width - len(indent))):
                yield indent + part

    @property
    def _id_width(self) -> int:
        return _LONG_ID if self.width is None else _SHORT_ID

    def _path(self, text: str) -> str:
        """Shorten a path at its beginning to fit the available width."""
        if self.width is None:
            return text
        room = max(_MIN_TEXT, self.width - (self._id_width + _STATUS + _LINES + _SIZE + 4 * len(_GAP)))
        if cells(text) <= room:
            return text
        start = len(text)
        left = room - len(_CUT)
        while start > 0 and (left := left - cells(text[start - 1])) >= 0:
            start -= 1
        return _CUT + text[start:]

    def _line(self, job_id: str, status: str, lines: str, size: str, path: str) -> str:
        columns = (job_id.ljust(self._id_width), status.ljust(_STATUS), lines.rjust(_LINES), size.rjust(_SIZE), path)
        return _GAP.join(columns).rstrip()


def totals(counts: StatusCounts) -> str:
    """Return a line with the number of jobs with each status."""
    each = ", ".join(f"{counts.of(status):,} {status.name}" for status in Status)
    return f"{counted(counts.total, 'file')}: {each}"


def cells(text: str) -> int:
    """Return the width of the text in terminal cells: 2 for a Chinese character, 0 for a combining accent."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.category(char) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1


def _status(job: Job) -> str:
    if job.status is Status.PROCESSING and job.file_size and job.bytes_done:
        return f"{job.status.name} {min(100, job.bytes_done * 100 // job.file_size)}%"
    return job.status.name
