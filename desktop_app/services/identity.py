"""Who a program is among those that share a database, and whether another one still lives.

A lock file that a program holds while it runs tells it: the system lets it go however the program ends. Process numbers
would not do, since they are used again.
"""

from __future__ import annotations

import socket
import uuid
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from pathlib import Path


class WorkerIdentity:
    """This program's name as the holder of leases, held until `close`. Any thread.

    Args:
        database: The database's file; the locks lie in a folder beside it, where every program that uses it looks.
    """

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(f"{database.name}.workers")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._host = socket.gethostname()
        tag = uuid.uuid4().hex[:12]
        self.name = f"{self._host}/{tag}"
        self._lock = FileLock(self._file(tag), blocking=False, thread_local=False)
        self._lock.acquire()

    def _file(self, tag: str) -> Path:
        return self._folder / f"{tag}.lock"

    def is_alive(self, name: str) -> bool:
        """Whether a program with this name runs. True where it can't be known: another computer's leases run out."""
        host, _, tag = name.rpartition("/")
        if name == self.name or host != self._host or not tag.isalnum():
            return True
        file = self._file(tag)
        if not file.exists():
            return False
        try:
            with FileLock(file, blocking=False):
                pass
        except Timeout:
            return True
        file.unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Stop being alive; safe to call twice."""
        if self._lock.is_locked:
            self._lock.release()
        file = self._file(self.name.rpartition("/")[2])
        file.unlink(missing_ok=True)
