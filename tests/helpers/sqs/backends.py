"""The queues that the contract tests run on: the simulator, plain moto, and the embedded queue."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from desktop_app.config.settings import Connection
from desktop_app.queues.client import BotoClient
from desktop_app.queues.messages import DEFAULT_RETENTION_SECONDS, Outgoing, QueueInfo

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.messages import Received

SIMULATOR, MOTO, EMBEDDED = "simulator", "moto", "embedded"
STANDARD, FIFO = "standard", "FIFO"
MOTO_MEASURED = "5.2."
"""The versions of moto whose deviations are known; other versions may have none."""


def is_moto_as_measured() -> bool:
    return version("moto").startswith(MOTO_MEASURED)


@dataclass
class ContractQueue:
    """A new queue of one kind; `boto` is for requests that only tests make."""

    backend: str
    kind: str
    client: QueueClient
    boto: SQSClient | None = None
    retention_s: int = DEFAULT_RETENTION_SECONDS

    @property
    def is_fifo(self) -> bool:
        return self.kind == FIFO

    def outgoing(self, *bodies: str) -> list[Outgoing]:
        """Return outgoing messages; the group is the first letter of the body, and the body is the deduplication id."""
        return [Outgoing(body, body[0], _digest(body)) if self.is_fifo else Outgoing(body) for body in bodies]

    def send(self, *bodies: str) -> None:
        assert all(result.is_done for result in self.client.send(self.outgoing(*bodies)))

    def receive(self, limit: int = 10, visibility_s: int = 60, wait_s: int = 0) -> list[Received]:
        return self.client.receive(limit=limit, wait_s=wait_s, visibility_s=visibility_s)

    def bodies(self, limit: int = 10, visibility_s: int = 60) -> list[str]:
        return [message.body for message in self.receive(limit, visibility_s)]


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def contract_queue(backend: str, kind: str, boto: SQSClient, **attributes: str) -> ContractQueue:
    """Create an SQS queue.

    Args:
        backend: The kind of server.
        kind: `STANDARD` or `FIFO`.
        boto: A client of the server.
        attributes: The attributes of the queue.
    """
    given: Any = attributes | ({"FifoQueue": "true"} if kind == FIFO else {})
    name = f"contract-{uuid.uuid4().hex}" + (".fifo" if kind == FIFO else "")
    url = boto.create_queue(QueueName=name, Attributes=given)["QueueUrl"]
    info = QueueInfo(url, name, kind == FIFO, int(attributes.get("MaximumMessageSize", 1_048_576)))
    client = BotoClient(boto, boto, info, Connection(queue=name, region="eu-west-1"))
    return ContractQueue(backend, kind, client, boto)
