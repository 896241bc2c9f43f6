"""Time as the program sees it, so that tests can move it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the services ask for the time. Any thread."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC: what is stored and shown."""
        ...

    def steady(self) -> float:
        """Seconds that never go back and that count while the computer sleeps, for measuring spans."""
        ...


class SystemClock:
    """The computer's own clocks."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def steady(self) -> float:
        """Seconds since some start; CLOCK_BOOTTIME where there is one, since CLOCK_MONOTONIC stops in suspend.

        Windows' and macOS's `time.monotonic` count (Windows) or not (macOS) while asleep; a lease that is
        older than it seems is caught by the fencing token all the same.
        """
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boottime is None else time.clock_gettime(boottime)
