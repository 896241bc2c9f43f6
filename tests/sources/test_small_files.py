"""The compiled code for small files: it returns what `FileSource` returns, and leaves everything unusual to it."""

from __future__ import annotations

import os
import socket
import sys
from array import array
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.errors import FileError
from desktop_app.sources.local import (
    MOST_SMALL_FILES,
    SMALL_FILE_BYTES,
    Change,
    FileSource,
    SmallSource,
    open_source,
    read_small_file,
    read_small_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

needs_compiled = pytest.mark.skipif(read_small_file is None, reason="it was not compiled")


def read(path: Path | str) -> bytes | None:
    assert read_small_file is not None
    return read_small_file(str(path))


@needs_compiled
@pytest.mark.parametrize("size", [0, 1, 2, 4_095, 4_096, SMALL_FILE_BYTES - 1, SMALL_FILE_BYTES])
def test_small_file_is_read_at_once(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(content := os.urandom(size))

    assert read(tmp_path / "a") == content
    with open_source(str(tmp_path / "a")) as source:
        assert isinstance(source, SmallSource)
        assert source.size == size
        assert b"".join(source.chunks()) == content
        assert source.change() is Change.NONE


@needs_compiled
def test_larger_file_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(SMALL_FILE_BYTES + 1))

    assert read(tmp_path / "a") is None
    with open_source(str(tmp_path / "a")) as source:
        assert isinstance(source, FileSource)


@given(content=st.binary(max_size=40), chunk_bytes=st.integers(1, 50))
def test_chunks_are_the_content_and_no_longer_than_requested(content: bytes, chunk_bytes: int) -> None:
    chunks = list(SmallSource(content, "a").chunks(chunk_bytes))

    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= chunk_bytes for chunk in chunks)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def make_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_link_to_nothing(path: Path) -> None:
    path.symlink_to("gone")


def make_circle(path: Path) -> None:
    path.symlink_to(path.name)


def make_nothing(path: Path) -> None:
    assert not path.exists()


@needs_compiled
@pytest.mark.parametrize(
    "make",
    [
        make_folder,
        make_pipe,
        make_link_to_a_pipe,
        make_link_to_a_device,
        make_link_to_nothing,
        make_circle,
        make_nothing,
    ],
)
def test_everything_else_is_refused_with_its_reason(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "it")

    assert read(tmp_path / "it") is None
    with pytest.raises(FileError):
        open_source(str(tmp_path / "it"))


@needs_compiled
def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the address of a socket can't be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        assert read("socket") is None


@needs_compiled
@pytest.mark.parametrize("path", ["", "/a\0b", "\0", "/nowhere/\ud800", "x" * 5_000, "/dev/null/a"])
def test_invalid_path_is_no_error(path: str) -> None:
    assert read(path) is None


@needs_compiled
def test_argument_that_is_no_path_is_no_error() -> None:
    assert read_small_file is not None
    assert read_small_file(None) is None  # type: ignore[arg-type]


@needs_compiled
def test_link_to_a_file_is_followed_and_any_name_is_valid(tmp_path: Path) -> None:
    (tmp_path / "ü😀\n").write_bytes(b"here")
    (tmp_path / "link").symlink_to("ü😀\n")

    assert read(tmp_path / "ü😀\n") == b"here"
    assert read(tmp_path / "link") == b"here"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@needs_compiled
@pytest.mark.parametrize("path", ["/proc/self/limits", "/proc/self/mem"])
def test_file_whose_size_is_untrue_is_left_to_others(path: str) -> None:
    assert read(path) is None


@needs_compiled
def test_no_descriptor_remains_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with (tmp_path / "a").open("rb") as file:
        first_free = file.fileno()

    for path in ("a", "gone", "."):
        read(tmp_path / path)

    with (tmp_path / "a").open("rb") as file:
        assert file.fileno() == first_free


def read_all(paths: list[str], seconds: float = 60) -> tuple[list[bytes | None], int]:
    """Return the contents, and the index of the file that was read last."""
    assert read_small_files is not None
    place = array("q", [-1])
    return read_small_files(paths, place, seconds), place[0]


@needs_compiled
@given(contents=st.lists(st.binary(max_size=50) | st.none(), max_size=MOST_SMALL_FILES))
def test_many_files_are_read_with_one_call_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes | None]
) -> None:
    folder = tmp_path_factory.mktemp("many")
    for number, content in enumerate(contents):
        if content is not None:
            (folder / str(number)).write_bytes(content)

    read_at_once = read_all([str(folder / str(number)) for number in range(len(contents))])

    assert read_at_once == (contents, len(contents) - 1)


@needs_compiled
def test_many_of_the_largest_size_are_read_with_one_call(tmp_path: Path) -> None:
    contents = [os.urandom(SMALL_FILE_BYTES) for _ in range(MOST_SMALL_FILES)]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    (tmp_path / "0").write_bytes(bytes(SMALL_FILE_BYTES + 1))

    found, _ = read_all([str(tmp_path / str(number)) for number in range(MOST_SMALL_FILES)])

    assert found == [None, *contents[1:]]


@needs_compiled
def test_no_further_file_is_read_when_the_time_is_up(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")

    assert read_all([str(tmp_path / "a")] * 3, seconds=0) == ([b"a", None, None], 0)


@needs_compiled
@pytest.mark.parametrize("make", [make_folder, make_pipe, make_link_to_a_pipe, make_circle, make_nothing])
def test_unusual_file_among_many_is_left_to_others(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "a").write_bytes(b"a")
    make(tmp_path / "it")
    paths = [str(tmp_path / "a"), str(tmp_path / "it"), "\0", "/nowhere/\ud800", str(tmp_path / "a")]

    assert read_all(paths)[0] == [b"a", None, None, None, b"a"]


@needs_compiled
def test_link_among_many_is_left_to_others_because_it_can_lead_to_a_share(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "link").symlink_to("a")

    assert read_all([str(tmp_path / "link")])[0] == [None]


@needs_compiled
def test_wrong_use_of_the_compiled_function_is_an_error(tmp_path: Path) -> None:
    assert read_small_files is not None
    with pytest.raises(ValueError, match="too many"):
        read_small_files([str(tmp_path)] * (MOST_SMALL_FILES + 1), array("q", [0]), 1)
    with pytest.raises(ValueError, match="64-bit"):
        read_small_files([str(tmp_path)], array("b", [0]), 1)
    with pytest.raises(TypeError):
        read_small_files((str(tmp_path),), array("q", [0]), 1)  # type: ignore[arg-type]
