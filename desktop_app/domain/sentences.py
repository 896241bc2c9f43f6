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

_MOST_SHOWN = 600
"""The maximum number of characters of another program's text."""
_PLAIN_ARGUMENT = re.compile(r"[\w+./:=@-]+", re.ASCII)
_SPECIAL_IN_QUOTES = re.compile(r"[$`\"%\\!^\N{LEFT DOUBLE QUOTATION MARK}-\N{DOUBLE LOW-9 QUOTATION MARK}]")
_SINGLE_QUOTES = re.compile(r"['\N{LEFT SINGLE QUOTATION MARK}-\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}]")


def mark(text: str) -> str:
    """Return the text unchanged; the call marks it for `make translations`."""
    return text


def folded(text: str) -> str:
    """Normalize text so that searches ignore case and differences in the composition of accents."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


def display_text(text: str) -> str:
    r"""Escape a file name or other untrusted text for display in a table, a log line or a terminal.

    Bytes that are not UTF-8 become `\xNN`. Control, line-break and bidirectional-override characters are escaped too,
    so that a name can't start a new line or imitate another name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_display_char(char) for char in text)


_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_SURROGATE_ESCAPE = range(0xDC80, 0xDD00)


def _display_char(char: str) -> str:
    code = ord(char)
    if code in _SURROGATE_ESCAPE:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(char) not in _HIDDEN_CATEGORIES or char in "\u200c\u200d":
        return char
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def shortened(text: str, longest: int) -> str:
    """Return a text that has at most `longest` characters; if it is cut off, it ends with an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def foreign_text(text: str) -> str:
    """Return a text that another program wrote, such as a server's error message, for use in a sentence.

    It becomes one line, as by `display_text`, and its middle is left out if it is very long.
    """
    if len(text) > _MOST_SHOWN:
        text = f"{text[: _MOST_SHOWN // 2]} … {text[-_MOST_SHOWN // 2 :]}"
    return display_text(text.strip("\r\n"))


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
    `Sentence("Can't reach {place}.", place=place)`. Values that are sentences are translated too; other texts, whatever
    their source, are changed by `foreign_text`, so that they can be shown and logged.

    Attributes:
        template: The text with placeholders.
        values: The values of the placeholders, formatted as by `str.format`.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Create a sentence by formatting a template."""
        return cls.unchanged(template, **{name: _safe(value) for name, value in values.items()})

    @classmethod
    def unchanged(cls, template: str, **values: object) -> Self:
        """Create a sentence that contains all values as they are, so that it has to be escaped to be shown."""
        made = super().__new__(cls, template.format(**values))
        made.template = template
        made.values = values
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Include the template and the values when pickling."""
        return partial(Sentence.unchanged, self.template, **self.values), ()


def _safe(value: object) -> object:
    """Return a value to be inserted into a sentence; anything but a number or a sentence becomes a text."""
    return value if isinstance(value, (Sentence, int, float)) else foreign_text(str(value))
