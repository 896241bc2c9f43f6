"""The contract between a processor and the code that runs it.

Opening the file, progress, cancelling, reading a changed file again, and isolation are implemented once for all.

The file's size and `lines_count` are stored. Other values and the name of the processor are not stored yet, but names
must be stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.sources.local import Source

Value = int | float | str | bool
"""The types of a result's values."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a result.

    Attributes:
        name: The stable name.
        kind: The type of the values.
        title: The title to show, in English.
        unit: A unit such as `bytes`; empty for a plain number or a text.
    """

    name: str
    kind: type[Value]
    title: str
    unit: str = ""

    def admits(self, value: object) -> bool:
        """Return whether a value has this field's type; a Boolean is not a number."""
        return type(value) is self.kind


class Processor(Protocol):
    """A processor of files. It is called on several threads at once, so it must not keep state about a file."""

    @property
    def name(self) -> str:
        """The stable name."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields that its results may contain."""
        ...

    def accepts(self, path: str) -> bool:
        """Return whether to process a file, by its name; the first processor that accepts it is used."""
        ...

    def process(self, source: Source) -> Mapping[str, Value]:
        """Process one file.

        Args:
            source: The open file. Read its chunks to the end; they report the progress and check for cancelling. Do
                not catch the exceptions they raise.

        Returns:
            The result: values by field name; fields may be missing.

        Raises:
            FileError: If the content can't be processed.
        """
        ...


class Watch(Protocol):
    """Follows the processing of one file. Called on the thread that processes."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """Receive the progress, at most every 100 ms and not for small files. It restarts if a file is read again."""
        ...

    def cancelled(self) -> bool:
        """Return whether to stop; called before every chunk, so it must return at once."""
        ...


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """The watch asked to stop; there is no result, and the job is unchanged."""
