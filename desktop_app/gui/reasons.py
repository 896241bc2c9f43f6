"""Finds out which sentence a plain text once was, so that a stored reason can be shown in the person's language.

The database, the logs and the terminal are English; a reason is in them as a plain text. The templates of the layers'
sentences are collected by `make translations`, and a text is held against them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from desktop_app.paths import resource

_PART = re.compile(r"\{(\w+)\}")
_NESTED = frozenset({"reason", "why"})
"""Values with these names may be sentences themselves; any other is a name, a path or a number and stays as it is."""
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Match:
    """A text, taken apart.

    Attributes:
        template: What it was made from.
        values: What was put in.
    """

    template: str
    values: dict[str, str]

    @property
    def nested(self) -> frozenset[str]:
        """The names of the values that may be sentences themselves."""
        return _NESTED & self.values.keys()


@lru_cache(maxsize=_REMEMBERED)
def match(text: str) -> Match | None:
    """The template that a text was made from, with its values; None if there is none. Fast for what came before.

    Args:
        text: One that is not a template itself.
    """
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return Match(template, found.groupdict())
    return None


def templates() -> tuple[str, ...]:
    """Every template with values, the most particular first."""
    found = (text for texts in _collected().values() for text in texts if _PART.search(text))
    return tuple(sorted(set(found), key=_literal_length, reverse=True))


@cache
def reasons() -> tuple[str, ...]:
    """Every sentence that may be a job's reason, with and without values."""
    return tuple(_collected()["reasons"])


def longest_literal(template: str) -> str:
    """The longest part of a template that every text made from it has."""
    return max(_PART.split(template)[::2], key=len).strip()


@cache
def _collected() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(resource("translations/templates.json").read_text(encoding="utf-8"))
    return found


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((template, _pattern(template)) for template in templates())


def _pattern(template: str) -> re.Pattern[str]:
    """What a text made from this template looks like."""
    pieces = _PART.split(template)
    literals, names = pieces[::2], pieces[1::2]
    written = [re.escape(literals[0])]
    seen: set[str] = set()
    for name, literal in zip(names, literals[1:], strict=True):
        written.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
        written.append(re.escape(literal))
        seen.add(name)
    return re.compile("".join(written), re.DOTALL)


def _literal_length(template: str) -> int:
    return len(_PART.sub("", template))
