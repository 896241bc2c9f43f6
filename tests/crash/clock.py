"""The computer's time, which a test may let jump: so nobody waits for a visibility time-out."""

from __future__ import annotations

import time

from tests.helpers.sqs.clock import VirtualClock


class JumpClock(VirtualClock):
    """Runs like the computer's clock, and can be moved on. For the simulator and for the program alike. Any thread."""

    is_virtual = False

    def __init__(self) -> None:
        super().__init__(start=0)

    def time(self) -> float:
        return time.time() + super().time()

    def steady(self) -> float:
        return time.monotonic() + super().time()
