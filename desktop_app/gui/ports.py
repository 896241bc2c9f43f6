"""The protocols of what the window needs from the layers below."""

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
    """Reads what any program wrote to the list. Any thread. Raises StoreError if it can't be read."""

    def cursor(self) -> Cursor:
        """Return the position after the newest write; cheap."""
        ...

    def since(self, cursor: Cursor) -> Changes:
        """Return what was written after a position."""
        ...


class JobReader(Protocol):
    """Reads the list of jobs. Any thread. All methods raise StoreError if it can't be read."""

    @property
    def changes(self) -> ChangeFeed:
        """Return the change feed."""
        ...

    def ids(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING) -> array[int]:
        """Return the keys of the jobs that pass a filter, in an order."""
        ...

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        """Return the jobs with these keys, without those that were removed."""
        ...

    def counts(self) -> StatusCounts:
        """Return the number of jobs of each status."""
        ...

    def problems(self) -> list[Problem]:
        """Return the reasons of failed jobs, the most frequent first."""
        ...

    def batches(self, also: Collection[int] = ()) -> list[Batch]:
        """Return the newest batches that have jobs in the list, and these older ones; newest first."""
        ...

    def listed(self, row_ids: Sequence[int]) -> Iterator[Job]:
        """Yield the jobs with these keys in order, read in pages, without those that were removed."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Return a context in which all reads on this thread see the same state."""
        ...

    def attempts(self, row_id: int) -> list[Attempt]:
        """Return the stored attempts of a job, oldest first; quick."""
        ...

    def attempt_count(self, row_id: int) -> int:
        """Return the number of stored attempts of a job; quick."""
        ...

    def sums(self, row_ids: Sequence[int]) -> SelectionSums:
        """Return the sums of statuses, sizes and lines of jobs."""
        ...

    def run_sums(self, *, queue: str, since_ms: int) -> RunSums:
        """Return the sums of a queue's unfinished jobs and of those that ended after a time."""
        ...

    def ended(self, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
        """Return what ended between two times, in time steps."""
        ...
