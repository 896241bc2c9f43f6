"""Opening and reading a source, and detecting changes meanwhile."""

from __future__ import annotations

import errno
import itertools
import os
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem
from desktop_app.sources import local as source_module
from desktop_app.sources.local import Change, FileSource, open_source
from tests.helpers import wait_for_another_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")


@pytest.fixture(autouse=True)
def no_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read small files like all others; `test_small_files.py` tests the compiled code."""
    monkeypatch.setattr(source_module, "read_small_file", None)


def refusal(path: str | Path) -> FileError:
    with pytest.raises(FileError) as caught:
        open_source(str(path))
    return caught.value


def content(path: str | Path, chunk_bytes: int = 1 << 20) -> bytes:
    with open_source(str(path)) as source:
        return b"".join(source.chunks(chunk_bytes))


def test_file_returns_its_size_and_its_bytes_in_chunks(tmp_path: Path) -> None:
    file = tmp_path / "ten"
    file.write_bytes(b"0123456789")

    with open_source(str(file)) as source:
        assert source.size == 10
        assert list(source.chunks(4)) == [b"0123", b"4567", b"89"]
        assert source.change() is Change.NONE


def test_empty_file_has_no_chunks(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    with open_source(str(tmp_path / "empty")) as source:
        assert source.size == 0
        assert list(source.chunks()) == []


def test_leaving_the_context_closes_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")

    with FileSource(str(tmp_path / "a")) as source:
        pieces = source.chunks()

    with pytest.raises(ValueError, match="closed"):
        next(pieces)


@pytest.mark.parametrize(
    "name", [b"caf\xe9.txt", b"two\nlines", b"\"quotes'", b"<b>bold&amp;", b" ", b"-rf", "ü😀".encode()]
)
@posix_only
def test_file_with_any_valid_name_can_be_opened(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        path.write_bytes(b"here")
    except OSError:
        if name.isascii():
            raise
        pytest.skip("this file system takes only UTF-8 names")

    assert content(path) == b"here"


@posix_only
def test_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")

    assert content(tmp_path / "link") == b"content"


@posix_only
def test_reads_of_an_open_file_may_block_though_opening_may_not(tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    with FileSource(str(tmp_path / "a")) as source:
        assert os.get_blocking(source._descriptor)
        assert not os.get_inheritable(source._descriptor)


@posix_only
def test_missing_flags_of_open_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_EXTRA_FLAGS", 0)
    (tmp_path / "a").write_bytes(b"a")

    assert content(tmp_path / "a") == b"a"


# --- changes between the check, the opening and the end


@posix_only
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_file_replaced_by_another_kind_before_opening_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    really_open = os.open

    def swap_and_open(path: str, flags: int) -> int:
        file.unlink()
        if kind == "pipe":
            os.mkfifo(file)
        elif kind == "folder":
            file.mkdir()
        else:
            file.symlink_to("/dev/null")
        return really_open(path, flags)

    monkeypatch.setattr(os, "open", swap_and_open)

    assert refusal(file).reason.code.problem is FileProblem.NOT_A_FILE


def grow(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"more")


def shrink(file: Path) -> None:
    os.truncate(file, 1)


def touch(file: Path) -> None:
    os.utime(file, ns=(1, 1))


def rewrite_and_set_the_time_back(file: Path) -> None:
    info = file.stat()
    with file.open("r+b") as stream:
        stream.write(b"FIRST")
    os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))


def replace(file: Path) -> None:
    """Replace a file by another one of the same size and time."""
    info = file.stat()
    (file.parent / "other").write_bytes(b"OTHER")
    os.utime(file.parent / "other", ns=(info.st_atime_ns, info.st_mtime_ns))
    (file.parent / "other").replace(file)


def remove(file: Path) -> None:
    file.unlink()


def hide_behind_a_file(file: Path) -> None:
    file.unlink()
    file.parent.rmdir()
    file.parent.write_bytes(b"no folder any more")


def make_readable(file: Path) -> None:
    file.chmod(0o640)


def link_as_a_backup(file: Path) -> None:
    (file.parent / "backup").hardlink_to(file)


def set_the_access_time_back(file: Path) -> None:
    os.utime(file, ns=(1, file.stat().st_mtime_ns))


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """Return a file whose status changed long enough ago for the next change to get another time."""
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.write_bytes(b"first")
    wait_for_another_time(file)
    return file


@posix_only
@pytest.mark.parametrize("change", [grow, shrink, touch])
def test_change_of_size_or_time_is_a_change_of_the_content(old_file: Path, change: Callable[[Path], None]) -> None:
    with open_source(str(old_file)) as source:
        change(old_file)

        assert source.change() is Change.CONTENT


@posix_only
@pytest.mark.parametrize(
    "change",
    [
        rewrite_and_set_the_time_back,
        replace,
        remove,
        hide_behind_a_file,
        make_readable,
        link_as_a_backup,
        set_the_access_time_back,
    ],
)
def test_every_other_change_is_a_change_of_the_status(old_file: Path, change: Callable[[Path], None]) -> None:
    with open_source(str(old_file)) as source:
        change(old_file)

        assert source.change() is Change.STATUS


@posix_only
def test_reading_a_file_is_no_change(old_file: Path) -> None:
    os.utime(old_file, ns=(1, old_file.stat().st_mtime_ns))  # so that the access time is updated even with relatime

    with open_source(str(old_file)) as source:
        assert list(source.chunks()) == [b"first"]
        assert source.change() is Change.NONE


def test_what_the_path_reports_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems report other inode numbers at each call, or an outdated size."""
    file = tmp_path / "file"
    file.write_bytes(b"first")
    inodes = itertools.count(1)
    really_stat, really_fstat = os.stat, os.fstat

    def renumbered(info: os.stat_result) -> os.stat_result:
        number = next(inodes)
        return os.stat_result(
            (info[0], number, number, *info[3:10]), {"st_mtime_ns": info.st_mtime_ns, "st_ctime_ns": info.st_ctime_ns}
        )

    monkeypatch.setattr(os, "stat", lambda *a, **k: renumbered(really_stat(*a, **k)))
    monkeypatch.setattr(os, "fstat", lambda descriptor: renumbered(really_fstat(descriptor)))

    with open_source(str(file)) as source:
        assert source.change() is Change.NONE
        monkeypatch.setattr(os, "stat", lambda *_, **__: pytest.fail("the path was looked up"))
        grow(file)
        assert source.change() is Change.CONTENT


def test_creation_time_of_windows_is_not_compared(old_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_ON_WINDOWS", True)

    with open_source(str(old_file)) as source:
        make_readable(old_file)

        assert source.change() is Change.NONE


def test_undetectable_changes_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()

    with open_source(str(tmp_path / "a")) as source:

        def away(_descriptor: int) -> os.stat_result:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        with monkeypatch.context() as patched:
            patched.setattr(os, "fstat", away)
            with pytest.raises(FileError) as caught:
                source.change()

    assert caught.value.passing
