"""Read the log files as records, and follow them while they are rotated. No Qt; one thread at a time."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.logs.log import log_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


_HEAD = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<level>[A-Z]+) +"
    r"\[(?P<process>\d+) (?P<thread>[^\]]*)\] (?P<source>[^:\s]+): "
)

_CONTINUED = "    "

_LEVELS = logging.getLevelNamesMapping()


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record of the log.

    Attributes:
        text: The whole record as it is in the file.
        level: The level as a number of `logging`; 0 for a line in another format.
        time: The time in ISO 8601, UTC; empty if the line has none.
        source: The name of the logger.
        message: The message, followed by its traceback, if any.
    """

    text: str
    level: int = 0
    time: str = ""
    source: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """The content of a file after the position that was read to.

    Attributes:
        key: The identity of the file, which rotation does not change.
        start: The position it was read from; 0 for a file that is new, or shorter than before.
        data: Complete lines; an incomplete one is left for the next time.
    """

    key: tuple[int, int]
    start: int
    data: bytes

    @property
    def end(self) -> int:
        """The position to continue from."""
        return self.start + len(self.data)


def added(path: Path, read_to: Mapping[tuple[int, int], int]) -> Added:
    """Read a log file from the position where the last read ended.

    Args:
        path: The file, which may be rotated at any time.
        read_to: The positions, by `Added.key`.

    Raises:
        OSError: If it does not exist or can't be read.
    """
    with path.open("rb") as stream:
        info = os.fstat(stream.fileno())
        key = (info.st_dev, info.st_ino)
        start = read_to.get(key, 0)
        if start > info.st_size:
            start = 0
        stream.seek(start)
        data = stream.read()
    return Added(key, start, data[: data.rfind(b"\n") + 1])


def records_of(lines: Iterable[str]) -> Iterator[LogRecord]:
    """Group lines, given without line ends, into records; continuation lines belong to the record before."""
    collected: list[str] = []
    for line in lines:
        if collected and line.startswith(_CONTINUED):
            collected.append(line)
            continue
        if collected:
            yield _record(collected)
        collected = [line]
    if collected:
        yield _record(collected)


def _record(lines: list[str]) -> LogRecord:
    text = "\n".join(lines)
    head = _HEAD.match(lines[0])
    if head is None:
        return LogRecord(text, message=text)
    message = "\n".join([lines[0][head.end() :], *(line.removeprefix(_CONTINUED) for line in lines[1:])])
    return LogRecord(text, _LEVELS.get(head["level"], 0), head["time"], head["source"], message)


class LogTail:
    """Reads what was logged since the last read; the first time, everything in the files.

    Args:
        folder: The folder of the log files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[tuple[int, int], int] = {}
        self._missed: set[tuple[int, int]] = set()

    def read(self) -> list[LogRecord]:
        """Return new records, oldest first. Files that can't be read are skipped: they may be being rotated.

        Raises:
            PermissionError: If the newest file exists but can't be read.
        """
        lines: list[str] = []
        offsets: dict[tuple[int, int], int] = {}
        for path in log_files(self._folder):
            try:
                new = added(path, self._offsets)
            except PermissionError:
                raise
            except OSError:
                continue
            offsets[new.key] = new.end
            lines += new.data.decode("utf-8", "backslashreplace").split("\n")[:-1]
        # A file that was just rotated may be missing once; keep its position, so that it is not read twice.
        missed = {
            key: offset for key, offset in self._offsets.items() if key not in offsets and key not in self._missed
        }
        self._offsets, self._missed = offsets | missed, set(missed)
        return list(records_of(lines))
