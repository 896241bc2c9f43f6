"""What lies at a file's path now, for a person who wonders why it could not be processed."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PathStatus:
    """What lies at a path.

    Attributes:
        path: What was looked at.
        is_there: An ordinary file.
        is_readable: It may be read by this account.
        missing_folder: The topmost folder of the path that is not there; empty if all are.
        owner: Whose file it is; empty where that can't be known.
    """

    path: str
    is_there: bool = False
    is_readable: bool = False
    missing_folder: str = ""
    owner: str = ""


def look_at(path: str) -> PathStatus:
    """Look, without opening anything. A share that does not answer can take minutes: not for the main thread."""
    try:
        info = os.stat(path)  # noqa: PTH116 - a Path would change a name such as "a//b"
    except (OSError, ValueError):
        return PathStatus(path, missing_folder=_missing_folder(path), owner=_owner(path))
    is_file = stat.S_ISREG(info.st_mode)
    return PathStatus(path, is_file, is_file and os.access(path, os.R_OK), owner=_owner(path))


def _missing_folder(path: str) -> str:
    """Return the topmost folder that is not there; looked for from the file up: what is above may not be readable."""
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
    except (OSError, KeyError, ValueError, NotImplementedError):  # no such user any more; no owners on this system
        return ""
