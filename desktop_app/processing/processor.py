"""What a kind of processing is: the contract between a processor and everything that runs one.

Opening the file, progress, cancelling, reading again what changed, and isolation are done once, for all processors.

Of a result, the file's size and `lines_count` are stored. Other values and the name of the processor are not stored
yet; their names must be stable, since they will be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.sources.local import Source

Value = int | float | str | bool
"""What a field of a result may hold."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a result.

    Attributes:
        name: Its stable name.
        kind: The type of its values.
        title: What a person reads, in English.
        unit: Such as `bytes`; empty for a plain number or a text.
    """

    name: str
    kind: type[Value]
    title: str
    unit: str = ""

    def admits(self, value: object) -> bool:
        """Return whether a value is of this field's type; a truth value is no number."""
        return type(value) is self.kind


class Processor(Protocol):
    """One kind of processing. Called on several threads at once, so it keeps nothing of a file in itself."""

    @property
    def name(self) -> str:
        """Its stable name."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """All that its results may hold."""
        ...

    def accepts(self, path: str) -> bool:
        """Return whether this kind of processing is for such a file, by its name; the first that says yes does it."""
        ...

    def process(self, source: Source) -> Mapping[str, Value]:
        """Process one file.

        Args:
            source: The file, open. Its chunks are to be read up to the last one; meanwhile the progress is told and
                cancelling noticed. What they raise is not to be caught.

        Returns:
            The result: values by the names of the fields; a field may be missing.

        Raises:
            FileError: If the content can't be processed.
        """
        ...


class Watch(Protocol):
    """Follows the processing of one file. Called on the thread that processes."""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """Take how far it is; at most every 100 ms, not at all for small files. Starts anew if a file is read again."""
        ...

    def cancelled(self) -> bool:
        """Return whether to stop; asked before every chunk, so it must answer at once."""
        ...


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """The watch asked to stop; there is no result, and the job is as it was."""
