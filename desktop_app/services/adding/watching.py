"""Watch folders, and add the files that come into them.

The truth is what a look at the folder finds, never an event, which only makes the next look sooner. A file is added
once two looks have found it with the same size and modification time, with enough time between them, and it can be
opened. What was seen before is in the database, so nothing is missed while no program is running.
"""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from desktop_app.domain.errors import FileError, StoreError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.domain.sentences import Sentence
from desktop_app.domain.watched_folder import seen_key
from desktop_app.services.adding.review import SelectionRules, condition
from desktop_app.services.loops import Backoff
from desktop_app.sources.folder_events import FolderEvents
from desktop_app.sources.local import open_source
from desktop_app.sources.mounts import MountTable
from desktop_app.sources.scan import scan
from desktop_app.sources.share_access import SHARES, NotRespondingError
from desktop_app.store.adding import ROWS_A_PART
from desktop_app.store.rows import REST
from desktop_app.store.watched_folders import relative_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import NewFile
    from desktop_app.domain.watched_folder import WatchedFolder
    from desktop_app.services.adding.type_rules import TypeRules
    from desktop_app.services.loops import StopRequest
    from desktop_app.sources.scan import ScanResult
    from desktop_app.sources.share_access import ShareAccess
    from desktop_app.store.watched_folders import WatchedFolders

log = logging.getLogger(__name__)

LOOK_SECONDS = 300.0
"""The time between two looks at a folder whose changes the system tells."""
POLL_SECONDS = 10.0
"""The time between two looks at another folder, or at the place of one that is away."""
LEAST_SECONDS = 1.0
"""The least time between two looks, however much happens in the folder."""
SOON_SECONDS = 0.1
"""The time from an event to a look: more events usually follow the first."""
LONGEST_RETRY_SECONDS = 300.0
_MOST_DOUBLINGS = 10
FORGET_SECONDS = 24 * 3600.0
_BUSY_SHARE = 10
"""Looking takes at most a tenth of the time while much happens, and a twentieth while a folder is polled."""
_PREPARED = re.compile(r"(?:^|[\\/])\.filemill-")
"""The names of files that Filemill is writing, and of folders in which it prepares results."""
_AWAY = {
    ReasonCode.NO_SUCH_FILE: Sentence("The folder does not exist, or its disk is not connected."),
    ReasonCode.FOLDER_GONE: Sentence("The folder does not exist, or its disk is not connected."),
    ReasonCode.LINK_TO_NOTHING: Sentence("The folder does not exist, or its disk is not connected."),
    ReasonCode.FOLDER_NOT_ALLOWED: Sentence("You don't have permission to read this folder."),
    ReasonCode.PARENT_NOT_ALLOWED: Sentence("You don't have permission to read this folder."),
    ReasonCode.SHARE_SILENT: Sentence("The disk or network share of this folder does not respond."),
}


class FolderState(StrEnum):
    """The state of a watched folder."""

    STARTING = "starting"
    WATCHED = "watched"
    PAUSED = "paused"
    AWAY = "away"
    """The folder is not there, or not accessible. Its files are added when it is back."""
    HINDERED = "hindered"
    """Files can't be added now, because the database can't be used."""


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """What is known about a watched folder.

    Attributes:
        folder: The folder, with the number of files that were added.
        state: The state.
        text: A sentence about the state; empty if there is nothing to say.
        waiting: The number of new files that may still be changing.
        not_opened: The number of new files that can't be opened. They are tried again from time to time.
    """

    folder: WatchedFolder
    state: FolderState = FolderState.STARTING
    text: str = ""
    waiting: int = 0
    not_opened: int = 0


@dataclass(slots=True)
class _NewFile:
    """A file that is not added yet.

    Attributes:
        key: Its key; see `seen_key`.
        try_at: When it may be added, if it is unchanged by then, in seconds of the steady clock.
        failures: How often it could not be opened.
    """

    key: int
    try_at: float
    failures: int = 0


class FolderWatch:
    """Looks at one watched folder. One thread.

    Args:
        folder: The folder.
        store: The store of watched folders.
        events: The events of folders.
        queue: Returns the key of the queue for the files.
        rules: Returns the rules by which processors are chosen for files of some types.
        own_paths: Returns what the paths of Filemill's own files begin with; these are not added.
        clock: The clock.
        stop: The request to stop.
        shares: The access to network shares.
        mounts: The mounted file systems.

    Attributes:
        status: What is known about the folder.
        next_turn: When to call `turn`, in seconds of the steady clock.

    Raises:
        StoreError: If the database can't be read.
    """

    def __init__(
        self,
        folder: WatchedFolder,
        *,
        store: WatchedFolders,
        events: FolderEvents,
        queue: Callable[[], str],
        rules: Callable[[], TypeRules],
        own_paths: Callable[[], Iterable[str]],
        clock: Clock,
        stop: StopRequest,
        shares: ShareAccess,
        mounts: MountTable,
    ) -> None:
        self._path = folder.folder
        self._store = store
        self._events = events
        self._queue = queue
        self._rules = rules
        self._clock = clock
        self._stop = stop
        self._shares = shares
        self._mounts = mounts
        self._seen = store.seen(folder.key)
        self._new: dict[str, _NewFile] = {}
        self._meant = condition(SelectionRules(folder.subfolders, folder.only, folder.leave_out))
        self._own_paths = own_paths
        self._own_names: tuple[str, ...] | None = None
        self._is_followed = False
        self._why_not = ""
        self._backoff = Backoff()
        self._place = ""
        now = clock.steady()
        self._earliest_look = self._next_look = self._check_at = self._forget_at = self._follow_at = now
        self.status = FolderStatus(folder, FolderState.PAUSED if folder.is_paused else FolderState.STARTING)
        self.next_turn = now

    def turn(self, *, is_changed: bool) -> None:
        """Look at the folder if it is time to.

        Args:
            is_changed: Whether something in it may have changed.
        """
        if self.status.folder.is_paused:
            self._events.forget(self._path)
            self.next_turn = math.inf
            return
        now = self._clock.steady()
        if is_changed:
            self._next_look = min(self._next_look, max(now + SOON_SECONDS, self._earliest_look))
        if now >= self._check_at:
            self._check_at = now + POLL_SECONDS
            if self._is_followed and not self._events.is_followed(self._path):  # gone, or another one
                self._next_look = now
        if now >= self._next_look:
            self._follow()
            self._look()
        self.next_turn = min(self._next_look, self._check_at)

    def _follow(self) -> None:
        """Follow the folder if possible, before looking at it, so that no change is missed in between."""
        if self._shares.is_remote(self._path):
            self._events.forget(self._path)
            self._is_followed, self._why_not = False, Sentence("it is on a network share")
            return
        is_followed = self._is_followed and self._events.is_followed(self._path)
        now = self._clock.steady()
        if now < self._follow_at and is_followed == self._is_followed:
            return
        # Not at each look, since a large tree for which there is no room would use all of it for a moment each time.
        self._follow_at = now + LOOK_SECONDS
        if is_followed:
            self._why_not = self._events.why_incomplete()
        else:
            self._why_not = self._events.follow(self._path, subfolders=self.status.folder.subfolders)
        self._is_followed = not self._why_not

    def _look(self) -> None:
        """Look at the folder, and add the files that are ready."""
        began = self._clock.steady()
        found = scan(
            [self._path],
            recursive=True,
            subfolders=self.status.folder.subfolders,
            cancelled=self._stop.is_set,
            on_found=lambda _: None,
            shares=self._shares,
        )
        ended = self._clock.steady()
        if found.cancelled:
            return
        took = ended - began
        self._earliest_look = ended + max(LEAST_SECONDS, _BUSY_SHARE * took)
        self._next_look = ended + (LOOK_SECONDS if self._is_followed else max(POLL_SECONDS, 2 * _BUSY_SHARE * took))
        away = self._why_away(found)
        if away:
            self._next_look = ended + POLL_SECONDS
            self._follow_at = ended
            self._change(FolderState.AWAY, away)
            return
        present, not_opened = self._meant_files(found)
        try:
            self._take(present, began, ended, is_complete=not found.refused)
        except StoreError as error:
            self._next_look = self._clock.steady() + max(LEAST_SECONDS, self._backoff.next())
            self._change(FolderState.HINDERED, error.text)
            return
        self._backoff.reset()
        try_at = min((new.try_at for new in self._new.values()), default=math.inf)
        self._next_look = min(self._next_look, max(try_at, self._earliest_look))
        failed = sum(1 for new in self._new.values() if new.failures)
        text = Sentence("It is looked at every few seconds: {why}.", why=self._why_not) if self._why_not else ""
        self._change(FolderState.WATCHED, text, waiting=len(self._new) - failed, not_opened=not_opened + failed)

    def _why_away(self, found: ScanResult) -> str:
        """Return a sentence that says why there is no folder to look at; empty if there is one."""
        reasons = [refusal.reason for refusal in found.refused if refusal.path == self._path]
        if reasons:
            known = _AWAY.get(reasons[0].code)
            return known or Sentence("This folder can't be read: {reason}.", reason=reasons[0].sentence)
        if not found.folders:
            return Sentence("This is a file, not a folder.")
        if self._own_names is None:
            self._own_names = self._find_own_names()
        if "" in self._own_names:
            return Sentence("Filemill keeps its own data in this folder. Watch another one.")
        place = self._mounts.by_name(self._path).place
        if found.files:
            self._place = place
        elif self._place not in {"", place}:  # the folder on which the disk was mounted
            return _AWAY[ReasonCode.FOLDER_GONE]
        return ""

    def _find_own_names(self) -> tuple[str, ...]:
        """Return what the names of Filemill's own files in the folder begin with; an empty text if all are."""

        def resolved(path: str) -> str:
            end = os.sep if path.endswith(os.sep) else ""
            return self._shares.run_or(path, partial(os.path.realpath, path), path) + end

        names = []
        own_paths = tuple(self._own_paths())
        for folder, paths in ((self._path, own_paths), (resolved(self._path), tuple(map(resolved, own_paths)))):
            inside = folder if folder.endswith(os.sep) else folder + os.sep
            names += ["" for path in paths if inside.startswith(path)]
            names += [name for path in paths if (name := relative_name(path, folder))]
        return tuple(names)

    def _meant_files(self, found: ScanResult) -> tuple[dict[int, NewFile], int]:
        """Return the files that the rules select, by their keys, and the number of those that are not accessible."""
        present: dict[int, NewFile] = {}
        hidden = 0
        for file in found.files:
            name = relative_name(file.path, self._path)
            if name.startswith(self._own_names or ()) or _PREPARED.search(name) or not self._meant(_with_slashes(name)):
                continue
            if file.size is None or file.modified_ns is None:
                hidden += 1
            else:
                present[seen_key(name, file.size, file.modified_ns)] = file
        return present, hidden

    def _take(self, present: Mapping[int, NewFile], began: float, ended: float, *, is_complete: bool) -> None:
        """Add the files that are ready.

        Args:
            present: The files in the folder.
            began: When the look began, in seconds of the steady clock.
            ended: When it ended.
            is_complete: Whether all subfolders could be read.

        Raises:
            StoreError: If the database can't be read or written. What was not added will be tried again.
        """
        folder = self.status.folder
        if not folder.is_begun:
            existing = set() if folder.adds_existing else set(present)
            self._store.begin(folder, existing)
            self._seen |= existing
            self.status = replace(self.status, folder=replace(folder, is_begun=True))
        before, self._new = self._new, {}
        ready: dict[int, NewFile] = {}
        for key, file in present.items():
            if key in self._seen:
                continue
            new = before.get(file.path)
            if new is None or new.key != key:
                new = _NewFile(key, ended + folder.settle_s)
            elif new.try_at <= began:
                ready[key] = file
            self._new[file.path] = new
        self._add(ready)
        if is_complete and began >= self._forget_at:
            self._store.forget_gone(folder.key, present, now_ms=self._clock.now_ms())
            self._forget_at = began + FORGET_SECONDS

    def _add(self, ready: Mapping[int, NewFile]) -> None:
        keys = list(ready)
        for start in range(0, len(keys), ROWS_A_PART):
            opened = self._opened({key: ready[key] for key in keys[start : start + ROWS_A_PART]})
            if self._stop.is_set():
                return
            if not opened:
                continue
            began, now_ms = time.monotonic(), self._clock.now_ms()
            day = time.strftime("%Y-%m-%d", time.localtime(now_ms / 1000))
            folder = self.status.folder
            count = self._store.add(
                folder,
                opened,
                queue=self._queue(),
                day=day,
                now_ms=now_ms,
                processor_of=self._rules().processor_of,
            )
            if count is None:  # another program has ended the watch
                return
            self._seen.update(opened)
            for file in opened.values():
                del self._new[file.path]
            self.status = replace(self.status, folder=replace(folder, added=folder.added + count))
            self._stop.wait((time.monotonic() - began) * REST)

    def _opened(self, files: Mapping[int, NewFile]) -> dict[int, NewFile]:
        """Return the files that can be opened and still have their size; the others are tried again later."""

        def open_all(note_response: Callable[[], None]) -> dict[int, bool]:
            found = {}
            for key, file in files.items():
                if self._stop.is_set():
                    break
                found[key] = _can_be_opened(file)
                note_response()
            return found

        try:
            found = self._shares.run(self._path, open_all, stopped=self._stop.is_set)
        except NotRespondingError:
            return {}
        now = self._clock.steady()
        for key, can_be_opened in found.items():
            if not can_be_opened:
                new = self._new[files[key].path]
                new.failures += 1
                wait_s = self.status.folder.settle_s * 2.0 ** min(new.failures, _MOST_DOUBLINGS)
                new.try_at = now + min(LONGEST_RETRY_SECONDS, wait_s)
        return {key: files[key] for key, can_be_opened in found.items() if can_be_opened}

    def _change(self, state: FolderState, text: str, *, waiting: int = 0, not_opened: int = 0) -> None:
        before = self.status
        self.status = FolderStatus(before.folder, state, text, waiting, not_opened)
        if (before.state, before.text) != (state, text):
            log.info("watched folder %s: %s %s", self._path, state, text)


def note_output(store: WatchedFolders, current: str, final: str) -> None:
    """Record that Filemill has written a file or a folder, so that nothing in it is added from a watched folder.

    If that is not possible, this is logged, and the files may be added.

    Args:
        store: The store of watched folders.
        current: The absolute path where it is now.
        final: The path where it is, or will be after it was moved.
    """
    found = scan([current], recursive=True, cancelled=lambda: False, on_found=lambda _: None)
    files = [replace(file, path=final + file.path[len(current) :]) for file in found.files]
    try:
        store.note_outputs(files)
    except StoreError as error:
        log.info("the output %s could not be recorded: %s", final, error.text)


def _with_slashes(name: str) -> str:
    return name if os.sep == "/" else name.replace(os.sep, "/")


def _can_be_opened(file: NewFile) -> bool:
    try:
        with open_source(file.path) as source:
            return source.size == file.size
    except FileError as error:
        log.debug("%s can't be opened yet: %s", file.path, error.text)
        return False


class WatchingLoop:
    """A `Loop` that watches all folders of the window, or one of the terminal.

    Args:
        store: The store of watched folders.
        folders: Returns the folders to watch. It is called on the loop's thread, again after each `reload`; it can
            raise `StoreError`.
        queue: Returns the key of the queue for the files.
        rules: Returns the rules by which processors are chosen for files of some types.
        own_paths: Returns what the paths of Filemill's own files begin with; these are not added.
        clock: The clock.
        wake_sender: Called after files were added.
        report: Called with what is known about all folders after each change, on the loop's thread; must return
            quickly.
        release: Closes the thread's connection to the database.
        shares: The access to network shares.
    """

    def __init__(
        self,
        store: WatchedFolders,
        *,
        folders: Callable[[], Iterable[WatchedFolder]],
        queue: Callable[[], str],
        rules: Callable[[], TypeRules],
        own_paths: Callable[[], Iterable[str]],
        clock: Clock,
        wake_sender: Callable[[], object],
        report: Callable[[tuple[FolderStatus, ...]], object],
        release: Callable[[], object],
        shares: ShareAccess = SHARES,
    ) -> None:
        self._store = store
        self._folders = folders
        self._clock = clock
        self._wake_sender = wake_sender
        self._report = report
        self._release = release
        self._shares = shares
        self._make_watch = partial(
            FolderWatch,
            store=store,
            queue=queue,
            rules=rules,
            own_paths=own_paths,
            clock=clock,
            shares=shares,
            mounts=MountTable(),
        )
        self._watches: dict[str, FolderWatch] = {}
        self._reported: tuple[FolderStatus, ...] | None = None
        self._epoch = -1
        self._reload_at = 0.0
        self._backoff = Backoff()
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._wake = threading.Event()
        self._must_reload = True

    def reload(self) -> None:
        """Read again which folders to watch. Any thread."""
        self._must_reload = True
        self._wake.set()

    def run(self, stop: StopRequest) -> None:
        """Watch the folders until a stop is requested."""
        events = FolderEvents(self._note_change)
        try:
            while not stop.is_set():
                self._read_folders(stop, events)
                for path, watch in self._watches.items():
                    if stop.is_set():
                        break
                    self._turn(path, watch)
                self._report_changes()
                turns = [watch.next_turn for watch in self._watches.values()]
                next_turn = min([*turns, self._reload_at if self._must_reload else math.inf])
                stop.wait(min(threading.TIMEOUT_MAX, max(0.0, next_turn - self._clock.steady())), self._wake)
        finally:
            events.close()
            self._release()

    def _note_change(self, path: str) -> None:
        with self._lock:
            is_known = path in self._changed
            self._changed.add(path)
        if not is_known:
            self._wake.set()

    def _turn(self, path: str, watch: FolderWatch) -> None:
        with self._lock:
            is_changed = path in self._changed
            self._changed.discard(path)
        if not is_changed and self._clock.steady() < watch.next_turn:
            return
        before = watch.status.folder.added
        watch.turn(is_changed=is_changed)
        if watch.status.folder.added > before:
            self._wake_sender()

    def _report_changes(self) -> None:
        statuses = tuple(watch.status for watch in self._watches.values())
        if statuses != self._reported:
            self._reported = statuses
            self._report(statuses)

    def _read_folders(self, stop: StopRequest, events: FolderEvents) -> None:
        """Read which folders to watch, if that may have changed. What is known about unchanged ones is kept."""
        epoch = self._store.epoch
        if epoch != self._epoch:  # another database, in which keys mean something else
            self._must_reload = True
        if not self._must_reload or self._clock.steady() < self._reload_at:
            return
        self._must_reload = False
        before = self._watches if epoch == self._epoch else {}
        watches = {}
        try:
            for folder in self._folders():
                known = before.get(folder.folder)
                if known is None or replace(known.status.folder, added=0) != replace(folder, added=0):
                    events.forget(folder.folder)
                    known = self._make_watch(folder, events=events, stop=stop)
                watches[folder.folder] = known
        except StoreError as error:
            log.info("the watched folders can't be read: %s", error.text)
            self._must_reload = True
            self._reload_at = self._clock.steady() + max(LEAST_SECONDS, self._backoff.next())
            return
        for path in self._watches.keys() - watches.keys():
            events.forget(path)
        self._watches, self._epoch = watches, epoch
        self._reload_at = 0.0
        self._backoff.reset()
