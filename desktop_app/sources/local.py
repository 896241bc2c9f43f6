"""Opening what a job names: the one small door, so that files on S3 or behind a URL can come in later.

A `Source` is opened, read once in chunks, and asked at the end whether it moved meanwhile. Everything that the system
can say against a file is turned here into a `FileError` with a sentence for a person.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterator


CHUNK_BYTES = 1 << 20
"""How much is read at once: large enough for full speed, small enough to cancel at once and to keep memory flat."""

_ON_WINDOWS = os.name == "nt"

_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)

# A named pipe must not make us wait and a terminal must not become ours, should one take the file's place between the
# look and the opening. Windows has neither.
_EXTRA_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Source(Protocol):
    """Something with bytes in it, open for one reading; a context manager that closes it. One thread at a time."""

    @property
    def size(self) -> int:
        """Bytes, as they were when it was opened."""
        ...

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The content from the start to the end, in pieces of 1 to `chunk_bytes` bytes; memory stays flat.

        Raises:
            FileError: If the content can't be read.
        """
        ...

    def changed(self) -> bool:
        """Whether it is another one, or was written to, since it was opened.

        Raises:
            FileError: If that can't be found out.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def open_source(path: str) -> Source:
    """Open what a job names. Any thread.

    Args:
        path: A path as `os.fsdecode` gives it; it may hold surrogate escapes.

    Raises:
        FileError: If it is no ordinary file, is not there, may not be read, or is an address on the web.
    """
    if is_address(path):
        raise FileError(Reason(ReasonCode.WEB_ADDRESS))
    return FileSource(path)


def is_address(text: str) -> bool:
    """Whether a text is a URL of another kind than `file:`; `C:/x` and `C://x` are paths."""
    return _ADDRESS.match(text) is not None


class _Identity(NamedTuple):
    """What tells that a file was replaced or written to."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, info: os.stat_result) -> _Identity:
        return cls(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)


class FileSource:
    """An ordinary file on this computer or on a mounted share. Anything else is refused without being opened.

    Args:
        path: As `os.fsdecode` gives it. A symbolic link is followed.

    Raises:
        FileError: If it is no ordinary file, is not there, or may not be read.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            # Opening a device can have effects (a tape rewinds), so the kind is asked for before. Asked again after,
            # since another thing may have taken the name meanwhile.
            named = os.stat(path)  # noqa: PTH116 - a Path would change a name such as "a//b"
            _refuse_unless_file(named.st_mode)
            self._file = io.FileIO(path, opener=_open)
        except OSError as error:
            raise file_error(error) from error
        except ValueError as error:  # a NUL, or a surrogate that stands for no byte
            raise FileError(Reason(ReasonCode.IMPOSSIBLE_NAME), detail=str(error)) from error
        try:
            opened = os.fstat(self._file.fileno())
            _refuse_unless_file(opened.st_mode)
        except BaseException:
            self._file.close()
            raise
        # Path and handle are each compared with themselves: on Windows the two may name one device differently.
        self._at_open = (_Identity.of(named), _Identity.of(opened))

    @property
    def size(self) -> int:
        """Bytes, as they were when the file was opened."""
        return self._at_open[1].size

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The content in pieces of 1 to `chunk_bytes` bytes.

        Fresh `bytes` were measured as fast as a reused buffer (17 GB/s from the page cache, both), and can't be
        overwritten under a reader's hands.

        Raises:
            FileError: If the system can't deliver the content.
        """
        while True:
            try:
                chunk = self._file.read(chunk_bytes)
            except OSError as error:
                raise file_error(error) from error
            if not chunk:
                return
            yield chunk

    def changed(self) -> bool:
        """Whether size, modification time or identity moved, both of what is open and of what now has the name.

        Raises:
            FileError: If the system can't tell; a name that is gone is a change.
        """
        try:
            named = os.stat(self._path)  # noqa: PTH116
            opened = os.fstat(self._file.fileno())
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            raise file_error(error) from error
        return (_Identity.of(named), _Identity.of(opened)) != self._at_open

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _EXTRA_FLAGS)
    if _EXTRA_FLAGS:
        # Only the opening must not wait: a file system in user space may take the flag seriously for reads too.
        os.set_blocking(descriptor, True)
    return descriptor


_KINDS = (
    (stat.S_ISDIR, ReasonCode.IS_FOLDER),
    (stat.S_ISFIFO, ReasonCode.IS_PIPE),
    (stat.S_ISSOCK, ReasonCode.IS_SOCKET),
    (stat.S_ISCHR, ReasonCode.IS_DEVICE),
    (stat.S_ISBLK, ReasonCode.IS_DEVICE),
)


def unprocessable_kind(mode: int) -> ReasonCode | None:
    """Return what a thing is that can't be processed; None for an ordinary file.

    Args:
        mode: `st_mode` of what a link leads to.
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
"""Trying again later may help."""


def file_error(error: OSError) -> FileError:
    """Return what the system said against a file, as an error for a person; the name of the file is not in it."""
    code, said = _code(error), error.strerror or str(error)
    reason = Reason(code, {"why": said} if code is ReasonCode.SYSTEM_ERROR else {})
    detail = f"{errno.errorcode.get(error.errno or 0, error.errno)}: {said}"
    return FileError(reason, passing=code in _PASSING, detail=detail)


def _code(error: OSError) -> ReasonCode:
    windows_code = getattr(error, "winerror", None)
    if windows_code in _BY_WINERROR:
        return _BY_WINERROR[windows_code]
    if _ON_WINDOWS and windows_code is None and error.errno == errno.EACCES:
        # The C library of Windows says EACCES both for a missing right and for a file that another program keeps to
        # itself.
        return ReasonCode.MAY_NOT_READ_OR_IN_USE
    return _BY_ERRNO.get(error.errno or 0, ReasonCode.SYSTEM_ERROR)
