"""Two clocks for the simulator: one that a test moves, and the computer's clock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

A_DAY_IN_2027 = 1_800_000_000.0


class SimulatorClock(Protocol):
    """The clock of the simulator."""

    is_virtual: bool

    def time(self) -> float:
        """Return the seconds since 1970."""
        ...

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call a function whenever a test moves the clock."""
        ...


class VirtualClock:
    """A clock that a test moves. It is also a `Clock` of the program, so that program and queue have the same time."""

    is_virtual = True

    def __init__(self, start: float = A_DAY_IN_2027) -> None:
        self._lock = threading.Lock()
        self._time = start
        self._listeners: list[Callable[[], None]] = []

    def time(self) -> float:
        with self._lock:
            return self._time

    def now_ms(self) -> int:
        return round(self.time() * 1000)

    def steady(self) -> float:
        return self.time()

    def advance(self, seconds: float) -> None:
        """Move the clock forward; long polls check for messages again."""
        with self._lock:
            self._time += seconds
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def on_advance(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners.append(listener)


class RealClock:
    """The computer's clock."""

    is_virtual = False

    def time(self) -> float:
        return time.time()

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Do nothing: no test moves this clock."""
