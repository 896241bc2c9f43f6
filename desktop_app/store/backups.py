"""Back up the database while it is in use, delete old backups, and restore a backup."""

from __future__ import annotations

import glob
import logging
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreDamagedError, StoreError, StoreGoneError, database_gone
from desktop_app.domain.sentences import Sentence
from desktop_app.store.backends.sqlite import (
    ERRORS,
    SIDE_FILES,
    copy_database,
    find_damage,
    is_about_schema,
    is_complete,
    store_error,
    without_pragmas,
)
from desktop_app.store.schema import find_missing_part, find_unsuitable_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


log = logging.getLogger(__name__)


KEPT = 3
"""The number of backups of each kind to keep."""

LARGE_BYTES = 64 * 1024 * 1024
"""The size above which a database is only checked quickly."""

BACKUP_EVERY_SECONDS = 3600.0

_STAMP = "%Y%m%d-%H%M%S"


# The embedded queue is moved along with the database, since its messages refer to rows in the database.
_FILES = ("", *SIDE_FILES, *(f".queue{part}" for part in ("", *SIDE_FILES)))


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of the database; `made_at` is in milliseconds since 1970."""

    path: Path
    made_at: int


def copies_of(database: Path, kind: str) -> list[Backup]:
    """Return the complete backups of one kind: files named `<database>.<kind>-…`."""
    found: list[Backup] = []
    for path in filter(is_complete, database.parent.glob(f"{glob.escape(database.name)}.{kind}-*")):
        with suppress(FileNotFoundError):  # another program has deleted it, because there are newer ones
            found.append(Backup(path, path.stat().st_mtime_ns // 1_000_000))
    return found


def keep_newest(newest_first: Sequence[Backup]) -> None:
    """Delete all but the newest `KEPT` backups."""
    for old in newest_first[KEPT:]:
        old.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class CheckedDatabase:
    """How a database without damage was checked: completely, or only quickly because it is large."""

    is_complete: bool
    seconds: float


def check_database(database: Path) -> CheckedDatabase:
    """Read the whole database to find damage.

    Raises:
        StoreDamagedError: If it is damaged.
        StoreError: If it can't be read.
    """
    begun = time.monotonic()
    try:
        is_quick = database.stat().st_size > LARGE_BYTES
        damage = find_damage(database, is_quick=is_quick) or _find_logical_damage(database)
    except OSError as error:
        raise StoreGoneError(database_gone(database), detail=str(error)) from error
    except ERRORS as error:
        if is_about_schema(error):
            raise _damaged(database, str(error)) from error
        raise store_error(error, database) from error
    if damage:
        raise _damaged(database, damage)
    return CheckedDatabase(not is_quick, time.monotonic() - begun)


def _find_logical_damage(path: Path) -> str:
    database = without_pragmas(path)
    with database.connection_context():
        return find_missing_part(database) or find_unsuitable_value(database)


def _damaged(database: Path, damage: str) -> StoreDamagedError:
    text = Sentence(
        "{file} is damaged. To set it aside and use the newest backup instead, see “filemill doctor --help”.",
        file=database,
    )
    return StoreDamagedError(text, detail=damage.splitlines()[-1])


class Backups:
    """The backups of one database. Any thread, but only one at a time.

    Args:
        database: The database file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    def all(self) -> list[Backup]:
        """Return the complete backups, newest first."""
        return sorted(copies_of(self._database, "backup"), key=lambda backup: backup.path.name, reverse=True)

    def is_needed(self) -> bool:
        """Return whether the database is damaged or empty, and must be replaced. Reads the whole file.

        Raises:
            StoreError: If the file can't be read.
        """
        if not self._database.exists():
            return False
        if not self._database.stat().st_size:
            return True
        try:
            check_database(self._database)
        except StoreDamagedError:
            return True
        return False

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
            damage = find_damage(target, is_quick=True)
        except (OSError, *ERRORS) as error:
            raise StoreError(
                Sentence("{file} could not be backed up: {why}", file=self._database, why=error),
                detail=repr(error),
            ) from error
        if damage:
            target.unlink()  # it must not replace the backups made before the damage
            raise _damaged(self._database, damage)
        keep_newest(self.all())
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
        part = self._database.with_name(f"{self._database.name}.restoring")
        try:
            shutil.copy2(backup.path, part)
            part.replace(self._database)  # a running program opens only a complete file
        except OSError as error:
            raise StoreError(
                Sentence("{file} can't be copied: {why}.", file=backup.path, why=error.strerror or error)
            ) from error
        return aside
