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

from desktop_app.domain.errors import FileError, FileProblem
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator


CHUNK_BYTES = 1 << 20
"""How much is read at once: large enough for full speed, small enough to cancel at once and to keep memory flat."""

FILE_GONE = Sentence("The file is no longer there")

IMPOSSIBLE_NAME = Sentence("No file can have this name")

WEB_ADDRESS = Sentence("Addresses on the web are not supported yet; download the file and add it from this computer")

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
        raise FileError(FileProblem.NOT_A_FILE, WEB_ADDRESS)
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
            raise FileError(FileProblem.MISSING, IMPOSSIBLE_NAME, detail=str(error)) from error
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
    (stat.S_ISDIR, Sentence("This is a folder, not a file")),
    (stat.S_ISFIFO, Sentence("This is a named pipe; only ordinary files can be processed")),
    (stat.S_ISSOCK, Sentence("This is a socket; only ordinary files can be processed")),
    (stat.S_ISCHR, Sentence("This is a device; only ordinary files can be processed")),
    (stat.S_ISBLK, Sentence("This is a device; only ordinary files can be processed")),
)


def unprocessable_kind(mode: int) -> str:
    """What a thing is that can't be processed, as a sentence; empty for an ordinary file.

    Args:
        mode: `st_mode` of what a link leads to.
    """
    if stat.S_ISREG(mode):
        return ""
    return next((text for is_kind, text in _KINDS if is_kind(mode)), Sentence("This is not an ordinary file"))


def _refuse_unless_file(mode: int) -> None:
    text = unprocessable_kind(mode)
    if text:
        raise FileError(FileProblem.NOT_A_FILE, text)


class _Meaning(NamedTuple):
    """What an error number of the system means for a job."""

    problem: FileProblem
    text: str
    passing: bool = False


_GONE = _Meaning(FileProblem.MISSING, FILE_GONE)

_NO_RIGHT = _Meaning(FileProblem.NOT_ALLOWED, Sentence("You may not read this file"))

_IN_USE = _Meaning(FileProblem.UNREADABLE, Sentence("Another program is using this file"), passing=True)

_AWAY = _Meaning(
    FileProblem.UNREADABLE, Sentence("The disk or network share that holds this file did not deliver it"), passing=True
)

_CIRCLE = _Meaning(FileProblem.NOT_A_FILE, Sentence("This link leads in a circle and never to a file"))

_BUSY_COMPUTER = _Meaning(
    FileProblem.UNREADABLE,
    Sentence("This computer is short of memory or has too many files open at once"),
    passing=True,
)

# The C library of Windows says EACCES both for a missing right and for a file that another program keeps to itself.
_NO_RIGHT_OR_IN_USE = _Meaning(
    FileProblem.NOT_ALLOWED, Sentence("You may not read this file, or another program is using it"), passing=True
)

_BY_NAME = {
    "ENOENT": _GONE,
    "ENOTDIR": _Meaning(
        FileProblem.MISSING, Sentence("The file is no longer there: a part of its path is not a folder")
    ),
    "ENAMETOOLONG": _Meaning(
        FileProblem.MISSING, Sentence("No file can be there: the path is too long for this system")
    ),
    "EACCES": _NO_RIGHT,
    "EPERM": _NO_RIGHT,
    "EISDIR": _Meaning(FileProblem.NOT_A_FILE, unprocessable_kind(stat.S_IFDIR)),
    "ELOOP": _CIRCLE,
    **dict.fromkeys(("EBUSY", "EAGAIN"), _IN_USE),
    **dict.fromkeys(("EMFILE", "ENFILE", "ENOMEM"), _BUSY_COMPUTER),
    **dict.fromkeys(("EIO", "ESTALE", "ENODEV", "ENXIO", "EREMOTEIO", "ENOTCONN", "ETIMEDOUT", "ENOLINK"), _AWAY),
    **dict.fromkeys(("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNRESET", "ECONNABORTED"), _AWAY),
}

_BY_ERRNO = {getattr(errno, name): meaning for name, meaning in _BY_NAME.items() if hasattr(errno, name)}

_BY_WINERROR = {
    **dict.fromkeys((32, 33), _IN_USE),
    **dict.fromkeys((21, 23, 51, 53, 54, 55, 59, 64, 67, 121, 1117, 1222, 1231, 1232, 1236), _AWAY),
    **dict.fromkeys((123, 161), _Meaning(FileProblem.MISSING, IMPOSSIBLE_NAME)),
    1921: _CIRCLE,
}


def file_error(error: OSError) -> FileError:
    """What the system said against a file, as an error for a person; the name of the file is not in it."""
    meaning = _meaning(error)
    detail = f"{errno.errorcode.get(error.errno or 0, error.errno)}: {error.strerror or error}"
    return FileError(meaning.problem, meaning.text, passing=meaning.passing, detail=detail)


def _meaning(error: OSError) -> _Meaning:
    windows_code = getattr(error, "winerror", None)
    if windows_code in _BY_WINERROR:
        return _BY_WINERROR[windows_code]
    if _ON_WINDOWS and windows_code is None and error.errno == errno.EACCES:
        return _NO_RIGHT_OR_IN_USE
    unknown = _Meaning(
        FileProblem.UNREADABLE, Sentence("The system can't read this file: {why}", why=error.strerror or error)
    )
    return _BY_ERRNO.get(error.errno or 0, unknown)
