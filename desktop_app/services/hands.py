"""What both sides of a consumer's work share: the dispatcher, which sets it going, and the committer, which ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.clock import Clock
    from desktop_app.services.acks import Acks
    from desktop_app.services.lanes import Lanes
    from desktop_app.services.leases import LeaseBook
    from desktop_app.services.pool import WorkerPool
    from desktop_app.services.tally import Tally


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything that passes through a consumer's hands.

    Attributes:
        book: Everything in them now.
        acks: Where messages are deleted and given back.
        lanes: The order of FIFO groups.
        pool: The threads that process.
        tally: The counters.
        clock: The time.
    """

    book: LeaseBook
    acks: Acks
    lanes: Lanes
    pool: WorkerPool
    tally: Tally
    clock: Clock
