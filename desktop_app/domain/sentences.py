"""English sentences that can be translated when they are shown."""

from __future__ import annotations

import re
import shlex
import sys
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_ARGUMENT = re.compile(r"[\w+./:=@-]+", re.ASCII)
_SPECIAL_IN_QUOTES = re.compile(r"[$`\"%\\!^\N{LEFT DOUBLE QUOTATION MARK}-\N{DOUBLE LOW-9 QUOTATION MARK}]")
_SINGLE_QUOTES = re.compile(r"['\N{LEFT SINGLE QUOTATION MARK}-\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}]")


def mark(text: str) -> str:
    """Return the text unchanged; the call marks it for `make translations`."""
    return text


def folded(text: str) -> str:
    """Normalize text so that searches ignore case and differences in the composition of accents."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


def command_line(arguments: Sequence[str], platform: str = sys.platform) -> str:
    """Return a command as text to paste into a terminal, quoted for the system's own shell.

    On Windows, double quotes are used where they suffice, since both the command prompt and PowerShell understand them;
    otherwise, the text is for PowerShell.

    Args:
        arguments: The program and its arguments.
        platform: The platform, as in `sys.platform`.
    """
    if platform != "win32":
        return shlex.join(arguments)
    return " ".join(map(_quoted_on_windows, arguments))


def _quoted_on_windows(argument: str) -> str:
    if _PLAIN_ARGUMENT.fullmatch(argument):
        return argument
    if not _SPECIAL_IN_QUOTES.search(argument):
        return f'"{argument}"'
    # PowerShell takes typographic quotation marks for plain ones, and two of them in quotes for one.
    return "'" + _SINGLE_QUOTES.sub(r"\g<0>\g<0>", argument) + "'"


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
