"""Which files are on the list already, as they are now."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from desktop_app.store.models import JobRow
from desktop_app.store.rows import joined_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from desktop_app.jobs import NewFile
    from desktop_app.store.database import Database

_ASKED_AT_ONCE = 500


def listed(database: Database, files: Sequence[NewFile], cancelled: Callable[[], bool]) -> bytearray:
    """For each file 1 if a job on the list has its path, its size and its time of change, else 0. Any thread.

    A file whose time is not known is taken for another one. Every time of change is asked for once, so even where all
    files have the same one no row is read twice.

    Args:
        database: Where the list is.
        files: What a scan found; a path comes up once.
        cancelled: Asked before each query; if so, the rest is 0.

    Raises:
        StoreError: If the database can't be read.
    """
    found = bytearray(len(files))
    places = {file.path: place for place, file in enumerate(files)}
    for times in _parts({file.modified_ns for file in files if file.modified_ns is not None}):
        if cancelled():
            break
        query = JobRow.select(JobRow.file_path, JobRow.raw_path, JobRow.file_size, JobRow.modified_ns).where(
            JobRow.modified_ns.in_(times), JobRow.removed_at.is_null()
        )
        with database.read():
            for path, raw, size, moment in database.run(query.tuples()):
                place = places.get(joined_path(path, raw))
                if place is not None and (files[place].size, files[place].modified_ns) == (size, moment):
                    found[place] = 1
    return found


def _parts(moments: set[int]) -> Iterator[list[int]]:
    rest = iter(sorted(moments))
    while part := list(islice(rest, _ASKED_AT_ONCE)):
        yield part
