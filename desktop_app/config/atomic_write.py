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
from desktop_app.domain.job import display_text
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class NotWrittenError(KnownError):
    """A file can't be written.

    Args:
        text: Sentences for the user.
        code: The system's error number (`errno`), or 0.
    """

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


@contextlib.contextmanager
def whole_file(target: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Open a stream to write a file atomically: an existing file is replaced once everything is written.

    Exceptions inside the context propagate, and no temporary file is left behind.

    Args:
        target: The file. A symbolic link is followed.
        replace: False to keep a file that exists when writing begins.

    Raises:
        NotWrittenError: If it can't be written.
    """
    goal = Path(os.path.realpath(target))
    try:
        if not replace and os.path.lexists(goal):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        part = goal.with_name(f".filemill-{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())  # otherwise a power failure could leave an empty file
            part.replace(goal)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        text = Sentence("{file} can't be written: {cause}.", file=display_text(str(target)), cause=cause)
        raise NotWrittenError(text, code=error.errno or 0) from error


def write_whole(target: Path, write: Callable[[TextIO], object], *, replace: bool = True) -> None:
    """Write a text file in UTF-8; see `whole_file`.

    Args:
        target: The file.
        write: Writes the content to a stream that does not translate line ends.
        replace: False to keep an existing file.

    Raises:
        NotWrittenError: If it can't be written.
    """
    with whole_file(target, replace=replace) as binary:
        stream = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        write(stream)
        stream.flush()
        stream.detach()
