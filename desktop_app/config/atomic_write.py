"""Write files atomically."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


TEMPORARY_PREFIX = ".filemill-"
"""What the names of files and folders begin with that Filemill has not finished writing."""


class NotWrittenError(KnownError):
    """A file can't be written.

    Args:
        text: The message for the user.
        code: The error number (`errno`); 0 if there is none.
    """

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


@contextlib.contextmanager
def whole_file(target: Path, *, replace: bool = True, is_private: bool = False) -> Iterator[BinaryIO]:
    """Open a stream that writes a file atomically: the file is created or replaced when the context ends.

    If the context raises an exception, the previous file is kept and the temporary file is deleted.

    Args:
        target: The file. A symbolic link is followed.
        replace: Whether to replace an existing file.
        is_private: Whether only the owner can access the file.

    Raises:
        NotWrittenError: If the file can't be written, or exists and must not be replaced.
    """
    try:
        path = _resolved(target)
        if not replace and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        part = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}.part")
        try:
            with open(part, "xb", opener=_open_private if is_private else None) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())  # otherwise the file could be empty after a power failure
            part.replace(path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        text = Sentence("{file} can't be written: {cause}.", file=target, cause=cause)
        raise NotWrittenError(text, code=error.errno or 0) from error


def _resolved(target: Path) -> Path:
    """Return the path to write, with links resolved.

    Raises:
        OSError: If the path is relative without a current folder, or is a pipe or a device, which would be replaced.
    """
    try:
        path = Path(os.path.realpath(target))
    except FileNotFoundError as error:
        raise OSError(error.errno, Sentence("the current folder was removed")) from error
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, Sentence("it is not a regular file"))
    return path


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_whole(
    target: Path, write: Callable[[TextIO], object], *, replace: bool = True, is_private: bool = False
) -> None:
    """Write a UTF-8 text file atomically.

    Args:
        target: The file. A symbolic link is followed.
        write: Called with the stream to write the text to, which does not translate line endings.
        replace: Whether to replace an existing file.
        is_private: Whether only the owner can access the file.

    Raises:
        NotWrittenError: If the file can't be written, or exists and must not be replaced.
    """
    with whole_file(target, replace=replace, is_private=is_private) as binary:
        stream = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        write(stream)
        stream.flush()
        stream.detach()
