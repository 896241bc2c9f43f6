"""Both implementations of counting line feeds, each compared with a plain count."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop_app.processing.line_feeds import count_compiled, count_in_python, count_line_feeds

if TYPE_CHECKING:
    from collections.abc import Callable

FEEDS = [b"\n", b"\n\0", b"\0\n", b"\n\0\0\0", b"\0\0\0\n"]

needs_compiled = pytest.mark.skipif(count_compiled is None, reason="there was no C compiler")


@pytest.fixture(
    params=[
        pytest.param(count_in_python, id="python"),
        pytest.param(count_compiled, id="compiled", marks=needs_compiled),
    ]
)
def count(request: pytest.FixtureRequest) -> Callable[[bytes, bytes], int]:
    return cast("Callable[[bytes, bytes], int]", request.param)


def plain_count(text: bytes, feed: bytes) -> int:
    """Compare one code unit after the other; an incomplete one at the end is none."""
    return sum(text[at : at + len(feed)] == feed for at in range(0, len(text), len(feed)))


@given(
    feed=st.sampled_from(FEEDS),
    start=st.binary(max_size=5),
    piece=st.lists(st.sampled_from([0, 0x0A, 0x0D, 0x80, 0xDC, 0xFF]), min_size=1, max_size=40).map(bytes),
    times=st.integers(0, 500),
)
@example(feed=b"\n", start=b"", piece=b"\n", times=70_000)
@example(feed=b"\n\0", start=b"\n", piece=b"\n\0", times=70_000)
@example(feed=b"\0\0\0\n", start=b"\0\0\0", piece=b"\0\0\0\n", times=70_000)
def test_implementations_agree_with_a_plain_count(feed: bytes, start: bytes, piece: bytes, times: int) -> None:
    text = start + piece * times
    expected = plain_count(text, feed)

    assert count_in_python(text, feed) == expected
    if count_compiled is not None:
        assert count_compiled(text, feed) == expected
        for skipped in range(1, 4):  # text that begins at an odd address
            part = cast("bytes", memoryview(text)[skipped:])
            assert count_compiled(part, feed) == count_in_python(text[skipped:], feed)


@pytest.mark.parametrize("feed", FEEDS)
def test_no_counter_overflows_when_all_is_line_feeds(feed: bytes, count: Callable[[bytes, bytes], int]) -> None:
    number = (17 << 20) // len(feed) + 3

    assert count(feed * number + feed[:-1], feed) == number


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("units", [0, 1, 63, 64, 65, 127, 128, 255, 256, 257, 511, 1023])
def test_first_and_last_code_units_are_counted(feed: bytes, units: int, count: Callable[[bytes, bytes], int]) -> None:
    other = b"x" * len(feed)

    assert count(feed + other * units + feed, feed) == 2
    assert count(other * units, feed) == 0


@needs_compiled
def test_compiled_function_is_used() -> None:
    assert count_line_feeds is count_compiled


@needs_compiled
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), TypeError),
        ((b"", b"\n", b""), TypeError),
        (("", b"\n"), TypeError),
        ((b"", "\n"), TypeError),
        ((b"", b""), ValueError),
        ((b"", b"\n\0\0"), ValueError),
    ],
)
def test_compiled_function_refuses_wrong_arguments(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    assert count_compiled is not None
    with pytest.raises(error):
        count_compiled(*arguments)


@needs_compiled
def test_other_threads_run_while_a_large_text_is_counted() -> None:
    text = bytes(16 << 20)
    counted: list[int] = []
    stop = threading.Event()

    def count_again_and_again() -> None:
        while not stop.is_set() and len(counted) < 5_000:
            counted.append(count_line_feeds(text, b"\n"))

    usual = sys.getswitchinterval()
    sys.setswitchinterval(3600)  # a thread gives up the interpreter lock only if it releases it
    try:
        thread = threading.Thread(target=count_again_and_again)
        thread.start()
        stop.set()
        thread.join()
    finally:
        sys.setswitchinterval(usual)

    assert len(counted) < 5_000
