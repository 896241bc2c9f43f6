"""A record of messages from other programs, and the rules that protect these messages and ours from each other.

Each receive increments a message's receive count, and SQS moves messages with a high count to the dead-letter queue. By
receiving another program's messages repeatedly, the consumer would make that program lose them. Therefore the consumer
stops if it receives many foreign messages in a row, unless own files are waiting for their messages. In that case, it
continues more slowly, and hides the foreign messages for longer each time, until it has received those behind them.
When no own file is waiting anymore, it makes the hidden messages visible again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from desktop_app.queues.messages import Received


T = TypeVar("T")

KEPT = 20
KEPT_CHARS = 2_000
REMEMBERED = 100_000
MANY_IN_A_ROW = 10
"""The number of foreign messages in a row that stops the consumer, or makes it hide them if own files are waiting."""
HELD_UP_BY = 100
"""The number of foreign messages in a row from which on the user is told that they hold up own files."""
HIDDEN_SECONDS = 600
"""How long a foreign message is hidden the first time. This doubles with each further receive."""
LONGEST_HIDDEN_SECONDS = 3_600

TOO_MANY_TITLE = Sentence("This queue contains messages from another program")

TOO_MANY_TEXT = Sentence(
    "The most recent messages all belong to another program and were left unchanged. Processing "
    "has stopped because each time they are received, it counts as a delivery attempt. Choose a "
    "queue that only Filemill uses."
)

HELD_UP_TITLE = Sentence("Messages from another program are holding up your files")


@dataclass(frozen=True, slots=True)
class ForeignMessage:
    """A foreign message, with the first `KEPT_CHARS` characters of its body."""

    message_id: str
    why: str
    body: str
    receive_count: int


class ForeignMessages:
    """Records the foreign messages that were received. Any thread.

    Attributes:
        is_tolerated: Whether another program may use the queue, so that its messages do not stop the consumer.
        is_own_expected: Whether own files are waiting for their messages. Set by the consumer.
        own_group: The message group of our messages in strict order. Set by the consumer.
        blocked_group: The last `own_group` in which a foreign message was received, which blocks the ones behind it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._times: OrderedDict[str, int] = OrderedDict()
        """How often each message was received, by its ID; the `REMEMBERED` most recent ones."""
        self._newest: OrderedDict[str, ForeignMessage] = OrderedDict()
        self._hidden: OrderedDict[str, Received] = OrderedDict()
        self._in_a_row: set[str] = set()
        self._again = self._again_before_own = 0
        self.is_tolerated = False
        self.is_own_expected = False
        self.own_group = self.blocked_group = ""

    def tolerate(self) -> None:
        """Allow another program to use the queue, so that its messages no longer stop the consumer."""
        self.is_tolerated = True

    def note(self, received: Received, why: str) -> bool:
        """Record a foreign message and why it is foreign; return False if it was received before."""
        key = received.message_id
        message = ForeignMessage(key, why, received.body[:KEPT_CHARS], received.receive_count)
        with self._lock:
            times = self._times.pop(key, 0)
            self._count += not times
            self._again += times > 0
            if received.group_id and received.group_id == self.own_group:
                self.blocked_group = self.own_group
            _put(self._times, key, times + 1, REMEMBERED)
            self._newest.pop(key, None)
            _put(self._newest, key, message, KEPT)
            if len(self._in_a_row) < REMEMBERED:
                self._in_a_row.add(key)
            return not times

    def note_own(self) -> None:
        """Set `in_a_row` to 0, because one of our messages has arrived or the user wants to retry."""
        with self._lock:
            self._in_a_row.clear()
            self._again_before_own += self._again
            self._again = 0

    def take_again_before_own(self) -> int:
        """Return how often messages were received again before one of ours, since the last call."""
        with self._lock:
            count, self._again_before_own = self._again_before_own, 0
            return count

    def hide(self, received: Received) -> int:
        """Return how long to hide a message, so that it is not received again before ours; 0 if that is not needed."""
        with self._lock:
            if len(self._in_a_row) < MANY_IN_A_ROW or not self.is_own_expected:
                return 0
            _put(self._hidden, received.message_id, received, REMEMBERED)
            again = self._times.get(received.message_id, 1) - 1
        return min(LONGEST_HIDDEN_SECONDS, HIDDEN_SECONDS << min(again, 10))

    @property
    def has_hidden(self) -> bool:
        """Whether any messages are hidden, as far as is known."""
        return bool(self._hidden)

    def take_hidden(self) -> list[Received]:
        """Return the hidden messages, which must be made visible again, and forget them."""
        with self._lock:
            hidden, self._hidden = self._hidden, OrderedDict()
        return list(hidden.values())

    @property
    def count(self) -> int:
        """The number of different foreign messages received."""
        with self._lock:
            return self._count

    @property
    def in_a_row(self) -> int:
        """The number of different foreign messages since our last message."""
        with self._lock:
            return len(self._in_a_row)

    def newest(self) -> tuple[ForeignMessage, ...]:
        """Return up to `KEPT` foreign messages, newest first."""
        with self._lock:
            return tuple(reversed(self._newest.values()))


def _put(entries: OrderedDict[str, T], key: str, value: T, most: int) -> None:
    """Append an entry, and remove the oldest one if there are too many."""
    entries[key] = value
    if len(entries) > most:
        entries.popitem(last=False)
