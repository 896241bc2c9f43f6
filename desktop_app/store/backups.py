"""Copies of the database, made now and then, and what is done when the database itself is damaged.

A damaged file is put aside, never overwritten or deleted: somebody may still get something out of it.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.errors import StoreError
from desktop_app.sentences import Sentence
from desktop_app.store.copies import copies_of, copy_whole, keep_newest

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
_STAMP = "%Y%m%d-%H%M%S"
_SIDE_FILES = ("", "-wal", "-shm")


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
            for suffix in _SIDE_FILES:
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
