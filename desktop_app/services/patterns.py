"""What a person types to say which files of a folder are meant: `*.csv; *.txt`, `.git`, `2024/**`.

Several patterns are separated by semicolons; without any, by spaces, so that `*.csv *.txt` does what it looks like and
`my notes*.txt; *.csv` too. Quotes keep a pattern with spaces together. Upper and lower case are alike.

`*` stands for any part of a name, `?` for one character, `[abc]` for one of these; `**` for any folders. A pattern with
a slash in it is meant from the folder on that was added; any other one at every depth. `name/` is a folder and all
that is in it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SEMICOLON = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*\Z)')  # not one in quotes
_QUOTED_OR_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_SET = re.compile(r"\[(!?)(\]?[^]]*)\]")
_LITERAL_ENDING = re.compile(r"\*(\.[^*?[\]/]+)")
_ANY_FOLDERS = "(?:.*/)?"


def split_patterns(text: str) -> list[str]:
    """The patterns in a text, in their order."""
    parts = [part.strip() for part in _SEMICOLON.split(text)]
    if len(parts) > 1:
        return [part[1:-1] if part[:1] == part[-1:] == '"' and len(part) > 1 else part for part in parts if part]
    found = [quoted or word.rstrip(",") for quoted, word in _QUOTED_OR_WORD.findall(text)]
    return [pattern for pattern in found if pattern]


def only(text: str) -> Callable[[str], bool] | None:
    """Whether a path matches one of the patterns; None if there is no pattern.

    Args:
        text: As typed.

    Returns:
        Takes a path from the folder on that was added, with slashes between its parts.
    """
    patterns = split_patterns(text)
    endings = [_LITERAL_ENDING.fullmatch(pattern) for pattern in patterns]
    plain = tuple(found[1].casefold() for found in endings if found)
    if plain and len(plain) == len(patterns):  # nearly always; several times quicker
        return lambda path: path.casefold().endswith(plain)
    return _any_of([_expression(pattern, inside=False) for pattern in patterns])


def neither(text: str) -> Callable[[str], bool] | None:
    """The same for what is to be left out: a pattern that fits a folder leaves out all that is in it."""
    return _any_of([_expression(pattern, inside=True) for pattern in split_patterns(text)])


def _any_of(expressions: list[str]) -> Callable[[str], bool] | None:
    if not expressions:
        return None
    match = re.compile("|".join(f"(?:{one})" for one in expressions), re.IGNORECASE | re.DOTALL).fullmatch
    return lambda path: match(path) is not None


def _expression(pattern: str, *, inside: bool) -> str:
    """One pattern as a regular expression for a whole path."""
    if os.sep == "\\":
        pattern = pattern.replace("\\", "/")
    names_folder = pattern.endswith("/")
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    if not parts:
        return r"(?!)"  # "/" alone names nothing
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
    """One name of a pattern. What follows a star is found once and kept, so that many stars can't take for ever."""
    pieces: list[str] = [""]  # between the stars
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
    """`[a-z]`, `[!0-9]`; a backwards range matches nothing rather than being refused."""
    inside = re.sub(r"([\\^\[\]&~|])", r"\\\1", found[2])
    made = f"(?!/)[{'^' if found[1] else ''}{inside}]"
    try:
        re.compile(made)
    except re.error:
        return re.escape(found[0])
    return made
