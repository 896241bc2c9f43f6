"""Which jobs to list (`Filter`), in which order (`Sort`), and the search typed into the filter box (`Search`).

The filter box accepts words, which must all match; phrases such as `"two words"`; and `status:failed`, `size:>10MB`
or `reason:missing`. Anything that is not valid as one of these is taken as a plain word, since a file may have that
name. A key without a value yet does not filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from desktop_app.domain.job import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.domain.job import StatusCounts
    from desktop_app.domain.reasons import Reason


ADDED = "created_at"
"""The sort key for the order in which the jobs were added, which is also the order of the database's keys."""


@dataclass(frozen=True, slots=True)
class SortTerm:
    """A sort key and its direction.

    Attributes:
        key: The name of a field of `Job`, or of a computed key in `store/list_query.py`.
        descending: Whether the largest value comes first.
    """

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list of jobs: by the first term, then by the next among equal ones.

    Jobs that are equal in all terms are in the order they were added.
    """

    terms: tuple[SortTerm, ...] = (SortTerm(ADDED),)

    @classmethod
    def by(cls, key: str, *, descending: bool = False) -> Sort:
        """Return a sort by one key."""
        return cls((SortTerm(key, descending),))

    def then(self, key: str, *, descending: bool = False) -> Sort:
        """Return this sort with another term at its end."""
        return Sort((*self.terms, SortTerm(key, descending)))

    @property
    def keys(self) -> frozenset[str]:
        """The sort keys."""
        return frozenset(term.key for term in self.terms)

    @property
    def is_by_adding(self) -> bool:
        """Whether the order is that of adding, ascending or descending."""
        return len(self.terms) == 1 and self.terms[0].key == ADDED


BY_ADDING = Sort()


@dataclass(frozen=True, slots=True)
class SizeRange:
    """A range of sizes in bytes, from `least` to `most` inclusive; None for no bound."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Search conditions, which must all match. `parse_search` makes them from typed text.

    Attributes:
        words: Each must be part of the path or of the reason, ignoring case.
        statuses: The status must be one of these; empty = any.
        sizes: The size must be in each of these ranges; an unknown size is in none.
        reasons: Each must be part of the reason or of its problem's name.
        spoken: For words and reasons, the reasons whose translation contains them (`domain.reasons.saying`); the
            English text is always searched too.
    """

    words: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    sizes: tuple[SizeRange, ...] = ()
    reasons: tuple[str, ...] = ()
    spoken: tuple[tuple[str, frozenset[str]], ...] = ()


NO_SEARCH = Search()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs to list. All conditions must match.

    Attributes:
        statuses: Only jobs with one of these statuses; empty = all.
        problems: Only jobs that failed with one of these problems, values of `FileProblem`; empty = all.
        batches: Only jobs of one of these batches; empty = all.
        search: Only jobs that match it.
    """

    statuses: frozenset[Status] = frozenset()
    problems: frozenset[str] = frozenset()
    batches: frozenset[int] = frozenset()
    search: Search = NO_SEARCH

    @property
    def is_empty(self) -> bool:
        """Whether the filter lets every job through."""
        return self == NO_FILTER


NO_FILTER = Filter()


@dataclass(frozen=True, slots=True)
class Problem:
    """A group of jobs that failed with the same problem.

    Attributes:
        code: A value of `FileProblem`; empty if they have none.
        reason: Their most frequent reason; None if they have none.
        count: The number of jobs.
        reasons: The number of different reasons.
    """

    code: str
    reason: Reason | None
    count: int
    reasons: int = 1


@dataclass(frozen=True, slots=True)
class SelectionSums:
    """Totals of some jobs: statuses, sizes in bytes and lines. Unknown values count as 0."""

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
    """Names in the user's language that the filter box accepts besides the English ones.

    Attributes:
        keys: English keys by translated ones: `grund` means `reason`.
        statuses: Statuses by their translated names.
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
        """Add a condition; return False if it is not valid."""
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
            return not match["unit"]  # "size:" and "size:>" are still being typed
        factor = _UNITS.get(match["unit"].lower())
        if factor is None:
            return match["unit"].lower() in {"ki", "mi", "gi", "ti"}  # on the way to KiB
        size = min(Decimal(match["number"].replace(",", ".")) * factor, _GREATEST)
        self.sizes.append(_range(match["sign"], size))
        return True


def parse_search(text: str, names: Names = ENGLISH) -> Search:
    """Parse the text of the filter box; every text is valid."""
    found = _Found(names)
    for term in _TERM.findall(text):
        key, colon, value = term.partition(":")
        if not (colon and '"' not in key and found.take(key, value.replace('"', ""))):
            word = term.replace('"', "")
            found.words += [word] if word else []
    return Search(tuple(found.words), frozenset(found.statuses), tuple(found.sizes), tuple(found.reasons))


def _statuses(value: str, names: Names) -> set[Status]:
    """Return the statuses whose name begins with a text, so that the list narrows while the user types."""
    known = {status.name: status for status in Status} | dict(names.statuses)
    return {status for word, status in known.items() if word.casefold().startswith(value.casefold())}


def _range(sign: str, size: Decimal) -> SizeRange:
    """Return the range of whole bytes that a comparison allows."""
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
