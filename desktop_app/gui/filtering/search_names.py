"""The search syntax in the user's language: its names, and the list of what can be typed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import reasons_containing
from desktop_app.domain.search import SYNTAX, Key, ResultKey, Search
from desktop_app.domain.search_parser import Names, parse_search
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.wording import status_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.fields import ResultField


class HelpRow(NamedTuple):
    """A row of the list of what can be typed, in the user's language.

    Attributes:
        key: The key; None for words.
        label: The key with a colon; for words, the example.
        meaning: What it finds.
        example: A search that can be typed as it is.
    """

    key: Key | ResultKey | None
    label: str
    meaning: str
    example: str


def help_rows(fields: Sequence[ResultField] = ()) -> list[HelpRow]:
    """Return the list of what can be typed into the filter box.

    Args:
        fields: The fields of results.
    """
    words, names = key_words(), search_names(fields)
    rows = [
        HelpRow(key, f"{words[key]}:" if key else translated(example), translated(meaning), translated(example))
        for key, meaning, example in SYNTAX
    ]
    for field in fields:
        label = f"{names.word(field.name)}:"
        rows.append(HelpRow(ResultKey(field.name), label, field_meaning(field), f"{label}{_example(field)}"))
    return rows


def field_meaning(field: ResultField) -> str:
    """Return what a field of results is."""
    return tr("Result: {field}").format(field=translated(field.title))


def _example(field: ResultField) -> str:
    """Return a value that can be typed for a field."""
    if field.kind is bool:
        return answer_words()[True].split()[0]
    if field.is_size:
        return ">1MB"
    return ">0" if field.is_number else "*"


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
        Key.PROCESSOR: tr("processor", "before a colon in the filter box"),
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


def answer_words() -> dict[bool, str]:
    """Return the translated forms of the words for yes and no, separated by spaces."""
    return {
        True: tr("yes true", "a value in the filter box; all forms, separated by spaces"),
        False: tr("no false", "a value in the filter box; all forms, separated by spaces"),
    }


def search_names(fields: Sequence[ResultField] = ()) -> Names:
    """Return the names that can be used in the user's language.

    Args:
        fields: The fields of results.
    """
    return Names(
        fields={field.name: field for field in fields},
        answers={form.casefold(): answer for answer, forms in answer_words().items() for form in forms.split()},
        keys={word: str(key) for key, word in key_words().items()},
        statuses={status_word(status): status for status in Status},
        words={form.casefold(): word for word, forms in time_words().items() for form in forms.split()},
    )


def read_search(text: str, fields: Sequence[ResultField] = ()) -> Search:
    """Parse a text that may contain keys, values and reasons in the user's language or in English.

    Args:
        text: The text.
        fields: The fields of results.
    """
    search = parse_search(text, search_names(fields))
    found = {word: reasons_containing(word, translated) - reasons_containing(word) for word in search.reason_texts()}
    return replace(search, translated_matches=tuple((word, codes) for word, codes in found.items() if codes))
