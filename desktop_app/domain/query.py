"""Filters and sort orders of the list, and what is read about its groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.search import NO_SEARCH, Search

if TYPE_CHECKING:
    from desktop_app.domain.job import Status, StatusCounts
    from desktop_app.domain.reasons import Reason


ADDED = "created_at"
"""The sort key for the order in which the jobs were added, which is also the order of their primary keys."""


@dataclass(frozen=True, slots=True)
class SortTerm:
    """A sort key and its direction.

    Attributes:
        key: The name of a field of `Job` or of a computed key in `store/list_query.py`, or `RESULT_PREFIX` and the name
            of a field of results.
        descending: Whether the largest value comes first.
    """

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """The sort order of a list of jobs.

    Each term orders the jobs that are equal in the terms before it. Jobs that are equal in all terms are listed in the
    order in which they were added.
    """

    terms: tuple[SortTerm, ...] = (SortTerm(ADDED),)

    @classmethod
    def by(cls, key: str, *, descending: bool = False) -> Sort:
        """Return a sort order with one term."""
        return cls((SortTerm(key, descending),))

    @property
    def keys(self) -> frozenset[str]:
        """The sort keys."""
        return frozenset(term.key for term in self.terms)

    @property
    def is_by_adding(self) -> bool:
        """Whether the jobs are sorted only by the order in which they were added."""
        return len(self.terms) == 1 and self.terms[0].key == ADDED


BY_ADDING = Sort()


@dataclass(frozen=True, slots=True)
class Filter:
    """The conditions for listing a job. All of them must match.

    Attributes:
        statuses: The accepted statuses; empty for all statuses.
        problems: The accepted problems of failed jobs, as values of `FileProblem`; empty for any problem or none.
        batches: The keys of the accepted batches; empty for all batches.
        search: The search that the job must match.
    """

    statuses: frozenset[Status] = frozenset()
    problems: frozenset[str] = frozenset()
    batches: frozenset[int] = frozenset()
    search: Search = NO_SEARCH

    @property
    def is_empty(self) -> bool:
        """Whether the filter accepts every job."""
        return self == NO_FILTER


NO_FILTER = Filter()


@dataclass(frozen=True, slots=True)
class Problem:
    """A group of jobs that failed with the same problem.

    Attributes:
        code: A value of `FileProblem`; empty for the jobs whose reason has no problem.
        reason: The most frequent reason in the group; None for jobs without a reason.
        count: The number of jobs.
        reasons: The number of different reasons in the group.
    """

    code: str
    reason: Reason | None
    count: int
    reasons: int = 1


@dataclass(frozen=True, slots=True)
class SelectionSums:
    """The totals for the selected jobs. Sizes are in bytes, and unknown values count as 0.

    Attributes:
        waiting_in: The keys of the queues that the waiting jobs belong to.
        results: The names of fields of results and their totals, without fields that are unknown for all jobs.
    """

    counts: StatusCounts
    size: int
    lines: int
    waiting_in: frozenset[str] = frozenset()
    results: tuple[tuple[str, float], ...] = ()
