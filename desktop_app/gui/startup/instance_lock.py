"""The file lock that allows only one window per list, user and computer; see `single_instance`.

It decides which program may open the window. The operating system releases it however the program exits, so a leftover
socket or lock file is never mistaken for a window, and if several programs start at the same moment, exactly one
becomes the first instance.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import signal
import socket
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout as LockTimeout

from desktop_app.config.private_files import create_private, private_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filelock import FileLock


log = logging.getLogger(__name__)

_TERMINATE_SECONDS = 3.0
_KILL_SECONDS = 5.0


class InstanceLock:
    """The lock for a list's window, and a file with the process ID and the socket address of the lock's holder.

    Not thread-safe.

    Args:
        folder: The existing folder for the two files; it can be on a network share.
        database: The database that contains the list.
    """

    def __init__(self, folder: Path, database: Path) -> None:
        # A folder on a network share also contains the locks of other computers.
        identity = f"{socket.gethostname()}\0{os.path.realpath(database)}"
        self.name = f"window-{zlib.crc32(os.fsencode(identity)):08x}"
        self.folder = folder
        self.file = folder / f"{self.name}.lock"
        self._holder_file = folder / f"{self.name}.holder"
        self._lock: FileLock | None = None

    def try_lock(self) -> bool:
        """Acquire the lock if it is free; return whether this program holds it.

        Raises:
            OSError: If the folder is not writable or the disk is full.
        """
        lock = private_lock(self.file, timeout=0)
        try:
            lock.acquire()
        except LockTimeout:
            return False
        self._lock = lock
        try:
            self.publish("")
        except OSError:
            lock.release()
            raise
        return True

    def is_held(self) -> bool:
        """Return whether this program holds the lock."""
        return self._lock is not None and self._lock.is_locked

    def publish(self, address: str) -> None:
        """Publish the process ID and the socket address of this program, which must hold the lock.

        Args:
            address: The address; empty if the program is not listening yet.

        Raises:
            OSError: If the folder is not writable.
        """
        new = self._holder_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        create_private(new)
        new.write_text(f"{os.getpid()}\n{address}", encoding="utf-8", errors="surrogateescape")
        new.replace(self._holder_file)

    def address(self) -> str:
        """Return the socket address of the holder; empty if the holder is not listening yet."""
        return self._holder()[1]

    def holder_pid(self) -> int | None:
        """Return the process ID of the last program that acquired the lock; None if unknown."""
        pid = self._holder()[0]
        return int(pid) if pid.isdecimal() else None

    def _holder(self) -> tuple[str, str]:
        try:
            pid, _, address = self._holder_file.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")
        except OSError:
            return "", ""
        return pid, address

    def release(self) -> None:
        """Release the lock if this program holds it."""
        if self._lock is not None and self._lock.is_locked:
            self._holder_file.unlink(missing_ok=True)
            self._lock.release()

    def locked_at(self) -> int:
        """Return the time at which the holder started, in milliseconds since the Unix epoch; 0 if unknown."""
        try:
            return self._holder_file.stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def can_stop_holder(self) -> bool:
        """Return whether the process that holds the lock can be stopped without the risk of stopping another one."""
        with self._holder_process() as process:
            return process is not None

    def stop_holder(self) -> None:
        """Stop the process that holds the lock, with SIGTERM and, if necessary, SIGKILL; see `can_stop_holder`.

        Nothing is lost: every status is in the database, and unfinished files are processed again.
        """
        with self._holder_process() as process:
            if process is None:
                return
            for number, seconds in ((signal.SIGTERM, _TERMINATE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
                try:
                    signal.pidfd_send_signal(process, number)
                except ProcessLookupError:
                    return
                except PermissionError:
                    log.warning("process %s belongs to another user", self.holder_pid())
                    return
                # A pidfd becomes readable when its process exits.
                if select.select([process], [], [], seconds)[0]:
                    log.warning("stopped process %s, which did not respond (%s)", self.holder_pid(), number.name)
                    return

    @contextlib.contextmanager
    def _holder_process(self) -> Iterator[int | None]:
        """Yield a pidfd of the process that holds the lock; None if the process can't be identified."""
        pid = self.holder_pid()
        try:
            process = os.pidfd_open(pid) if pid is not None and hasattr(os, "pidfd_open") else None
        except OSError:
            process = None
        if pid is None or process is None:
            yield None
            return
        try:
            # The process ID may have been reused, or belong to another container. The pidfd refers to the right
            # process if the kernel still lists this process ID as the holder of the lock after the pidfd was opened.
            yield process if self._kernel_lists(pid) else None
        finally:
            os.close(process)

    def _kernel_lists(self, pid: int) -> bool:
        try:
            locks = Path("/proc/locks").read_text(encoding="ascii")
            inode = self.file.stat().st_ino
        except OSError:
            return False
        return re.search(rf"\bFLOCK +ADVISORY +WRITE +{pid} \w+:\w+:{inode} ", locks) is not None
