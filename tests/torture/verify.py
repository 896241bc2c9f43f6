"""Check the end state: numbers are right, each job ended once, no message is left, foreign messages are untouched."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.crash import status_log
from tests.torture.world import STATUS_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.torture.world import Expected, Programs, Queue

_LONGEST_LINE = 1_000_000
_BAD_LINE = re.compile(r"^\S+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)


def verify(programs: Programs, queue: Queue, known: dict[str, Expected], foreign: list[str]) -> list[str]:
    """Return all problems.

    Args:
        programs: The programs, whose list is read with `filemill status --json`.
        queue: The queue, accessed without the proxy.
        known: The expected results by path.
        foreign: The bodies of other programs' messages, which must all be in the queue.
    """
    wrong = wrong_on_the_list(programs, known)
    wrong += status_log.violations(programs.database)
    statuses, waiting = programs.standing()
    if waiting:
        wrong.append(f"the outbox still has {waiting} entries; {statuses}")
    bodies = queue.take_all(60)
    left, gone = Counter(bodies) - Counter(foreign), Counter(foreign) - Counter(bodies)
    wrong += [f"{count} times left in the queue: {body[:100]}" for body, count in left.items()]
    wrong += [f"a foreign message is gone: {body[:100]}" for body in gone.elements()]
    wrong += wrong_in_the_log(programs.home / "logs")
    for program in programs.started:
        output = programs.output_of(program)
        if "Traceback" in output:
            wrong.append(f"a program ended with a traceback:\n{output[-2000:]}")
    return wrong


def wrong_on_the_list(programs: Programs, known: dict[str, Expected]) -> list[str]:
    status = programs.start("status", "--json")
    if status.wait(STATUS_SECONDS) != 0:
        return [f"filemill status ended with {status.returncode}: {programs.output_of(status)}"]
    jobs = [json.loads(line) for line in programs.output_of(status).splitlines()]
    times = Counter(job["file_path"] for job in jobs)
    wrong = [f"{path} is {count} times on the list" for path, count in times.items() if count > 1]
    wrong += [f"{path} is not on the list" for path in known.keys() - times.keys()]
    for job in jobs:
        right = known[job["file_path"]]
        if job["processor"] == "table" and right.size > _LONGEST_LINE and job["status"] == "FAILED":
            continue  # its zero bytes are a line that is too long
        if (job["status"], job["reason"]) != ("PROCESSED", ""):
            wrong.append(f"{job['file_path']} is {job['status']}: {job['reason']}")
        elif (found := _found(job)) != (right.size, _right(job, right)):
            wrong.append(f"{job['file_path']}: {job['processor']} has found {found}, not {right}")
    return wrong


def _found(job: dict[str, Any]) -> tuple[int, int | str]:
    """Return the size of a file and what its processor has found."""
    match job["processor"]:
        case "checksum":
            return job["file_size"], job["result"]["sha256"]
        case "table":
            return job["file_size"], job["result"]["rows"]
    return job["file_size"], job["lines_count"]


def _right(job: dict[str, Any], expected: Expected) -> int | str:
    """Return what the processor should have found."""
    if job["processor"] != "checksum":
        return expected.lines
    with open(job["file_path"], "rb") as file:  # noqa: PTH123 - the name as it is
        return hashlib.file_digest(file, "sha256").hexdigest()


def wrong_in_the_log(folder: Path) -> list[str]:
    """Return unexpected lines of the log: warnings and errors."""
    lines = [
        line for file in folder.glob("filemill.log*") for line in _BAD_LINE.findall(file.read_text(errors="replace"))
    ]
    return [f"in the log: {line[:300]}" for line in lines]
