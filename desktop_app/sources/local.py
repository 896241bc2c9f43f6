"""Open and read the file of a job.

All files are opened by `open_source`, so that other kinds of locations can be added there. A `Source` is read once in
chunks, and then checked for changes. Errors of the operating system are raised as `FileError`s.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import closing
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.sources.location import is_address
from desktop_app.sources.read_ahead import SLOW_SECONDS, ReadAhead, can_read_ahead

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Generator, Iterator


Result = TypeVar("Result")

CHUNK_BYTES = 1 << 20
"""The chunk size: large enough for full speed, small enough to cancel quickly and to use little memory."""

READ_AHEAD_BYTES = 64 << 20
"""From this size on, a file is read by two threads."""

_FIRST_CHUNK_BYTES = 1 << 16
_LEAST_CHUNK_BYTES = 1 << 12

_ON_WINDOWS = os.name == "nt"

# If a named pipe or a terminal replaces the file after the check, opening it must not block, and a terminal must not
# become the controlling terminal. Windows has neither flag.
_EXTRA_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # Windows would change the line endings of a text

_CLOSED = -1


class Change(Enum):
    """What has happened to a file since it was opened."""

    NONE = auto()
    STATUS = auto()
    """Only the status change time (`ctime`) differs. The file may have been replaced, or its content changed and its
    modification time set back; or only its permissions, its links or its access time were set."""
    CONTENT = auto()
    """The size or the modification time differs."""


class Source(Protocol):
    """An open file that can be read once; as a context manager, it closes the file. One thread at a time."""

    @property
    def path(self) -> str:
        """The path as decoded by `os.fsdecode`."""
        ...

    @property
    def size(self) -> int:
        """The size in bytes at the time of opening."""
        ...

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """Yield the content in chunks of 1 to `chunk_bytes` bytes.

        Raises:
            FileError: If the content can't be read.
        """
        ...

    def ahead(self, work: Callable[[bytes], Result]) -> Generator[Result]:
        """Read the next chunks of a large file with two threads, and yield the results of a function in order.

        Call it after the first chunk of `chunks`, which then continues. This yields nothing for smaller files, may end
        at any time, and always leaves some content to `chunks`.

        Args:
            work: The function, called for each chunk, on both threads at the same time. A chunk has `CHUNK_BYTES`
                bytes. The function should be quick, since its time counts as that of an access to the file.

        Raises:
            FileError: If the content can't be read.
        """
        ...

    def read_at(self, position: int, count: int) -> bytes:
        """Return up to `count` bytes from a position; fewer only at the end of the file.

        Raises:
            FileError: If the content can't be read.
        """
        ...

    def change(self) -> Change:
        """Return what has happened to the file since it was opened.

        Raises:
            FileError: If this can't be determined.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def open_source(path: str) -> Source:
    """Open the file of a job. Any thread.

    Args:
        path: A path as decoded by `os.fsdecode`, which may contain surrogate escapes.

    Raises:
        FileError: If the path is a URL, or the file does not exist, can't be read or is not a regular file.
    """
    if ":" in path and is_address(path):
        raise FileError(Reason(ReasonCode.WEB_ADDRESS))
    content = None if read_small_file is None else read_small_file(path)
    return FileSource(path) if content is None else SmallSource(content, path)


SMALL_FILE_BYTES = 16 * 1024
"""The largest size of a file that the compiled functions read."""
MOST_SMALL_FILES = 64
"""The maximum number of files that are read with one call."""

read_small_file: Callable[[str], bytes | None] | None
"""A compiled function, which takes half the time; None if it was not built, and on Windows.

It returns the content of a regular file of at most `SMALL_FILE_BYTES` that does not change meanwhile, by the rules of
`FileSource`. In all other cases, and after any error, it returns None.
"""
read_small_files: Callable[[list[str], array[int], float], list[bytes | None]] | None
"""Does the same for up to `MOST_SMALL_FILES` paths, but returns None for a path that is a symbolic link.

No file except the first is begun after the time in seconds that is the third argument; these are None as well.

Meanwhile, the second argument, an array of the type `q` with one item, contains the index of the file that is being
read. The interpreter lock is released once, not once for each file.
"""
try:
    from desktop_app.sources import _small_files
except ImportError:
    read_small_file = read_small_files = None
else:
    read_small_file, read_small_files = _small_files.read, _small_files.read_all


class SmallSource:
    """A small file that was read when it was opened. It can't change any more.

    Attributes:
        path, size: See `Source`.
    """

    def __init__(self, content: bytes, path: str) -> None:
        self._content = content
        self.path = path
        self.size = len(content)

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """See `Source.chunks`."""
        if self.size <= chunk_bytes:
            return iter((self._content,) if self._content else ())
        return (self._content[begin : begin + chunk_bytes] for begin in range(0, self.size, chunk_bytes))

    def ahead(self, work: Callable[[bytes], Result]) -> Generator[Result]:  # noqa: ARG002 - see `Source.ahead`
        """See `Source.ahead`: the file is small."""
        yield from ()

    def read_at(self, position: int, count: int) -> bytes:
        """See `Source.read_at`."""
        return self._content[position : position + count]

    def change(self) -> Change:
        """See `Source.change`."""
        return Change.NONE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: the file is closed."""


_Version = tuple[int, int, int]
"""The attributes of a file that change with its content: its size, modification time and status change time.

Device and inode numbers are not compared, since some network file systems report different ones at each call.
"""


def _version(info: os.stat_result) -> _Version:
    # On Windows, `st_ctime` is the creation time.
    return info.st_size, info.st_mtime_ns, 0 if _ON_WINDOWS else info.st_ctime_ns


class FileSource:
    """A regular file on this computer or on a mounted share. Anything else is rejected without being opened.

    It is read without `io`, whose files cost small ones two thirds of their time.

    Attributes:
        path, size: See `Source`.

    Args:
        path: A path as decoded by `os.fsdecode`. Symbolic links are followed.

    Raises:
        FileError: If the file does not exist, can't be read or is not a regular file.
    """

    def __init__(self, path: str) -> None:
        try:
            # Opening a device can have side effects, such as rewinding a tape, so check the kind of file first. Check
            # again after opening, since the file may have been replaced in between.
            _refuse_unless_file(os.stat(path).st_mode)  # noqa: PTH116 - a Path would change a name such as "a//b"
            self._descriptor = os.open(path, _READ_FLAGS | _EXTRA_FLAGS)
        except OSError as error:
            raise file_error(error) from error
        except ValueError as error:  # a NUL, or a surrogate that represents no byte
            raise FileError(Reason(ReasonCode.IMPOSSIBLE_NAME), detail=str(error)) from error
        try:
            info = os.fstat(self._descriptor)
            _refuse_unless_file(info.st_mode)
            if _EXTRA_FLAGS:
                # `O_NONBLOCK` is needed only for opening; a FUSE file system might apply it to reads, too.
                os.set_blocking(self._descriptor, True)
        except OSError as error:
            self._close()
            raise file_error(error) from error
        except FileError:
            self._close()
            raise
        self.path = path
        self._at_open = _version(info)
        self.size = info.st_size

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """See `Source.chunks`."""
        # Reusing a buffer is not faster (both measured at 14 GB/s from the page cache). A slow network share gets
        # requests for less data, so that each is answered in time to show that the share still responds. A small file
        # is requested with one byte more than it has, which also finds its end.
        size, done = self.size, 0
        requested = min(size + 1, _FIRST_CHUNK_BYTES, chunk_bytes)
        try:
            while True:
                begun = time.monotonic()
                if self._descriptor == _CLOSED:
                    raise ValueError("The file is closed")
                if not (chunk := os.read(self._descriptor, requested)):
                    return
                is_slow = time.monotonic() - begun > SLOW_SECONDS
                done += len(chunk)
                yield chunk
                if done == size and len(chunk) < requested:
                    return
                if is_slow:
                    requested = max(requested // 4, min(requested, _LEAST_CHUNK_BYTES))
                else:
                    requested = min(requested * 4, chunk_bytes)
        except OSError as error:
            raise file_error(error) from error

    def ahead(self, work: Callable[[bytes], Result]) -> Generator[Result]:
        """See `Source.ahead`."""
        if self.size < READ_AHEAD_BYTES or not can_read_ahead():
            return
        try:
            done = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            end = self.size - 1 - (self.size - 1 - done) % CHUNK_BYTES
            with closing(ReadAhead(self._descriptor, done, end, CHUNK_BYTES, work).results()) as results:
                for result in results:
                    done += CHUNK_BYTES
                    yield result
            os.lseek(self._descriptor, done, os.SEEK_SET)
        except OSError as error:
            raise file_error(error) from error

    def read_at(self, position: int, count: int) -> bytes:
        """See `Source.read_at`."""
        parts: list[bytes] = []
        try:
            os.lseek(self._descriptor, position, os.SEEK_SET)  # Windows has no `pread`
            while count and (part := os.read(self._descriptor, count)):
                parts.append(part)
                count -= len(part)
        except OSError as error:
            raise file_error(error) from error
        return b"".join(parts)

    def change(self) -> Change:
        """See `Source.change`. On most file systems, deleting or replacing the file is a `STATUS` change."""
        try:
            now = _version(os.fstat(self._descriptor))
        except OSError as error:
            raise file_error(error) from error
        if now == self._at_open:
            return Change.NONE
        return Change.STATUS if now[:2] == self._at_open[:2] else Change.CONTENT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = _CLOSED


_KINDS = (
    (stat.S_ISDIR, ReasonCode.IS_FOLDER),
    (stat.S_ISFIFO, ReasonCode.IS_PIPE),
    (stat.S_ISSOCK, ReasonCode.IS_SOCKET),
    (stat.S_ISCHR, ReasonCode.IS_DEVICE),
    (stat.S_ISBLK, ReasonCode.IS_DEVICE),
)


def unprocessable_kind(mode: int) -> ReasonCode | None:
    """Return the reason why a kind of file can't be processed; None for a regular file.

    Args:
        mode: The `st_mode` of the file, or of the target of a link.
    """
    if stat.S_ISREG(mode):
        return None
    return next((code for is_kind, code in _KINDS if is_kind(mode)), ReasonCode.NOT_ORDINARY)


def _refuse_unless_file(mode: int) -> None:
    code = unprocessable_kind(mode)
    if code is not None:
        raise FileError(Reason(code))


_IN_USE = ReasonCode.IN_USE

_AWAY = ReasonCode.NOT_DELIVERED

_BY_NAME = {
    "ENOENT": ReasonCode.FILE_GONE,
    "ENOTDIR": ReasonCode.PATH_BROKEN,
    "ENAMETOOLONG": ReasonCode.PATH_TOO_LONG,
    "EACCES": ReasonCode.MAY_NOT_READ,
    "EPERM": ReasonCode.MAY_NOT_READ,
    "EISDIR": ReasonCode.IS_FOLDER,
    "ELOOP": ReasonCode.LINK_CIRCLE,
    **dict.fromkeys(("EBUSY", "EAGAIN"), _IN_USE),
    **dict.fromkeys(("EMFILE", "ENFILE", "ENOMEM"), ReasonCode.SHORT_OF_RESOURCES),
    **dict.fromkeys(("EIO", "ESTALE", "ENODEV", "ENXIO", "EREMOTEIO", "ENOTCONN", "ETIMEDOUT", "ENOLINK"), _AWAY),
    **dict.fromkeys(("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNRESET", "ECONNABORTED"), _AWAY),
}

_BY_ERRNO = {getattr(errno, name): meaning for name, meaning in _BY_NAME.items() if hasattr(errno, name)}

_BY_WINERROR = {
    **dict.fromkeys((32, 33), _IN_USE),
    **dict.fromkeys((21, 23, 51, 53, 54, 55, 59, 64, 67, 121, 1117, 1222, 1231, 1232, 1236), _AWAY),
    **dict.fromkeys((123, 161), ReasonCode.IMPOSSIBLE_NAME),
    1921: ReasonCode.LINK_CIRCLE,
}


_PASSING = {
    ReasonCode.IN_USE,
    ReasonCode.NOT_DELIVERED,
    ReasonCode.SHORT_OF_RESOURCES,
    ReasonCode.MAY_NOT_READ_OR_IN_USE,
}
"""The reasons that may be temporary, so that another attempt is made later."""


def file_error(error: OSError) -> FileError:
    """Convert an error of the operating system to a `FileError`, whose text does not contain the file's name."""
    code, said = _code(error), error.strerror or str(error)
    reason = Reason(code, {"why": said} if code is ReasonCode.SYSTEM_ERROR else {})
    detail = f"{errno.errorcode.get(error.errno or 0, error.errno)}: {said}"
    return FileError(reason, passing=code in _PASSING, detail=detail)


def _code(error: OSError) -> ReasonCode:
    windows_code = getattr(error, "winerror", None)
    if windows_code in _BY_WINERROR:
        return _BY_WINERROR[windows_code]
    if _ON_WINDOWS and windows_code is None and error.errno == errno.EACCES:
        # The Windows C library reports EACCES both if permission is missing and if another program has locked the file.
        return ReasonCode.MAY_NOT_READ_OR_IN_USE
    return _BY_ERRNO.get(error.errno or 0, ReasonCode.SYSTEM_ERROR)
