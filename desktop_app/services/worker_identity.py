"""Identify the programs that share a database, and check whether they are still running.

A running program holds a lock on a file. The operating system releases it even if the program is killed. Process IDs
are not suitable, since they are reused.
"""

from __future__ import annotations

import socket
import time
import uuid
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from desktop_app.config.private_files import (
    create_private,
    create_private_folder,
    make_private,
    private_lock,
    refuse_planted,
)
from desktop_app.domain.errors import StoreError, StoreGoneError, database_gone
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


FRESH_SECONDS = 60.0
_NOTE = ".serves"
"""The suffix of the file in which a program notes whose files it processes, beside its lock file."""


class WorkerIdentity:
    """The name under which this program holds leases, valid until `close` is called. Any thread.

    Args:
        database: The database file; the lock files are in a folder next to it.

    Raises:
        StoreError: If the folder is not writable.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._folder = database.with_name(f"{database.name}.workers")
        self._host = socket.gethostname()
        # On a shared disk, the folder also contains lock files of other computers, whose locks might not be visible
        # here.
        self._prefix = f"{zlib.crc32(self._host.encode()):08x}-"
        tag = uuid.uuid4().hex[:12]
        self.name = f"{self._host}/{tag}"
        self._own_file = self._file(tag)
        self._lock: FileLock | None = None
        self._lock_own_file()
        self._remove_stale_files()

    def _lock_own_file(self) -> None:
        try:
            refuse_planted(self._folder)
            # The folder of the database exists. If it does not, its disk was removed.
            if self._folder.parent.is_dir():
                create_private_folder(self._folder)
                make_private(self._folder)
            # Another program may remove the folder or the file between these calls.
            self._lock = private_lock(self._own_file, timeout=0)
            self._lock.acquire()
        except OSError as error:
            self._lock = None
            raise StoreError(
                Sentence(
                    "The folder {folder} can't be written to: {why}. Check its permissions.",
                    folder=self._folder,
                    why=error.strerror or error,
                )
            ) from error

    def _remove_stale_files(self) -> None:
        for file in self._folder.glob(f"{self._prefix}*.lock"):
            with suppress(OSError):  # its program has just ended
                if time.time() - file.stat().st_mtime > FRESH_SECONDS:  # not a file that is being created right now
                    self.is_alive(self._name_of(file))

    def renew(self) -> None:
        """Lock a new file if the previous one is gone, because the folder was replaced together with the database.

        Raises:
            StoreGoneError: If the database is missing. Nothing is created, since its disk might have been removed.
            StoreError: If the folder is not writable.
        """
        if not self._database.exists():
            raise StoreGoneError(database_gone(self._database))
        if not self._own_file.exists():
            if self._lock is not None:
                self._lock.release()
            self._lock_own_file()

    def _file(self, tag: str) -> Path:
        return self._folder / f"{self._prefix}{tag}.lock"

    @contextmanager
    def serving(self, queue: str) -> Iterator[None]:
        """Enter a context in which other programs can see that this one processes the files of a queue.

        Args:
            queue: The key of the queue.
        """
        note = self._own_file.with_suffix(_NOTE)
        # The note only decides about a hint of the command line, so the work goes on without it.
        with suppress(OSError):
            create_private(note)
            note.write_text(queue, encoding="utf-8")
        try:
            yield
        finally:
            with suppress(OSError):
                note.unlink()

    def is_served(self, queue: str) -> bool:
        """Return whether another program on this computer processes the files of a queue.

        Args:
            queue: The key of the queue.
        """
        for note in self._folder.glob(f"{self._prefix}*{_NOTE}"):
            with suppress(OSError):  # its program has just ended
                is_other = note.stem != self._own_file.stem
                if is_other and note.read_text(encoding="utf-8") == queue and self.is_alive(self._name_of(note)):
                    return True
        return False

    def _name_of(self, file: Path) -> str:
        return f"{self._host}/{file.stem.removeprefix(self._prefix)}"

    def is_alive(self, name: str) -> bool:
        """Return whether the program with a given name is running; if not, remove its lock file.

        Returns:
            False only if the program is certainly not running. The leases of programs on other computers expire.
        """
        host, _, tag = name.rpartition("/")
        if name == self.name or host != self._host or not tag.isalnum():
            return True
        file = self._file(tag)
        if not file.exists():
            return False
        try:
            with FileLock(file, blocking=False, mode=0o600):
                pass
            file.unlink(missing_ok=True)
            file.with_suffix(_NOTE).unlink(missing_ok=True)
        except Timeout:
            return True
        except OSError:  # the folder is not accessible now
            return True
        return False

    def close(self) -> None:
        """Release the lock and remove its file. Can be called more than once."""
        if self._lock is not None:
            self._lock.release()
        self._own_file.unlink(missing_ok=True)
