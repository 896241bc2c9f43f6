"""How a consumer works: what its builder decides."""

from __future__ import annotations

from dataclasses import dataclass

from desktop_app.services.leases import VISIBILITY_SECONDS

SHORT_POLL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How a consumer works.

    Attributes:
        queue: The key of the queue it consumes.
        concurrency: How many files at once.
        visibility_s: For how long a received message is hidden before it is extended, in seconds.
        wait_s: The longest poll, 0…20 s. Up to `SHORT_POLL_SECONDS` a stop waits for the poll to end, so that no
            message is handed to it that nobody takes; a longer one is left to end by itself.
        work_grace_s: How long running work may go on after a stop, in seconds.
        flush_grace_s: How long the last answers to the queue may take after that.
        resend_crashed: True for a queue that does not bring a dead worker's messages back by itself soon.
    """

    queue: str
    concurrency: int = 2
    visibility_s: int = VISIBILITY_SECONDS
    wait_s: int = 20
    work_grace_s: float = 5.0
    flush_grace_s: float = 2.0
    resend_crashed: bool = False
