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
        is_there: Whether there is a regular file at the path.
        is_readable: Whether this user can read the file.
        missing_folder: The topmost folder in the path that does not exist; empty if all exist.
        owner: The name of the file's owner; empty if unknown.
    """

    path: str
    is_there: bool = False
    is_readable: bool = False
    missing_folder: str = ""
    owner: str = ""


def look_at(path: str) -> PathStatus:
    """Return the state of a path without opening the file.

    Do not call this on the main thread, since it can take minutes on an unresponsive network share.
    """
    try:
        info = os.stat(path)  # noqa: PTH116 - a Path would change a name such as "a//b"
    except (OSError, ValueError):
        return PathStatus(path, missing_folder=_missing_folder(path), owner=_owner(path))
    is_file = stat.S_ISREG(info.st_mode)
    return PathStatus(path, is_file, is_file and os.access(path, os.R_OK), owner=_owner(path))


def _missing_folder(path: str) -> str:
    """Return the topmost folder that does not exist. Search upwards, since upper folders may be unreadable."""
    missing = ""
    for folder in Path(path).parents:
        try:
            os.stat(folder)  # noqa: PTH116 - `exists` would hide the kind of error
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
    except (OSError, KeyError, ValueError, NotImplementedError):  # a deleted user, or a system without file owners
        return ""
