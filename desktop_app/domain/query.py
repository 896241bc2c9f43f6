"""Filters, sort orders, and the search syntax of the filter box.

A search consists of words, quoted phrases, and terms such as `status:failed`, `size:>10MB` or `reason:missing`. All of
them must match. An invalid term is treated as a plain word, since it might be part of a file name. A key without a
value has no effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from desktop_app.domain.job import Status, StatusCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.domain.reasons import Reason


ADDED = "created_at"
"""The sort key for the order in which the jobs were added, which is also the order of their primary keys."""


@dataclass(frozen=True, slots=True)
class SortTerm:
    """A sort key and its direction.

    Attributes:
        key: The name of a field of `Job` or of a computed key in `store/list_query.py`.
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
class SizeRange:
    """An inclusive range of sizes in bytes; None for no limit."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search. All conditions must match.

    Attributes:
        words: Strings that the path or the reason must contain, ignoring case.
        statuses: The accepted statuses; empty for all statuses.
        sizes: Ranges that must all contain the size; an unknown size is in no range.
        reasons: Strings that the reason or the name of its problem must contain.
        translated_matches: Pairs of a string from `words` or `reasons` and the reasons whose translated sentence
            contains it, in addition to those whose English sentence does; see `reasons_containing`.
    """

    words: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    sizes: tuple[SizeRange, ...] = ()
    reasons: tuple[str, ...] = ()
    translated_matches: tuple[tuple[str, frozenset[str]], ...] = ()


NO_SEARCH = Search()


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
    """The totals for the selected jobs. Sizes are in bytes, and unknown values count as 0."""

    counts: StatusCounts
    size: int
    lines: int


_TERM = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')

_SIZE = re.compile(r"(?P<sign><=|>=|<|>|=|)(?P<number>\d{1,15}(?:[.,]\d{1,9})?|)(?P<unit>[a-z]{0,3})", re.IGNORECASE)

_GREATEST = Decimal(2**62)
"""Larger than any file, and within the range of the database's integers."""

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}{tail}": 1000**power for power, letter in enumerate("kmgt", 1) for tail in ("", "b")},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}


@dataclass(frozen=True, slots=True)
class Names:
    """Translated names that the filter box accepts in addition to the English ones.

    Attributes:
        keys: The English key for each translated key, such as `reason` for `grund`.
        statuses: The status for each translated name.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)


ENGLISH = Names()


@dataclass(slots=True)
class _Found:
    names: Names
    words: list[str] = field(default_factory=list)
    statuses: set[Status] = field(default_factory=set)
    sizes: list[SizeRange] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def take(self, key: str, value: str) -> bool:
        """Add the condition of a term `key:value`; return False if the term is not valid."""
        match self.names.keys.get(key.casefold(), key.lower()):
            case "status":
                statuses = _statuses(value, self.names)
                self.statuses |= statuses if value else set()
                return bool(statuses)
            case "size":
                return self._take_size(value)
            case "reason":
                self.reasons += [value] if value else []
                return True
            case _:
                return False

    def _take_size(self, value: str) -> bool:
        match = _SIZE.fullmatch(value)
        if match is None:
            return False
        if not match["number"]:
            return not match["unit"]  # the user is still typing "size:" or "size:>"
        factor = _UNITS.get(match["unit"].lower())
        if factor is None:
            return match["unit"].lower() in {"ki", "mi", "gi", "ti"}  # the user is still typing "KiB"
        size = min(Decimal(match["number"].replace(",", ".")) * factor, _GREATEST)
        self.sizes.append(_range(match["sign"], size))
        return True


def parse_search(text: str, names: Names = ENGLISH) -> Search:
    """Parse the text in the filter box. Every text is valid."""
    found = _Found(names)
    for term in _TERM.findall(text):
        key, colon, value = term.partition(":")
        if not (colon and '"' not in key and found.take(key, value.replace('"', ""))):
            word = term.replace('"', "")
            found.words += [word] if word else []
    return Search(tuple(found.words), frozenset(found.statuses), tuple(found.sizes), tuple(found.reasons))


def _statuses(value: str, names: Names) -> set[Status]:
    """Return the statuses whose names begin with the text, so that the filter works while the user is typing."""
    known = {status.name: status for status in Status} | dict(names.statuses)
    return {status for word, status in known.items() if word.casefold().startswith(value.casefold())}


def _range(sign: str, size: Decimal) -> SizeRange:
    """Return the range of integer sizes that satisfy a comparison."""
    below, above = int(size), int(size) + (size != int(size))
    match sign:
        case "<":
            return SizeRange(most=above - 1)
        case "<=":
            return SizeRange(most=below)
        case ">":
            return SizeRange(least=below + 1)
        case ">=":
            return SizeRange(least=above)
        case _:
            return SizeRange(least=above, most=below)
