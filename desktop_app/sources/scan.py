"""What can't become a job, and the sentences that say why."""

from __future__ import annotations

import os
import re
import stat
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from desktop_app.domain.job import natural_key
from desktop_app.domain.sentences import Sentence
from desktop_app.sources.file_list import FileList
from desktop_app.sources.local import IMPOSSIBLE_NAME, file_error, is_address, unprocessable_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


NOT_THERE = Sentence("There is no such file")

LINK_TO_NOTHING = Sentence("This link leads to a file that is not there")

FOLDER = Sentence("This is a folder; add it as a folder to include the files in it")

LINKED_FOLDER = Sentence("This is a link to a folder; such links are not followed, so that nothing is added twice")

WEB_ADDRESS = Sentence("Addresses on the web can't be added yet; download the file first")

OTHER_COMPUTER = Sentence("This address names another computer; only files of this one can be added")

FOLDER_GONE = Sentence("This folder is no longer there")

FOLDER_NOT_ALLOWED = Sentence("You may not look into this folder")

PLACE_NOT_ALLOWED = Sentence("You may not look into the folder that this lies in")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was named, or lay in a folder that was, and can't become a job."""

    path: str
    """As it was named, or absolute for what a folder holds."""
    text: str
    """Why, as a plain sentence without the name."""


class RefusalKind(Enum):
    """What the reasons have in common, for counting."""

    LINK = auto()
    MISSING = auto()
    NOT_ALLOWED = auto()
    NOT_ORDINARY = auto()
    ADDRESS = auto()
    OTHER = auto()


_KINDS: dict[str, RefusalKind] = {
    **dict.fromkeys((LINKED_FOLDER, LINK_TO_NOTHING), RefusalKind.LINK),
    **dict.fromkeys((NOT_THERE, FOLDER_GONE), RefusalKind.MISSING),
    **dict.fromkeys((FOLDER_NOT_ALLOWED, PLACE_NOT_ALLOWED), RefusalKind.NOT_ALLOWED),
    **dict.fromkeys((WEB_ADDRESS, OTHER_COMPUTER), RefusalKind.ADDRESS),
    **{
        unprocessable_kind(mode): RefusalKind.NOT_ORDINARY
        for mode in (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK)
    },
}


def kind_of(refusal: Refusal) -> RefusalKind:
    """What a refusal has in common with others."""
    return _KINDS.get(refusal.text, RefusalKind.OTHER)


def why_not_seen(error: OSError, path: str) -> str:
    """Why the system would not let us look at something."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return LINK_TO_NOTHING if os.path.islink(path) else NOT_THERE  # noqa: PTH114
    return PLACE_NOT_ALLOWED if isinstance(error, PermissionError) else file_error(error).text


def why_not_listed(error: OSError) -> str:
    """Why the system would not list a folder."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return FOLDER_GONE
    return FOLDER_NOT_ALLOWED if isinstance(error, PermissionError) else file_error(error).text


REPORT_EVERY_S = 0.1

_ON_WINDOWS = os.name == "nt"

_FILE_ADDRESS = re.compile(r"file:(?://(?P<host>[^/]*))?+(?P<path>/.*)", re.IGNORECASE | re.DOTALL)

_DRIVE = re.compile(r"/[A-Za-z]:(?:/|$)")

_JUNCTION_TAG = 0xA0000003


@dataclass(frozen=True, slots=True)
class NamedFolder:
    """A folder that was named itself, and which of a scan's files and refusals come from in there."""

    path: str
    files: range
    refused: range


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found, in the order of what was named; a folder's own files come before those of its subfolders."""

    files: FileList
    refused: tuple[Refusal, ...]
    cancelled: bool = False
    """True if the scan was stopped; then this is what it had found."""
    folders: tuple[NamedFolder, ...] = field(default=(), compare=False)
    """In the order of what was named; what is not in any of them was named itself."""


def scan(
    paths: Iterable[str],
    *,
    recursive: bool,
    cancelled: Callable[[], bool],
    on_found: Callable[[int], None],
    steady: Callable[[], float] = time.monotonic,
) -> ScanResult:
    """Look at everything that was named. Can take long, so not for the main thread; any other will do.

    A file that comes up twice under the same absolute path is found once. Links to files are accepted, under the link's
    own name. Links to folders are followed where they were named themselves, not inside a folder.

    Args:
        paths: Relative or absolute, as `os.fsdecode` gives them, or `file:` addresses.
        recursive: Whether folders are gone into; if not, they are refused.
        cancelled: Asked before each thing that is looked at.
        on_found: Told the number of files so far, at most every 100 ms, and at the end.
        steady: Seconds that never go back.
    """
    search = _Search(recursive=recursive, cancelled=cancelled, on_found=on_found, steady=steady)
    for named in paths:
        if search.must_stop():
            break
        search.look_at(named)
    return search.result()


class _Search:
    """One scan: what was found so far, and who is told."""

    def __init__(
        self,
        *,
        recursive: bool,
        cancelled: Callable[[], bool],
        on_found: Callable[[int], None],
        steady: Callable[[], float],
    ) -> None:
        self._recursive = recursive
        self._cancelled = cancelled
        self._on_found = on_found
        self._steady = steady
        self._next_report = steady() + REPORT_EVERY_S
        self._seen: set[str] = set()
        self._files = FileList()
        self._refused: list[Refusal] = []
        self._folders: list[NamedFolder] = []
        self._stopped = False

    def result(self) -> ScanResult:
        self._on_found(len(self._files))
        return ScanResult(self._files, tuple(self._refused), self._stopped, tuple(self._folders))

    def must_stop(self) -> bool:
        """Whether the person has enough; tells how many there are so far when it is time to."""
        self._stopped = self._stopped or self._cancelled()
        now = self._steady()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY_S
            self._on_found(len(self._files))
        return self._stopped

    def look_at(self, named: str) -> None:
        """Take in one thing that a person named."""
        path = named
        try:
            path = _absolute(_path_of(named))
            info = os.stat(path)  # noqa: PTH116 - a Path would change a name such as "a//b"
        except _RefusedError as error:
            self._refuse(named, error.text)
        except OSError as error:
            self._refuse(named, why_not_seen(error, path))
        except ValueError:  # a NUL, or a surrogate that stands for no byte
            self._refuse(named, IMPOSSIBLE_NAME)
        else:
            if not stat.S_ISDIR(info.st_mode):
                self._take(path, info, named)
            elif self._recursive:
                files, refused = len(self._files), len(self._refused)
                self._walk(path)
                came_in = range(files, len(self._files)), range(refused, len(self._refused))
                self._folders.append(NamedFolder(path, *came_in))
            else:
                self._refuse(named, FOLDER)

    def _walk(self, top: str) -> None:
        """Take in all that a folder holds, without recursion: a tree can be deeper than Python's stack."""
        waiting = [top]
        while waiting and not self.must_stop():
            folder = waiting.pop()
            if not self._is_new(folder):
                continue
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(self._until_stopped(listing), key=_sort_key)
            except OSError as error:
                self._refuse(folder, why_not_listed(error))
                continue
            subfolders = [entry.path for entry in self._until_stopped(entries) if self._take_entry(entry)]
            waiting.extend(reversed(subfolders))

    def _until_stopped(self, entries: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in entries:
            if self.must_stop():
                return
            yield entry

    def _take_entry(self, entry: os.DirEntry[str]) -> bool:
        """Take in what lies in a folder; True if it is a folder to go into."""
        try:
            info = entry.stat()
        except OSError as error:
            self._take_unseen(entry, error)
            return False
        if not stat.S_ISDIR(info.st_mode):
            self._take(entry.path, info, entry.path)
            return False
        if entry.is_symlink() or getattr(info, "st_reparse_tag", 0) == _JUNCTION_TAG:
            self._refuse(entry.path, LINKED_FOLDER)
            return False
        return True

    def _take_unseen(self, entry: os.DirEntry[str], error: OSError) -> None:
        """What is listed, but can't be looked at: a file is accepted if the listing itself says that it is one."""
        if isinstance(error, PermissionError) and _listed_as_file(entry):
            self._add(entry.path, None, None)
        else:
            self._refuse(entry.path, why_not_seen(error, entry.path))

    def _take(self, path: str, info: os.stat_result, named: str) -> None:
        text = unprocessable_kind(info.st_mode)
        if text:
            self._refuse(named, text)
        else:
            self._add(path, info.st_size, info.st_mtime_ns)

    def _add(self, path: str, size: int | None, modified_ns: int | None) -> None:
        if self._is_new(path):
            self._files.add(path, size, modified_ns)

    def _refuse(self, path: str, text: str) -> None:
        self._refused.append(Refusal(path, text))

    def _is_new(self, path: str) -> bool:
        """Whether this path has not come up before; Windows does not tell upper from lower case."""
        key = os.path.normcase(path)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


class _RefusedError(Exception):
    """What was named is no path of this computer."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def from_here(names: Iterable[str]) -> tuple[str, ...]:
    """Names as a program understands them that stands in another folder: relative paths begin here, addresses stay."""
    return tuple(
        name if not name or _FILE_ADDRESS.fullmatch(name) or is_address(name) else _absolute(name) for name in names
    )


def _path_of(named: str) -> str:
    """What was named, as a path; it may still be relative."""
    if not named:
        raise _RefusedError(NOT_THERE)
    address = _FILE_ADDRESS.fullmatch(named)
    if address is None:
        if is_address(named):
            raise _RefusedError(WEB_ADDRESS)
        return named
    if (address["host"] or "").lower() not in {"", "localhost"}:
        raise _RefusedError(OTHER_COMPUTER)
    # Bytes all the way: the name behind %FF is not UTF-8. A "?" or "#" is taken as part of the name, since programs
    # that forget to escape it are common and local files have no queries.
    path = os.fsdecode(unquote_to_bytes(os.fsencode(address["path"])))
    return path[1:] if _ON_WINDOWS and _DRIVE.match(path) else path


def _absolute(path: str) -> str:
    """The path from the root. Links stay as they were named, unless shortening `link/..` would lead elsewhere."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - pathlib leaves ".." in
    if os.pardir not in path or not os.path.lexists(path):
        return absolute
    if os.path.lexists(absolute) and os.path.samestat(os.lstat(path), os.lstat(absolute)):
        return absolute
    return os.path.realpath(path)


def _listed_as_file(entry: os.DirEntry[str]) -> bool:
    """Whether the folder's own listing says so; nothing is asked of the file."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def _sort_key(entry: os.DirEntry[str]) -> tuple[str, str]:
    return natural_key(entry.name), entry.name
