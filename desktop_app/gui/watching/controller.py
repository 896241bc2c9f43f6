"""Runs the loop that watches folders on a thread, and changes which folders are watched."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import translated
from desktop_app.gui.startup.shutdown import Step, thread_step
from desktop_app.services.adding.watching import FolderStatus
from desktop_app.services.loops import StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.errors import KnownError
    from desktop_app.domain.watched_folder import WatchedFolder
    from desktop_app.gui.tasks import Tasks
    from desktop_app.services.adding.watching import WatchingLoop

log = logging.getLogger(__name__)

_BUG = mark("Folders are no longer watched because of an error in Filemill. See the log for details.")


class WatchedFolderStore(Protocol):
    """Reads and writes the watched folders. Any thread.

    All methods raise StoreError if the database can't be used.
    """

    def all(self) -> list[WatchedFolder]:
        """Return the folders that the window watches, by path."""
        ...

    def save(self, folder: WatchedFolder) -> WatchedFolder:
        """Store a new folder, or the choices of an existing one; raise a `KnownError` if it is watched already."""
        ...

    def remove(self, key: int) -> None:
        """Watch a folder no longer."""
        ...


class BuildLoop(Protocol):
    """Creates the loop."""

    def __call__(
        self,
        *,
        folders: Callable[[], list[WatchedFolder]],
        report: Callable[[tuple[FolderStatus, ...]], object],
    ) -> WatchingLoop:
        """Return the loop.

        Args:
            folders: Returns the folders to watch, on the loop's thread.
            report: Called with what is known about all folders after each change, on the loop's thread.
        """
        ...


class _WatchingThread(QThread):
    """Runs the loop until `requestInterruption()` is called.

    Signals:
        failed(): A bug has ended the loop.
    """

    failed = Signal()

    def __init__(self, loop: WatchingLoop, parent: QObject) -> None:
        super().__init__(parent)
        self._loop = loop
        self._stop = StopRequest()
        self.setObjectName("WatchingThread")

    def requestInterruption(self) -> None:
        """Stop the loop, which wakes it if it is waiting."""
        super().requestInterruption()
        self._stop.set()

    def run(self) -> None:
        """Run the loop."""
        try:
            self._loop.run(self._stop)
        except Exception:
            # A bug in the loop must not end the program.
            log.exception("watching ended")
            self.failed.emit()


class FolderWatching(QObject):
    """The watched folders of the window. Use it on the main thread only.

    Signals:
        changed(): What is known about a folder, or which folders are watched, has changed.
        problem(str): The text of an error.

    Attributes:
        statuses: What is known about the folders, by path.

    Args:
        build: Creates the loop.
        store: The store of watched folders.
        tasks: The pool that writes to the store.
        parent: The parent.
    """

    changed = Signal()
    problem = Signal(str)
    _reported = Signal(object)

    def __init__(
        self,
        build: BuildLoop,
        store: WatchedFolderStore,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._tasks = tasks
        self.statuses: tuple[FolderStatus, ...] = ()
        self._reported.connect(self._show)
        self._loop = build(folders=store.all, report=self._reported.emit)
        self._thread = _WatchingThread(self._loop, self)
        self._thread.failed.connect(self._report_bug)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def step(self) -> Step:
        """Return the shutdown step that ends the watching."""
        return thread_step(self._thread)

    def read(self) -> None:
        """Read which folders are watched, if the loop has not told yet."""
        if not self.statuses:
            self._tasks.run(self._store.all, self._show_stored)

    def save(
        self,
        folder: WatchedFolder,
        on_done: Callable[[], object] = lambda: None,
        on_problem: Callable[[KnownError], None] | None = None,
    ) -> None:
        """Watch a folder, or change how it is watched.

        Args:
            folder: The folder.
            on_done: Called when it is saved; a method, if it uses a `QObject`.
            on_problem: Called with the error if it can't be saved; if it is None, `problem` is emitted.
        """
        self._change(partial(self._store.save, folder), on_done, on_problem or self._fail)

    def remove(self, key: int) -> None:
        """Watch a folder no longer."""
        self._change(partial(self._store.remove, key), lambda: None, self._fail)

    def _change(
        self, write: Callable[[], object], on_done: Callable[[], object], on_problem: Callable[[KnownError], None]
    ) -> None:
        def work() -> list[WatchedFolder]:
            write()
            return self._store.all()

        self._tasks.run(work, partial(self._apply, on_done), on_problem)

    def _apply(self, on_done: Callable[[], object], folders: list[WatchedFolder]) -> None:
        self._loop.reload()
        self._show_stored(folders)
        on_done()

    def _fail(self, error: KnownError) -> None:
        self.problem.emit(translated(error.text))

    def _show_stored(self, folders: list[WatchedFolder]) -> None:
        """Show which folders are stored, with what is known about them."""
        known = {status.folder.key: status for status in self.statuses}
        shown = []
        for folder in folders:
            status = known.get(folder.key)
            is_same = status is not None and replace(status.folder, added=0, is_begun=folder.is_begun) == replace(
                folder, added=0
            )
            shown.append(status if status is not None and is_same else FolderStatus(folder))
        self._show(tuple(shown))

    @Slot(object)
    def _show(self, statuses: tuple[FolderStatus, ...]) -> None:
        if statuses != self.statuses:
            self.statuses = statuses
            self.changed.emit()

    @Slot()
    def _report_bug(self) -> None:
        self.problem.emit(translated(_BUG))
