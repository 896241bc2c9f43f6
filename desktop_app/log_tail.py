"""Reads the log files as records, and what is added to them while they are turned over. No Qt; one thread at a time."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.log import log_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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


def records_of(lines: Iterable[str]) -> Iterator[LogRecord]:
    """Records from lines without their ends; lines that continue a record belong to it."""
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
        """What is new, the oldest first. Files that can't be read are passed over: they may just be turned over.

        Raises:
            PermissionError: If the newest file is there and may not be read.
        """
        lines: list[str] = []
        offsets: dict[tuple[int, int], int] = {}
        for path in log_files(self._folder):
            try:
                with path.open("rb") as stream:
                    info = os.fstat(stream.fileno())
                    key = (info.st_dev, info.st_ino)
                    offset = self._offsets.get(key, 0)
                    stream.seek(offset if offset <= info.st_size else 0)
                    data = stream.read()
                    start = stream.tell() - len(data)
            except PermissionError:
                raise
            except OSError:
                continue
            end = data.rfind(b"\n") + 1  # a record that is being written is for the next time
            offsets[key] = start + end
            lines += data[:end].decode("utf-8", "backslashreplace").split("\n")[:-1]
        # A file that was turned over in the meantime is missed once: not to be read from its beginning the next time.
        missed = {
            key: offset for key, offset in self._offsets.items() if key not in offsets and key not in self._missed
        }
        self._offsets, self._missed = offsets | missed, set(missed)
        return list(records_of(lines))
