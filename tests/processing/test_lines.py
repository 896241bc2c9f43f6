"""Line counts for all encodings, chunk sizes and invalid data."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop_app.processing.line_feeds import count_compiled, count_in_python
from desktop_app.processing.lines import LineProcessor, count_lines
from tests.helpers.memory import measured_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
PIECES = [1, 2, 3, 4, 5, 7, 64, 1 << 20]


def cut(content: bytes, piece_bytes: int) -> Iterator[bytes]:
    for start in range(0, len(content), piece_bytes):
        yield content[start : start + piece_bytes]


IMPLEMENTATIONS = [count_in_python] if count_compiled is None else [count_in_python, count_compiled]


def count(content: bytes, piece_bytes: int = 1 << 20) -> int:
    """Return the number of lines, on which all implementations agree."""
    (lines,) = {count_lines(cut(content, piece_bytes), implementation) for implementation in IMPLEMENTATIONS}
    return lines


def lines_of_text(text: str) -> int:
    """Count lines with another algorithm: the line feeds, plus one for text after the last of them."""
    *ended, rest = text.split("\n")
    return len(ended) + bool(rest)


def lines_of_units(content: bytes) -> int:
    """Count lines one code unit at a time; an incomplete unit at the end counts as one."""
    marks = sorted(MARKS.items(), key=lambda item: -len(item[1]))
    marks.append(("", codecs.BOM_UTF8))
    codec, mark = next(((c, m) for c, m in marks if content.startswith(m)), ("", b""))
    width = int(codec[4:6]) // 8 if codec else 1
    units = list(cut(content[len(mark) :], width))
    feed = "\n".encode(codec or "ascii")
    return units.count(feed) + bool(units and units[-1] != feed)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", 0),
        (b"a", 1),
        (b"a\n", 1),
        (b"\n", 1),
        (b"\n\n", 2),
        (b"a\nb", 2),
        (b"a\nb\n", 2),
        (b"a\r\nb\r\n", 2),
        (b"a\r\nb", 2),
        (b"a\rb\r", 1),
        (b"\0", 1),
        (b"\0\n\0\n", 2),
        (b"\xff\n\xfe\x80\n\xc3", 3),
        ("ä\nö".encode(), 2),
        ("a\nb".encode("latin-1"), 2),
        ("a\u2028b\u0085c".encode(), 1),
        (b"\xff", 1),
        (b"\xfe\n", 1),
        (b"\0\0\xfe", 1),
        ("a\nb\n".encode("utf-16-le"), 3),
    ],
)
@pytest.mark.parametrize("piece_bytes", PIECES)
def test_bytes_without_a_mark_are_counted_by_their_line_feeds(content: bytes, lines: int, piece_bytes: int) -> None:
    assert count(content, piece_bytes) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", 0),
        ("a", 1),
        ("a\n", 1),
        ("\n", 1),
        ("\n\n", 2),
        ("a\nb", 2),
        ("a\r\nb\r\n", 2),
        ("a\rb", 1),
        ("a\0\n\0", 2),
        ("\u0a0a\u0a00\u000a\u0100", 2),
        ("\u010a\u020a\u0a01\u0a0a", 1),
        ("\u0a00\u0a00\u0a00", 1),
        ("\u4e0a\u0a4e\n", 1),
        ("😀\n😀", 2),
        ("\u2028\u0085\v\f", 1),
    ],
)
@pytest.mark.parametrize("codec", MARKS)
@pytest.mark.parametrize("piece_bytes", PIECES)
def test_text_with_a_mark_is_counted_in_its_encoding(text: str, lines: int, codec: str, piece_bytes: int) -> None:
    assert count(MARKS[codec] + text.encode(codec), piece_bytes) == lines


@pytest.mark.parametrize(
    ("rest", "lines"),
    [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\xff\n\xfe", 2), (codecs.BOM_UTF8, 1)],
)
@pytest.mark.parametrize("piece_bytes", PIECES)
def test_mark_of_utf_8_is_not_text(rest: bytes, lines: int, piece_bytes: int) -> None:
    assert count(codecs.BOM_UTF8 + rest, piece_bytes) == lines


@pytest.mark.parametrize("mark", [*MARKS.values(), codecs.BOM_UTF8])
@pytest.mark.parametrize("piece_bytes", PIECES)
def test_part_of_a_mark_is_text(mark: bytes, piece_bytes: int) -> None:
    if mark[:-1] not in MARKS.values():
        assert count(mark[:-1], piece_bytes) == 1


@pytest.mark.parametrize("codec", MARKS)
@pytest.mark.parametrize("rest", [b"\n", b"\0", b"\n\0", b"\0\n", b"\0\0\n", b"x"])
def test_bytes_too_few_for_a_code_unit_are_text_after_the_last_line_feed(codec: str, rest: bytes) -> None:
    rest = rest[: int(codec[4:6]) // 8 - 1]

    assert count(MARKS[codec] + "a\n".encode(codec) + rest) == 2


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("lone", ["\ud800", "x\udc00", "\udc00\ud800"])
def test_halves_of_surrogate_pairs_hide_no_line_feed(codec: str, lone: str) -> None:
    text = f"{lone}\n{lone}\n"

    assert count(MARKS[codec] + text.encode(codec, "surrogatepass")) == 2


@pytest.mark.parametrize("codec", ["utf-32-le", "utf-32-be"])
def test_invalid_code_points_hide_no_line_feed(codec: str) -> None:
    feed = "\n".encode(codec)

    assert count(MARKS[codec] + b"\xff\xff\xff\xff" + feed + b"\x7f\x80\x7f\x80" + feed + b"\x80\x00\x00\x80") == 3


@pytest.mark.parametrize("codec", MARKS)
def test_units_that_differ_from_a_line_feed_in_one_bit_are_not_counted(codec: str) -> None:
    width = int(codec[4:6]) // 8
    order: Literal["little", "big"] = "little" if codec.endswith("le") else "big"
    near = b"".join((0x0A ^ 1 << bit).to_bytes(width, order) for bit in range(width * 8))
    garbage = b"\xdc\xdc\xdc\xdc"

    assert count(MARKS[codec] + garbage + near + "\n".encode(codec)) == 1


def test_mark_of_utf_32_is_not_taken_for_that_of_utf_16() -> None:
    text = "\u0a00\n\u000a"

    assert count(codecs.BOM_UTF32_LE + text.encode("utf-32-le")) == 2


@given(content=st.binary(max_size=300), piece_bytes=st.sampled_from(PIECES))
@example(content=b"\xff\xfe\0", piece_bytes=1)
@example(content=codecs.BOM_UTF8, piece_bytes=1)
@example(content=b"\xff\xfe\0\0", piece_bytes=3)
def test_any_bytes_have_the_specified_number_of_lines(content: bytes, piece_bytes: int) -> None:
    assert count(content, piece_bytes) == lines_of_units(content)


@given(
    codec=st.sampled_from(sorted(MARKS)),
    body=st.lists(st.sampled_from([0, 0x0A, 0x0D, 0x80, 0xD8, 0xDC, 0xFF]), max_size=60).map(bytes),
    piece_bytes=st.sampled_from(PIECES),
)
def test_any_bytes_after_a_mark_have_the_specified_number_of_lines(codec: str, body: bytes, piece_bytes: int) -> None:
    content = MARKS[codec] + body

    assert count(content, piece_bytes) == lines_of_units(content)


@given(
    codec=st.sampled_from(sorted(MARKS)),
    # In UTF-16 LE, a text that begins with U+0000 has the byte order mark of UTF-32 LE.
    text=st.text(st.sampled_from("\n\r\0a\u0100\u010a\u0a00\u0a0a😀")).filter(lambda text: not text.startswith("\0")),
    piece_bytes=st.sampled_from(PIECES),
)
def test_any_text_has_as_many_lines_as_its_decoded_form(codec: str, text: str, piece_bytes: int) -> None:
    assert count(MARKS[codec] + text.encode(codec), piece_bytes) == lines_of_text(text)


@pytest.mark.parametrize("codec", MARKS)
@pytest.mark.parametrize("blocks", [1, 1.5, 3])
def test_garbage_longer_than_a_block_is_counted_to_its_end(codec: str, blocks: float) -> None:
    """An incomplete surrogate pair or an invalid number makes Python count the whole chunk block by block."""
    width = int(codec[4:6]) // 8
    unit = ("x\n" * int(blocks * 16 * 1024 / width / 2)).encode(codec)
    garbage = b"\xdc\xdc\xdc\xdc"

    assert count(MARKS[codec] + garbage + unit + garbage) == len(unit) // width // 2 + 1


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE])
def test_memory_is_constant_for_any_length(mark: bytes) -> None:
    def endless_looking() -> Iterator[bytes]:
        yield mark
        for number in range(48):
            yield bytes([number]) * (1 << 20)

    with measured_memory() as memory:
        count_lines(piece for piece in endless_looking() if piece)
    assert memory.peak < 8 << 20


def test_every_file_is_accepted() -> None:
    assert all(LineProcessor().accepts(path) for path in ("/a.txt", "/a", "/\udcff", ""))
