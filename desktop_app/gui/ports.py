"""The interfaces through which the window reads the list of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.query import BY_ADDING, NO_FILTER, Filter, Problem, SelectionSums, Sort

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from desktop_app.domain.fields import Field, Option, ResultField
    from desktop_app.domain.job import Attempt, Batch, Changes, Cursor, Ended, Job, RunSums, StatusCounts
    from desktop_app.domain.keys import Pending
    from desktop_app.domain.search import KnownValues


class ChangeFeed(Protocol):
    """Reads changes to the list, whichever program made them. Can be used on any thread.

    All methods raise StoreError if the database can't be read.
    """

    def cursor(self) -> Cursor:
        """Return the position after the latest change. This is fast enough for the main thread."""
        ...

    def since(self, cursor: Cursor) -> Changes:
        """Return the changes made after a position."""
        ...

    def add_listener(self, listener: Callable[[], object]) -> None:
        """Call a function after each write of this program, on the thread that has written."""
        ...

    def remove_listener(self, listener: Callable[[], object]) -> None:
        """Remove a function that was added with `add_listener`, if it was."""
        ...


class ProcessorInfo(Protocol):
    """What the window shows of a processor; see `processing/processor.py`."""

    @property
    def name(self) -> str:
        """The name, which is stored."""
        ...

    @property
    def title(self) -> str:
        """The title, in English."""
        ...

    @property
    def unavailable(self) -> str:
        """Why it can't be used on this computer, and how to change that; empty if it can be used."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that a result can contain."""
        ...

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that the user can set."""
        ...


class JobReader(Protocol):
    """Reads the list of jobs. Can be used on any thread.

    All methods raise StoreError if the database can't be read. Jobs are identified by their row keys.

    Attributes:
        pending: The changes that are being written. The list is returned as if they had been written already.
    """

    pending: Pending

    @property
    def changes(self) -> ChangeFeed:
        """Return the change feed."""
        ...

    def ids(self, where: Filter = NO_FILTER, order: Sort = BY_ADDING, *, limit: int | None = None) -> array[int]:
        """Return the keys of the jobs that pass a filter, in sort order; at most `limit`, if it is given."""
        ...

    def page(self, row_ids: Sequence[int]) -> dict[int, Job]:
        """Return the jobs with these keys, by key. Removed jobs are left out."""
        ...

    def counts(self) -> StatusCounts:
        """Return the number of jobs with each status."""
        ...

    def problems(self) -> list[Problem]:
        """Return the reasons why jobs have failed, most frequent first."""
        ...

    def batches(self, also: Collection[int] = (), most: int = 20) -> list[Batch]:
        """Return the newest batches that have jobs in the list, newest first.

        Args:
            also: The keys of older batches to return as well.
            most: The maximum number of batches, without those.
        """
        ...

    def held_batches(self) -> list[Batch]:
        """Return the paused batches with waiting files, newest first."""
        ...

    def known_values(self) -> KnownValues:
        """Return values to offer while the user is typing a search."""
        ...

    def listed(self, row_ids: Sequence[int]) -> Iterator[Job]:
        """Yield the jobs with these keys, in the order given, reading page by page. Removed jobs are left out."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Return a context in which all reads on this thread see the same state of the database."""
        ...

    def attempts(self, row_id: int) -> list[Attempt]:
        """Return a job's stored attempts, oldest first. This is fast enough for the main thread."""
        ...

    def attempt_count(self, row_id: int) -> int:
        """Return the number of a job's stored attempts. This is fast enough for the main thread."""
        ...

    def sums(self, row_ids: Sequence[int], fields: Sequence[str] = ()) -> SelectionSums:
        """Return the number of jobs with each status, their total size and their total number of lines.

        Args:
            row_ids: The keys of the jobs.
            fields: The names of fields of results to add up as well.
        """
        ...

    def result_fields(self) -> tuple[ResultField, ...]:
        """Return the fields that the results on the list can contain. This is fast enough for the main thread."""
        ...

    def run_sums(self, *, queue: str, since_ms: int) -> RunSums:
        """Return the sums for a queue's jobs that are unfinished or that ended after a given time.

        Args:
            queue: The key of the queue.
            since_ms: The time in milliseconds since 1970.
        """
        ...

    def ended(self, *, since_ms: int, until_ms: int, step_ms: int) -> list[Ended]:
        """Return the number and size of files finished in each step between two times. Empty steps are left out.

        Args:
            since_ms: The earlier time in milliseconds since 1970.
            until_ms: The later time.
            step_ms: The length of a step in milliseconds.
        """
        ...
