r"""Read lists of checksums, and find those that name a file.

A line of a list has the format of `sha256sum`, `<hash>  <name>`, or of BSD, `SHA256 (<name>) = <hash>`. A list can also
consist of one hash without a name. The kind of a hash is recognized by its length. A name can be a relative path with
the folder of the list as its base, so the folders above a file are searched as well.
"""

from __future__ import annotations

import codecs
import ntpath
import os
import re
import stat
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import display_text
from desktop_app.sources.local import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_LIST_BYTES = 16 << 20
"""The maximum size of a list. It has about 200,000 lines."""
MOST_FOLDERS = 9
"""The number of folders that are searched: that of the file, and those above it on the same file system."""
_MOST_SHARED_LISTS = 100
"""The number of lists in a folder that are read for a file, apart from those that are named after it."""
_MOST_CACHED_BYTES = 32 << 20
_FRESH_SECONDS = 2.0
"""For so long after a change, another one might leave a file with the same modification time."""

_KINDS = {32: "md5", 40: "sha1", 64: "sha256"}
_HASH = r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
_LINE = re.compile(rf"(?P<escaped>\\?)(?P<hash>{_HASH})(?: [ *]|[ \t]+\*?)(?P<name>.+)", re.IGNORECASE)
_BSD_LINE = re.compile(
    rf"(?P<escaped>\\?)(?:md5|sha-?1|sha-?256|sha2-256) ?\((?P<name>.+)\) ?= ?(?P<hash>{_HASH})", re.IGNORECASE
)
_BARE_HASH = re.compile(_HASH, re.IGNORECASE)
_ESCAPE = re.compile(r"\\([\\nr])")
_ESCAPED = {"\\": "\\", "n": "\n", "r": "\r"}
_LIST_NAME = re.compile(
    r"(?:(?:sha256|sha1|md5)sums?|checksums?)(?:\.txt)?|(?P<file>.+)\.(?:sha256|sha1|md5)(?:sums?)?", re.IGNORECASE
)
_SIGNATURE = re.compile(r"\.(?:asc|gpg|sig|sign)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ChecksumList:
    """The content of a list.

    Attributes:
        by_name: The hashes in lower case for each normalized name.
        bare: The hashes without a name.
        bad_line: The number of the first line that is no checksum, no comment and not empty; 0 if there is none.
    """

    by_name: Mapping[str, tuple[str, ...]]
    bare: tuple[str, ...] = ()
    bad_line: int = 0


class Expected(NamedTuple):
    """A checksum that a file should have.

    Attributes:
        kind: The name of the algorithm.
        checksum: The checksum as hexadecimal digits in lower case.
        listed_in: The path of the list relative to the folder of the file; empty if it was pasted.
    """

    kind: str
    checksum: str
    listed_in: str = ""


def parse_list(text: str) -> ChecksumList:
    """Return the content of a list."""
    by_name: dict[str, tuple[str, ...]] = {}
    bare: list[str] = []
    bad_line = 0
    for piece in re.finditer(r"[^\n]+", text):
        line = piece[0].removesuffix("\r")  # a carriage return in a name is escaped
        found = _LINE.fullmatch(line) or _BSD_LINE.fullmatch(line)
        if found is None:
            stripped = line.strip()
            if _BARE_HASH.fullmatch(stripped):
                bare.append(stripped.lower())
            elif stripped and not stripped.startswith(("#", ";")):
                bad_line = bad_line or text.count("\n", 0, piece.start()) + 1
            continue
        name, checksum = found["name"], found["hash"].lower()
        if found["escaped"]:
            name = _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], name)
        elif "\\" in name:  # the list may have been written on Windows
            _add(by_name, name.replace("\\", "/"), checksum)
        _add(by_name, name, checksum)
    return ChecksumList(by_name, tuple(bare), bad_line)


def _add(by_name: dict[str, tuple[str, ...]], name: str, checksum: str) -> None:
    key = _key(name)
    known = by_name.get(key, ())
    if checksum not in known:
        by_name[key] = (*known, checksum)


def _key(name: str) -> str:
    return os.path.normcase(os.path.normpath(name))


def expected_from(checksums: ChecksumList, path: str) -> list[Expected]:
    """Return the checksums that a pasted list contains for a file.

    The folder of the list is not known, so a name matches if it is the end of the path; the longest one counts.

    Args:
        checksums: The list. A hash without a name is that of every file.
        path: The absolute path of the file.
    """
    end = _key(path)
    while end not in checksums.by_name:
        _, separator, end = end.partition(os.sep)
        if not separator:
            return [Expected(_KINDS[len(bare)], bare) for bare in checksums.bare]
    found = checksums.by_name[end]
    return [Expected(_KINDS[len(checksum)], checksum) for checksum in found]


def is_list(path: str) -> bool:
    """Return whether a file is a list of checksums or the signature of one, judging by its name."""
    return _LIST_NAME.fullmatch(_SIGNATURE.sub("", ntpath.basename(path))) is not None


_Found = TypeVar("_Found")


class _Cache(Generic[_Found]):
    """Keeps what was read from files or folders until these change. Any thread.

    What has been unused for longest is dropped first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[object, _Found, int]] = OrderedDict()
        self._size = 0

    def get(self, path: str, info: os.stat_result, read: Callable[[str], tuple[_Found, int]]) -> _Found:
        """Return what was read from a path, or read it if it has changed.

        Args:
            path: The path.
            info: Its current status.
            read: The function that reads it, and returns the memory that this needs, roughly, in bytes.
        """
        version = info.st_size, info.st_mtime_ns, info.st_ctime_ns
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(path)
                return kept[1]
        found, size = read(path)
        if abs(time.time() - info.st_mtime) > _FRESH_SECONDS:
            with self._lock:
                self._drop(path)
                self._kept[path] = version, found, size
                self._size += size
                while self._size > _MOST_CACHED_BYTES and len(self._kept) > 1:
                    self._drop(next(iter(self._kept)))
        return found

    def _drop(self, path: str) -> None:
        _, _, size = self._kept.pop(path, (None, None, 0))
        self._size -= size


class _Listing(NamedTuple):
    """The lists in a folder.

    Attributes:
        own: The names of the lists that are named after one file, by the name of that file.
        shared: The names of the others.
    """

    own: Mapping[str, tuple[str, ...]]
    shared: tuple[str, ...]


class ChecksumLists:
    """Finds the lists that name a file. Each is read once as long as it does not change. Any thread."""

    def __init__(self) -> None:
        self._lists: _Cache[ChecksumList] = _Cache()
        self._folders: _Cache[_Listing] = _Cache()

    def expected(self, path: str) -> list[Expected]:
        """Return the checksums of a file in the lists of the nearest folder where one names it.

        Args:
            path: The absolute path of the file.

        Raises:
            FileError: If a list can't be read.
        """
        folder, name = os.path.split(path)
        relative, way, device = name, "", None
        for _ in range(MOST_FOLDERS):
            try:
                info = os.stat(folder)  # noqa: PTH116 - a Path would change a name such as "a//b"
                if device not in {None, info.st_dev}:
                    break
                device = info.st_dev
                listing = self._folders.get(folder, info, _read_folder)
            except OSError:  # the lists of a folder that can't be listed are not known
                listing = _Listing({}, ())
            own = listing.own.get(name, ()) if not way else ()
            found = [
                Expected(_KINDS[len(checksum)], checksum, way + list_name)
                for list_name in (*own, *listing.shared)
                for checksum in self._checksums(os.path.join(folder, list_name), relative, is_own=list_name in own)  # noqa: PTH118
            ]
            if found:
                return found
            folder, above = os.path.split(folder)
            if not above:
                break
            relative, way = f"{above}/{relative}", f"../{way}"
        return []

    def listed_files(self, path: str) -> list[str]:
        """Return the names of the files in a list that are in its folder or below; empty if the file is no list.

        Raises:
            FileError: If the list can't be read.
        """
        match = _LIST_NAME.fullmatch(os.path.basename(path))  # noqa: PTH119
        if match is None:
            return []
        known = self._read(path).by_name
        names = []
        for name in known:
            # A name with backslashes that may have been written on Windows stands there twice.
            slashed = _key(name.replace("\\", "/"))
            if (slashed == name or slashed not in known) and _is_below(name):
                # The list of one file may name the path where the file was made.
                is_own = match["file"] == os.path.basename(name)  # noqa: PTH119
                names.append(match["file"] if is_own else name)
        return names

    def _checksums(self, path: str, relative: str, *, is_own: bool) -> tuple[str, ...]:
        """Return the hashes of a file in the list at a path.

        Args:
            path: The path of the list.
            relative: The path of the file relative to the folder of the list.
            is_own: Whether the list is named after the file.
        """
        checksums = self._read(path)
        key = _key(relative)
        listed = checksums.by_name.get(key, ())
        if is_own and not listed:
            # It may contain only a hash, or name the path where the file was made.
            wanted = os.path.basename(key)  # noqa: PTH119
            others = (found for name, found in checksums.by_name.items() if os.path.basename(name) == wanted)  # noqa: PTH119
            listed = next(others, checksums.bare)
        return listed

    def _read(self, path: str) -> ChecksumList:
        """Return the content of a list; an empty one for a folder that has the name of a list."""
        try:
            info = os.stat(path)  # noqa: PTH116
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error
        return self._lists.get(path, info, _read_list) if stat.S_ISREG(info.st_mode) else ChecksumList({})


def _is_below(name: str) -> bool:
    drive, rest = os.path.splitdrive(name)
    return not drive and not os.path.isabs(rest) and rest.partition(os.sep)[0] != ".."  # noqa: PTH117


def _read_folder(path: str) -> tuple[_Listing, int]:
    with os.scandir(path) as entries:
        names = {entry.name for entry in entries}
    listing = _listing(names)
    return listing, 1000 + 300 * (len(listing.own) + len(listing.shared))


def _listing(names: set[str]) -> _Listing:
    """Return which of the files in a folder are lists."""
    own: dict[str, tuple[str, ...]] = {}
    shared = []
    for name in sorted(names):
        match = _LIST_NAME.fullmatch(name)
        if match is not None and match["file"] in names:
            own[match["file"]] = (*own.get(match["file"], ()), name)
        elif match is not None:
            shared.append(name)
    return _Listing(own, tuple(shared[:_MOST_SHARED_LISTS]))


def _read_list(path: str) -> tuple[ChecksumList, int]:
    try:
        with open_source(path) as source:
            size = source.size
            content = source.read_at(0, MOST_LIST_BYTES) if size <= MOST_LIST_BYTES else b""
    except FileError as error:
        raise _unreadable(path, str(error.reason), passing=error.passing) from error
    if size > MOST_LIST_BYTES:
        raise _unreadable(path, f"it is larger than {MOST_LIST_BYTES >> 20} MiB")
    return parse_list(_decoded(content)), 1000 + 4 * size


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # PowerShell writes it
        return content.decode("utf-16", "replace")
    return os.fsdecode(content.removeprefix(codecs.BOM_UTF8))


def _unreadable(path: str, why: str, *, passing: bool = False) -> FileError:
    text = f"the list {display_text(path)} can't be read: {why}"
    return FileError(Reason(ReasonCode.NOT_VERIFIED, {"why": text}), passing=passing)
