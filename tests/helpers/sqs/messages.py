"""The messages that the simulated queue stores, and their receipt handles."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.sqs.errors import not_a_handle


@dataclass(frozen=True, slots=True)
class Receipt:
    """The content of a receipt handle: a receive of a message in a queue.

    The handle contains everything, so old handles need not be stored.
    """

    queue: str
    number: int
    receive: int
    received_at: float

    def encode(self) -> str:
        fields = [self.queue, self.number, self.receive, self.received_at]
        return base64.b64encode(json.dumps(fields).encode()).decode()

    @classmethod
    def decode(cls, handle: str) -> Receipt:
        """Decode a handle.

        Raises:
            SqsError: ReceiptHandleIsInvalid, if this simulator did not create it.
        """
        try:
            queue, number, receive, received_at = json.loads(base64.b64decode(handle, validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            raise not_a_handle(handle) from error
        return cls(queue, number, receive, received_at)


@dataclass(eq=False, slots=True)
class StoredMessage:
    """A message in a queue.

    Attributes:
        number: Its position in the queue.
        hidden_until: The end of its delay, then of its visibility timeout, in seconds since 1970.
        receive_count: The number of receives in all its queues.
        receives: The number of receives in this queue; the newest handle contains it.
        received_at: The time of the newest receive.
    """

    number: int
    message_id: str
    body: str
    sent_at: float
    hidden_until: float
    attributes: dict[str, Any] = field(default_factory=dict)
    group_id: str = ""
    deduplication_id: str = ""
    sequence_number: str = ""
    source_arn: str = ""
    receive_count: int = 0
    first_received_at: float = 0.0
    receives: int = 0
    received_at: float = 0.0

    def is_hidden(self, now: float) -> bool:
        return now < self.hidden_until

    def is_in_flight(self, now: float) -> bool:
        return self.receives > 0 and self.is_hidden(now)

    def system_attributes(self) -> dict[str, str]:
        """Return all system attributes; a response contains only the requested ones."""
        attributes = {
            "SenderId": "AIDASIMULATOR",
            "SentTimestamp": str(round(self.sent_at * 1000)),
            "ApproximateReceiveCount": str(self.receive_count),
            "ApproximateFirstReceiveTimestamp": str(round(self.first_received_at * 1000)),
            "MessageGroupId": self.group_id,
            "MessageDeduplicationId": self.deduplication_id,
            "SequenceNumber": self.sequence_number,
            "DeadLetterQueueSourceArn": self.source_arn,
        }
        return {name: value for name, value in attributes.items() if value}
