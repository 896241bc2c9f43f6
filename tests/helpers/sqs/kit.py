"""Real queue clients whose requests the simulator answers."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.config.settings import Connection
from desktop_app.queues.client import BotoClient
from desktop_app.queues.connector import _look_up
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.messages import QueueInfo
from tests.helpers.sqs.clock import VirtualClock
from tests.helpers.sqs.faults import FaultLayer
from tests.helpers.sqs.simulator import REGION, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.domain.errors import QueueError
    from desktop_app.queues.client import QueueClient
    from tests.helpers.sqs.clock import SimulatorClock

_session_lock = threading.Lock()


@cache
def _session() -> boto3.Session:
    """Return a session without the user's AWS configuration. All tests share it: its first client takes 100 ms."""
    bare = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    bare.set_config_variable("config_file", os.devnull)
    bare.set_config_variable("credentials_file", os.devnull)
    return boto3.Session("key", "secret", region_name=REGION, botocore_session=bare)


def boto_client(**options: Any) -> SQSClient:
    """Return a boto3 client that does not retry and uses no proxy.

    Args:
        options: For `Session.client`, such as `endpoint_url`.
    """
    config = Config(retries={"total_max_attempts": 1}, proxies={}, max_pool_connections=32)
    with _session_lock:
        return _session().client("sqs", **{"config": config, **options})


class FixedConnector:
    """A `QueueConnector` whose clients a test creates.

    Args:
        make: Creates a client for the first `connect` and after each `reset`; may raise QueueError.
    """

    def __init__(self, make: Callable[[], QueueClient]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._client: QueueClient | None = None
        self.trouble: QueueError | None = None
        """The exception that `connect` raises; None for none."""
        self.made = 0
        self.resets = 0
        self.closes = 0

    def connect(self) -> QueueClient:
        with self._lock:
            if self.trouble is not None:
                raise self.trouble
            if self._client is None:
                self._client = self._make()
                self.made += 1
            return self._client

    def interrupt(self) -> None:
        """Do nothing: no program provides credentials."""

    def give_up(self) -> None:
        """Do nothing: no program provides credentials."""

    def release_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """Do nothing, as with SQS."""

    def reset(self) -> None:
        with self._lock:
            self._client = None
            self.resets += 1

    def close(self) -> None:
        with self._lock:
            self.closes += 1


class SimulatedSqs:
    """A simulator with a clock, a fault layer and clients.

    Args:
        clock: By default, a clock that the test moves with `clock.advance`.
        waits: See `Simulator`.
    """

    def __init__(self, clock: SimulatorClock | None = None, *, waits: bool | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.simulator = Simulator(self.clock, waits=waits)
        self.faults = FaultLayer()

    def advance(self, seconds: float) -> None:
        """Move the virtual clock forward."""
        cast("VirtualClock", self.clock).advance(seconds)

    def boto(self, **options: Any) -> SQSClient:
        """Return a plain boto3 client whose requests pass the fault layer and are answered by the simulator."""
        client = boto_client(**options)
        self.faults.attach(client, self.simulator.answer)
        return client

    def client(self, name: str = "work", **attributes: object) -> BotoClient:
        """Return a client of a queue, which is created with these attributes if necessary. It makes no requests."""
        self._need_queue(name, attributes)
        queue = self.simulator.queue(name)
        info = QueueInfo(queue.url, name, queue.is_fifo, queue.setting("MaximumMessageSize"))
        return BotoClient(self.boto(), self.boto(), info, Connection(queue=name, region=REGION))

    def connector(self, name: str = "work", **attributes: object) -> FixedConnector:
        """Return a connector of a queue, which is created with these attributes if necessary.

        Like the real connector, it looks the queue up by its name, so faults of GetQueueUrl apply.
        """
        self._need_queue(name, attributes)
        return FixedConnector(lambda: self._look_up(name))

    def _need_queue(self, name: str, attributes: dict[str, object]) -> None:
        if not self.simulator.has_queue(name):
            self.simulator.create_queue(name, **attributes)

    def _look_up(self, name: str) -> BotoClient:
        control, connection = self.boto(), Connection(queue=name, region=REGION)
        try:
            info = _look_up(control, connection)
        except (ClientError, BotoCoreError) as error:
            raise as_queue_error(error, connection, "GetQueueUrl") from error
        return BotoClient(control, self.boto(), info, connection)

    def close(self) -> None:
        """End all long polls."""
        self.simulator.close()
