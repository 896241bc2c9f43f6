"""The computer's time, which a test may let jump: so nobody waits for a visibility time-out."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class JumpClock:
    """Runs like the computer's clock, and can be moved on. For the simulator and for the program alike. Any thread."""

    is_virtual = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0.0
        self._listeners: list[Callable[[], None]] = []

    def time(self) -> float:
        with self._lock:
            return time.time() + self._ahead

    def now_ms(self) -> int:
        return round(self.time() * 1000)

    def steady(self) -> float:
        with self._lock:
            return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Jump; who waits for the time looks again."""
        with self._lock:
            self._ahead += seconds
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def on_advance(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners.append(listener)
