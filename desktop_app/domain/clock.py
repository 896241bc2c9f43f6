"""The clock interface and the system clock; tests use their own clock."""

from __future__ import annotations

import time
from typing import Protocol

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """A source of time. Any thread."""

    def now_ms(self) -> int:
        """Return the current time in milliseconds since the Unix epoch, for storage and display."""
        ...

    def steady(self) -> float:
        """Return a monotonic time in seconds, for measuring durations. Includes system sleep where possible."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def now_ms(self) -> int:
        """Return the current time in milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def steady(self) -> float:
        """Return the time from CLOCK_BOOTTIME if available, since CLOCK_MONOTONIC stops while the system is suspended.

        `time.monotonic` includes sleep on Windows, but not on macOS. If a lease expires unnoticed during sleep, the
        fencing token still rejects a late result.
        """
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
