"""Back up the database while it is in use, delete old backups, and restore a backup."""

from __future__ import annotations

import glob
import logging
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError
from desktop_app.domain.sentences import Sentence
from desktop_app.store.backends.sqlite import ERRORS, SIDE_FILES, copy_database, is_complete, is_damaged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


log = logging.getLogger(__name__)


KEPT = 3
"""The number of backups of each kind to keep."""

BACKUP_EVERY_SECONDS = 3600.0

_STAMP = "%Y%m%d-%H%M%S"


def copies_of(database: Path, kind: str) -> list[Path]:
    """Return the complete backups of one kind: files named `<database>.<kind>-…`."""
    found = database.parent.glob(f"{glob.escape(database.name)}.{kind}-*")
    return [path for path in found if is_complete(path)]


def keep_newest(newest_first: Sequence[Path]) -> None:
    """Delete all but the newest `KEPT` backups."""
    for old in newest_first[KEPT:]:
        old.unlink(missing_ok=True)


# The embedded queue is moved along with the database, since its messages refer to rows in the database.
_FILES = ("", *SIDE_FILES, *(f".queue{part}" for part in ("", *SIDE_FILES)))


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of the database; `made_at` is in milliseconds since 1970."""

    path: Path
    made_at: int


class Backups:
    """The backups of one database. Any thread, but only one at a time.

    Args:
        database: The database file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    def all(self) -> list[Backup]:
        """Return the complete backups, newest first."""
        found = [Backup(path, path.stat().st_mtime_ns // 1_000_000) for path in copies_of(self._database, "backup")]
        return sorted(found, key=lambda backup: backup.path.name, reverse=True)

    def is_needed(self) -> bool:
        """Return whether the database is damaged and must be replaced. Reads the whole file."""
        return is_damaged(self._database)

    def make(self) -> Backup | None:
        """Back up the database while it is in use, and delete old backups.

        Returns:
            The backup; None if the disk has too little free space.

        Raises:
            StoreError: If the database can't be read, or the backup can't be written.
        """
        if shutil.disk_usage(self._database.parent).free < 3 * self._database.stat().st_size:
            log.info("no backup: not enough free disk space")
            return None
        target = self._database.with_name(f"{self._database.name}.backup-{time.strftime(_STAMP)}")
        try:
            copy_database(self._database, target)
        except (OSError, *ERRORS) as error:
            raise StoreError(
                Sentence("{file} could not be backed up: {why}", file=self._database, why=error),
                detail=repr(error),
            ) from error
        keep_newest([backup.path for backup in self.all()])
        return Backup(target, target.stat().st_mtime_ns // 1_000_000)

    def set_aside(self) -> Path:
        """Rename the database, adding the current time to its name. The next start creates an empty database.

        Returns:
            The new path.

        Raises:
            StoreError: If the database can't be renamed.
        """
        aside = self._database.with_name(f"{self._database.name}.damaged-{time.strftime(_STAMP)}")
        try:
            for suffix in _FILES:
                with suppress(FileNotFoundError):
                    self._database.with_name(self._database.name + suffix).rename(f"{aside}{suffix}")
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be moved: {why}.", file=self._database, why=error.strerror or error)
            ) from error
        return aside

    def restore(self, backup: Backup) -> Path:
        """Replace the database with a copy of a backup. The old database is renamed.

        Returns:
            The new path of the old database.

        Raises:
            StoreError: If the database can't be renamed or the backup can't be copied.
        """
        aside = self.set_aside()
        try:
            shutil.copy2(backup.path, self._database)
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be copied: {why}.", file=backup.path, why=error.strerror or error)
            ) from error
        return aside
