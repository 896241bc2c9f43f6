"""Opening and reading a source, and detecting changes meanwhile."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem
from desktop_app.sources import local as source_module
from desktop_app.sources.local import FileSource, open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")


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
        assert not source.changed()


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
        assert os.get_blocking(source._file.fileno())
        assert not os.get_inheritable(source._file.fileno())


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


@posix_only
@pytest.mark.parametrize("change", [grow, shrink, touch, replace, remove, hide_behind_a_file])
def test_every_change_is_noticed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.write_bytes(b"first")

    with open_source(str(file)) as source:
        change(file)

        assert source.changed()


def test_change_is_detected_even_if_a_share_still_reports_the_old_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"first")
    before = file.stat()

    with open_source(str(file)) as source:
        grow(file)
        monkeypatch.setattr(os, "stat", lambda *_, **__: before)

        assert source.changed()


@posix_only
def test_link_whose_target_changed_is_a_change(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"same")
        os.utime(tmp_path / name, ns=(1, 1))
    link = tmp_path / "link"
    link.symlink_to("one")

    with open_source(str(link)) as source:
        link.unlink()
        link.symlink_to("two")

        assert source.changed()


def test_undetectable_changes_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    really_stat = os.stat

    with open_source(str(tmp_path / "a")) as source:

        def away(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
            if path == str(tmp_path / "a"):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            return really_stat(path, *args, **kwargs)

        monkeypatch.setattr(os, "stat", away)

        with pytest.raises(FileError) as caught:
            source.changed()

    assert caught.value.passing
