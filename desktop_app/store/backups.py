"""Copying a database that others may work on, and keeping only the newest copies."""

from __future__ import annotations

import glob
import logging
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


log = logging.getLogger(__name__)


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


BACKUP_EVERY_SECONDS = 3600.0

_STAMP = "%Y%m%d-%H%M%S"

_PARTS = ("", "-wal", "-shm")

# The embedded queue's messages mean nothing to another database, which sends its own into a new one.
_FILES = (*_PARTS, *(f".queue{part}" for part in _PARTS))


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the database, whole as it was then; `made_at` is in milliseconds since 1970."""

    path: Path
    made_at: int


class Backups:
    """The copies of one database. Any thread, one at a time.

    Args:
        database: The database's file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    def all(self) -> list[Backup]:
        """The copies that are there, newest first."""
        found = [Backup(path, path.stat().st_mtime_ns // 1_000_000) for path in copies_of(self._database, "backup")]
        return sorted(found, key=lambda backup: backup.path.name, reverse=True)

    def is_needed(self) -> bool:
        """Whether the database is damaged, wherever in the file."""
        try:
            with closing(sqlite3.connect(self._database)) as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
        except sqlite3.DatabaseError:
            return True

    def make(self) -> Backup | None:
        """Copy the database, whole and consistent, while others work on it; keeps the newest few.

        Returns:
            The copy, or None if there is too little room on the disk to make one without harm.

        Raises:
            StoreError: If it can't be read or the copy can't be written.
        """
        if shutil.disk_usage(self._database.parent).free < 3 * self._database.stat().st_size:
            log.info("no backup: too little room on the disk")
            return None
        target = self._database.with_name(f"{self._database.name}.backup-{time.strftime(_STAMP)}")
        try:
            copy_whole(self._database, target)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                Sentence("No copy of {file} could be made: {why}", file=self._database, why=error), detail=repr(error)
            ) from error
        keep_newest([backup.path for backup in self.all()])
        return Backup(target, target.stat().st_mtime_ns // 1_000_000)

    def put_aside(self) -> Path:
        """Move the database away under a name that says when; gives the new name. The next start begins empty.

        Raises:
            StoreError: If it can't be moved.
        """
        aside = self._database.with_name(f"{self._database.name}.damaged-{time.strftime(_STAMP)}")
        try:
            for suffix in _FILES:
                with suppress(FileNotFoundError):
                    self._database.with_name(self._database.name + suffix).rename(f"{aside}{suffix}")
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be moved away: {why}.", file=self._database, why=error.strerror or error)
            ) from error
        return aside

    def restore(self, backup: Backup) -> Path:
        """Put a copy in the place of the database, which is put aside; gives where to.

        Raises:
            StoreError: If it can't be done; the copy itself stays.
        """
        aside = self.put_aside()
        try:
            shutil.copy2(backup.path, self._database)
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be copied: {why}.", file=backup.path, why=error.strerror or error)
            ) from error
        return aside
