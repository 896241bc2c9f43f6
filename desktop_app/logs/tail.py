"""Reads the log files as records, and what is added to them while they are turned over. No Qt; one thread at a time."""

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
    """One record of the log.

    Attributes:
        text: All of it, as it stands in the file.
        level: As `logging` numbers it; 0 for a line that is none of ours.
        time: ISO 8601 in UTC; empty where the line has none.
        source: The part of the program that says it.
        message: What it says; a traceback is behind it, with line feeds.
    """

    text: str
    level: int = 0
    time: str = ""
    source: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What stands in a file behind the place that was read to.

    Attributes:
        key: Which file it is, whatever it is called now.
        start: Where it was read from; 0 for a file that is not known, or is shorter than it was.
        data: Whole lines; one that is being written is for the next time.
    """

    key: tuple[int, int]
    start: int
    data: bytes

    @property
    def end(self) -> int:
        """Where to go on from the next time."""
        return self.start + len(self.data)


def added(path: Path, read_to: Mapping[tuple[int, int], int]) -> Added:
    """Read a log file on from where it was read to.

    Args:
        path: The file; it may be turned over at any time.
        read_to: The places, by `Added.key`.

    Raises:
        OSError: If it is not there or may not be read.
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
    """Return records from lines without their ends; lines that continue a record belong to it."""
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
    """Gives what was logged since it was asked last; the first time, all that the files still have.

    Args:
        folder: Where the log files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[tuple[int, int], int] = {}
        self._missed: set[tuple[int, int]] = set()

    def read(self) -> list[LogRecord]:
        """Return what is new, the oldest first. Files that can't be read are skipped: they may just be turned over.

        Raises:
            PermissionError: If the newest file is there and may not be read.
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
        # A file that was turned over in the meantime is missed once: not to be read from its beginning the next time.
        missed = {
            key: offset for key, offset in self._offsets.items() if key not in offsets and key not in self._missed
        }
        self._offsets, self._missed = offsets | missed, set(missed)
        return list(records_of(lines))
