"""Time as long as the computer is awake, for judging whether something hangs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.clock import Clock

LONGEST_LOOK_SECONDS = 5.0


class AwakeClock:
    """A clock whose steady seconds leave out what nobody was awake to see: sleep is no sign that something hangs.

    Right only while somebody looks several times in `LONGEST_LOOK_SECONDS`, as the loop that supervises does: a longer
    gap between two looks counts as that much. The systems' own clocks do not agree on whether sleep counts. Any thread.

    Args:
        clock: The time; what it says of the time of day is passed on.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = clock.steady()
        self._awake = 0.0

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self._clock.now_ms()

    def steady(self) -> float:
        """Seconds awake."""
        with self._lock:
            now = self._clock.steady()
            self._awake += min(now - self._looked_at, LONGEST_LOOK_SECONDS)
            self._looked_at = now
            return self._awake
