"""What a loop tells the outside about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.errors import KnownError, QueueTrouble


class Phase(StrEnum):
    """What a sender or a consumer is doing."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """Something is wrong outside; it tries again by itself at `LoopState.next_try_at`."""
    OFF = "off"
    """Not allowed yet: it begins when a person says so."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LoopState:
    """A sender's or consumer's state, for a status bar.

    Attributes:
        phase: What it is doing.
        text: For WAITING: the plain sentences that say what is wrong and what to do.
        trouble: For WAITING: the kind, if it is the queue's.
        next_try_at: For WAITING: when it tries again, in milliseconds since 1970.
        tries: How many tries in a row did not succeed.
        error: For WAITING: what `text` is from.
    """

    phase: Phase
    text: str = ""
    trouble: QueueTrouble | None = None
    next_try_at: int | None = None
    tries: int = 0
    error: KnownError | None = field(default=None, compare=False)
