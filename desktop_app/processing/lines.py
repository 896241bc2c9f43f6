r"""Count the lines of text files in any encoding.

A line ends with a line feed. Text after the last line feed counts as a line, so `""` has 0 lines, and `"a"` and
`"a\n"` have 1. CRLF line endings are counted correctly.

A file that starts with a UTF-16 or UTF-32 byte order mark is read in that encoding, and any other file as bytes, so no
file fails because of its encoding. UTF-16 and UTF-32 without a mark are not recognized: no number of NUL bytes makes it
certain that a file is text. A byte order mark, including that of UTF-8, is not text. An incomplete code unit at the
end of the file counts as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.fields import DEFAULT_PROCESSOR, Field, Value
from desktop_app.domain.sentences import mark
from desktop_app.processing.line_feeds import count_line_feeds
from desktop_app.sources import local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from desktop_app.domain.fields import Option
    from desktop_app.processing.processor import Limits, Watch
    from desktop_app.sources.local import Source

# The byte order marks, and a line feed in their encodings. UTF-32 comes before UTF-16, since the little-endian mark of
# UTF-32 starts with that of UTF-16. A little-endian UTF-16 file that starts with U+0000 is therefore misread.
_MARKS = {
    b"\xff\xfe\0\0": b"\n\0\0\0",
    b"\0\0\xfe\xff": b"\0\0\0\n",
    b"\xff\xfe": b"\n\0",
    b"\xfe\xff": b"\0\n",
    b"\xef\xbb\xbf": b"\n",
}
_FIRST_BYTES = tuple({mark[:1] for mark in _MARKS})
_LONGEST_MARK = 4

LINES_COUNT = Field("lines_count", int, mark("Lines"))


class LineProcessor:
    """Counts the lines of any file. Has no state, so all threads can share it."""

    name = DEFAULT_PROCESSOR
    version = 1
    title = mark("Lines and size")
    fields = (LINES_COUNT,)
    options: tuple[Option, ...] = ()
    limits: Limits | None = None
    unavailable = ""

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: this processor accepts every file."""
        return True

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:  # noqa: ARG002
        """Count the lines; see `Processor.process`."""
        ahead = source.ahead if source.size >= local.READ_AHEAD_BYTES else None
        return {LINES_COUNT.name: count_lines(source.chunks(), ahead=ahead)}


def count_lines(
    chunks: Iterable[bytes],
    count: Callable[[bytes, bytes], int] = count_line_feeds,
    ahead: Callable[[Callable[[bytes], int]], Iterable[int]] | None = None,
) -> int:
    """Return the number of lines in a file. Memory use is constant.

    Args:
        chunks: The content in non-empty chunks of any size.
        count: The function that counts line feeds; see `count_line_feeds`.
        ahead: Calls a function for some of the chunks after the first one, as `Source.ahead` does.
    """
    rest = iter(chunks)
    chunk = next(rest, b"")
    feed, mark = b"\n", b""
    if chunk.startswith(_FIRST_BYTES):
        while len(chunk) < _LONGEST_MARK and (more := next(rest, b"")):
            chunk += more
        mark = next((mark for mark in _MARKS if chunk.startswith(mark)), b"")
        feed = _MARKS.get(mark, feed)
    feeds = 0
    if ahead is not None and len(chunk) % len(feed) == 0:
        feeds = sum(ahead(lambda text: count(text, feed)))
    chunk = chunk[len(mark) :] or next(rest, b"")
    last = cut = b""  # the last whole code unit, and the bytes after it
    while chunk:
        text = cut + chunk if cut else chunk
        feeds += count(text, feed)
        end = len(text) - len(text) % len(feed)
        last, cut = text[end - len(feed) : end], text[end:]
        chunk = next(rest, b"")
    return feeds + (bool(cut) or last not in (b"", feed))
