"""Scanning paths: which files are accepted, in which order, and why others are refused."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote_from_bytes

import pytest

from desktop_app.domain.job import NewFile
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import Refusal, ScanResult, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")


def look(*paths: str | Path, recursive: bool = True) -> ScanResult:
    return scan(map(str, paths), recursive=recursive, cancelled=lambda: False, on_found=lambda _: None)


def found(result: ScanResult, below: Path) -> list[str]:
    assert all(Path(file.path).is_absolute() for file in result.files)
    return [os.path.relpath(file.path, below).replace(os.sep, "/") for file in result.files]


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


# --- files


def test_file_is_accepted_with_its_absolute_path_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "file.txt")
    os.utime(tmp_path / "file.txt", ns=(5, 1_234_567_890))
    monkeypatch.chdir(tmp_path)

    result = look("file.txt", recursive=False)

    assert result == ScanResult(FileList([NewFile(str(tmp_path / "file.txt"), 8, 1_234_567_890)]), ())


def test_what_filemill_is_writing_is_not_found(tmp_path: Path) -> None:
    fill(tmp_path, ".filemill-1/a", "b/.filemill-2/c", "b/.filemill-3.part", "b/.d", "e")
    assert found(look(tmp_path), tmp_path) == ["e", "b/.d"]


def test_files_stay_in_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    fill(tmp_path, "b", "a", "c")

    assert found(look(tmp_path / "b", tmp_path / "c", tmp_path / "a"), tmp_path) == ["b", "c", "a"]


def test_file_named_twice_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "d/file")
    monkeypatch.chdir(tmp_path)

    result = look("d/file", tmp_path / "d" / "file", "./d//file", "d/../d/file", "d", tmp_path, "d")

    assert found(result, tmp_path) == ["d/file"]


def test_unreadable_file_is_accepted(tmp_path: Path) -> None:
    fill(tmp_path, "secret")
    (tmp_path / "secret").chmod(0)

    assert found(look(tmp_path / "secret"), tmp_path) == ["secret"]


def test_no_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a", "d/b")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("something was opened"))

    assert len(look(tmp_path).files) == 2


@posix_only
@pytest.mark.parametrize(
    "name", [b"caf\xe9.txt", b"two\nlines", b"\"quotes'", b"<b>bold&amp;", b" ", b"-rf", b"a%20b", "ü😀".encode()]
)
def test_file_with_any_valid_name_is_found_by_name_in_a_folder_and_by_address(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / "d" / os.fsdecode(name)
    path.parent.mkdir()
    try:
        path.touch()
    except OSError:
        if name.isascii():
            raise
        pytest.skip("this file system takes only UTF-8 names")
    address = "file://" + quote_from_bytes(os.fsencode(path))

    for named in (path, tmp_path, address):
        result = look(named)
        assert [file.path for file in result.files] == [str(path)]
        assert result.refused == ()


@posix_only
def test_link_to_a_file_is_accepted_under_its_own_name(tmp_path: Path) -> None:
    fill(tmp_path, "file")
    (tmp_path / "link").symlink_to("file")

    assert found(look(tmp_path / "link"), tmp_path) == ["link"]
    assert found(look(tmp_path), tmp_path) == ["file", "link"]


@posix_only
def test_dots_behind_a_link_lead_where_the_system_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "far/sub/x", "far/file", "near/file", "near/only-near")
    (tmp_path / "near" / "link").symlink_to(tmp_path / "far" / "sub")
    monkeypatch.chdir(tmp_path / "near")

    assert found(look("link/../file"), tmp_path) == ["far/file"]
    assert found(look("link/x/../../file"), tmp_path) == ["near/file"]
    assert found(look("../near/only-near"), tmp_path) == ["near/only-near"]


# --- refused paths


def refusal(path: str | Path, *, recursive: bool = False) -> str:
    result = look(path, recursive=recursive)
    assert result.files == ()
    assert [refused.path for refused in result.refused] == [str(path)]
    return str(result.refused[0].reason)


def test_missing_file_is_refused_and_the_scan_continues(tmp_path: Path) -> None:
    fill(tmp_path, "file")

    result = look(tmp_path / "gone", tmp_path / "file")

    assert found(result, tmp_path) == ["file"]
    assert result.refused == (Refusal(str(tmp_path / "gone"), Reason(ReasonCode.NO_SUCH_FILE)),)


@pytest.mark.parametrize("recursive", [False, True])
def test_empty_name_is_not_the_current_folder(*, recursive: bool) -> None:
    assert refusal("", recursive=recursive) == "The file does not exist"


@pytest.mark.parametrize("name", ["a\0b", pytest.param("\ud800", marks=posix_only), "file:///a%00b"])
def test_invalid_name_is_refused(name: str) -> None:
    assert refusal(name) == "This is not a valid file name"


def test_folder_is_refused_without_recursion(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "This is a folder; add it as a folder to include the files in it"


@posix_only
@pytest.mark.parametrize("recursive", [False, True])
def test_pipes_and_sockets_are_refused_named_or_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, recursive: bool
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # the address of a socket can't be long
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("something was opened"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        result = look(tmp_path) if recursive else look(tmp_path / "pipe", tmp_path / "socket")

    assert result == ScanResult(
        FileList(),
        (
            Refusal(str(tmp_path / "pipe"), Reason(ReasonCode.IS_PIPE)),
            Refusal(str(tmp_path / "socket"), Reason(ReasonCode.IS_SOCKET)),
        ),
    )


@posix_only
def test_folder_named_twice_is_scanned_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")

    assert len(look(tmp_path / "folder", tmp_path, tmp_path / "folder").refused) == 1


@posix_only
def test_device_is_refused() -> None:
    assert refusal("/dev/zero") == "This is a device; only regular files can be processed"


@posix_only
def test_broken_and_cyclic_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    texts = [
        "This link points to a file that does not exist",
        "This symbolic link points back to itself and never reaches a file",
    ]

    assert [refusal(tmp_path / "broken"), refusal(tmp_path / "loop")] == texts
    assert [str(refused.reason) for refused in look(tmp_path).refused] == texts


@posix_only
def test_path_through_a_file_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "file")

    assert refusal(tmp_path / "file" / "below") == "The file does not exist"


@posix_only
def test_name_too_long_for_the_system_is_refused(tmp_path: Path) -> None:
    assert "too long" in refusal(tmp_path / ("x" * 5000))


def test_missing_permission_for_the_parent_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_stat = os.stat

    def stat_with_a_wall(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if str(path).endswith("hidden"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", stat_with_a_wall)

    assert refusal(tmp_path / "hidden") == "You don't have permission to open the folder that contains this item"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the current folder can't be removed")
def test_relative_path_in_a_removed_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    (tmp_path / "a").touch()

    result = look("file", tmp_path / "a", f"file://{tmp_path}/a", "../a", "")

    assert found(result, tmp_path) == ["a"]
    gone = "The current folder was removed; change to another folder, or give an absolute path"
    assert [str(refused.reason) for refused in result.refused] == [gone, gone, "The file does not exist"]


# --- URLs


@posix_only
def test_url_of_a_file_on_this_computer_is_its_path(tmp_path: Path) -> None:
    fill(tmp_path, "a b#c?d\ne", "d/a")

    for name in ("a%20b%23c%3Fd%0ae", "a b#c?d\ne"):
        assert found(look(f"file://{tmp_path}/{name}"), tmp_path) == ["a b#c?d\ne"]
    assert found(look(f"file://{tmp_path}/d/"), tmp_path) == ["d/a"]


@posix_only
def test_url_of_another_computer_never_adds_a_local_file(tmp_path: Path) -> None:
    fill(tmp_path, "a")

    result = look(f"file://server{tmp_path}/a", f"smb://server{tmp_path}/a", f"https://server{tmp_path}/a")

    assert result.files == FileList()
    assert [refused.reason.code for refused in result.refused] == [
        ReasonCode.OTHER_COMPUTER,
        ReasonCode.NETWORK_LOCATION,
        ReasonCode.NAMED_ADDRESS,
    ]


def test_refused_url_is_shown_without_secrets() -> None:
    result = look("https://me:hush12@host/a", "smb://me:hush12@nas/a", "https://host/a?sig=hush12&X-Amz-Signature=12ab")

    assert [refused.path for refused in result.refused] == [
        "https://[secret]@host/a",
        "smb://[secret]@nas/a",
        "https://host/a?…",
    ]


@posix_only
def test_network_location_is_scanned_where_it_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    fill(tmp_path / "gvfs", "smb-share:server=nas,share=in/a b")

    result = look("smb://nas/in/a%20b", "smb://nas/in/other")

    assert found(result, tmp_path / "gvfs" / "smb-share:server=nas,share=in") == ["a b"]
    assert [str(refused.reason) for refused in result.refused] == ["The file does not exist"]


@posix_only
def test_path_that_begins_with_two_slashes_is_the_same_path(tmp_path: Path) -> None:
    fill(tmp_path, "a")

    assert found(look(f"{tmp_path}/a", f"/{tmp_path}/a", f"file:///{tmp_path}/a"), tmp_path) == ["a"]


def test_refused_url_is_kept_without_its_password() -> None:
    assert [refused.path for refused in look("ftp://me:hunter2@nas/a").refused] == ["ftp://[secret]@nas/a"]


@posix_only
def test_file_whose_name_begins_like_a_url_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "file:name")
    monkeypatch.chdir(tmp_path)

    assert found(look("file:name"), tmp_path) == ["file:name"]
    assert refusal("file:other") == "The file does not exist"


# --- folders


def test_files_of_a_folder_are_in_natural_order_before_those_of_its_subfolders(tmp_path: Path) -> None:
    fill(tmp_path, "file10", "file2", "File1", "z", "10", "9", "a/x", "a/b/y", "B/x", "a10/x", "a9/x")

    assert found(look(tmp_path), tmp_path) == [
        *("9", "10", "File1", "file2", "file10", "z"),
        *("a/x", "a/b/y", "a9/x", "a10/x", "B/x"),
    ]


def test_empty_folder_has_no_files(tmp_path: Path) -> None:
    assert look(tmp_path) == ScanResult(FileList(), ())


@posix_only
def test_links_to_folders_are_not_followed_inside_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, "d/a")
    (tmp_path / "d" / "up").symlink_to(tmp_path)

    result = look(tmp_path)

    assert found(result, tmp_path) == ["d/a"]
    assert [refused.path for refused in result.refused] == [str(tmp_path / "d" / "up")]
    assert "link to a folder" in str(result.refused[0].reason)


@posix_only
def test_named_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    fill(tmp_path, "d/a")
    (tmp_path / "link").symlink_to("d")

    assert found(look(tmp_path / "link"), tmp_path) == ["link/a"]


@posix_only
def test_tree_deeper_than_the_recursion_limit_is_scanned(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    folders = [str(tmp_path) + "/d" * level for level in range(1, depth)]
    if len(folders[-1]) > 4000:
        pytest.skip("the recursion limit is higher than a path can be long")
    for folder in folders:
        Path(folder).mkdir()
    bottom = Path(folders[-1], "file")
    bottom.touch()
    try:
        assert [file.path for file in look(tmp_path).files] == [str(bottom)]
    finally:  # pytest's clean-up is recursive
        bottom.unlink()
        for folder in reversed(folders):
            Path(folder).rmdir()


class _Listing:
    """An iterator as returned by `os.scandir`, over a list."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._entries = list(entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries)


class _Entry:
    """A directory entry that can't be read, or that only exists on another system."""

    def __init__(self, path: str, looked: OSError | SimpleNamespace, *, listed: bool | OSError = False) -> None:
        self.path = path
        self.name = Path(path).name
        self._looked = looked
        self._listed = listed

    def stat(self) -> Any:
        if isinstance(self._looked, OSError):
            raise self._looked
        return self._looked

    def is_file(self, *, follow_symlinks: bool) -> bool:
        assert not follow_symlinks
        if isinstance(self._listed, OSError):
            raise self._listed
        return self._listed

    def is_symlink(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), ReasonCode.FOLDER_NOT_ALLOWED),
        (FileNotFoundError(errno.ENOENT, "No such file"), ReasonCode.FOLDER_GONE),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), ReasonCode.FOLDER_GONE),
        (OSError(errno.ESTALE, "Stale"), ReasonCode.NOT_DELIVERED),
    ],
)
def test_unreadable_folder_is_refused_and_the_scan_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, code: ReasonCode
) -> None:
    fill(tmp_path, "a/x", "locked/x", "z/x")
    really_scan = os.scandir

    def scan_with_a_wall(path: str) -> Any:
        if path.endswith("locked"):
            raise error
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", scan_with_a_wall)

    result = look(tmp_path)

    assert found(result, tmp_path) == ["a/x", "z/x"]
    assert result.refused == (Refusal(str(tmp_path / "locked"), Reason(code)),)


NO_RIGHT = PermissionError(errno.EACCES, "Permission denied")


def test_listed_files_without_status_are_accepted_unless_they_may_be_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = str(tmp_path)
    entries = [
        _Entry(f"{top}/1-file", NO_RIGHT, listed=True),
        _Entry(f"{top}/2-unknown", NO_RIGHT, listed=False),
        _Entry(f"{top}/3-not-told", NO_RIGHT, listed=NO_RIGHT),
        _Entry(f"{top}/4-vanished", FileNotFoundError(errno.ENOENT, "No such file"), listed=True),
    ]
    monkeypatch.setattr(os, "scandir", lambda _: _Listing(entries))

    result = look(top)

    assert result.files == (NewFile(f"{top}/1-file", None, None),)
    assert [(Path(refused.path).name, str(refused.reason)) for refused in result.refused] == [
        ("2-unknown", "You don't have permission to open the folder that contains this item"),
        ("3-not-told", "You don't have permission to open the folder that contains this item"),
        ("4-vanished", "The file does not exist"),
    ]


def test_junctions_of_windows_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    junction = SimpleNamespace(st_mode=stat.S_IFDIR, st_reparse_tag=0xA0000003)
    monkeypatch.setattr(os, "scandir", lambda _: _Listing([_Entry(f"{tmp_path}/junction", junction)]))

    result = look(tmp_path)

    assert result.files == ()
    assert "link to a folder" in str(result.refused[0].reason)


def test_paths_that_differ_in_case_are_the_same_on_some_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "File", "file")
    monkeypatch.setattr(os.path, "normcase", str.lower)

    assert len(look(tmp_path / "File", tmp_path / "file").files) == 1


# --- stopping and progress


def stop_after(questions: int) -> Any:
    left = iter([False] * questions)
    return lambda: next(left, True)


def test_scan_can_be_stopped_at_every_step_and_returns_what_it_found(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b", "d/c", "d/e/f")
    whole = look(tmp_path).files
    counts = []
    for questions in range(100):
        result = scan([str(tmp_path)], recursive=True, cancelled=stop_after(questions), on_found=lambda _: None)
        assert result.files == whole[: len(result.files)]
        counts.append(len(result.files))
        if not result.cancelled:
            break

    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3, 4}
    assert not result.cancelled


def test_stopped_scan_reads_nothing_more(tmp_path: Path) -> None:
    fill(tmp_path, "a")

    result = scan([str(tmp_path / "a")], recursive=True, cancelled=lambda: True, on_found=lambda _: None)

    assert result == ScanResult(FileList(), (), cancelled=True)


def test_stopped_scan_stays_stopped(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    answers = iter([False, True])

    result = scan(
        [str(tmp_path / "a"), str(tmp_path / "b")],
        recursive=True,
        cancelled=lambda: next(answers, False),
        on_found=lambda _: None,
    )
    assert (found(result, tmp_path), result.cancelled) == (["a"], True)

    answers = iter([False, False, True])
    result = scan(
        [str(tmp_path), str(tmp_path / "a")],
        recursive=True,
        cancelled=lambda: next(answers, False),
        on_found=lambda _: None,
    )
    assert (list(result.files), result.cancelled) == ([], True)


def test_scan_of_empty_folders_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / "top" / f"{number}").mkdir(parents=True)
    really_scan = os.scandir
    listed: list[str] = []

    def counting_scan(path: str) -> Any:
        listed.append(path)
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", counting_scan)

    result = scan([str(tmp_path / "top")], recursive=True, cancelled=lambda: len(listed) > 2, on_found=lambda _: None)

    assert result.cancelled
    assert len(listed) == 3


def test_number_of_files_is_reported_ten_times_a_second_and_at_the_end(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{number}" for number in range(10)))
    told: list[int] = []
    seconds = iter(range(1000))

    scan(
        [str(tmp_path / f"{number}") for number in range(10)],
        recursive=False,
        cancelled=lambda: False,
        on_found=told.append,
        steady=lambda: next(seconds) / 32,
    )

    assert told == [3, 7, 10]


def test_empty_scan_reports_zero_files() -> None:
    told: list[int] = []

    result = scan([], recursive=True, cancelled=lambda: False, on_found=told.append)

    assert (result, told) == (ScanResult(FileList(), ()), [0])
