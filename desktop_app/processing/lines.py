r"""Counts lines, in any encoding that a file can have, without ever refusing one for it.

A line ends with a line feed; what stands after the last line feed is a line too if there is anything. So `""` has 0
lines, `"a"` and `"a\n"` have 1, and CRLF files count right. The count is one of bytes, except that a file that starts
with a byte order mark of UTF-16 or UTF-32 is counted in that encoding. There the mark is no text: a file of nothing
else has 0 lines. Bytes at the end that are too few for a code unit are text after the last line feed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from desktop_app.processing.processor import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from desktop_app.processing.processor import Value
    from desktop_app.sources.local import Source

_LONGEST_MARK = 4


class _Encoding(NamedTuple):
    """An encoding whose line feed is more than one byte."""

    mark: bytes
    codec: str
    unit_bytes: Literal[2, 4]
    order: Literal["little", "big"]


# UTF-32 first: its little-endian mark starts with UTF-16's. A UTF-16 text whose first character is U+0000 is lost.
_ENCODINGS = (
    _Encoding(b"\xff\xfe\x00\x00", "utf-32-le", 4, "little"),
    _Encoding(b"\x00\x00\xfe\xff", "utf-32-be", 4, "big"),
    _Encoding(b"\xff\xfe", "utf-16-le", 2, "little"),
    _Encoding(b"\xfe\xff", "utf-16-be", 2, "big"),
)


LINES_COUNT = Field("lines_count", int, "Lines")


class LineProcessor:
    """Counts the lines of any file. Holds nothing between two files: one serves all threads."""

    name = "lines"
    fields = (LINES_COUNT,)

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - every file has lines, whatever its name
        """Return True: the lines of every file can be counted."""
        return True

    def process(self, source: Source) -> Mapping[str, Value]:
        """Count the lines; see `Processor.process`."""
        return {LINES_COUNT.name: count_lines(source.chunks())}


def count_lines(chunks: Iterable[bytes]) -> int:
    """Return the lines of a content that comes in pieces of any size, not empty ones. Memory stays flat."""
    counter: _Counter | None = None
    start = b""
    for chunk in chunks:
        if counter is not None:
            counter.feed(chunk)
            continue
        start += chunk
        if len(start) >= _LONGEST_MARK:
            counter = _counter_for(start)
    return (counter or _counter_for(start)).lines()


class _Counter(Protocol):
    def feed(self, chunk: bytes) -> None: ...

    def lines(self) -> int: ...


def _counter_for(start: bytes) -> _Counter:
    """Return a counter for what starts so, already fed with it."""
    counter: _Counter
    encoding = next((encoding for encoding in _ENCODINGS if start.startswith(encoding.mark)), None)
    if encoding is None:
        counter = _ByteCounter()
    else:
        counter = _UnitCounter(encoding)
        start = start[len(encoding.mark) :]
    if start:
        counter.feed(start)
    return counter


class _ByteCounter:
    """Counts the byte 0x0A."""

    def __init__(self) -> None:
        self._feeds = 0
        self._open_line = False

    def feed(self, chunk: bytes) -> None:
        self._feeds += chunk.count(b"\n")
        self._open_line = not chunk.endswith(b"\n")

    def lines(self) -> int:
        return self._feeds + self._open_line


class _UnitCounter:
    """Counts the code unit U+000A; 0x0A bytes inside other units, such as U+010A or U+0A0A, are not meant.

    Decoding is the fastest way (2 to 5 GB/s measured) for what decodes. A piece that does not, be it garbage or one
    that starts or ends inside a surrogate pair, is counted as numbers: a decoder that skips what it can't decode goes
    down to 0.02 GB/s, and keeps the window's thread waiting for the interpreter meanwhile.
    """

    def __init__(self, encoding: _Encoding) -> None:
        self._encoding = encoding
        self._feeds = 0
        self._rest = b""
        self._open_line = False

    def feed(self, chunk: bytes) -> None:
        if self._rest:
            chunk = self._rest + chunk
        whole = len(chunk) - len(chunk) % self._encoding.unit_bytes
        self._rest = chunk[whole:]
        units = chunk if not self._rest else chunk[:whole]
        if units:
            self._feeds += self._count(units)
            line_feed = (10).to_bytes(self._encoding.unit_bytes, self._encoding.order)
            self._open_line = not units.endswith(line_feed)

    def lines(self) -> int:
        return self._feeds + (self._open_line or bool(self._rest))

    def _count(self, units: bytes) -> int:
        try:
            return units.decode(self._encoding.codec).count("\n")
        except UnicodeDecodeError:
            return _count_as_numbers(units, self._encoding.unit_bytes, self._encoding.order)


_BLOCK_BYTES = 16 * 1024


def _count_as_numbers(units: bytes, unit_bytes: int, order: Literal["little", "big"]) -> int:
    """Count line feeds by arithmetic on many units at once, at the same speed (0.7 GB/s measured) for any content.

    A block is one long number with a slot for each unit. XOR with line feeds makes the slots wanted 0. In each other
    slot the top bit comes to be set: either it was, or adding 0x7F… to the lower bits carries into it, never further.
    """
    slots = _BLOCK_BYTES // unit_bytes
    ones = int.from_bytes((1).to_bytes(unit_bytes, "little") * slots, "little")
    top_bits = ones << (unit_bytes * 8 - 1)
    lower_bits = top_bits - ones
    line_feeds = ones * 10
    feeds = 0
    for start in range(0, len(units), _BLOCK_BYTES):
        # A last, shorter block leaves slots of 0 at the upper end; they are no line feeds.
        slots_xor = int.from_bytes(units[start : start + _BLOCK_BYTES], order) ^ line_feeds
        others = ((slots_xor & lower_bits) + lower_bits | slots_xor) & top_bits
        feeds += slots - others.bit_count()
    return feeds
