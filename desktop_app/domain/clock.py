"""The program's source of time, which tests replace."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time. Any thread."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC: for times that are stored and shown."""
        ...

    def steady(self) -> float:
        """Return monotonic seconds that include sleep where possible: for measuring durations."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def steady(self) -> float:
        """Return monotonic seconds: CLOCK_BOOTTIME if available, since CLOCK_MONOTONIC stops during suspend.

        `time.monotonic` includes sleep on Windows, but not on macOS. A lease that is older than it seems is still
        caught by the fencing token.
        """
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boottime is None else time.clock_gettime(boottime)
