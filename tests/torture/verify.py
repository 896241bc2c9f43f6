"""At the end: is every number right, did every job end once, is nothing left, and is nothing of others gone."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.crash import witness
from tests.torture.world import STATUS_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.torture.world import Known, Programs, Queue

_BAD_LINE = re.compile(r"^\S+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)


def verify(programs: Programs, queue: Queue, known: dict[str, Known], foreign: list[str]) -> list[str]:
    """All that is wrong; empty if nothing is.

    Args:
        programs: Where the program's list and log are; asked with `filemill status --json`.
        queue: Asked past what makes its way hostile.
        known: What has to come out, by path.
        foreign: The bodies of others' messages, all of which must still be there.
    """
    wrong = _wrong_on_the_list(programs, known)
    wrong += witness.complaints(programs.database)
    statuses, waiting = programs.standing()
    if waiting:
        wrong.append(f"the outbox still has {waiting} entries; {statuses}")
    bodies = queue.take_all(60)
    left, gone = Counter(bodies) - Counter(foreign), Counter(foreign) - Counter(bodies)
    wrong += [f"{count} times left in the queue: {body[:100]}" for body, count in left.items()]
    wrong += [f"a foreign message is gone: {body[:100]}" for body in gone.elements()]
    wrong += _wrong_in_the_log(programs.home / "logs")
    for program in programs.started:
        output = programs.output_of(program)
        if "Traceback" in output:
            wrong.append(f"a program ended with a traceback:\n{output[-2000:]}")
    return wrong


def _wrong_on_the_list(programs: Programs, known: dict[str, Known]) -> list[str]:
    status = programs.start("status", "--json")
    if status.wait(STATUS_SECONDS) != 0:
        return [f"filemill status ended with {status.returncode}: {programs.output_of(status)}"]
    jobs = [json.loads(line) for line in programs.output_of(status).splitlines()]
    times = Counter(job["file_path"] for job in jobs)
    wrong = [f"{path} is {count} times on the list" for path, count in times.items() if count > 1]
    wrong += [f"{path} is not on the list" for path in known.keys() - times.keys()]
    for job in jobs:
        right = known[job["file_path"]]
        if (job["status"], job["reason"]) != ("PROCESSED", ""):
            wrong.append(f"{job['file_path']} is {job['status']}: {job['reason']}")
        elif (job["file_size"], job["lines_count"]) != (right.size, right.lines):
            wrong.append(f"{job['file_path']}: {job['file_size']} bytes, {job['lines_count']} lines, not {right}")
    return wrong


def _wrong_in_the_log(folder: Path) -> list[str]:
    """A warning is a surprise, an error a bug."""
    lines = [
        line for file in folder.glob("filemill.log*") for line in _BAD_LINE.findall(file.read_text(errors="replace"))
    ]
    return [f"in the log: {line[:300]}" for line in lines]
