"""Sentences for a person that can still be translated. Imports nothing of ours."""

from __future__ import annotations

import unicodedata
from typing import Self


def mark(text: str) -> str:
    """Return the same text: one that is kept in English and is translated when it is shown."""
    return text


def folded(text: str) -> str:
    """A text as it is compared in a search: upper and lower case alike, however its accents are composed."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


class Sentence(str):  # noqa: SLOT000 - a str that carries more can't have slots
    """An English text that remembers how it was made, so that the window can say it in another language.

    Everywhere else it is the text. `make translations` collects the templates, so a call names its template as a
    literal: `Sentence("Can't reach {place}.", place=place)`. Values that are sentences are translated too.

    Attributes:
        template: The text, with a name in braces for each value.
        values: What is put in; written in the text as `str.format` does.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Write the text; see the class."""
        made = super().__new__(cls, template.format(**values))
        made.template = template
        made.values = values
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Travels to another process whole."""
        return _made, (self.template, self.values)


def _made(template: str, values: dict[str, object]) -> Sentence:
    return Sentence(template, **values)
