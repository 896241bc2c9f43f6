"""What became of jobs that a person wanted next. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of jobs that should be next.

    Attributes:
        keys: Those that wait, in the order asked for.
        front: How many of them stand at the front of the outbox now.
        is_served: Whether somebody begins them at once, whatever the queue's order is.
    """

    keys: tuple[int, ...] = ()
    front: int = 0
    is_served: bool = False

    @property
    def sent(self) -> int:
        """How many have their message in the queue already, which nobody can move there."""
        return len(self.keys) - self.front
