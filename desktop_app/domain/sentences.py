"""Sentences for the user that can be translated when they are shown."""

from __future__ import annotations

import unicodedata
from typing import Self


def mark(text: str) -> str:
    """Mark a text for translation and return it unchanged; it is translated when it is shown."""
    return text


def folded(text: str) -> str:
    """Return a text folded for searching: case and the composition of accents do not matter."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


class Sentence(str):  # noqa: SLOT000 - a str that carries more can't have slots
    """An English text that keeps its template and values, so that the window can translate it.

    Otherwise it is an ordinary string. `make translations` collects the templates, so each call must pass its template
    as a literal: `Sentence("Can't reach {place}.", place=place)`. Values that are sentences are translated too.

    Attributes:
        template: The text with placeholders.
        values: The values of the placeholders, formatted as by `str.format`.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Format the text; see the class."""
        made = super().__new__(cls, template.format(**values))
        made.template = template
        made.values = values
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Keep template and values when pickled."""
        return _made, (self.template, self.values)


def _made(template: str, values: dict[str, object]) -> Sentence:
    return Sentence(template, **values)
