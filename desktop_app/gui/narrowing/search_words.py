"""The filter box in the person's language: keys, statuses, and words of reasons, which are stored in English."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.filters import Names, parse_search
from desktop_app.gui.reasons import longest_literal, reasons
from desktop_app.gui.texts import tr, translated
from desktop_app.gui.wording import status_word
from desktop_app.jobs import Status

if TYPE_CHECKING:
    from desktop_app.jobs import Search

_LEAST_LETTERS = 3
_MOST_REASONS = 12
"""A word that more reasons have in common finds too much, and asks the database too much."""


def read_search(text: str) -> Search:
    """What a person has typed, in their language or in English."""
    search = parse_search(text, _names())
    looked_for = dict.fromkeys([*search.words, *search.reasons])
    spoken = tuple((word, said) for word in looked_for if (said := _english_of(word)))
    return replace(search, spoken=spoken)


def _names() -> Names:
    keys = {
        tr("status", "before a colon in the filter box"): "status",
        tr("size", "before a colon in the filter box"): "size",
        tr("reason", "before a colon in the filter box"): "reason",
    }
    return Names(
        {name.casefold(): key for name, key in keys.items()}, {status_word(status): status for status in Status}
    )


def _english_of(word: str) -> tuple[str, ...]:
    """Parts of the stored reasons that are shown with this word, which is not in them."""
    key = word.casefold()
    if len(key) < _LEAST_LETTERS:
        return ()
    found = [
        longest_literal(reason)
        for reason in reasons()
        if key in translated(reason).casefold() and key not in reason.casefold()
    ]
    return tuple(found[:_MOST_REASONS])
