"""A message as the simulated queue keeps it, and its receipt handles."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.sqs.errors import not_a_handle


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt handle says: which receive of which message in which queue it stands for.

    Everything is in the handle, so nothing has to be remembered to know one that was given out long ago.
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
        """Read a handle back.

        Raises:
            SqsError: ReceiptHandleIsInvalid, if it is not one of this simulator's.
        """
        try:
            queue, number, receive, received_at = json.loads(base64.b64decode(handle, validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            raise not_a_handle(handle) from error
        return cls(queue, number, receive, received_at)


@dataclass(eq=False, slots=True)
class StoredMessage:
    """One message of one queue.

    Attributes:
        number: Its place in the queue.
        hidden_until: The end of its delay, then of its visibility time-out, in seconds since 1970.
        receive_count: Over all queues it was in.
        receives: In this queue; the newest handle carries this number.
        received_at: When the newest handle was given out.
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
        """All of them; a receive answers those that it asked for."""
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
