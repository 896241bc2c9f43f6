"""What goes to a queue and what comes back from it, apart from who carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desktop_app.errors import QueueTrouble

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1_048_576
"""AWS: the sum of a batch's messages, since August 2025 1 MiB as for one message."""
MAX_WAIT_SECONDS = 20
DEFAULT_RETENTION_SECONDS = 4 * 24 * 3600


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """What a queue is: its URL, its kind, and the largest message it takes in bytes."""

    url: str
    name: str
    is_fifo: bool
    max_message_bytes: int = MAX_REQUEST_BYTES


@dataclass(frozen=True, slots=True)
class QueueState:
    """What a queue says of itself; the counts are approximate and may lag a minute (AWS: GetQueueAttributes)."""

    visible: int
    in_flight: int
    delayed: int
    created_at_ms: int
    retention_s: int
    dead_letter_arn: str = ""
    """The queue that messages go to which were received too often; empty if there is none."""

    @property
    def total(self) -> int:
        """All messages in the queue."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send; `group_id` and `deduplication_id` only for a FIFO queue."""

    body: str
    group_id: str = ""
    deduplication_id: str = ""

    @property
    def size(self) -> int:
        """Bytes that count towards the limits."""
        return len(self.body.encode())


@dataclass(frozen=True, slots=True)
class Received:
    """A message in flight: `receipt_handle` acts on this receive of it only."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    group_id: str


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What became of one entry: done where `trouble` is None; the ids and digests only for a message that was sent."""

    message_id: str = ""
    body_md5: str = ""
    trouble: QueueTrouble | None = None
    text: str = ""

    @property
    def is_done(self) -> bool:
        """True if the queue did it."""
        return self.trouble is None


def plan_batches(messages: Sequence[Outgoing], max_bytes: int = MAX_REQUEST_BYTES) -> Iterator[list[int]]:
    """Cut messages into batches by count and by UTF-8 bytes; gives their positions, in order.

    A message that is too large alone gets a batch of its own, so that only it is refused.
    """
    batch: list[int] = []
    size = 0
    for position, message in enumerate(messages):
        if batch and (len(batch) == MAX_ENTRIES or size + message.size > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(position)
        size += message.size
    if batch:
        yield batch
