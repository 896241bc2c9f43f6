"""Copying a database that others may work on, and keeping only the newest copies."""

from __future__ import annotations

import glob
import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEPT = 3
_HALF = ".part"


def create_private(path: Path) -> None:
    """Make the file for its owner's eyes only, before SQLite makes it for everybody's: it names people's files."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def copy_whole(database: Path, target: Path) -> None:
    """Copy a database, consistent; the copy has its name only once it is whole.

    Raises:
        OSError, sqlite3.Error: If it can't be read or written.
    """
    part = target.with_name(target.name + _HALF)
    part.unlink(missing_ok=True)
    create_private(part)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.replace(target)


def copies_of(database: Path, kind: str) -> list[Path]:
    """The whole copies whose names begin with the database's and this word."""
    found = database.parent.glob(f"{glob.escape(database.name)}.{kind}-*")
    return [path for path in found if not path.name.endswith(_HALF)]


def keep_newest(newest_first: Sequence[Path]) -> None:
    """Delete all but the first `KEPT`."""
    for old in newest_first[KEPT:]:
        old.unlink(missing_ok=True)
