"""Compact lists of files, which create `NewFile` objects on access.

A million `NewFile` objects would take twice as much memory, and the garbage collector would traverse them repeatedly on
the main thread.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import overload

from desktop_app.domain.job import NewFile

_UNKNOWN = -(1 << 63)


class FileList(Sequence[NewFile]):
    """The files found by a scan, in order. Files can be added, but not changed or removed.

    Attributes:
        paths: The paths.
        sizes: The sizes in bytes; negative if unknown.
    """

    __slots__ = ("_modified", "paths", "sizes")

    def __init__(self, files: Iterable[NewFile] = ()) -> None:
        self.paths: list[str] = []
        self.sizes = array("q")
        self._modified = array("q")
        for file in files:
            self.add(file.path, file.size, file.modified_ns)

    def add(self, path: str, size: int | None, modified_ns: int | None) -> None:
        """Append a file; see `NewFile`."""
        self.paths.append(path)
        self.sizes.append(_UNKNOWN if size is None else size)
        self._modified.append(_UNKNOWN if modified_ns is None else modified_ns)

    def extend(self, other: FileList) -> None:
        """Append the files of another list."""
        self.paths += other.paths
        self.sizes += other.sizes
        self._modified += other._modified

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, place: int) -> NewFile: ...
    @overload
    def __getitem__(self, place: slice) -> list[NewFile]: ...
    def __getitem__(self, place: int | slice) -> NewFile | list[NewFile]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        size, modified = self.sizes[place], self._modified[place]
        return NewFile(
            self.paths[place], None if size == _UNKNOWN else size, None if modified == _UNKNOWN else modified
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(other) == len(self) and all(map(NewFile.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]


class SomeFiles(Sequence[NewFile]):
    """A selection from a sequence of files.

    Args:
        files: All files. The sequence must not change.
        places: The positions of the selected files.
    """

    __slots__ = ("_files", "_places")

    def __init__(self, files: Sequence[NewFile], places: Iterable[int]) -> None:
        self._files = files
        self._places = array("q", places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> NewFile: ...
    @overload
    def __getitem__(self, place: slice) -> list[NewFile]: ...
    def __getitem__(self, place: int | slice) -> NewFile | list[NewFile]:
        if isinstance(place, slice):
            return [self._files[at] for at in self._places[place]]
        return self._files[self._places[place]]
