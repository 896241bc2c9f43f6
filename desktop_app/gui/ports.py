"""What the window needs of the layers below, as protocols: it knows what they do, not who they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

from desktop_app.domain.query import BY_ADDING, NO_FILTER

if TYPE_CHECKING:
    from array import array

    from desktop_app.config.settings import Connection
    from desktop_app.domain.job import Attempt, Batch, Changes, Cursor, Ended, Job, RunSums, StatusCounts
    from desktop_app.domain.query import Filter, Problem, SelectionSums, Sort
    from desktop_app.services.consuming.foreign_messages import ForeignMessages

Session = Callable[[], AbstractContextManager[None]]
"""A thread's life with the database: the thread's connection is closed at its end."""


Result = TypeVar("Result")


class Background(Protocol):
    """Runs work beside the main thread, and calls back on it. See `Tasks.run`."""

    def __call__(self, work: Callable[[], Result], on_done: Callable[[Result], None], /) -> None:
        """Run it."""
        ...


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


class Office(Protocol):
    """The connection of now, and the way to another one. Main thread."""

    @property
    def connection(self) -> Connection:
        """The queue of now, and how it is reached."""
        ...

    @property
    def processes_here(self) -> bool:
        """Whether this queue's files may be processed on this computer."""
        ...

    @property
    def foreign(self) -> ForeignMessages:
        """What came from the queue of now that is not ours."""
        ...

    @property
    def overrides(self) -> tuple[str, ...]:
        """The environment's variables that decide at the next start, whatever is chosen now."""
        ...

    def check(self, wanted: Connection) -> Connection:
        """What would be used for what a person has typed. Raises SettingsError if it can't be used."""
        ...

    def choose(self, wanted: Connection, *, process_here: bool) -> None:
        """Use another connection from now on, and at the next start.

        Raises SettingsError: if it can't be used, and nothing has changed; or if it can't be saved, and it holds for
        this time all the same.
        """
        ...

    def allow_processing(self) -> None:
        """Process this queue's files on this computer from now on. Raises SettingsError if that can't be saved."""
        ...

    def stop_processing(self) -> None:
        """Only send to this queue from now on. Raises SettingsError if that can't be saved; it holds all the same."""
        ...

    def try_now(self) -> None:
        """Let what waits for the queue try at once."""
        ...
