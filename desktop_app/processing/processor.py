"""The interface of a processor.

A processor only reads bytes and returns values. Opening files, reporting progress, checking for cancellation, rereading
changed files, and isolation are implemented elsewhere, for all processors.

Only the size of the file and `lines_count` are stored. The names of processors and fields may be stored in the future,
so they must not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.sources.local import Source

Value = int | float | str | bool
"""The types of the values in a result."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a result.

    Attributes:
        name: The name, which must not change.
        kind: The type of the values.
        title: The title for the user, in English.
        unit: A unit such as `bytes`; empty if there is none.
    """

    name: str
    kind: type[Value]
    title: str
    unit: str = ""


class Processor(Protocol):
    """Processes files. Several threads use the same object at once, so it must not store anything about a file."""

    @property
    def name(self) -> str:
        """The name, which must not change."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields that a result can contain."""
        ...

    def accepts(self, path: str) -> bool:
        """Return whether this processor can process a file, based on its path."""
        ...

    def process(self, source: Source) -> Mapping[str, Value]:
        """Process one file.

        Args:
            source: The open file. Iterate over all its chunks, which also reports the progress and checks for
                cancellation. Do not catch the exceptions that this raises.

        Returns:
            The values by field name. Some fields may be missing.

        Raises:
            FileError: If the content can't be processed.
        """
        ...


class Watch(Protocol):
    """Receives the progress of one file, and can cancel its processing. Called on the processing thread."""

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
