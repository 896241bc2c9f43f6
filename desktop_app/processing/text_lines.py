"""Read the lines of a text in blocks, with limited memory.

A text that begins with a byte order mark has the encoding of the mark. Any other text is UTF-8, or Windows-1252 if the
first character that is not ASCII is not valid UTF-8. A line ends with a line feed, a carriage return, or both.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from desktop_app.processing.processor import bad_content, too_large

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.sources.local import Source

MOST_CHARS = 16 << 20
"""The maximum length of a line."""
_BLOCK_BYTES = 1 << 18
_LONGEST_MARK = 4
# The little-endian mark of UTF-32 starts with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_UTF_8 = "utf-8"
_FALLBACK = "windows-1252"


class TextLines:
    """Reads the lines of a source once.

    Attributes:
        encoding: The encoding, as far as the text was read.

    Args:
        source: The source.
    """

    def __init__(self, source: Source) -> None:
        self.encoding = _UTF_8
        self._chunks = source.chunks(_BLOCK_BYTES)
        self._decoder = codecs.getincrementaldecoder(_UTF_8)()
        self._has_only_ascii = True
        self._done = 0  # the number of lines that were read

    def blocks(self) -> Iterator[list[str]]:
        """Yield lists of lines without their ends.

        Raises:
            FileError: If the text is not valid in its encoding, contains a NUL, or has a line that is too long.
        """
        begun: list[str] = []  # the parts of a line whose end was not found yet
        begun_chars = 0
        held = ""  # a carriage return, which may be the first half of a line end
        for text in self._texts():
            text = held + text  # noqa: PLW2901
            held = ""
            if "\0" in text:
                line = self._line_of(text[: text.index("\0")])
                raise bad_content(f"line {line} contains a NUL character, which text files do not contain")
            if "\r" in text:
                if text[-1] == "\r":
                    text, held = text[:-1], "\r"  # noqa: PLW2901
                text = text.replace("\r\n", "\n").replace("\r", "\n")  # noqa: PLW2901
            first, *lines = text.split("\n")
            begun.append(first)
            begun_chars += len(first)
            if begun_chars > MOST_CHARS:
                raise too_large(f"line {self._done + 1} has more than {MOST_CHARS >> 20} million characters")
            if lines:
                last = lines.pop()
                lines.insert(0, "".join(begun))
                begun, begun_chars = [last], len(last)
                self._done += len(lines)
                yield lines
        if held or begun_chars:
            yield ["".join(begun)]

    def _texts(self) -> Iterator[str]:
        """Yield the text in parts."""
        start = b""
        for chunk in self._chunks:
            start += chunk
            if len(start) >= _LONGEST_MARK:
                break
        mark, self.encoding = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), (b"", _UTF_8))
        self._decoder = codecs.getincrementaldecoder(_UTF_8 if self.encoding == "utf-8-sig" else self.encoding)()
        yield from self._decoded(start.removeprefix(mark))
        for chunk in self._chunks:
            yield from self._decoded(chunk)
        yield from self._decoded(b"", is_end=True)

    def _decoded(self, chunk: bytes, *, is_end: bool = False) -> Iterator[str]:
        try:
            text = self._decoder.decode(chunk, is_end)
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            if self.encoding != _UTF_8 or not self._has_only_ascii or not before.isascii():
                line = self._line_of(before.decode(self.encoding, "replace"))
                raise bad_content(
                    f"line {line} is not valid {self.encoding.upper()}, unlike the text before it"
                ) from error
            self.encoding = _FALLBACK
            self._decoder = codecs.getincrementaldecoder(_FALLBACK)("replace")
            text = self._decoder.decode(error.object, is_end)
        self._has_only_ascii = self._has_only_ascii and text.isascii()
        if text:
            yield text

    def _line_of(self, text: str) -> int:
        """Return the number of the line that follows a text, which itself follows the lines that were read."""
        return self._done + 1 + text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
