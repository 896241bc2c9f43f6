"""Keeps a loop alive: one that ends by a bug, or shows no sign of life, is started again on a new thread.

The sign of life is that the loop asks whether it should stop, as every loop of ours does at each turn. A thread that
hangs can't be ended; when it wakes up one day, it learns that it was replaced and ends by itself.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.clock import Clock

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Between two starts, so that a loop with a bug in it does not spin."""


class SupervisedLoop:
    """A loop and the thread it runs on. `start`, `check`, `stop` and `join` from one thread.

    Args:
        name: The thread's name.
        run: The loop; it is given what to ask whether it should stop.
        patience_s: So long it may not ask before it is taken for hung, in seconds.
        clock: Only `steady` is used.
    """

    def __init__(
        self, name: str, run: Callable[[Callable[[], bool]], None], *, patience_s: float, clock: Clock
    ) -> None:
        self.name = name
        self._run = run
        self._patience_s = patience_s
        self._clock = clock
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked_at = 0.0
        self._started_at = 0.0
        self.restarts = 0

    def start(self) -> None:
        """Run the loop on a new thread; one that still runs is replaced."""
        self._asked_at = self._started_at = self._clock.steady()
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The loop should end; does not wait."""
        self._is_stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the loop to end, at most so long."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def check(self) -> None:
        """Start the loop again if it has ended by itself or hangs."""
        thread, now = self._thread, self._clock.steady()
        if thread is None or self._is_stopping.is_set() or now - self._started_at < PAUSE_SECONDS:
            return
        if thread.is_alive() and now - self._asked_at <= self._patience_s:
            return
        if thread.is_alive():
            log.error("%s shows no sign of life; it is started again. It is at:\n%s", self.name, _place_of(thread))
        self.restarts += 1
        self.start()

    def _guarded(self) -> None:
        me = threading.current_thread()

        def should_stop() -> bool:
            if self._thread is not me:
                return True
            self._asked_at = self._clock.steady()
            return self._is_stopping.is_set()

        try:
            self._run(should_stop)
        except Exception:
            log.exception("%s ended by a bug; it is started again", self.name)


def _place_of(thread: threading.Thread) -> str:
    """Where a thread is, for the log."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented, for debugging
    return "".join(traceback.format_stack(frame)) if frame is not None else "(unknown)"
