"""The syntax of the filter box.

A search consists of words, quoted phrases, and conditions such as `status:failed`, `size:>10MB` or `added:today`; a
minus in front of one of them negates it. All of them must match, but if the status, the type, the batch, the worker or
the processor is given more than once, one of the values is enough.

The fields of results are keys as well. Where another key has the same name, `result.` has to be typed before it.

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

from desktop_app.domain.fields import FIELD_NAME, RESULT_PREFIX
from desktop_app.domain.job import Status
from desktop_app.domain.search import Key, NumberTerm, ResultKey, Search, StatusTerm, Term, Text, TextTerm, TimeTerm
from desktop_app.domain.search_values import (
    BadValueError,
    in_english,
    read_count,
    read_duration,
    read_fractions,
    read_integer,
    read_numbers,
    read_size,
    read_times,
)
from desktop_app.domain.sentences import Sentence, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.domain.fields import ResultField

MOST_TERMS = 500
"""The maximum number of words and conditions in a search. The number of values in a query is limited."""

MOST_VALUES = 100
"""The maximum number of values in one condition."""

ALIASES = {"duration": Key.TOOK, "ext": Key.TYPE, "extension": Key.TYPE, "ended": Key.FINISHED}
"""Other English keys."""

_KEYS = {**{str(key): key for key in Key}, **ALIASES}

TERM = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')
"""A word, a phrase or a condition."""

_ANY_OF = frozenset({Key.TYPE, Key.BATCH, Key.WORKER, Key.PROCESSOR})

_ANSWERS = {"yes": True, "true": True, "no": False, "false": False}

_LONGEST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Names:
    """The fields that are keys, and translated names that the filter box accepts in addition to the English ones.

    Attributes:
        fields: The fields of results by name.
        keys: The English key for each translated key, such as `reason` for `grund`.
        statuses: The status for each translated name.
        words: The English word for each translated word in a time or duration, such as `today` for `heute`. The
            translated words must be casefolded.
        answers: Whether each translated word means yes or no.
    """

    fields: Mapping[str, ResultField] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, bool] = field(default_factory=dict)

    def key(self, typed: str) -> Key | ResultKey | None:
        """Return the key that was typed; None if there is none."""
        name = typed.casefold()
        translated = (key for word, key in self.keys.items() if word.casefold() == name)
        key = _KEYS.get(next(translated, name))
        of_result = name.removeprefix(RESULT_PREFIX)
        return ResultKey(of_result) if key is None and of_result in self.fields else key

    def word(self, name: str) -> str:
        """Return what has to be typed for a field of results."""
        return name if self.key(name) == ResultKey(name) else f"{RESULT_PREFIX}{name}"

    @property
    def known(self) -> list[str]:
        """All words that can be typed as keys."""
        return [*_KEYS, *self.keys, *map(self.word, self.fields)]


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
                shown = shortened(value.replace('"', ""), _LONGEST_SHOWN)
                self.problems.append(_bad_value(name, self._kind(key), shown))
        elif colon and (_looks_like_key(name, value) or self._looks_like_field(name)):
            self.problems.append(self._unknown_key(name))
        elif word := term.replace('"', ""):
            self.terms.append(TextTerm(None, (_text(term, word),), is_negated))

    def _kind(self, key: Key | ResultKey) -> Key | type:
        """Return what the values of a key are."""
        if isinstance(key, Key):
            return key
        known = self.names.fields[key.name]
        return Key.SIZE if known.is_size else known.kind

    def _take_condition(self, key: Key | ResultKey, quoted: str, *, is_negated: bool) -> None:
        value = quoted.replace('"', "").strip()
        if not value:
            return  # the user is still typing
        match key:
            case ResultKey():
                self._take_field(key, quoted, value, is_negated=is_negated)
            case Key.STATUS:
                parts = [part.strip() for part in self._split(value) if part.strip()]
                statuses = frozenset(status for part in parts for status in _statuses(part, self.names))
                self.terms += [StatusTerm(statuses, is_negated)] if statuses else []
            case Key.TYPE:
                types = [part.strip().removeprefix("*").removeprefix(".") for part in self._split(value)]
                texts = tuple(_text(quoted, part) for part in types if part)
                self.terms += [TextTerm(key, texts, is_negated)] if texts else []
            case Key.PROCESSOR:
                texts = tuple(_text(quoted, part.strip()) for part in self._split(value) if part.strip())
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

    def _take_field(self, key: ResultKey, quoted: str, value: str, *, is_negated: bool) -> None:
        kind = self._kind(key)
        numbers: tuple[float | None, float | None] | None = None
        if kind is str:
            self.terms.append(TextTerm(key, (_text(quoted, value),), is_negated))
        elif kind is bool:
            answer = _answer(value, self.names)
            numbers = answer, answer
        elif kind is float:
            numbers = read_fractions(value)
        elif value != "-":
            numbers = read_numbers(value, read_size if kind is Key.SIZE else read_integer)
        self.terms += [NumberTerm(key, *numbers, is_negated)] if numbers else []

    def _split(self, value: str) -> list[str]:
        parts = value.split(",")
        if len(parts) > MOST_VALUES:
            self.problems.append(Sentence("Only the first {count} values are used.", count=MOST_VALUES))
        return list(dict.fromkeys(parts[:MOST_VALUES]))

    def _looks_like_field(self, name: str) -> bool:
        """Return whether the user probably meant a field: `sha25:` does, but in `report2:final`, nothing is meant."""
        word = name.casefold()
        is_name = word.startswith(RESULT_PREFIX) or FIELD_NAME.fullmatch(word) is not None
        return is_name and bool(get_close_matches(word[:_LONGEST_SHOWN], self.names.known, 1, 0.7))

    def _unknown_key(self, name: str) -> Sentence:
        known = {word.casefold(): word for word in self.names.known}
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


def _answer(value: str, names: Names) -> int:
    """Return 1 for yes and 0 for no, or for the beginnings of these words."""
    known = _ANSWERS | dict(names.answers)
    found = {answer for word, answer in known.items() if word.casefold().startswith(value.casefold())}
    if len(found) != 1:
        raise BadValueError(value)
    return int(found.pop())


def _bad_value(name: str, kind: Key | type, value: str) -> Sentence:
    if kind is bool:
        return Sentence("“{value}” is neither yes nor no. Examples: {key}:yes, {key}:no", value=value, key=name)
    match kind:
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
