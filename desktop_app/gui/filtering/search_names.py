"""The search syntax in the user's language: its names, and the list of what can be typed."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import reasons_containing
from desktop_app.domain.search import SYNTAX, Key, Search
from desktop_app.domain.search_parser import Names, parse_search
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import status_word


class HelpRow(NamedTuple):
    """A row of the list of what can be typed, in the user's language.

    Attributes:
        key: The key; None for words.
        label: The key with a colon; for words, the example.
        meaning: What it finds.
        example: A search that can be typed as it is.
    """

    key: Key | None
    label: str
    meaning: str
    example: str


def help_rows() -> list[HelpRow]:
    """Return the list of what can be typed into the filter box."""
    words = key_words()
    return [
        HelpRow(key, f"{words[key]}:" if key else translated(example), translated(meaning), translated(example))
        for key, meaning, example in SYNTAX
    ]


def key_words() -> dict[Key, str]:
    """Return the word for each key."""
    return {
        Key.NAME: tr("name", "before a colon in the filter box"),
        Key.FOLDER: tr("folder", "before a colon in the filter box"),
        Key.PATH: tr("path", "before a colon in the filter box"),
        Key.TYPE: tr("type", "before a colon in the filter box"),
        Key.STATUS: tr("status", "before a colon in the filter box"),
        Key.REASON: tr("reason", "before a colon in the filter box"),
        Key.BATCH: tr("batch", "before a colon in the filter box"),
        Key.WORKER: tr("worker", "before a colon in the filter box"),
        Key.SIZE: tr("size", "before a colon in the filter box"),
        Key.LINES: tr("lines", "before a colon in the filter box"),
        Key.ATTEMPTS: tr("attempts", "before a colon in the filter box"),
        Key.TOOK: tr("took", "before a colon in the filter box"),
        Key.ADDED: tr("added", "before a colon in the filter box"),
        Key.FINISHED: tr("finished", "before a colon in the filter box"),
    }


def time_words() -> dict[str, str]:
    """Return the translated forms of each word that is used in times and durations, separated by spaces."""
    return {
        "today": tr("today", "in the filter box"),
        "yesterday": tr("yesterday", "in the filter box"),
        "last": tr("last", "before “2 hours” in the filter box; all forms, separated by spaces"),
        "s": tr("s sec second seconds", "a unit in the filter box; all forms, separated by spaces"),
        "m": tr("m min minute minutes", "a unit in the filter box; all forms, separated by spaces"),
        "h": tr("h hr hour hours", "a unit in the filter box; all forms, separated by spaces"),
        "d": tr("d day days", "a unit in the filter box; all forms, separated by spaces"),
        "w": tr("w week weeks", "a unit in the filter box; all forms, separated by spaces"),
    }


def search_names() -> Names:
    """Return the names that can be used in the user's language."""
    return Names(
        keys={word: str(key) for key, word in key_words().items()},
        statuses={status_word(status): status for status in Status},
        words={form.casefold(): word for word, forms in time_words().items() for form in forms.split()},
    )


def read_search(text: str) -> Search:
    """Parse a text that may contain keys, values and reasons in the user's language or in English."""
    search = parse_search(text, search_names())
    found = {word: reasons_containing(word, translated) - reasons_containing(word) for word in search.reason_texts()}
    return replace(search, translated_matches=tuple((word, codes) for word, codes in found.items() if codes))
