"""The SQL functions that SQLite does not have: comparisons that ignore case and Unicode normalization."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def in_arguments(arguments: str, key: str) -> bool:
    """Return whether any argument of a stored reason contains a folded text."""
    try:
        values = json.loads(arguments or "{}").values()
    except (ValueError, AttributeError, TypeError, RecursionError):  # written by another program
        return key in folded(str(arguments))
    return any(key in folded(str(value)) for value in values)


def matches_pattern(text: str, pattern: str) -> bool:
    """Return whether a text matches a folded pattern with `*` and `?`."""
    # In the second form, "ß" is one character.
    forms = folded(text), unicodedata.normalize("NFC", text.lower())
    return any(_matches(form, _pieces(pattern)) for form in forms)


@lru_cache(maxsize=64)
def _pieces(pattern: str) -> list[tuple[re.Pattern[str], int]]:
    """Return the pieces of a pattern between its asterisks, and their lengths."""
    pieces = pattern.split("*")
    return [(re.compile(re.escape(piece).replace(r"\?", "."), re.DOTALL), len(piece)) for piece in pieces]


def _matches(text: str, pieces: list[tuple[re.Pattern[str], int]]) -> bool:
    """Return whether a text begins with the first piece and ends with the last one, with the others in between.

    One regular expression with `.*` for each asterisk could take exponential time.
    """
    (first, end), *others = pieces
    if not others:
        return first.fullmatch(text) is not None
    found = first.match(text)
    for piece, _ in others[:-1]:
        found = found and piece.search(text, end)
        end = found.end() if found else end
    last, length = others[-1]
    return found is not None and len(text) - length >= end and last.match(text, len(text) - length) is not None


# SQLite's own LOWER converts only A to Z.
FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "folded": folded,
    "in_arguments": in_arguments,
    "matches_pattern": matches_pattern,
}
"""The functions by name."""
