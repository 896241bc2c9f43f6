"""Inspect the path of a file that could not be processed."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PathStatus:
    """The state of a path.

    Attributes:
        path: The path.
        is_there: Whether it is a regular file.
        is_readable: Whether this user may read it.
        missing_folder: The topmost folder of the path that does not exist; empty if all do.
        owner: The owner of the file; empty if unknown.
    """

    path: str
    is_there: bool = False
    is_readable: bool = False
    missing_folder: str = ""
    owner: str = ""


def look_at(path: str) -> PathStatus:
    """Return the state of a path without opening it. Can take minutes on a dead share: not for the main thread."""
    try:
        info = os.stat(path)  # noqa: PTH116 - a Path would change a name such as "a//b"
    except (OSError, ValueError):
        return PathStatus(path, missing_folder=_missing_folder(path), owner=_owner(path))
    is_file = stat.S_ISREG(info.st_mode)
    return PathStatus(path, is_file, is_file and os.access(path, os.R_OK), owner=_owner(path))


def _missing_folder(path: str) -> str:
    """Return the topmost folder that does not exist, searching upwards, since folders above may not be readable."""
    missing = ""
    for folder in Path(path).parents:
        try:
            os.stat(folder)  # noqa: PTH116 - `exists` would hide why
        except (FileNotFoundError, NotADirectoryError):
            missing = str(folder)
        except (OSError, ValueError):
            return missing
        else:
            return missing
    return missing


def _owner(path: str) -> str:
    try:
        return Path(path).owner()
    except (
        OSError,
        KeyError,
        ValueError,
        NotImplementedError,
    ):  # the user no longer exists, or this system has no owners
        return ""
