"""The standard queue, and what both kinds of queues share. Not thread-safe; the simulator holds a lock."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.helpers.sqs.attributes import redrive_target
from tests.helpers.sqs.checks import MAX_VISIBILITY, check_range
from tests.helpers.sqs.errors import handle_expired, not_a_handle, not_available, over_twelve_hours
from tests.helpers.sqs.messages import Receipt, StoredMessage

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator


@dataclass(slots=True)
class Behaviour:
    """The behaviour that a test requests, for all queues of a simulator.

    Attributes:
        copies: How often a standard queue stores each message, since delivery is at least once.
        shuffle: Chooses the order of delivery of a standard queue; None for the order of sending.
        in_flight_limit: The number of messages in flight above which none can be received.
        old_handles_change_visibility: Whether the handle of an earlier receive changes the visibility on a standard
            queue. Off by default, since AWS documents an error; LocalStack's
            test_terminate_visibility_timeout_after_receive records that AWS accepts it.
        counts_lag_s: How many seconds the counts of messages are out of date (AWS: up to a minute).
    """

    copies: int = 1
    shuffle: random.Random | None = None
    in_flight_limit: int = 120_000
    old_handles_change_visibility: bool = False
    counts_lag_s: float = 0


class StandardQueue:
    """A queue with best-effort order and at-least-once delivery.

    Args:
        name: The name.
        url: The URL.
        arn: The ARN, for redrive policies.
        attributes: All attributes that can be set.
        behaviour: The behaviour that the test requests.
        find_queue: Returns the queue with an ARN, or None.
    """

    is_fifo = False

    def __init__(
        self,
        name: str,
        url: str,
        arn: str,
        attributes: dict[str, str],
        behaviour: Behaviour,
        find_queue: Callable[[str], StandardQueue | None],
    ) -> None:
        self.name = name
        self.url = url
        self.arn = arn
        self.attributes = attributes
        self.behaviour = behaviour
        self.purged_at: float | None = None
        self._find_queue = find_queue
        self._id = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._messages: dict[int, StoredMessage] = {}
        self._counted: tuple[float, dict[str, str]] | None = None
        self._known_counts: dict[str, str] = {}

    def setting(self, name: str) -> int:
        return int(self.attributes[name])

    def messages(self, now: float) -> list[StoredMessage]:
        """Return all messages, oldest first: visible, delayed and in flight."""
        self._expire(now)
        return list(self._messages.values())

    # Sending

    def send(self, entry: dict[str, Any], now: float) -> dict[str, Any]:
        """Store a checked message; return the ids for the response."""
        message_id = str(uuid.uuid4())
        for _ in range(self.behaviour.copies):
            self._keep(self._new_message(entry, message_id, now))
        return {"MessageId": message_id}

    def _new_message(self, entry: dict[str, Any], message_id: str, now: float) -> StoredMessage:
        return StoredMessage(
            number=next(self._numbers),
            message_id=message_id,
            body=entry["MessageBody"],
            sent_at=now,
            hidden_until=now + entry.get("DelaySeconds", self.setting("DelaySeconds")),
            attributes=entry.get("MessageAttributes", {}),
            group_id=entry.get("MessageGroupId", ""),
        )

    def take_over(self, message: StoredMessage, source_arn: str, now: float) -> None:
        """Store a dead-lettered message of another queue; on a standard queue it keeps its age."""
        message.number = next(self._numbers)
        message.source_arn = source_arn
        message.hidden_until = now
        message.receives = 0
        self._keep(message)

    def _keep(self, message: StoredMessage) -> None:
        self._messages[message.number] = message

    def _drop(self, message: StoredMessage) -> None:
        del self._messages[message.number]

    # Receiving

    def receive(
        self, limit: int, visibility_s: int, now: float, attempt_id: str = ""
    ) -> list[tuple[StoredMessage, str]]:
        """Return up to `limit` messages with new handles; dead-letter messages that were received too often."""
        self._expire(now)
        limit = min(limit, self.behaviour.in_flight_limit - self.count_in_flight(now))
        taken: list[tuple[StoredMessage, str]] = []
        for message in self._candidates(now):
            if len(taken) >= limit:
                break
            if not self._has_died(message, now):
                taken.append((message, self._hand_out(message, visibility_s, now)))
        return taken

    def _candidates(self, now: float) -> Iterator[StoredMessage]:
        """Yield the messages that may be received, in order; messages may be removed meanwhile."""
        visible = [message for message in self._messages.values() if not message.is_hidden(now)]
        if self.behaviour.shuffle is not None:
            self.behaviour.shuffle.shuffle(visible)
        yield from visible

    def _hand_out(self, message: StoredMessage, visibility_s: int, now: float) -> str:
        message.receives += 1
        message.receive_count += 1
        message.received_at = now
        message.first_received_at = message.first_received_at or now
        message.hidden_until = now + visibility_s
        return Receipt(self._id, message.number, message.receives, now).encode()

    def _has_died(self, message: StoredMessage, now: float) -> bool:
        """Dead-letter a message if one more receive would exceed maxReceiveCount; return whether it was moved."""
        policy = self.attributes.get("RedrivePolicy")
        if not policy:
            return False
        arn, max_receives = redrive_target(policy)
        dead_letters = self._find_queue(arn)
        if dead_letters is None or message.receives < max_receives:
            return False
        self._drop(message)
        dead_letters.take_over(message, self.arn, now)
        return True

    # Deleting and changing the visibility

    def delete(self, handle: str, now: float) -> None:
        """Delete the message of a handle. An old handle succeeds and deletes nothing.

        Raises:
            SqsError: If the handle is invalid or older than twelve hours.
        """
        receipt, message = self._look_up(handle)
        if now - receipt.received_at > MAX_VISIBILITY:
            raise handle_expired(handle)
        if message is not None and self._may_delete(receipt, message, now):
            self._drop(message)

    def _may_delete(self, receipt: Receipt, message: StoredMessage, now: float) -> bool:
        return receipt.receive == message.receives

    def change_visibility(self, handle: str, seconds: int, now: float) -> None:
        """Hide the message for this many seconds from now.

        Raises:
            SqsError: If the handle is invalid or has expired, or the total would exceed twelve hours.
        """
        check_range(seconds, "VisibilityTimeout", 0, MAX_VISIBILITY, "Must be between 0 and 43200, if provided.")
        receipt, message = self._look_up(handle)
        if now - receipt.received_at + seconds > MAX_VISIBILITY:
            raise over_twelve_hours(seconds)
        if message is None or not self._may_change(receipt, message):
            raise not_available(handle)
        message.hidden_until = now + seconds

    def _may_change(self, receipt: Receipt, message: StoredMessage) -> bool:
        return receipt.receive == message.receives or self.behaviour.old_handles_change_visibility

    def _look_up(self, handle: str) -> tuple[Receipt, StoredMessage | None]:
        """Return the receipt of a handle and its message; None if the message was deleted."""
        receipt = Receipt.decode(handle)
        if receipt.queue != self._id:
            raise not_a_handle(handle)
        return receipt, self._messages.get(receipt.number)

    # The queue as a whole

    def purge(self, now: float) -> None:
        for message in self.messages(now):
            self._drop(message)
        self.purged_at = now

    def count_in_flight(self, now: float) -> int:
        return sum(message.is_in_flight(now) for message in self._messages.values())

    def counts(self, now: float) -> dict[str, str]:
        """Return the counts of messages, or earlier counts if the test wants them to be out of date."""
        if self._counted is None or now - self._counted[0] >= self.behaviour.counts_lag_s:
            earlier, self._counted = self._counted, (now, self._count(now))
            if earlier is None or not self.behaviour.counts_lag_s:
                earlier = self._counted
            self._known_counts = earlier[1]
        return self._known_counts

    def _count(self, now: float) -> dict[str, str]:
        messages = self.messages(now)
        in_flight = sum(message.is_in_flight(now) for message in messages)
        hidden = sum(message.is_hidden(now) for message in messages)
        return {
            "ApproximateNumberOfMessages": str(len(messages) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            "ApproximateNumberOfMessagesDelayed": str(hidden - in_flight),
        }

    def next_change(self, now: float) -> float | None:
        """Return when a message next becomes visible by itself, for long polls."""
        return min((m.hidden_until for m in self._messages.values() if m.is_hidden(now)), default=None)

    def _expire(self, now: float) -> None:
        oldest = now - self.setting("MessageRetentionPeriod")
        for message in [message for message in self._messages.values() if message.sent_at < oldest]:
            self._drop(message)
