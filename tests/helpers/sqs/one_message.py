"""A queue with one message on it, for the simulator's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.sqs.kit import SimulatedSqs


class OneMessageQueue:
    """A queue with one message, and the actions on it."""

    def __init__(self, sim: SimulatedSqs, name: str) -> None:
        self.sim = sim
        self.name = name
        self.sqs = sim.boto()
        self.url = sim.simulator.create_queue(name)
        self.fifo: dict[str, Any] = {"MessageGroupId": "g"} if name.endswith(".fifo") else {}
        self.put("body")

    def put(self, body: str) -> None:
        dedup: dict[str, Any] = {"MessageDeduplicationId": body} if self.fifo else {}
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **self.fifo, **dedup)

    def receive(self, **more: Any) -> list[Any]:
        return self.sqs.receive_message(QueueUrl=self.url, **{"MaxNumberOfMessages": 10, **more}).get("Messages", [])

    def handle(self, **more: Any) -> str:
        (message,) = self.receive(**more)
        handle: str = message["ReceiptHandle"]
        return handle

    def delete(self, handle: str) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)

    def change(self, handle: str, seconds: int = 100) -> None:
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    @property
    def is_empty(self) -> bool:
        return self.sim.simulator.bodies(self.name) == []


def said(call: Callable[[], object]) -> str:
    """Return the error of a call: empty if it succeeded, otherwise the code and the reason."""
    try:
        call()
    except ClientError as error:
        message = error.response["Error"]["Message"]
        reason = message.partition("Reason: ")[2] or message.partition('" ')[2] or message
        return f"{error.response['Error']['Code']}: {reason}"
    return ""
