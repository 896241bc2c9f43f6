"""Two clocks for the simulator: one that a test moves, and the computer's."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

A_DAY_IN_2027 = 1_800_000_000.0


class SimulatorClock(Protocol):
    """What the simulator asks for the time."""

    is_virtual: bool

    def time(self) -> float:
        """Seconds since 1970."""
        ...

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call this whenever the time was moved by hand."""
        ...


class VirtualClock:
    """Stands still until it is moved. Also a `Clock` of the program, so that program and queue share one time."""

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
        """Let time pass; polls that wait for it look again."""
        with self._lock:
            self._time += seconds
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def on_advance(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners.append(listener)


class RealClock:
    """The computer's own time."""

    is_virtual = False

    def time(self) -> float:
        return time.time()

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Never called: this time is not moved by hand."""
