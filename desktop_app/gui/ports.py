"""What the window needs of the layers below, as protocols: it knows what they do, not who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.query import BY_ADDING, NO_FILTER

if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from desktop_app.domain.job import Attempt, Batch, Changes, Cursor, Ended, Job, RunSums, StatusCounts
    from desktop_app.domain.query import Filter, Problem, SelectionSums, Sort


class ChangeFeed(Protocol):
    """What was written to the list, by whichever program. Any thread. Raises StoreError if it can't be read."""

    def cursor(self) -> Cursor:
        """The place behind the newest write; cheap."""
        ...

    def since(self, cursor: Cursor) -> Changes:
        """What was written after a place."""
        ...


class JobReader(Protocol):
    """The list of jobs, read from the database. Any thread. All of them raise StoreError if it can't be read."""

    @property
    def changes(self) -> ChangeFeed:
        """What has changed since a reader asked last."""
        ...

    def ids(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING) -> array[int]:
        """The keys of the jobs that pass a filter, in an order."""
        ...

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        """The jobs with these keys; those that are gone are missing."""
        ...

    def counts(self) -> StatusCounts:
        """How many jobs have each status."""
        ...

    def problems(self) -> list[Problem]:
        """What jobs have failed for, the most frequent first."""
        ...

    def batches(self, also: Collection[int] = ()) -> list[Batch]:
        """The newest batches that have jobs on the list, and these older ones; newest first."""
        ...

    def listed(self, row_ids: Sequence[int]) -> Iterator[Job]:
        """The jobs with these keys in their order, read in pages; those that are gone are left out."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """All that is read on this thread while it is entered is of one moment."""
        ...

    def attempts(self, row_id: int) -> list[Attempt]:
        """The tries at a job that are kept, oldest first; quick."""
        ...

    def attempt_count(self, row_id: int) -> int:
        """How many tries at a job are kept; quick."""
        ...

    def sums(self, row_ids: Sequence[int]) -> SelectionSums:
        """Statuses, sizes and lines of jobs together."""
        ...

    def run_sums(self, *, queue: str, since_ms: int) -> RunSums:
        """What of a queue is unfinished, and what has ended after a time."""
        ...

    def ended(self, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
        """How much has ended after a time and up to another, in steps of the clock."""
        ...
