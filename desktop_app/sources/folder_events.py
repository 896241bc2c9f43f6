"""Tell when something in a folder may have changed, without looking at it from time to time.

The events of the operating systems get lost, come twice, and differ. So they carry no information here: whoever is told
looks at the folder. Network shares have no events for what other computers do.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch

log = logging.getLogger(__name__)

_END_SECONDS = 2.0


class FolderEvents:
    """Follows folders. Use it on one thread.

    Args:
        on_change: Called with the path of a folder after something in it may have changed, on any thread; must return
            quickly.
    """

    def __init__(self, on_change: Callable[[str], object]) -> None:
        self._on_change = on_change
        self._observer: BaseObserver | None = None
        self._followed: dict[str, tuple[ObservedWatch, tuple[int, int]]] = {}

    def follow(self, folder: str, *, subfolders: bool) -> str:
        """Follow a folder on a local disk that is there, in place of the one that was there before.

        Args:
            folder: The absolute path.
            subfolders: Whether to follow its subfolders, too.

        Returns:
            Why it can't be followed, so that it has to be looked at regularly; empty if it is.
        """
        self.forget(folder)
        try:
            identity = _identity(folder)
            # A link itself would be followed, and not what it leads to.
            watch = self._schedule(folder, os.path.realpath(folder), subfolders=subfolders)
            self._followed[folder] = watch, identity
            self._require_room()
        except OSError as error:
            self.forget(folder)
            log.info("%s is not followed: %s", folder, error)
            return _cause(error)
        return ""

    def why_incomplete(self) -> str:
        """Return why subfolders that were created lately may not be followed; empty if they are."""
        try:
            self._require_room()
        except OSError as error:
            log.info("new subfolders are not followed: %s", error)
            return _cause(error)
        return ""

    def is_followed(self, folder: str) -> bool:
        """Return whether the folder that is at a path now is followed. Accesses the path."""
        try:
            return folder in self._followed and self._followed[folder][1] == _identity(folder)
        except OSError:
            return False

    def forget(self, folder: str) -> None:
        """Follow a folder no longer, if it was followed."""
        watch, _ = self._followed.pop(folder, (None, None))
        if watch is not None and self._observer is not None:
            self._observer.unschedule(watch)

    def close(self) -> None:
        """Follow no folder any more."""
        self._followed.clear()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(_END_SECONDS)
            self._observer = None

    def _schedule(self, folder: str, target: str, *, subfolders: bool) -> ObservedWatch:
        from watchdog import events, observers

        wanted: list[type[FileSystemEvent]] = [
            *(events.FileCreatedEvent, events.FileMovedEvent, events.FileClosedEvent),
            *(events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent),
        ]
        if sys.platform != "linux":
            # Other systems do not tell when a file is closed. On Linux, each write would be an event.
            wanted.append(events.FileModifiedEvent)
        if self._observer is None:
            # It logs the races of its threads as errors. They lose events at most, as other things do.
            logging.getLogger("watchdog").setLevel(logging.CRITICAL)
            self._observer = observers.Observer()
            self._observer.start()

        class Handler(events.FileSystemEventHandler):
            def dispatch(_, event: FileSystemEvent) -> None:  # noqa: ARG002, N805 - `self` is the object around it
                self._on_change(folder)

        return self._observer.schedule(Handler(), target, recursive=subfolders, event_filter=wanted)

    def _require_room(self) -> None:
        """Raise the error of a system that allows no more folders to be followed.

        On Linux, the library leaves out subfolders for which there is no room, without an error.
        """
        if sys.platform != "linux" or self._observer is None:
            return
        with tempfile.TemporaryDirectory(prefix="filemill-") as probe:
            self._observer.unschedule(self._schedule(probe, probe, subfolders=False))


def _identity(folder: str) -> tuple[int, int]:
    found = os.stat(folder)  # noqa: PTH116 - a Path would change the name
    return found.st_dev, found.st_ino


def _cause(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EMFILE}:
        return Sentence("this system does not allow Filemill to follow more folders")
    return Sentence("the system can't tell what changes in it")
