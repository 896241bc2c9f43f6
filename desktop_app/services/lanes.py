"""Order where a FIFO queue promises it: one message of a group at a time, groups side by side."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.services.leases import Held


class Lanes:
    """A lane for each message group; messages without a group have no lane and never wait. One thread."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[Held]] = {}
        """The first of each lane is the one that may work."""

    def enter(self, held: Held) -> bool:
        """Take a message in, in the order received; True if it may start now."""
        if not held.lane:
            return True
        lane = self._lanes.setdefault(held.lane, deque())
        lane.append(held)
        return len(lane) == 1

    def leave(self, held: Held) -> Held | None:
        """The message that had started is dealt with; gives the one that may start now."""
        lane = self._lanes.get(held.lane)
        if not lane or lane[0] is not held:
            return None
        lane.popleft()
        if lane:
            return lane[0]
        del self._lanes[held.lane]
        return None

    def break_off(self, held: Held) -> list[Held]:
        """The message goes back to the queue; so must all behind it in its lane, in this order, to keep it.

        Returns:
            Those behind it.
        """
        lane = self._lanes.get(held.lane)
        if not lane or held not in lane:
            return []
        place = lane.index(held)
        behind = list(lane)[place + 1 :]
        kept = list(lane)[:place]
        if kept:
            self._lanes[held.lane] = deque(kept)
        else:
            del self._lanes[held.lane]
        return behind
