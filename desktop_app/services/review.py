"""What a scan found, for a person to choose from: with or without subfolders, only these, not those.

The disk is asked once; what is typed is then held against what was found, in memory.
"""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desktop_app.services.found import SomeFiles
from desktop_app.services.patterns import neither, only
from desktop_app.services.refusals import FOLDER_GONE, FOLDER_NOT_ALLOWED, LINKED_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from desktop_app.jobs import NewFile
    from desktop_app.services.refusals import Refusal
    from desktop_app.services.scan import ScanResult

_ASK_EVERY = 1024
_ABOUT_FOLDERS = frozenset({FOLDER_GONE, FOLDER_NOT_ALLOWED, LINKED_FOLDER})


@dataclass(frozen=True, slots=True)
class Wish:
    """Which of the files are meant.

    Attributes:
        subfolders: Those in folders below the ones that were named, too.
        only: Patterns, as typed, of which a file has to match one; empty = any file.
        leave_out: Patterns of what is not meant.
    """

    subfolders: bool = True
    only: str = ""
    leave_out: str = ""


@dataclass(frozen=True, slots=True)
class Picked:
    """What a wish comes to.

    Attributes:
        places: Which files, by their place in the scan's result.
        size: Their bytes together, as far as they are known.
        listed: How many of them are on the list already and have not changed.
        refused: What can't be added and would be meant.
    """

    places: array[int]
    size: int
    listed: int
    refused: tuple[Refusal, ...]

    def count(self, *, again: bool) -> int:
        """How many files would be added; with `again` those that are on the list already too."""
        return len(self.places) if again else len(self.places) - self.listed


class Review:
    """A scan's result and what can be chosen of it. Does not change: any thread, several at once.

    Attributes:
        result: What the scan found.
        size: All files' bytes together, as far as they are known.
        has_subfolders: Whether it makes a difference to go into subfolders.

    Args:
        result: What the scan found.
        listed: For each file 1 if it is on the list already and has not changed; see `IntakeService.listed`.
    """

    def __init__(self, result: ScanResult, listed: bytearray) -> None:
        self.result = result
        self._listed = listed
        self.size = sum(size for size in result.files.sizes if size > 0)
        self.has_subfolders = self._reaches_below()

    @property
    def has_listed(self) -> bool:
        """Whether any of the files is on the list already and has not changed."""
        return any(self._listed)

    @property
    def is_plain(self) -> bool:
        """True if there is nothing that a person would want to know before these files are added."""
        return not self.result.refused and not self.has_listed

    def pick(self, wish: Wish, cancelled: Callable[[], bool]) -> Picked | None:
        """What a wish comes to; None if nobody wants to know any more. About a second for a million files.

        Args:
            wish: What is meant.
            cancelled: Asked about a thousand times for a million files.
        """
        wanted = _condition(wish)
        paths, sizes = self.result.files.paths, self.result.files.sizes
        places = array("q")
        size = listed = 0
        for base, part in self._parts([folder.files for folder in self.result.folders], len(paths)):
            for place in part:
                if not place % _ASK_EVERY and cancelled():
                    return None
                if wanted(_relative(paths[place], base)):
                    places.append(place)
                    size += max(0, sizes[place])
                    listed += self._listed[place]
        refused = tuple(refusal for refusal, name in self._refusals() if _concerns(refusal, name, wish))
        return Picked(places, size, listed, refused)

    def files(self, picked: Picked) -> Sequence[NewFile]:
        """The files that were picked."""
        return SomeFiles(self.result.files, picked.places)

    def _reaches_below(self) -> bool:
        for folder in self.result.folders:
            base = _length(folder.path)
            if any(self.result.files.paths[place].find(os.sep, base) >= 0 for place in folder.files):
                return True
        return any(_lies_below(refusal, name) for refusal, name in self._refusals())

    def _refusals(self) -> Iterator[tuple[Refusal, str]]:
        refused = self.result.refused
        for base, part in self._parts([folder.refused for folder in self.result.folders], len(refused)):
            for place in part:
                path = refused[place].path
                yield refused[place], _relative(path, base) if base else ""

    def _parts(self, inside: list[range], count: int) -> Iterator[tuple[int, range]]:
        """All places in their order, with the length of the path of the folder they are in; 0 for none."""
        at = 0
        for folder, part in zip(self.result.folders, inside, strict=True):
            yield 0, range(at, part.start)
            yield _length(folder.path), part
            at = part.stop
        yield 0, range(at, count)


def _condition(wish: Wish) -> Callable[[str], bool]:
    """Whether a relative path is meant."""
    meant, left_out = only(wish.only), neither(wish.leave_out)

    def wanted(name: str) -> bool:
        if "/" in name and not wish.subfolders:
            return False
        return (meant is None or meant(name)) and (left_out is None or not left_out(name))

    return wanted


def _concerns(refusal: Refusal, name: str, wish: Wish) -> bool:
    """Whether what can't be added would have been meant. What was named itself always is."""
    if not name:
        return True
    if not wish.subfolders and _lies_below(refusal, name):
        return False
    # A folder that could not be looked into may hold what is meant.
    return _condition(replace(wish, only="") if refusal.text in _ABOUT_FOLDERS else wish)(name)


def _lies_below(refusal: Refusal, name: str) -> bool:
    """Whether it would not be met without going into subfolders; a folder would not."""
    return bool(name) and ("/" in name or refusal.text in _ABOUT_FOLDERS)


def _length(folder: str) -> int:
    """How much of the path of what is in a folder is the folder's."""
    return len(folder) if folder.endswith(os.sep) else len(folder) + 1


def _relative(path: str, base: int) -> str:
    """A path from a folder on, with slashes; the name alone for what was named itself."""
    name = path[base:] if base else path[path.rfind(os.sep) + 1 :]
    return name if os.sep == "/" else name.replace(os.sep, "/")
