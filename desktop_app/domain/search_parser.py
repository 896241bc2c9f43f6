"""The syntax of the filter box.

A search consists of words, quoted phrases, and conditions such as `status:failed`, `size:>10MB` or `added:today`; a
minus in front of one of them negates it. All of them must match, but if the status, the type, the batch or the worker
is given more than once, one of the values is enough.

`*` and `?` are wildcards in words and texts that are not quoted. A word with wildcards must match the whole file name,
or, if it contains a slash, the whole path or its end from a folder onwards.

What looks like a condition but is not one, such as `colour:red` or `size:big`, is not searched for: it is a problem to
tell the user. Drive letters, web addresses and times such as `12:30` are words. A condition whose value is not finished
has no effect, so that the list does not become empty while the user is typing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from desktop_app.domain.job import Status
from desktop_app.domain.search import Key, NumberTerm, Search, StatusTerm, Term, Text, TextTerm, TimeTerm
from desktop_app.domain.search_values import (
    BadValueError,
    in_english,
    read_count,
    read_duration,
    read_numbers,
    read_size,
    read_times,
)
from desktop_app.domain.sentences import Sentence, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_TERMS = 500
"""The maximum number of words and conditions in a search. The number of values in a query is limited."""

MOST_VALUES = 100
"""The maximum number of values in one condition."""

ALIASES = {"duration": Key.TOOK, "ext": Key.TYPE, "extension": Key.TYPE, "ended": Key.FINISHED}
"""Other English keys."""

_KEYS = {**{str(key): key for key in Key}, **ALIASES}

TERM = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')
"""A word, a phrase or a condition."""

_ANY_OF = frozenset({Key.TYPE, Key.BATCH, Key.WORKER})

_LONGEST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Names:
    """Translated names that the filter box accepts in addition to the English ones.

    Attributes:
        keys: The English key for each translated key, such as `reason` for `grund`.
        statuses: The status for each translated name.
        words: The English word for each translated word in a time or duration, such as `today` for `heute`. The
            translated words must be casefolded.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def key(self, typed: str) -> Key | None:
        """Return the key that was typed; None if there is none."""
        name = typed.casefold()
        translated = (key for word, key in self.keys.items() if word.casefold() == name)
        return _KEYS.get(next(translated, name))


ENGLISH = Names()


def parse_search(text: str, names: Names = ENGLISH) -> Search:
    """Parse the text in the filter box. Every text is valid; `Search.problems` says what was left out and why."""
    parser = _Parser(names)
    typed = list(dict.fromkeys(TERM.findall(text)))
    for term in typed[:MOST_TERMS]:
        parser.take(term)
    if len(typed) > MOST_TERMS:
        parser.problems.append(Sentence("Only the first {count} words and conditions are used.", count=MOST_TERMS))
    return Search(tuple(_joined(parser.terms)), problems=tuple(dict.fromkeys(parser.problems)))


def _joined(terms: list[Term]) -> list[Term]:
    """Combine the terms of which one is enough."""
    found: dict[object, Term] = {}
    for term in terms:
        group: object = term
        match term:
            case StatusTerm(is_negated=False):
                group = Key.STATUS
            case TextTerm(key=key, is_negated=False) if key in _ANY_OF:
                group = key
        match found.get(group), term:
            case StatusTerm(statuses=before), StatusTerm(statuses=more):
                found[group] = StatusTerm(before | more)
            case TextTerm(texts=first, key=key), TextTerm(texts=second) if group is key:
                found[group] = TextTerm(key, (*first, *second))
            case _:
                found[group] = term
    return list(found.values())


@dataclass(slots=True)
class _Parser:
    names: Names
    terms: list[Term] = field(default_factory=list)
    problems: list[Sentence] = field(default_factory=list)

    def take(self, typed: str) -> None:
        """Add what a word, a phrase or a condition means."""
        is_negated = typed.startswith("-") and len(typed) > 1
        term = typed[is_negated:]
        name, colon, value = term.partition(":")
        key = self.names.key(name) if colon and '"' not in name else None
        if key is not None:
            try:
                self._take_condition(key, value, is_negated=is_negated)
            except BadValueError:
                self.problems.append(_bad_value(name, key, shortened(value.replace('"', ""), _LONGEST_SHOWN)))
        elif colon and _looks_like_key(name, value):
            self.problems.append(self._unknown_key(name))
        elif word := term.replace('"', ""):
            self.terms.append(TextTerm(None, (_text(term, word),), is_negated))

    def _take_condition(self, key: Key, quoted: str, *, is_negated: bool) -> None:
        value = quoted.replace('"', "").strip()
        if not value:
            return  # the user is still typing
        match key:
            case Key.STATUS:
                parts = [part.strip() for part in self._split(value) if part.strip()]
                statuses = frozenset(status for part in parts for status in _statuses(part, self.names))
                self.terms += [StatusTerm(statuses, is_negated)] if statuses else []
            case Key.TYPE:
                types = [part.strip().removeprefix("*").removeprefix(".") for part in self._split(value)]
                texts = tuple(_text(quoted, part) for part in types if part)
                self.terms += [TextTerm(key, texts, is_negated)] if texts else []
            case Key.SIZE | Key.LINES | Key.ATTEMPTS | Key.TOOK:
                read = {Key.SIZE: read_size, Key.TOOK: read_duration}.get(key, read_count)
                plain = in_english(value, self.names.words) if key is Key.TOOK else value
                numbers = read_numbers(plain, read)
                self.terms += [NumberTerm(key, *numbers, is_negated)] if numbers else []
            case Key.ADDED | Key.FINISHED:
                times = read_times(value, self.names.words)
                self.terms += [TimeTerm(key, *times, is_negated)] if times else []
            case Key.REASON:
                self.terms.append(TextTerm(key, (Text(value),), is_negated))
            case _:
                self.terms.append(TextTerm(key, (_text(quoted, value),), is_negated))

    def _split(self, value: str) -> list[str]:
        parts = value.split(",")
        if len(parts) > MOST_VALUES:
            self.problems.append(Sentence("Only the first {count} values are used.", count=MOST_VALUES))
        return list(dict.fromkeys(parts[:MOST_VALUES]))

    def _unknown_key(self, name: str) -> Sentence:
        known = {word.casefold(): word for word in (*_KEYS, *self.names.keys)}
        close = get_close_matches(name.casefold()[:_LONGEST_SHOWN], known, 1, 0.7)
        shown = shortened(name, _LONGEST_SHOWN)
        if close:
            return Sentence(
                "There is no “{key}:”. Did you mean “{other}:”? To search for the text, put it in quotes.",
                key=shown,
                other=known[close[0]],
            )
        return Sentence("There is no “{key}:”. To search for the text, put it in quotes.", key=shown)


def _looks_like_key(name: str, value: str) -> bool:
    r"""Return whether the user probably meant a condition; `C:\in`, `s3://b`, `12:30` and `std::map` are words."""
    return len(name) > 1 and name.isalpha() and not value.startswith(("//", "\\", ":"))


def _text(typed: str, value: str) -> Text:
    """Return a text, which is a pattern unless it was quoted or is a web address."""
    return Text(value, is_pattern='"' not in typed and "://" not in value and ("*" in value or "?" in value))


def _statuses(value: str, names: Names) -> set[Status]:
    """Return the statuses whose names begin with the text, so that the filter works while the user is typing."""
    known = {status.name: status for status in Status} | dict(names.statuses)
    found = {status for word, status in known.items() if word.casefold().startswith(value.casefold())}
    if not found:
        raise BadValueError(value)
    return found


def _bad_value(name: str, key: Key, value: str) -> Sentence:
    match key:
        case Key.STATUS:
            return Sentence(
                "“{value}” is not a status. There are pending, processing, processed and failed.", value=value
            )
        case Key.SIZE:
            return Sentence("“{value}” is not a size. Examples: {key}:>10MB, {key}:1MB..2GB", value=value, key=name)
        case Key.TOOK:
            return Sentence("“{value}” is not a duration. Examples: {key}:>1m, {key}:10s..2m", value=value, key=name)
        case Key.ADDED | Key.FINISHED:
            return Sentence(
                "“{value}” is not a time. Examples: {key}:today, {key}:2026-11-27, {key}:<2h", value=value, key=name
            )
        case _:
            return Sentence(
                "“{value}” is not a number. Examples: {key}:0, {key}:>1, {key}:5..10", value=value, key=name
            )
