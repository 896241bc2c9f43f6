"""What a FIFO queue is told beside a message. One place, so that the window shows what the sender sends."""

from __future__ import annotations

STRICT_GROUP = "filemill"


def group_of(file_id: str, *, strict_order: bool) -> str:
    """The message group: one of each file's own, or one of all where none may overtake another."""
    return STRICT_GROUP if strict_order else file_id


def deduplication_id(file_id: str, generation: int) -> str:
    """Explicit, since the queue's content-based deduplication would swallow a wanted retry within five minutes."""
    return f"{file_id}:{generation}"
