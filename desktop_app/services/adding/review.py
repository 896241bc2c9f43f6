"""The review of a scan's result before files are added: comparison with the list, and selection of files.

Files are selected by patterns such as `*.csv; *.txt`, `.git` or `2024/**`. Patterns are separated by semicolons or, if
there is no semicolon, by spaces, so that both `*.csv *.txt` and `my notes*.txt; *.csv` work as expected. A pattern with
spaces can be put in quotation marks. Case is ignored.

`*` matches any characters within a name, `?` one character, `[abc]` one of the characters, and `**` any number of
folders. A pattern with a slash is relative to the added folder; other patterns match at any depth. `name/` matches a
folder and everything in it.
"""

from __future__ import annotations

import os
import re
from array import array
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desktop_app.domain.reasons import ReasonCode
from desktop_app.services.adding.names import batch_name, english_number
from desktop_app.sources.file_list import SomeFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from desktop_app.domain.job import NewFile
    from desktop_app.sources.scan import Refusal, ScanResult

_ASK_EVERY = 1024
_ABOUT_FOLDERS = frozenset({ReasonCode.FOLDER_GONE, ReasonCode.FOLDER_NOT_ALLOWED, ReasonCode.LINKED_FOLDER})
_SEMICOLON = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*\Z)')  # not within quotes
_QUOTED_OR_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_SET = re.compile(r"\[(!?)(\]?[^]]*)\]")
_LITERAL_ENDING = re.compile(r"\*(\.[^*?[\]/]+)")
_ANY_FOLDERS = "(?:.*/)?"


@dataclass(frozen=True, slots=True)
class SelectionRules:
    """The rules by which files are selected.

    Attributes:
        subfolders: Whether to include files in subfolders.
        only: The patterns for the files to include, as the user typed them; empty for all files.
        leave_out: The patterns for the files and folders to exclude, as the user typed them.
    """

    subfolders: bool = True
    only: str = ""
    leave_out: str = ""


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """The files selected by `SelectionRules`.

    Attributes:
        places: The positions of the files in the scan's result.
        size: The total size of the files in bytes; unknown sizes count as 0.
        listed: The number of files that are on the list and have not changed.
        refused: The selected entries that can't be added.
        names: The automatic names of the batch without and with the files that are already on the list.
    """

    places: array[int]
    size: int
    listed: int
    refused: tuple[Refusal, ...]
    names: tuple[str, str] = ("", "")

    def count(self, *, again: bool) -> int:
        """Return the number of files to add.

        Args:
            again: Whether to include the files that are already on the list.
        """
        return len(self.places) if again else len(self.places) - self.listed


class Review:
    """The result of a scan, from which files can be selected. Immutable, so any thread can use it.

    Args:
        result: The result of the scan.
        listed: For each file, 1 if it is on the list and has not changed, otherwise 0; see `JobEditor.review`.
        revision: The revision of the list before it was compared with the files.

    Attributes:
        result, revision: See above.
        size: The total size of all files in bytes; unknown sizes count as 0.
        listed: The number of files that are on the list and have not changed.
        has_subfolders: Whether the scan found anything in subfolders.
    """

    def __init__(self, result: ScanResult, listed: bytearray, revision: int = 0) -> None:
        self.result = result
        self.revision = revision
        self._listed = listed
        self.listed = sum(listed)
        self.size = sum(size for size in result.files.sizes if size > 0)
        self.has_subfolders = self._reaches_below()

    def pick(
        self, rules: SelectionRules, cancelled: Callable[[], bool], number: Callable[[int], str] = english_number
    ) -> SelectionResult | None:
        """Return the files that match the rules; None if cancelled. Takes about a second for a million files.

        Args:
            rules: The rules.
            cancelled: A function that returns whether to stop; called once for every `_ASK_EVERY` files.
            number: Formats the number of files in the name of the batch.
        """
        wanted = condition(rules)
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
        refused = tuple(refusal for refusal, name in self._refusals() if _concerns(refusal, name, rules))
        name = self._name(places, number)
        others = array("q", (place for place in places if not self._listed[place])) if listed else places
        return SelectionResult(places, size, listed, refused, (self._name(others, number) if listed else name, name))

    def _name(self, places: array[int], number: Callable[[int], str]) -> str:
        return batch_name(SomeFiles(self.result.files, places), self.result, number) if places else ""

    def files(self, selected: SelectionResult | None = None, *, again: bool) -> Sequence[NewFile]:
        """Return the files to add.

        Args:
            selected: The selected files; None for all files.
            again: Whether to include the files that were on the list.
        """
        places: Sequence[int] = range(len(self.result.files)) if selected is None else selected.places
        if not again and self.listed:
            return SomeFiles(self.result.files, (place for place in places if not self._listed[place]))
        return self.result.files if selected is None else SomeFiles(self.result.files, places)

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
        """Split the positions from 0 to `count` by added folder.

        Yields:
            Pairs of the length of an added folder's path (0 outside the added folders) and a range of positions.
        """
        at = 0
        for folder, part in zip(self.result.folders, inside, strict=True):
            yield 0, range(at, part.start)
            yield _length(folder.path), part
            at = part.stop
        yield 0, range(at, count)


def condition(rules: SelectionRules) -> Callable[[str], bool]:
    """Return a predicate that tests whether a relative path matches the rules."""
    meant, left_out = only(rules.only), neither(rules.leave_out)

    def wanted(name: str) -> bool:
        if "/" in name and not rules.subfolders:
            return False
        return (meant is None or meant(name)) and (left_out is None or not left_out(name))

    return wanted


def _concerns(refusal: Refusal, name: str, rules: SelectionRules) -> bool:
    """Return whether an entry that can't be added matches the rules; True for an added path, whose `name` is empty."""
    if not name:
        return True
    if not rules.subfolders and _lies_below(refusal, name):
        return False
    # A folder that could not be read might contain files that match.
    return condition(replace(rules, only="") if refusal.reason.code in _ABOUT_FOLDERS else rules)(name)


def _lies_below(refusal: Refusal, name: str) -> bool:
    """Return whether an entry is found only if subfolders are included."""
    return bool(name) and ("/" in name or refusal.reason.code in _ABOUT_FOLDERS)


def _length(folder: str) -> int:
    """Return the length of a folder's path, including the separator that follows it."""
    return len(folder) if folder.endswith(os.sep) else len(folder) + 1


def _relative(path: str, base: int) -> str:
    """Return a path relative to its added folder, with slashes; for a file that was added directly, its name."""
    name = path[base:] if base else path[path.rfind(os.sep) + 1 :]
    return name if os.sep == "/" else name.replace(os.sep, "/")


def split_patterns(text: str) -> list[str]:
    """Return the patterns in a text."""
    parts = [part.strip() for part in _SEMICOLON.split(text)]
    if len(parts) > 1:
        return [part[1:-1] if part[:1] == part[-1:] == '"' and len(part) > 1 else part for part in parts if part]
    found = [quoted or word.rstrip(",") for quoted, word in _QUOTED_OR_WORD.findall(text)]
    return [pattern for pattern in found if pattern]


def only(text: str) -> Callable[[str], bool] | None:
    """Return a predicate that tests whether a relative path matches one of the patterns; None if there is no pattern.

    Args:
        text: The patterns, as the user typed them.
    """
    patterns = split_patterns(text)
    endings = [_LITERAL_ENDING.fullmatch(pattern) for pattern in patterns]
    plain = tuple(found[1].casefold() for found in endings if found)
    if plain and len(plain) == len(patterns):  # the most common case; several times faster than a regular expression
        return lambda path: path.casefold().endswith(plain)
    return _any_of([_expression(pattern, inside=False) for pattern in patterns])


def neither(text: str) -> Callable[[str], bool] | None:
    """Return a predicate that tests whether a path or one of its folders matches any pattern; None if there are none.

    Args:
        text: The patterns, as the user typed them.
    """
    return _any_of([_expression(pattern, inside=True) for pattern in split_patterns(text)])


def _any_of(expressions: list[str]) -> Callable[[str], bool] | None:
    if not expressions:
        return None
    match = re.compile("|".join(f"(?:{one})" for one in expressions), re.IGNORECASE | re.DOTALL).fullmatch
    return lambda path: match(path) is not None


def _expression(pattern: str, *, inside: bool) -> str:
    """Return the regular expression for a pattern.

    Args:
        pattern: The pattern.
        inside: Whether a folder that matches the pattern includes everything in it.
    """
    if os.sep == "\\":
        pattern = pattern.replace("\\", "/")
    names_folder = pattern.endswith("/")
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    if not parts:
        return r"(?!)"  # "/" alone matches nothing
    anchored = "/" in pattern.removesuffix("/")
    made = "" if anchored else _ANY_FOLDERS
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            made += ".+" if last else _ANY_FOLDERS
        else:
            made += _component(part) + ("" if last else "/")
    if names_folder:
        return f"{made}/.*"
    return f"{made}(?:/.*)?" if inside or anchored else made


def _component(part: str) -> str:
    """Return a regular expression for one component of a pattern; several stars do not cause backtracking."""
    pieces: list[str] = [""]  # separated by stars
    at = 0
    while at < len(part):
        found = _SET.match(part, at)
        if part[at] == "*":
            pieces.append("")
        elif part[at] == "?":
            pieces[-1] += "[^/]"
        elif found is not None:
            pieces[-1] += _set(found)
            at = found.end() - 1
        else:
            pieces[-1] += re.escape(part[at])
        at += 1
    first, *others = pieces
    if not others:
        return first
    middle = "".join(f"(?>[^/]*?{piece})" for piece in others[:-1] if piece)
    return f"{first}{middle}[^/]*{others[-1]}"


def _set(found: re.Match[str]) -> str:
    """Return the regular expression for a set such as `[a-z]` or `[!0-9]`; an invalid set is taken literally."""
    ranges = re.finditer(r"(.)(?:-(.))?", found[2], re.DOTALL)
    inside = "".join("-".join(re.escape(end) for end in ends.groups() if end) for ends in ranges)
    made = f"(?!/)[{'^' if found[1] else ''}{inside}]"
    try:
        re.compile(made)
    except re.error:
        return re.escape(found[0])
    return made
