"""A person's switch between working and pausing. What is in work when it is turned goes on to its end."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)


class Pace(StrEnum):
    """What a person wants of the consumer."""

    RUNNING = "running"
    FINISHING = "finishing"
    """Paused as soon as the files in work have ended."""
    PAUSED = "paused"


class WorkSwitch:
    """Tells a consumer whether files may begin. Any thread.

    Sending is not its business: messages are sent while it is paused, so that other computers on the queue can go on.

    Args:
        is_paused: How it stands at first.
    """

    def __init__(self, *, is_paused: bool = False) -> None:
        self._pace = Pace.PAUSED if is_paused else Pace.RUNNING
        self._at_work = 0
        self._lock = threading.Lock()
        self._tell: list[Callable[[Pace], None]] = []

    @property
    def pace(self) -> Pace:
        """How it stands."""
        return self._pace

    @property
    def may_begin(self) -> bool:
        """Whether a file may be begun; what was received is given back otherwise."""
        return self._pace is Pace.RUNNING

    def on_change(self, tell: Callable[[Pace], None]) -> None:
        """Call this with the new pace after each change, on the thread that makes it; quick."""
        self._tell.append(tell)

    def forget(self, tell: Callable[[Pace], None]) -> None:
        """Do not call this any more."""
        self._tell.remove(tell)

    def pause(self) -> None:
        """Begin nothing any more."""
        self._turn(Pace.PAUSED)

    def finish(self) -> None:
        """Begin nothing any more, and pause when what is in work has ended: at once if nothing works at all."""
        self._turn(Pace.FINISHING, only_from=Pace.RUNNING)
        if not self._at_work:
            self.note_idle()

    def resume(self) -> None:
        """Go on."""
        self._turn(Pace.RUNNING)

    def note_idle(self) -> None:
        """From the consumer: nothing is in work any more."""
        self._turn(Pace.PAUSED, only_from=Pace.FINISHING)

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

    def _turn(self, pace: Pace, *, only_from: Pace | None = None) -> None:
        with self._lock:
            if pace is self._pace or only_from not in {None, self._pace}:
                return
            self._pace = pace
        log.info("work: %s", pace)
        for tell in list(self._tell):
            tell(pace)
