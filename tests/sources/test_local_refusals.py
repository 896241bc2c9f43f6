"""Sources that are refused without being opened, and the sentences for errors of the system."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem
from desktop_app.sources import local as source_module
from desktop_app.sources.local import file_error, open_source, unprocessable_kind

if TYPE_CHECKING:
    from collections.abc import Callable

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")


@pytest.fixture(autouse=True)
def no_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read small files like all others; `test_small_files.py` tests the compiled code."""
    monkeypatch.setattr(source_module, "read_small_file", None)


NOT_FOR_PEOPLE = re.compile(r"error|failed|invalid|errno", re.IGNORECASE)


@pytest.fixture
def no_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if anything is opened."""

    def opened(path: str, *_: object, **__: object) -> NoReturn:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(os, "open", opened)


def refusal(path: str | Path) -> FileError:
    with pytest.raises(FileError) as caught:
        open_source(str(path))
    return caught.value


# --- refused without being opened


@pytest.mark.usefixtures("no_opening")
def test_folder_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path)

    assert (error.reason.code.problem, error.text) == (FileProblem.NOT_A_FILE, "This is a folder, not a file")


@posix_only
@pytest.mark.usefixtures("no_opening")
def test_named_pipe_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")

    for name in ("pipe", "link"):
        error = refusal(tmp_path / name)
        assert error.reason.code.problem is FileProblem.NOT_A_FILE
        assert error.text == "This is a named pipe; only regular files can be processed"


@posix_only
@pytest.mark.usefixtures("no_opening")
def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the address of a socket can't be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        error = refusal(tmp_path / "socket")

    assert error.reason.code.problem is FileProblem.NOT_A_FILE
    assert error.text == "This is a socket; only regular files can be processed"


@posix_only
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
@pytest.mark.usefixtures("no_opening")
def test_device_is_refused(device: str) -> None:
    if not Path(device).exists():
        pytest.skip(f"no {device} here")
    error = refusal(device)

    assert error.reason.code.problem is FileProblem.NOT_A_FILE
    assert error.text == "This is a device; only regular files can be processed"


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        (stat.S_IFREG, ""),
        (stat.S_IFDIR, "folder"),
        (stat.S_IFIFO, "named pipe"),
        (stat.S_IFSOCK, "socket"),
        (stat.S_IFCHR, "device"),
        (stat.S_IFBLK, "device"),
        (0, "not a regular file"),
    ],
)
def test_every_kind_has_its_sentence(mode: int, word: str) -> None:
    code = unprocessable_kind(mode | 0o644)

    assert word in (code.template if code else "")
    assert (code is None) == (word == "")


@pytest.mark.parametrize(
    "address", ["http://example.org/a", "HTTPS://example.org/a", "s3://bucket/key", "ftp://example.org/a"]
)
@pytest.mark.usefixtures("no_opening")
def test_web_address_is_refused(address: str) -> None:
    error = refusal(address)

    assert error.reason.code.problem is FileProblem.NOT_A_FILE
    assert error.text.startswith("Web addresses are not supported yet; ")


@pytest.mark.parametrize("path", ["C:/a", "C://a", "a://b", "/http://a", "file://a", "://a", "1http://a"])
def test_text_that_resembles_an_address_is_a_path(path: str) -> None:
    assert refusal(path).reason.code.problem is FileProblem.MISSING


def test_missing_file_is_missing(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone")

    assert (error.reason.code.problem, error.text) == (FileProblem.MISSING, "The file no longer exists")
    assert not error.passing
    assert "gone" not in error.detail


@posix_only
def test_link_to_a_missing_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone")

    assert refusal(tmp_path / "link").reason.code.problem is FileProblem.MISSING


@posix_only
def test_path_through_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    error = refusal(tmp_path / "file" / "below")

    assert error.reason.code.problem is FileProblem.MISSING
    assert "not a folder" in error.text


@posix_only
def test_cyclic_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    error = refusal(tmp_path / "one")

    assert error.reason.code.problem is FileProblem.NOT_A_FILE
    assert "points back to itself" in error.text


@posix_only
def test_name_too_long_for_the_system_is_missing(tmp_path: Path) -> None:
    error = refusal(tmp_path / ("x" * 5000))

    assert error.reason.code.problem is FileProblem.MISSING
    assert "too long" in error.text


@pytest.mark.parametrize("path", ["", "/a\0b", "\0"])
def test_invalid_name_is_missing(path: str) -> None:
    assert refusal(path).reason.code.problem is FileProblem.MISSING


@posix_only
def test_name_with_half_a_surrogate_pair_is_missing() -> None:
    assert refusal("/nowhere/\ud800").reason.code.problem is FileProblem.MISSING


# --- errors of the system


def failing_open(code: int) -> Callable[..., NoReturn]:
    def refuse(path: str, *_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code), path)

    return refuse


@pytest.mark.parametrize(
    ("name", "problem", "passing"),
    [
        ("EACCES", FileProblem.NOT_ALLOWED, False),
        ("EPERM", FileProblem.NOT_ALLOWED, False),
        ("ENOENT", FileProblem.MISSING, False),
        ("ENOTDIR", FileProblem.MISSING, False),
        ("ENAMETOOLONG", FileProblem.MISSING, False),
        ("ELOOP", FileProblem.NOT_A_FILE, False),
        ("EISDIR", FileProblem.NOT_A_FILE, False),
        ("EIO", FileProblem.UNREADABLE, True),
        ("ESTALE", FileProblem.UNREADABLE, True),
        ("ETIMEDOUT", FileProblem.UNREADABLE, True),
        ("EHOSTDOWN", FileProblem.UNREADABLE, True),
        ("EBUSY", FileProblem.UNREADABLE, True),
        ("EAGAIN", FileProblem.UNREADABLE, True),
        ("EMFILE", FileProblem.UNREADABLE, True),
        ("EINVAL", FileProblem.UNREADABLE, False),
    ],
)
def test_each_error_of_the_system_becomes_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: FileProblem, *, passing: bool
) -> None:
    if not hasattr(errno, name):
        pytest.skip(f"no {name} here")
    (tmp_path / "secret-name").touch()
    monkeypatch.setattr(os, "open", failing_open(getattr(errno, name)))

    error = refusal(tmp_path / "secret-name")

    assert (error.reason.code.problem, error.passing) == (problem, passing)
    assert "secret-name" not in error.text + error.detail
    assert name in error.detail
    assert isinstance(error.__cause__, OSError)
    if name != "EINVAL":  # there the sentence ends with the text of the system
        assert not NOT_FOR_PEOPLE.search(error.text)


def test_missing_read_permission_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "open", failing_open(errno.EACCES))

    assert refusal(tmp_path / "a").text == "You don't have permission to read this file"


class _WindowsError(PermissionError):
    """An error as on Windows; other systems have no attribute for its number."""

    def __init__(self, number: int | None) -> None:
        super().__init__(errno.EACCES, "Permission denied")
        self.winerror = number


@pytest.mark.parametrize(
    ("number", "problem", "words", "passing"),
    [
        (32, FileProblem.UNREADABLE, "Another program is using", True),
        (33, FileProblem.UNREADABLE, "Another program is using", True),
        (53, FileProblem.UNREADABLE, "network share", True),
        (123, FileProblem.MISSING, "This is not a valid file name", False),
        (5, FileProblem.NOT_ALLOWED, "You don't have permission to read this file", False),
        (None, FileProblem.NOT_ALLOWED, "or another program is using it", True),
    ],
)
def test_error_numbers_of_windows_are_recognized(
    monkeypatch: pytest.MonkeyPatch, number: int | None, problem: FileProblem, words: str, *, passing: bool
) -> None:
    monkeypatch.setattr(source_module, "_ON_WINDOWS", True)

    error = file_error(_WindowsError(number))

    assert (error.reason.code.problem, error.passing) == (problem, passing)
    assert words in error.text


def test_error_without_a_number_becomes_a_sentence() -> None:
    error = file_error(OSError("something strange"))

    assert error.reason.code.problem is FileProblem.UNREADABLE
    assert "something strange" in error.text


def test_read_error_of_a_disk_is_reported_and_can_be_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int, size: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.setattr(os, "read", broken)

    with open_source(str(tmp_path / "a")) as source, pytest.raises(FileError, match="could not be read") as caught:
        next(source.chunks())

    assert caught.value.reason.code.problem is FileProblem.UNREADABLE
    assert caught.value.passing


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_real_input_output_error_is_reported_the_same_way() -> None:
    with open_source("/proc/self/mem") as source, pytest.raises(FileError) as caught:
        next(source.chunks(16))

    assert caught.value.passing
