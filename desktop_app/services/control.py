"""A person's switch between working and pausing. What is in work when it is turned goes on to its end."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence
from desktop_app.services.loops import LoopState, Phase, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from desktop_app.services.loops import Loop


log = logging.getLogger(__name__)


class RunMode(StrEnum):
    """What a person wants of the consumer."""

    RUNNING = "running"
    FINISHING = "finishing"
    """Paused as soon as the files in work have ended."""
    PAUSED = "paused"


class PauseControl:
    """Tells a consumer whether files may begin. Any thread.

    Sending is not its business: messages are sent while it is paused, so that other computers on the queue can go on.

    Args:
        is_paused: How it stands at first.
    """

    def __init__(self, *, is_paused: bool = False) -> None:
        self._pace = RunMode.PAUSED if is_paused else RunMode.RUNNING
        self._at_work = 0
        self._lock = threading.Lock()
        self._tell: list[Callable[[RunMode], None]] = []

    @property
    def pace(self) -> RunMode:
        """How it stands."""
        return self._pace

    @property
    def may_begin(self) -> bool:
        """Whether a file may be begun; what was received is given back otherwise."""
        return self._pace is RunMode.RUNNING

    def on_change(self, tell: Callable[[RunMode], None]) -> None:
        """Call this with the new pace after each change, on the thread that makes it; quick."""
        self._tell.append(tell)

    def forget(self, tell: Callable[[RunMode], None]) -> None:
        """Do not call this any more."""
        self._tell.remove(tell)

    def pause(self) -> None:
        """Begin nothing any more."""
        self._turn(RunMode.PAUSED)

    def finish(self) -> None:
        """Begin nothing any more, and pause when what is in work has ended: at once if nothing works at all."""
        self._turn(RunMode.FINISHING, only_from=RunMode.RUNNING)
        if not self._at_work:
            self.note_idle()

    def resume(self) -> None:
        """Go on."""
        self._turn(RunMode.RUNNING)

    def note_idle(self) -> None:
        """From the consumer: nothing is in work any more."""
        self._turn(RunMode.PAUSED, only_from=RunMode.FINISHING)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A consumer's whole life: as long as one is in this, `finish` waits for its word."""
        with self._lock:
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1
            if not self._at_work:
                self.note_idle()

    def _turn(self, pace: RunMode, *, only_from: RunMode | None = None) -> None:
        with self._lock:
            if pace is self._pace or only_from not in {None, self._pace}:
                return
            self._pace = pace
        log.info("work: %s", pace)
        for tell in list(self._tell):
            tell(pace)


OFF_TEXT = Sentence(
    "Files are sent to this queue, but none are processed on this computer yet. Allow it if the queue is only for "
    "Filemill: each look at another program's messages counts as a delivery attempt for them."
)

_LOOK_SECONDS = 60.0


class PermissionGate:
    """A loop that begins when it is allowed. `run` in one thread.

    Args:
        loop: What runs then.
        allowed: Set when a person has allowed it, by any thread.
        report: Told that it waits for that.
    """

    def __init__(self, loop: Loop, allowed: Event, report: Callable[[LoopState], None]) -> None:
        self._loop = loop
        self._allowed = allowed
        self._report = report

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Wait for the permission, then run the loop, until stopped."""
        if not self._allowed.is_set():
            self._report(LoopState(Phase.OFF, OFF_TEXT))
        while not self._allowed.is_set():
            if should_stop():
                self._report(LoopState(Phase.STOPPED))
                return
            wait_for(self._allowed, _LOOK_SECONDS, should_stop, clear=False)
        self._loop.run(should_stop)
