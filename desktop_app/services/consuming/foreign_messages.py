"""A record of messages from other programs; too many of them stop the consumer.

Each receive increments a message's receive count, and SQS moves messages with a high count to the dead-letter queue. By
receiving another program's messages repeatedly, the consumer would make that program lose them.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from desktop_app.queues.messages import Received


KEPT = 20
KEPT_CHARS = 2_000
MOST_COUNTED = 100_000
"""The number of message IDs to keep in memory; further messages are not counted."""
MANY_IN_A_ROW = 10
"""The number of foreign messages that stops the consumer if none of our messages is in the queue."""
TOO_MANY_IN_A_ROW = 100
"""The number of foreign messages that always stops the consumer."""

TOO_MANY_TITLE = Sentence("This queue contains messages from another program")

TOO_MANY_TEXT = Sentence(
    "The most recent messages all belong to another program and were left unchanged. Processing "
    "has stopped because each time they are received, it counts as a delivery attempt. Choose a "
    "queue that only Filemill uses."
)


@dataclass(frozen=True, slots=True)
class ForeignMessage:
    """A foreign message, with the first `KEPT_CHARS` characters of its body."""

    message_id: str
    why: str
    body: str
    receive_count: int


class ForeignMessages:
    """Records the foreign messages that were received. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[str] = set()
        self._newest: deque[ForeignMessage] = deque(maxlen=KEPT)
        self._in_a_row: set[str] = set()
        self._is_tolerated = False

    def tolerate(self) -> None:
        """Allow another program to use the queue, so that its messages no longer stop the consumer."""
        with self._lock:
            self._is_tolerated = True
            self._in_a_row.clear()

    def note(self, received: Received, why: str) -> bool:
        """Record a foreign message and why it is foreign; return False if it was already among the newest."""
        message = ForeignMessage(received.message_id, why, received.body[:KEPT_CHARS], received.receive_count)
        with self._lock:
            if len(self._ids) < MOST_COUNTED:
                self._ids.add(received.message_id)
            known = [one for one in self._newest if one.message_id == received.message_id]
            for one in known:
                self._newest.remove(one)
            self._newest.append(message)
            if not self._is_tolerated:
                self._in_a_row.add(received.message_id)
            return not known

    def note_own(self) -> None:
        """Set `in_a_row` to 0, because one of our messages has arrived or the user wants to retry."""
        with self._lock:
            self._in_a_row.clear()

    @property
    def count(self) -> int:
        """The number of different foreign messages received, at most `MOST_COUNTED`."""
        with self._lock:
            return len(self._ids)

    @property
    def in_a_row(self) -> int:
        """The number of different foreign messages since our last message."""
        with self._lock:
            return len(self._in_a_row)

    def newest(self) -> tuple[ForeignMessage, ...]:
        """Return up to `KEPT` foreign messages, newest first."""
        with self._lock:
            return tuple(reversed(self._newest))
