"""Reading a large file with two threads: the content, its order, and what ends it early."""

from __future__ import annotations

import errno
import os
import random
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.processing.lines import LineProcessor, count_lines
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import PAUSES_S, FileResult, ProcessorRegistry, default_registry
from desktop_app.sources import local, read_ahead
from desktop_app.sources.local import CHUNK_BYTES, Change, FileSource, open_source
from desktop_app.sources.read_ahead import ReadAhead
from tests.helpers import wait_until
from tests.helpers.fakes import RecordingWatch
from tests.processing.test_registry import TickingClock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from desktop_app.sources.local import Source

pytestmark = pytest.mark.skipif(not hasattr(os, "pread"), reason="this system has no pread")

THREAD = "read-ahead"


def count_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def is_running() -> bool:
    return any(thread.name == THREAD for thread in threading.enumerate())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(number % 251 for number in range(10_000)))
    return path


@pytest.fixture(autouse=True)
def no_thread_remains() -> Iterator[None]:
    yield
    wait_until(lambda: not is_running())


@pytest.fixture
def descriptor(file: Path) -> Iterator[int]:
    opened = os.open(file, os.O_RDONLY)
    yield opened
    os.close(opened)


@pytest.fixture
def from_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small files be read by two threads, on any machine."""
    monkeypatch.setattr(local, "READ_AHEAD_BYTES", 1000)
    monkeypatch.setattr(local, "can_read_ahead", lambda: True)


def read(descriptor: int, end: int = 10_000, chunk_bytes: int = 1_000) -> Generator[bytes]:
    return ReadAhead(descriptor, 0, end, chunk_bytes, bytes).results()


@pytest.mark.parametrize(("begin", "end"), [(0, 10_000), (1, 9_997), (9_996, 10_000), (5_000, 5_000)])
@pytest.mark.parametrize("chunk_bytes", [1, 4])
def test_results_are_those_of_all_chunks_in_order(
    descriptor: int, file: Path, begin: int, end: int, chunk_bytes: int
) -> None:
    content = file.read_bytes()
    expected = [content[at : at + chunk_bytes] for at in range(begin, end, chunk_bytes)]

    assert list(ReadAhead(descriptor, begin, end, chunk_bytes, bytes).results()) == expected


def on_each_read(monkeypatch: pytest.MonkeyPatch, before: Callable[[int, str], object]) -> None:
    """Call a function before each read, with its position and the name of its thread."""
    really_read = os.pread

    def read(descriptor: int, size: int, position: int) -> bytes:
        before(position, threading.current_thread().name)
        return really_read(descriptor, size, position)

    monkeypatch.setattr(os, "pread", read)


def test_both_threads_read(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    on_each_read(monkeypatch, lambda position, _: both.wait() if position < 2_000 else None)

    assert sum(map(len, read(descriptor))) == 10_000
    assert not both.broken


def test_no_thread_is_far_ahead(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    positions: list[int] = []
    on_each_read(monkeypatch, lambda position, _: positions.append(position))

    for number, _ in enumerate(read(descriptor, chunk_bytes=10), start=1):
        assert max(positions) < (number + 64) * 10

    assert sorted(positions) == list(range(0, 10_000, 10))


def test_error_is_raised_after_the_chunks_before_it(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(position: int, _: str) -> None:
        if position >= 5_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    on_each_read(monkeypatch, fail)
    chunks = read(descriptor)

    assert [len(next(chunks)) for _ in range(5)] == [1_000] * 5
    with pytest.raises(OSError, match="error") as caught:
        next(chunks)
    assert caught.value.errno == errno.EIO


def test_error_of_the_function_is_raised_on_the_calling_thread(descriptor: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(ReadAhead(descriptor, 0, 10_000, 1_000, lambda chunk: len(chunk) // 0).results())


def test_end_of_a_truncated_file_is_the_end(descriptor: int, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_each_read(monkeypatch, lambda position, _: os.truncate(file, 4_500) if position == 3_000 else None)

    assert len(b"".join(read(descriptor))) == 4_000


def test_slow_read_ends_reading_ahead_without_a_gap(
    descriptor: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "SLOW_SECONDS", -1.0)

    content = b"".join(read(descriptor))

    assert len(content) in {1_000, 2_000}
    assert file.read_bytes().startswith(content)


def test_nobody_waits_for_a_blocked_thread_after_the_end(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    is_blocked, responds = threading.Event(), threading.Event()

    def block(position: int, thread: str) -> None:
        if position and thread == THREAD:
            is_blocked.set()
            responds.wait()
        elif position:
            is_blocked.wait()

    on_each_read(monkeypatch, block)
    before = count_descriptors()

    with closing(read(descriptor)) as chunks:
        assert len(next(chunks)) == 1_000
        is_blocked.wait()
    assert is_running()
    responds.set()

    wait_until(lambda: count_descriptors() == before)


# --- of a source


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch, from_little: None) -> None:
    """Let two threads read small chunks."""
    monkeypatch.setattr(local, "CHUNK_BYTES", 16)


def of_source(source: Source) -> bytes:
    """Return the content, read ahead after the first chunk."""
    chunks = source.chunks(16)
    return next(chunks, b"") + b"".join(source.ahead(bytes)) + b"".join(chunks)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("size", [999, 1_000, 1_001, 1_015, 1_016, 1_017, 1_031, 1_032, 1_033, 9_999, 10_000])
def test_source_returns_its_content_and_leaves_some_to_the_calling_thread(file: Path, size: int) -> None:
    os.truncate(file, size)

    with FileSource(str(file)) as source:
        assert of_source(source) == file.read_bytes()
        assert source.change() is Change.NONE
    with FileSource(str(file)) as source:
        first = next(source.chunks(16))
        assert len(first) + sum(map(len, source.ahead(bytes))) < size


@pytest.mark.usefixtures("small_chunks")
def test_source_returns_the_content_of_a_slow_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "SLOW_SECONDS", -1.0)

    with FileSource(str(file)) as source:
        assert of_source(source) == file.read_bytes()


@pytest.mark.usefixtures("small_chunks")
def test_source_reports_a_read_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int, __: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    on_each_read(monkeypatch, fail)

    with FileSource(str(file)) as source, pytest.raises(FileError) as caught:
        of_source(source)
    assert caught.value.passing


@pytest.mark.parametrize("is_large", [False, True])
def test_one_thread_reads_small_files_and_on_systems_that_can_not_do_better(
    file: Path, monkeypatch: pytest.MonkeyPatch, *, is_large: bool
) -> None:
    monkeypatch.setattr(local, "READ_AHEAD_BYTES", 1_000 if is_large else 20_000)
    monkeypatch.setattr(local, "can_read_ahead", lambda: not is_large)

    with FileSource(str(file)) as source:
        assert list(source.ahead(bytes)) == []
    with open_source(str(file)) as source:
        assert list(source.ahead(bytes)) == []


# --- through all layers


MARKS = [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"]


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    return tmp_path / "large"


@pytest.mark.usefixtures("from_little")
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("rest", [b"", b"\n", b"x", b"\n\0\0\0", b"\0\0\0\n", b"x\n\0"])
def test_lines_are_the_same_as_with_one_thread(large_file: Path, mark: bytes, rest: bytes) -> None:
    content = mark + random.Random(1).randbytes(3 * CHUNK_BYTES).replace(b"7", b"\n\0\0\0\0\0\0\n") + rest
    large_file.write_bytes(content)

    result = default_registry().process(str(large_file), RecordingWatch())

    assert result == FileResult(len(content), count_lines([content]))


@pytest.mark.usefixtures("from_little")
def test_cancelling_progress_and_accesses_are_as_with_one_thread(large_file: Path) -> None:
    large_file.write_bytes(bytes(5 * CHUNK_BYTES))
    watch = RecordingWatch()
    default_registry(TickingClock(1.0)).process(str(large_file), watch)

    done = [done for done, _ in watch.progress]
    assert done == sorted(done)
    assert done[-1] == 5 * CHUNK_BYTES
    assert len(done) >= 6
    assert watch.accesses == [True, False] * (len(watch.accesses) // 2)
    for question in range(1, watch.questions + 1):
        with pytest.raises(Cancelled):
            default_registry().process(str(large_file), RecordingWatch(stop_at_question=question))


@pytest.mark.usefixtures("from_little")
def test_large_file_that_changes_is_read_again(large_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large_file.write_bytes(b"a\n" * CHUNK_BYTES)
    times = iter(range(1, 100))
    on_each_read(monkeypatch, lambda *_: os.truncate(large_file, CHUNK_BYTES + next(times)))
    pauses: list[float] = []
    registry = ProcessorRegistry([LineProcessor()], pause=pauses.append)

    result = registry.process(str(large_file), RecordingWatch())

    assert result == FileResult(large_file.stat().st_size, -(-large_file.stat().st_size // 2))
    assert pauses == [PAUSES_S[0]]
