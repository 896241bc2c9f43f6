r"""Count the lines of text files in any encoding.

A line ends with a line feed. Text after the last line feed counts as a line, so `""` has 0 lines, and `"a"` and
`"a\n"` have 1. CRLF line endings are counted correctly.

A file that starts with a UTF-16 or UTF-32 byte order mark is read in that encoding, and any other file as bytes, so no
file fails because of its encoding. UTF-16 and UTF-32 without a mark are not recognized: no number of NUL bytes makes it
certain that a file is text. A byte order mark, including that of UTF-8, is not text. An incomplete code unit at the
end of the file counts as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from desktop_app.processing.processor import Field, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from desktop_app.sources.local import Source

_LONGEST_MARK = 4


class _Encoding(NamedTuple):
    """An encoding: its byte order mark, its Python codec, and the size and byte order of its code units."""

    mark: bytes
    codec: str
    unit_bytes: Literal[1, 2, 4]
    order: Literal["little", "big"]


# UTF-32 comes before UTF-16, since the little-endian mark of UTF-32 starts with that of UTF-16. A little-endian UTF-16
# file that starts with U+0000 is therefore misread. The last entry is for all other encodings.
_ENCODINGS = (
    _Encoding(b"\xff\xfe\x00\x00", "utf-32-le", 4, "little"),
    _Encoding(b"\x00\x00\xfe\xff", "utf-32-be", 4, "big"),
    _Encoding(b"\xff\xfe", "utf-16-le", 2, "little"),
    _Encoding(b"\xfe\xff", "utf-16-be", 2, "big"),
    _Encoding(b"\xef\xbb\xbf", "", 1, "little"),
    _Encoding(b"", "", 1, "little"),
)


LINES_COUNT = Field("lines_count", int, "Lines")


class LineProcessor:
    """Counts the lines of any file. Has no state, so all threads can share it."""

    name = "lines"
    fields = (LINES_COUNT,)

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: this processor accepts every file."""
        return True

    def process(self, source: Source) -> Mapping[str, Value]:
        """Count the lines; see `Processor.process`."""
        return {LINES_COUNT.name: count_lines(source.chunks())}


def count_lines(chunks: Iterable[bytes]) -> int:
    """Return the number of lines in a file, given as non-empty chunks of any size. Memory use is constant."""
    rest = iter(chunks)
    start = b""
    for chunk in rest:
        start += chunk
        if len(start) >= _LONGEST_MARK:
            break
    encoding = next(encoding for encoding in _ENCODINGS if start.startswith(encoding.mark))
    counter = _Counter(encoding)
    counter.feed(start[len(encoding.mark) :])
    for chunk in rest:
        counter.feed(chunk)
    return counter.lines()


class _Counter:
    """Counts line feeds: the code unit U+000A, but not the byte 0x0A in other code units, such as U+010A or U+0A0A.

    The fastest way is to decode the text (2 to 5 GB/s measured). Chunks that can't be decoded, because of invalid data
    or a surrogate pair that continues in the next chunk, are counted arithmetically: a decoder that skips errors slows
    down to 0.02 GB/s, and blocks the main thread by holding the interpreter lock.
    """

    def __init__(self, encoding: _Encoding) -> None:
        self._encoding = encoding
        self._line_feed = (10).to_bytes(encoding.unit_bytes, encoding.order)
        self._feeds = 0
        self._rest = b""
        self._open_line = False

    def feed(self, chunk: bytes) -> None:
        if self._rest:
            chunk = self._rest + chunk
        whole = len(chunk) - len(chunk) % self._encoding.unit_bytes
        self._rest = chunk[whole:]
        units = chunk[:whole]
        if units:
            self._feeds += self._count(units)
            self._open_line = not units.endswith(self._line_feed)

    def lines(self) -> int:
        return self._feeds + (self._open_line or bool(self._rest))

    def _count(self, units: bytes) -> int:
        encoding = self._encoding
        if encoding.unit_bytes == 1:
            return units.count(b"\n")
        try:
            return units.decode(encoding.codec).count("\n")
        except UnicodeDecodeError:
            return _count_as_numbers(units, encoding.unit_bytes, encoding.order)


_BLOCK_BYTES = 16 * 1024


def _count_as_numbers(units: bytes, unit_bytes: int, order: Literal["little", "big"]) -> int:
    """Count line feeds arithmetically, at the same speed for any content (0.7 GB/s measured).

    A block is treated as one large integer with a slot for each code unit. XOR with a block of line feeds sets the
    slots of line feeds to 0. Then the top bit is set in every other slot: either it was already set, or adding 0x7F… to
    the lower bits carries into it. No carry leaves a slot.
    """
    slots = _BLOCK_BYTES // unit_bytes
    ones = int.from_bytes((1).to_bytes(unit_bytes, "little") * slots, "little")
    top_bits = ones << (unit_bytes * 8 - 1)
    lower_bits = top_bits - ones
    line_feeds = ones * 10
    feeds = 0
    for start in range(0, len(units), _BLOCK_BYTES):
        # The missing slots of a shorter last block are 0, which is not a line feed.
        slots_xor = int.from_bytes(units[start : start + _BLOCK_BYTES], order) ^ line_feeds
        others = ((slots_xor & lower_bits) + lower_bits | slots_xor) & top_bits
        feeds += slots - others.bit_count()
    return feeds
