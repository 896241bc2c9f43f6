"""Access paths on network shares without waiting for a share that does not respond."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from desktop_app.config.child_environment import child_environment
from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence
from desktop_app.sources.mounts import Mount, MountTable

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

SILENT_SECONDS = 8.0
MAX_HUNG_PER_MOUNT = 2
_CHECK_SECONDS = 0.05


class NotRespondingError(KnownError):
    """A network share does not respond, or the user has stopped waiting for it.

    Attributes:
        place: The mount point, drive or share.
    """

    def __init__(self, place: str) -> None:
        super().__init__(
            Sentence("The disk or network share at {place} does not respond. Try again once it does.", place=place)
        )
        self.place = place


class ShareAccess:
    """Runs functions that access network shares, each on a thread that can be abandoned. Any thread.

    Args:
        mounts: The mounted file systems.
        silent_s: How long a share may not respond, in seconds.
    """

    def __init__(self, mounts: MountTable | None = None, *, silent_s: float = SILENT_SECONDS) -> None:
        self._mounts = mounts or MountTable()
        self._silent_s = silent_s
        self._lock = threading.Lock()
        self._hung: Counter[Mount] = Counter()

    def is_remote(self, path: str) -> bool:
        """Return whether an absolute path is on a network share."""
        return self._mounts.mount_of(path).is_remote

    def run(
        self,
        path: str,
        work: Callable[[Callable[[], None]], Result],
        *,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Result:
        """Return the result of a function that accesses a path. Local paths are accessed on this thread.

        Args:
            path: An absolute path.
            work: The function. Its argument is a function to call after each access. It can still be running after this
                method has raised an error, so it must not change anything that others use.
            stopped: A function that returns whether to stop waiting.

        Raises:
            NotRespondingError: If the share does not respond, or `stopped` returned True.
            BaseException: Any exception that `work` raises.
        """
        mount = self._mounts.mount_of(path)
        if not mount.is_remote:
            return work(lambda: None)
        # The first paint waits for the import of this module, but hardly ever for a share.
        from concurrent.futures import wait

        from desktop_app.domain.background import in_background

        with self._lock:
            if self._hung[mount] >= MAX_HUNG_PER_MOUNT:
                raise NotRespondingError(mount.place)
        responded_at = time.monotonic()

        def note_response() -> None:
            nonlocal responded_at
            responded_at = time.monotonic()

        def access() -> Result:
            _wait_until_accessible(path)
            return work(note_response)

        call = in_background(access, f"access {mount.place}")
        while not wait([call], _CHECK_SECONDS).done:
            if stopped() or time.monotonic() - responded_at > self._silent_s:
                self._count(mount, 1)
                call.add_done_callback(lambda _: self._count(mount, -1))
                raise NotRespondingError(mount.place)
        return call.result()

    def run_or(self, path: str, work: Callable[[], Result], default: Result) -> Result:
        """Return the result of a function that accesses a path, or a default if its share does not respond."""
        try:
            return self.run(path, lambda _: work())
        except NotRespondingError:
            return default

    def _count(self, mount: Mount, change: int) -> None:
        with self._lock:
            self._hung[mount] += change


def _wait_until_accessible(path: str) -> None:
    """Access a path in a child process first: a thread that is blocked by a share can keep the program from exiting."""
    if os.name == "nt":
        return
    import subprocess

    nothing = subprocess.DEVNULL
    with suppress(OSError, ValueError):  # no such program, or an invalid path: the thread will find out
        subprocess.run(  # noqa: S603 - an absolute path is no option
            ["/bin/ls", "-dL", path],
            check=False,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            cwd="/",
            env=child_environment(),
        )


def is_folder(path: str) -> bool:
    """Return whether a path is a folder; False if its network share does not respond at once. For the main thread."""
    return QUICK.run_or(path, partial(os.path.isdir, path), default=False)


def require_response(path: str) -> None:
    """Wait until the network share of a path responds, before files are accessed without `ShareAccess`.

    Raises:
        NotRespondingError: If it does not respond.
    """
    with suppress(OSError):  # the working directory no longer exists
        SHARES.run(os.path.abspath(path), lambda _: None)  # noqa: PTH100 - does not access it


SHARES = ShareAccess()
"""For threads that can wait. The number of hung threads is counted for all callers together."""
QUICK = ShareAccess(silent_s=0.08)
"""For the main thread, which must not wait."""
