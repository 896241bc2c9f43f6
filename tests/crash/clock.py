"""The computer's clock, which a test may move forward, so that no test waits for a visibility timeout."""

from __future__ import annotations

import time

from tests.helpers.sqs.clock import VirtualClock


class JumpClock(VirtualClock):
    """Runs like the computer's clock and can be moved forward. For the simulator and the program. Any thread."""

    is_virtual = False

    def __init__(self) -> None:
        super().__init__(start=0)

    def time(self) -> float:
        return time.time() + super().time()

    def steady(self) -> float:
        return time.monotonic() + super().time()
