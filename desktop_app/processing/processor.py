"""The interface of a processor.

A processor only reads bytes and returns values. Opening files, reporting progress, checking for cancellation, rereading
changed files, limits, and isolation are implemented elsewhere, for all processors.

The names of processors, fields and options are stored, so they must not change.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import Sentence, command_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer

    from desktop_app.domain.fields import Field, Option, Value
    from desktop_app.sources.local import Source


_SMALL_BYTES = 1 << 20
"""The size up to which a file is read at once: libraries may make thousands of small reads."""


class PluginCode(NamedTuple):
    """The code of a plug-in.

    Attributes:
        kind: Whether it is a file or an entry point; see `plugins.py`.
        source: The path of the file, or the entry point.
        digest: The SHA-256 of the code that the user has allowed, as hexadecimal digits.
    """

    kind: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits within which a processor runs in a child process.

    Attributes:
        seconds: The longest time for one file, in seconds. A file takes at least as long as it takes to read it.
        memory_bytes: The memory that the child process may use beyond what it uses at the start, in bytes. On
            macOS and Windows, which have no such limit, the child process checks it four times a second, but not while
            compiled code keeps the interpreter lock.
        plugin: The plug-in that the child process has to load; None for a processor of Filemill.
    """

    seconds: float = 600.0
    memory_bytes: int = 512 << 20
    plugin: PluginCode | None = None


class Processor(Protocol):
    """Processes files. Several threads use the same object at once, so it must not store anything about a file."""

    @property
    def name(self) -> str:
        """The name, as in `domain.fields.PROCESSOR_NAME`, which must not change."""
        ...

    @property
    def version(self) -> int:
        """The version, which is stored with each result; increase it when the same file may get another result."""
        ...

    @property
    def title(self) -> str:
        """The title for the user, in English."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that a result can contain."""
        ...

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that the user can set."""
        ...

    @property
    def limits(self) -> Limits | None:
        """The limits of the child process in which each file is processed; None to process it in this process.

        Whatever parses a format that others have written needs limits.
        """
        ...

    @property
    def unavailable(self) -> str:
        """Why the processor can't be used on this computer, and how to change that; empty if it can be used."""
        ...

    def accepts(self, path: str) -> bool:
        """Return whether this processor can process a file, based on its path."""
        ...

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        """Process one file.

        Args:
            source: The open file. Read it with `chunks`, to the end, or at any position with `opened`. This also
                reports the progress and checks for cancellation. Do not catch the exceptions that this raises.
            options: The values of all options.
            watch: For work that does not read the file.

        Returns:
            The values by field name. Some fields may be missing.

        Raises:
            FileError: If the content can't be processed. It can have values for some fields, which are stored, too.
        """
        ...


class Watch(Protocol):
    """Receives the progress of one file, and can cancel its processing. Called on the processing thread."""

    @property
    def attempt_id(self) -> str:
        """The ID of the job and the fencing token of the attempt, as `<UUID>-<token>`."""
        ...

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """Receive the progress; called at most every 100 ms. The progress restarts at 0 if the file is reread."""
        ...

    def on_access(self, *, begins: bool) -> None:
        """Note that an access to the file begins or ends: each can block if a disk or network share does not respond.

        Called often, so it must return immediately.
        """
        ...

    def cancelled(self) -> bool:
        """Return whether to cancel. Called before each chunk, so it must return immediately."""
        ...


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """Processing was cancelled, so there is no result."""


def opened(source: Source, buffer_bytes: int = 1 << 16) -> BinaryIO:
    """Return a source as a file object that libraries can read at any position. A small file is read at once."""
    if source.size <= _SMALL_BYTES:
        return io.BytesIO(source.read_at(0, source.size))
    return io.BufferedReader(_SourceFile(source), buffer_bytes)


class _SourceFile(io.RawIOBase):
    """A source as an unbuffered file. Reading raises what `Source.read_at` raises."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if start + offset < 0:
            raise ValueError(f"negative position: {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        content = self._source.read_at(self._position, len(view))
        view[: len(content)] = content
        self._position += len(content)
        return len(content)


def bad_content(why: str, values: Mapping[str, Value] | None = None) -> FileError:
    """Return the error for a file whose content a processor can't use.

    Args:
        why: A part of a sentence, in English, that says what is wrong; it may quote the file.
        values: What was found out nevertheless, by the names of the fields.
    """
    return FileError(Reason(ReasonCode.BAD_CONTENT, {"why": why}), values=values)


def too_large(why: str) -> FileError:
    """Return the error for a file that can't be processed within the limits; see `bad_content`."""
    return FileError(Reason(ReasonCode.TOO_LARGE, {"why": why}))


def missing_library(module: str, library: str, extra: str) -> str:
    """Return that a library is not installed, with the command that installs it; empty if it is installed.

    Args:
        module: The name of its module.
        library: Its name.
        extra: The extra of Filemill that installs it.
    """
    if find_spec(module) is not None:
        return ""
    command = command_line([sys.executable, "-m", "pip", "install", f"filemill[{extra}]"])
    return Sentence("{library} is not installed. Install it with: {command}", library=library, command=command)
