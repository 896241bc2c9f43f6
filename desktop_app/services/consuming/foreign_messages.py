"""Messages that are not ours: counted, kept to be shown, never touched; too many of them stop the consumer.

Each receive raises a message's receive count, and SQS moves what was received too often to its dead-letter queue: a
program that goes on looking at another program's messages drives them out of that program's queue.
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
MANY_IN_A_ROW = 10
"""So many stop the consumer if none of ours is in the queue."""
TOO_MANY_IN_A_ROW = 100
"""So many stop the consumer even if messages of ours must be behind them."""

TOO_MANY_TITLE = Sentence("This queue carries messages that are not Filemill's")

TOO_MANY_TEXT = Sentence(
    "All that came lately were another program's and were left as they are. Processing has stopped, since each look "
    "counts as a delivery attempt for them. Choose a queue that is only for Filemill."
)


@dataclass(frozen=True, slots=True)
class ForeignMessage:
    """A message that is not ours, as it came; the body is cut to `KEPT_CHARS`."""

    message_id: str
    why: str
    body: str
    receive_count: int


class ForeignMessages:
    """What came that is not ours. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._newest: deque[ForeignMessage] = deque(maxlen=KEPT)
        self._in_a_row: set[str] = set()
        self._is_tolerated = False

    def tolerate(self) -> None:
        """Accept from now on that another program uses the queue too: its messages stop the consumer no more."""
        with self._lock:
            self._is_tolerated = True
            self._in_a_row.clear()

    def note(self, received: Received, why: str) -> bool:
        """Note a foreign message; True if it is one that was not among the newest before."""
        message = ForeignMessage(received.message_id, why, received.body[:KEPT_CHARS], received.receive_count)
        with self._lock:
            self._count += 1
            known = [one for one in self._newest if one.message_id == received.message_id]
            for one in known:
                self._newest.remove(one)
            self._newest.append(message)
            if not self._is_tolerated:
                self._in_a_row.add(received.message_id)
            return not known

    def note_own(self) -> None:
        """Start counting anew: one of ours came, or a person wants another try."""
        with self._lock:
            self._in_a_row.clear()

    @property
    def count(self) -> int:
        """How often a foreign message came."""
        with self._lock:
            return self._count

    @property
    def in_a_row(self) -> int:
        """How many different foreign messages came since the last one of ours."""
        with self._lock:
            return len(self._in_a_row)

    def newest(self) -> tuple[ForeignMessage, ...]:
        """Return the last foreign messages, newest first."""
        with self._lock:
            return tuple(reversed(self._newest))
