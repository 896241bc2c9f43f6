"""Which jobs to list (`Filter`), in which order (`Sort`); and what is typed into the filter box, read as a `Search`.

The filter box takes plain words, which all have to match; `"two words"` as one; `status:failed`, `size:>10MB`,
`reason:missing`. Whatever makes no sense as one of these is a plain word, since a file may be called like that. A key
whose value is still to be typed leaves nothing out.
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
"""The sort key of the order in which the jobs were added, which is the order of the database's keys too."""


@dataclass(frozen=True, slots=True)
class SortTerm:
    """One term of an order.

    Attributes:
        key: The name of a field of `Job`, or of what the store works out (`store/list_query.py`).
        descending: Whether the greatest value comes first.
    """

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list of jobs: by the first term, what is equal in it by the next.

    Jobs that are equal in all terms stay in the order they were added.
    """

    terms: tuple[SortTerm, ...] = (SortTerm(ADDED),)

    @classmethod
    def by(cls, key: str, *, descending: bool = False) -> Sort:
        """Return the order by one key."""
        return cls((SortTerm(key, descending),))

    def then(self, key: str, *, descending: bool = False) -> Sort:
        """Return this order with another term behind it."""
        return Sort((*self.terms, SortTerm(key, descending)))

    @property
    def keys(self) -> frozenset[str]:
        """What it sorts by."""
        return frozenset(term.key for term in self.terms)

    @property
    def is_by_adding(self) -> bool:
        """True if the jobs stand in the order they were added, or the other way round."""
        return len(self.terms) == 1 and self.terms[0].key == ADDED


BY_ADDING = Sort()


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Sizes in bytes from `least` to `most`, both included; None where there is no bound."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What a person looks for; all of it has to apply. `parse_search` makes one from what was typed.

    Attributes:
        words: Each is part of the path or of the reason, upper and lower case alike.
        statuses: One of these; empty = any.
        sizes: The size lies in each of these ranges; a size that is not known lies in none.
        reasons: Each is part of the reason, or of its problem's name.
        spoken: Words and reasons, each with the reasons that say it in another language (`domain.reasons.saying`);
            what they say in English counts always.
    """

    words: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    sizes: tuple[SizeRange, ...] = ()
    reasons: tuple[str, ...] = ()
    spoken: tuple[tuple[str, frozenset[str]], ...] = ()


NO_SEARCH = Search()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs to list; all of it has to apply.

    Attributes:
        statuses: Only these; empty = all.
        problems: Only those that have failed for one of these, values of `FileProblem`; empty = all.
        batches: Only those of one of these batches; empty = all.
        search: Only what matches.
    """

    statuses: frozenset[Status] = frozenset()
    problems: frozenset[str] = frozenset()
    batches: frozenset[int] = frozenset()
    search: Search = NO_SEARCH

    @property
    def is_empty(self) -> bool:
        """True if no job is left out."""
        return self == NO_FILTER


NO_FILTER = Filter()


@dataclass(frozen=True, slots=True)
class Problem:
    """Jobs that have failed for the same reason.

    Attributes:
        code: A value of `FileProblem`; empty where there is none.
        reason: What most of them carry; None where they carry none.
        count: How many jobs it is.
        reasons: How many different reasons they carry.
    """

    code: str
    reason: Reason | None
    count: int
    reasons: int = 1


@dataclass(frozen=True, slots=True)
class SelectionSums:
    """What some jobs are together; sizes in bytes and lines as far as they are known."""

    counts: StatusCounts
    size: int
    lines: int


_TERM = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')

_SIZE = re.compile(r"(?P<sign><=|>=|<|>|=|)(?P<number>\d{1,15}(?:[.,]\d{1,9})?|)(?P<unit>[a-z]{0,3})", re.IGNORECASE)

_GREATEST = Decimal(2**62)
"""More than any disk holds, and what the database can compare with."""

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}{tail}": 1000**power for power, letter in enumerate("kmgt", 1) for tail in ("", "b")},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}


@dataclass(frozen=True, slots=True)
class Names:
    """What a person's language calls things, beside the English names, which always hold.

    Attributes:
        keys: English keys by theirs: `grund` is `reason`.
        statuses: Statuses by their words.
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
        """Note a condition; False if it is none."""
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
            return not match["unit"]  # "size:" and "size:>" wait for their number
        factor = _UNITS.get(match["unit"].lower())
        if factor is None:
            return match["unit"].lower() in {"ki", "mi", "gi", "ti"}  # on the way to KiB
        size = min(Decimal(match["number"].replace(",", ".")) * factor, _GREATEST)
        self.sizes.append(_range(match["sign"], size))
        return True


def parse_search(text: str, names: Names = ENGLISH) -> Search:
    """Read what a person has typed; every text means something."""
    found = _Found(names)
    for term in _TERM.findall(text):
        key, colon, value = term.partition(":")
        if not (colon and '"' not in key and found.take(key, value.replace('"', ""))):
            word = term.replace('"', "")
            found.words += [word] if word else []
    return Search(tuple(found.words), frozenset(found.statuses), tuple(found.sizes), tuple(found.reasons))


def _statuses(value: str, names: Names) -> set[Status]:
    """Return those whose name begins like this, so that the list gets shorter while it is typed."""
    known = {status.name: status for status in Status} | dict(names.statuses)
    return {status for word, status in known.items() if word.casefold().startswith(value.casefold())}


def _range(sign: str, size: Decimal) -> SizeRange:
    """Return the whole bytes that a comparison allows."""
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
