"""Order where a FIFO queue promises it: one message of a group at a time, groups side by side."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.services.leases import Held


class Lanes:
    """A lane for each message group; messages without a group have no lane and never wait. One thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Held]] = {}

    def enter(self, held: Held) -> bool:
        """Take a message in, in the order received; True if it may start now."""
        if not held.lane:
            return True
        if held.lane in self._waiting:
            self._waiting[held.lane].append(held)
            return False
        self._waiting[held.lane] = deque()
        return True

    def leave(self, held: Held) -> Held | None:
        """The message that had started is dealt with; gives the one that may start now."""
        lane = self._waiting.get(held.lane)
        if lane is None:
            return None
        if lane:
            return lane.popleft()
        del self._waiting[held.lane]
        return None

    def break_off(self, held: Held) -> list[Held]:
        """The message that had started goes back to the queue; so must all behind it, in this order, to keep it."""
        return list(self._waiting.pop(held.lane, ()))
