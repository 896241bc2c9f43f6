"""Find the files to add, at the paths that the user gave and in folders."""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from desktop_app.config.atomic_write import TEMPORARY_PREFIX
from desktop_app.domain.job import natural_key
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.sources.file_list import FileList
from desktop_app.sources.local import file_error, unprocessable_kind
from desktop_app.sources.location import RefusedNameError, absolute, desktop_mounts, mounted_path, name_to_show, path_in
from desktop_app.sources.share_access import SHARES, NotRespondingError, ShareAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Refusal:
    """A path that can't be added."""

    path: str
    """The path as the user gave it, or the URL without secrets; an absolute path if it was found in a folder."""
    reason: Reason
    """The reason, whose sentence does not contain the path."""


class RefusalKind(Enum):
    """A category of refusals."""

    LINK = auto()
    MISSING = auto()
    NOT_ALLOWED = auto()
    NOT_ORDINARY = auto()
    ADDRESS = auto()
    NETWORK = auto()
    OTHER = auto()


_KINDS: dict[ReasonCode, RefusalKind] = {
    **dict.fromkeys((ReasonCode.LINKED_FOLDER, ReasonCode.LINK_TO_NOTHING), RefusalKind.LINK),
    **dict.fromkeys((ReasonCode.NO_SUCH_FILE, ReasonCode.FOLDER_GONE), RefusalKind.MISSING),
    **dict.fromkeys((ReasonCode.FOLDER_NOT_ALLOWED, ReasonCode.PARENT_NOT_ALLOWED), RefusalKind.NOT_ALLOWED),
    ReasonCode.NAMED_ADDRESS: RefusalKind.ADDRESS,
    **dict.fromkeys(
        (ReasonCode.NETWORK_LOCATION, ReasonCode.OTHER_COMPUTER, ReasonCode.SHARE_SILENT), RefusalKind.NETWORK
    ),
    **dict.fromkeys((ReasonCode.IS_PIPE, ReasonCode.IS_SOCKET, ReasonCode.IS_DEVICE), RefusalKind.NOT_ORDINARY),
}


def kind_of(refusal: Refusal) -> RefusalKind:
    """Return the category of a refusal."""
    return _KINDS.get(refusal.reason.code, RefusalKind.OTHER)


def _access_reason(error: OSError, path: str) -> Reason:
    """Return the reason why a path can't be accessed."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Reason(ReasonCode.LINK_TO_NOTHING if os.path.islink(path) else ReasonCode.NO_SUCH_FILE)  # noqa: PTH114
    return Reason(ReasonCode.PARENT_NOT_ALLOWED) if isinstance(error, PermissionError) else file_error(error).reason


def _listing_reason(error: OSError) -> Reason:
    """Return the reason why a folder can't be listed."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Reason(ReasonCode.FOLDER_GONE)
    return Reason(ReasonCode.FOLDER_NOT_ALLOWED) if isinstance(error, PermissionError) else file_error(error).reason


REPORT_EVERY_S = 0.1

_JUNCTION_TAG = 0xA0000003


@dataclass(frozen=True, slots=True)
class NamedFolder:
    """A folder that the user gave; `files` and `refused` are the positions of its contents in the result."""

    path: str
    files: range
    refused: range


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The result of a scan, in the order of the paths. The files of a folder come before those of its subfolders."""

    files: FileList
    refused: tuple[Refusal, ...]
    cancelled: bool = False
    """Whether the scan was cancelled, which leaves the result incomplete."""
    folders: tuple[NamedFolder, ...] = field(default=(), compare=False)
    """The folders that the user gave, in order. Files outside these ranges were given directly."""


def scan(
    paths: Iterable[str],
    *,
    recursive: bool,
    cancelled: Callable[[], bool],
    on_found: Callable[[int], None],
    subfolders: bool = True,
    steady: Callable[[], float] = time.monotonic,
    shares: ShareAccess = SHARES,
) -> ScanResult:
    """Find all files to add. This can take a long time, so do not call it on the main thread.

    A file that is found more than once under the same absolute path is added once. A link to a file is added under the
    path of the link. Links to folders are followed if they are in `paths`, but not if they are found in folders. Paths
    on a network share that does not respond are rejected.

    Args:
        paths: Relative or absolute paths as decoded by `os.fsdecode`, or URLs; see `sources.location`.
        recursive: Whether to add the contents of folders; otherwise, folders are rejected.
        cancelled: Called before each file; the scan stops when it returns True.
        on_found: Called with the number of files found so far, at most every 100 ms, and at the end.
        subfolders: Whether to add the contents of subfolders, too.
        steady: A function that returns the monotonic time in seconds.
        shares: The access to network shares.
    """
    search = _Search(recursive=recursive, subfolders=subfolders, cancelled=cancelled, on_found=on_found, steady=steady)
    for named in paths:
        if search.must_stop():
            break
        place = _place_of(named, shares)
        if not shares.is_remote(place):
            search.add_path(named)
            continue
        abandoned = threading.Event()
        try:
            part = shares.run(place, partial(search.part, named, abandoned), stopped=cancelled)
        except NotRespondingError as error:
            abandoned.set()
            if not search.must_stop():
                search.refuse(named, Reason(ReasonCode.SHARE_SILENT, {"place": error.place}))
        else:
            search.take(part)
    return search.result()


class _Search:
    """A scan in progress; the arguments are those of `scan`."""

    def __init__(
        self,
        *,
        recursive: bool,
        subfolders: bool,
        cancelled: Callable[[], bool],
        on_found: Callable[[int], None],
        steady: Callable[[], float],
        known: Container[str] = (),
    ) -> None:
        self._known = known
        self._recursive = recursive
        self._subfolders = subfolders
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

    def part(self, named: str, abandoned: threading.Event, note_response: Callable[[], None]) -> _Search:
        """Return a scan of one path, which does not change this one, since it may be abandoned while it is running."""
        found = len(self._files)

        def cancelled() -> bool:
            note_response()
            return abandoned.is_set() or self._cancelled()

        def on_found(count: int) -> None:
            if not abandoned.is_set():
                self._on_found(found + count)

        part = _Search(
            recursive=self._recursive,
            subfolders=self._subfolders,
            cancelled=cancelled,
            on_found=on_found,
            steady=self._steady,
            known=self._seen,
        )
        part.add_path(named)
        return part

    def take(self, part: _Search) -> None:
        """Add the files of a scan of one path."""
        files, refused = len(self._files), len(self._refused)
        for folder in part._folders:
            ranges = _moved(folder.files, files), _moved(folder.refused, refused)
            self._folders.append(NamedFolder(folder.path, *ranges))
        self._files.extend(part._files)
        self._refused += part._refused
        self._seen |= part._seen
        self._stopped = self._stopped or part._stopped

    def must_stop(self) -> bool:
        """Return whether the scan was cancelled. Also report the number of files, at intervals."""
        self._stopped = self._stopped or self._cancelled()
        now = self._steady()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY_S
            self._on_found(len(self._files))
        return self._stopped

    def add_path(self, named: str) -> None:
        """Add the file or folder at a path or URL that the user gave."""
        path = named
        try:
            path = absolute(mounted_path(named))
            info = os.stat(path)  # noqa: PTH116 - a Path would change a name such as "a//b"
        except RefusedNameError as error:
            self.refuse(named, Reason(error.code))
        except OSError as error:
            self.refuse(named, _access_reason(error, path))
        except ValueError:  # a NUL, or a surrogate that does not represent a byte
            self.refuse(named, Reason(ReasonCode.IMPOSSIBLE_NAME))
        else:
            if not stat.S_ISDIR(info.st_mode):
                self._add_regular(path, info, named)
            elif self._recursive:
                files, refused = len(self._files), len(self._refused)
                self._walk(path)
                ranges = range(files, len(self._files)), range(refused, len(self._refused))
                self._folders.append(NamedFolder(path, *ranges))
            else:
                self.refuse(named, Reason(ReasonCode.NAMED_FOLDER))

    def _walk(self, top: str) -> None:
        """Add the contents of a folder and its subfolders. Not recursive: a tree can be deeper than Python's stack."""
        waiting = [top]
        while waiting and not self.must_stop():
            folder = waiting.pop()
            if not self._is_new(folder):
                continue
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(self._until_stopped(listing), key=_sort_key)
            except OSError as error:
                self.refuse(folder, _listing_reason(error))
                continue
            subfolders = [entry.path for entry in self._until_stopped(entries) if self._add_entry(entry)]
            if self._subfolders:
                waiting.extend(reversed(subfolders))

    def _until_stopped(self, entries: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in entries:
            if self.must_stop():
                return
            yield entry

    def _add_entry(self, entry: os.DirEntry[str]) -> bool:
        """Add an entry of a folder. Return True if it is a subfolder to visit."""
        if entry.name.startswith(TEMPORARY_PREFIX):
            return False
        try:
            info = entry.stat()
        except OSError as error:
            self._add_inaccessible(entry, error)
            return False
        if not stat.S_ISDIR(info.st_mode):
            self._add_regular(entry.path, info, entry.path)
            return False
        if entry.is_symlink() or getattr(info, "st_reparse_tag", 0) == _JUNCTION_TAG:
            self.refuse(entry.path, Reason(ReasonCode.LINKED_FOLDER))
            return False
        return True

    def _add_inaccessible(self, entry: os.DirEntry[str], error: OSError) -> None:
        """Add an inaccessible entry if the listing of the folder shows that it is a file; otherwise, reject it."""
        if isinstance(error, PermissionError) and _listed_as_file(entry):
            self._add(entry.path, None, None)
        else:
            self.refuse(entry.path, _access_reason(error, entry.path))

    def _add_regular(self, path: str, info: os.stat_result, named: str) -> None:
        code = unprocessable_kind(info.st_mode)
        if code is None:
            self._add(path, info.st_size, info.st_mtime_ns)
        else:
            self.refuse(named, Reason(code))

    def _add(self, path: str, size: int | None, modified_ns: int | None) -> None:
        if self._is_new(path):
            self._files.add(path, size, modified_ns)

    def refuse(self, path: str, reason: Reason) -> None:
        """Add a path that can't be added."""
        self._refused.append(Refusal(name_to_show(path), reason))

    def _is_new(self, path: str) -> bool:
        """Store a path; return whether it was not found before. On Windows, case is ignored."""
        key = os.path.normcase(path)
        if key in self._seen or key in self._known:
            return False
        self._seen.add(key)
        return True


def _moved(positions: range, by: int) -> range:
    return range(positions.start + by, positions.stop + by)


def _place_of(named: str, shares: ShareAccess) -> str:
    """Return an absolute path on the file system of a name; the root folder if the name will not be accessed."""
    try:
        return os.path.abspath(path_in(named))  # noqa: PTH100 - does not access it
    except RefusedNameError as error:
        mounts = desktop_mounts() if error.code is ReasonCode.NETWORK_LOCATION else []
        return next(filter(shares.is_remote, mounts), os.path.abspath(os.sep))  # noqa: PTH100
    except (ValueError, OSError):  # also if the working directory no longer exists
        return os.path.abspath(os.sep)  # noqa: PTH100


def _listed_as_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file according to the folder's listing, without accessing the file."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def _sort_key(entry: os.DirEntry[str]) -> tuple[str, str]:
    return natural_key(entry.name), entry.name
