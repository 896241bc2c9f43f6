"""Which jobs a person means by ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.cli.output import quoted
from desktop_app.domain.errors import KnownError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop_app.domain.job import Job
    from desktop_app.store.job_list import JobList

_ID_START = re.compile(r"[0-9a-f-]{1,36}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What ids led to: jobs, each once, in the order named; and a sentence for each id that led to none."""

    jobs: tuple[Job, ...]
    problems: tuple[str, ...]


def look_up(job_list: JobList, ids: Iterable[str]) -> Found:
    """Find jobs by their ids or unambiguous beginnings of them.

    Raises:
        StoreError: If the database can't be read.
    """
    jobs: dict[int, Job] = {}
    problems: list[str] = []
    for text in ids:
        matches = job_list.find(text) if _ID_START.fullmatch(text) else []
        if len(matches) == 1:
            jobs.setdefault(matches[0].row_id, matches[0])
        elif matches:
            problems.append(f"{quoted(text)} is the beginning of more than one id: give more of it.")
        else:
            problems.append(f"No file on the list has the id {quoted(text)}.")
    return Found(tuple(jobs.values()), tuple(problems))


def look_up_all(job_list: JobList, ids: Iterable[str]) -> tuple[Job, ...]:
    """Find jobs for something that changes them: all, or nothing is done.

    Raises:
        KnownError: If an id leads to none or to several.
        StoreError: If the database can't be read.
    """
    found = look_up(job_list, ids)
    if found.problems:
        raise KnownError(f"{' '.join(found.problems)} Nothing was changed.")
    return found.jobs
