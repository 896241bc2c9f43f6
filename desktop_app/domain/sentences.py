"""English sentences that can be translated when they are shown."""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import Self


def mark(text: str) -> str:
    """Return the text unchanged; the call marks it for `make translations`."""
    return text


def folded(text: str) -> str:
    """Normalize text so that searches ignore case and differences in the composition of accents."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


class Sentence(str):  # noqa: SLOT000 - slots would save nothing here
    """A formatted English sentence that keeps its template and values, so that the window can translate it.

    `make translations` collects the templates from the source code, so each call must pass its template as a literal:
    `Sentence("Can't reach {place}.", place=place)`. Values that are sentences are translated too.

    Attributes:
        template: The text with placeholders.
        values: The values of the placeholders, formatted as by `str.format`.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Create a sentence by formatting a template."""
        made = super().__new__(cls, template.format(**values))
        made.template = template
        made.values = values
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Include the template and the values when pickling."""
        return partial(Sentence, self.template, **self.values), ()
