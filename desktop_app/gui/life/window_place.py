"""The place of the one window that a user's list has on a computer: who has it, and where that window is spoken to.

A lock file decides, since the system lets it go however a program ends; so a socket without its program is never taken
for a window, and two programs that start at the same moment never both become it. Imports no Qt.
"""

from __future__ import annotations

import json
import os
import socket
import time
import zlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from desktop_app.gui.life.hung_program import birth_of

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    """The program that has the window.

    Attributes:
        address: Where it is spoken to.
        pid: Its process.
        started_at: When it started, in milliseconds since 1970.
        birth: Tells the process from others that have its number later; see `birth_of`.
        is_open: Whether its window is there already.
    """

    address: str
    pid: int
    started_at: int
    birth: str = ""
    is_open: bool = False


class WindowPlace:
    """One window's place. One thread.

    Args:
        run: The folder for locks and addresses, which is there already.
        database: The list that the window shows.
    """

    def __init__(self, run: Path, database: Path) -> None:
        # On a shared disk, other computers' windows lie here too.
        words = f"{socket.gethostname()}\0{os.path.realpath(database)}"
        self.name = f"window-{zlib.crc32(os.fsencode(words)):08x}"
        self.run = run
        self._file = run / f"{self.name}.json"
        self._lock = FileLock(run / f"{self.name}.lock", blocking=False, thread_local=False)

    def take(self) -> bool:
        """Take the place if it is free; True if it is this program's now.

        Raises:
            OSError: If the folder can't be written.
        """
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def tell(self, address: str) -> None:
        """Say where this program is spoken to; it has the place.

        Raises:
            OSError: If the folder can't be written.
        """
        self._write(Holder(address, os.getpid(), int(time.time() * 1000), birth_of(os.getpid())))

    def tell_open(self) -> None:
        """Say that the window is there.

        Raises:
            OSError: If the folder can't be written.
        """
        holder = self.holder()
        if holder is not None:
            self._write(replace(holder, is_open=True))

    def _write(self, holder: Holder) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        new.replace(self._file)

    def holder(self) -> Holder | None:
        """Who has told last where it is; it may be gone since."""
        try:
            facts = json.loads(self._file.read_text(encoding="utf-8"))
            holder = Holder(**facts)
        except (OSError, ValueError, TypeError):
            return None
        types = [type(value) for value in asdict(holder).values()]
        return holder if types == [str, int, int, str, bool] else None

    def give_up(self) -> None:
        """Somebody else may have the place; safe to call twice."""
        if self._lock.is_locked:
            self._file.unlink(missing_ok=True)
            self._lock.release()
