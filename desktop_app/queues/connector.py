"""Connect to queues: create boto3 sessions and clients, and look up the queue.

Credentials come from boto3's credential chain.
"""

from __future__ import annotations

import logging
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.answers import check_answers
from desktop_app.queues.client import BotoClient, QueueClient
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.messages import MAX_REQUEST_BYTES, MAX_WAIT_SECONDS, QueueInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.credentials import Credentials
    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.config.settings import Connection


# When a session has expired, these loggers write a traceback for each request, although the error is reported anyway.
for _logger in ("botocore.tokens", "botocore.credentials"):
    logging.getLogger(_logger).setLevel(logging.ERROR)

CONNECT_SECONDS = 4

READ_SECONDS = 8

_POOL = 32


def call_configs() -> tuple[Config, Config]:
    """Return the configurations of the `control` and `receiving` clients of a `BotoClient`."""
    common: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "max_pool_connections": _POOL, "tcp_keepalive": True}
    control = Config(read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 2}, **common)
    receiving = Config(
        read_timeout=MAX_WAIT_SECONDS + 10, retries={"mode": "standard", "total_max_attempts": 1}, **common
    )
    return control, receiving


def no_retry_config() -> Config:
    """Return a configuration without retries, for requests that the user is waiting for."""
    return Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})


class ClientMaker:
    """Creates boto3 clients. The clients are thread-safe; this object is not, since a boto3 session is not.

    Args:
        connection: The profile, region and endpoint to use.

    Raises:
        BotoCoreError: If the profile or the configuration files can't be used.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session = boto3.Session(profile_name=connection.profile or None, region_name=connection.region or None)

    def credentials(self) -> Credentials | None:
        """Return the credentials that boto3 finds, if any. Credentials that need a request are not resolved yet."""
        found: Credentials | None = self._session.get_credentials()
        return found

    @property
    def accepts_any_keys(self) -> bool:
        """Whether the endpoint is a server on this computer; such a server accepts any access keys."""
        return _is_loopback(self._connection.endpoint_url)

    @property
    def region(self) -> str:
        """The region of the connection or, if it has none, of the AWS configuration; empty if neither has one."""
        return self._session.region_name or ""

    def sqs(self, config: Config, *, region: str = "") -> SQSClient:
        """Create an SQS client.

        Args:
            config: The configuration; see `call_configs` and `no_retry_config`.
            region: The region; empty to use the connection's region.
        """
        options: dict[str, Any] = {"config": config}
        if region:
            options["region_name"] = region
        url = self._connection.endpoint_url
        if url:
            options["endpoint_url"] = url
            if not self.region:
                # Signing requires a region, even though servers other than AWS ignore it.
                options["region_name"] = "us-east-1"
            if self.accepts_any_keys and self.credentials() is None:
                # These keys are sent only to a server on this computer, which accepts any keys.
                options |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        client: SQSClient = self._session.client("sqs", **options)
        return client

    def caller_arn(self) -> str:
        """Return the ARN of the caller (AWS: GetCallerIdentity).

        Raises:
            BotoCoreError: If AWS can't be reached.
            ClientError: If AWS rejects the credentials.
        """
        client: Any = self._session.client("sts", config=no_retry_config(), region_name=self.region or "us-east-1")
        try:
            return str(client.get_caller_identity().get("Arn", ""))
        finally:
            client.close()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class QueueConnector(Protocol):
    """Provides a queue client, and replaces it when necessary. Any thread."""

    def connect(self) -> QueueClient:
        """Return the current client, or create one.

        Raises:
            QueueError: If the queue can't be reached or used.
        """
        ...

    def release_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """Make the messages of receivers that have exited visible again, if the queue stores the receivers.

        Args:
            is_alive: Called with a receiver's name; returns whether it is running, and True if that is unknown.

        Raises:
            QueueError: If the queue can't be used.
        """
        ...

    def reset(self) -> None:
        """Discard the client, so that the next call to `connect` creates a new one with current credentials."""
        ...

    def close(self) -> None:
        """Close all connections. Later calls to `connect` fail. Can be called more than once."""
        ...


class SqsConnector:
    """Connects to a queue on Amazon SQS or a compatible server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # A separate lock, since connecting can take a long time, and `reset` and `close` must not wait for it.
        self._connecting = threading.Lock()
        self._lock = threading.Lock()
        self._client: BotoClient | None = None
        self._closed = threading.Event()

    def release_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """Do nothing: SQS does not store receivers. The messages become visible after the visibility timeout."""

    def connect(self) -> BotoClient:
        """See `QueueConnector.connect`."""
        with self._connecting:
            with self._lock:
                if self._client is not None:
                    return self._client
                if self._closed.is_set():
                    raise _closed()
            try:
                client = _sqs_client(self._connection)
            except (BotoCoreError, ClientError, OSError, ValueError) as error:
                raise as_queue_error(error, self._connection, "GetQueueUrl") from error
            with self._lock:
                if not self._closed.is_set():
                    self._client = client
                    return client
        client.close()
        raise _closed()

    def reset(self) -> None:
        """See `QueueConnector.reset`."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def close(self) -> None:
        """See `QueueConnector.close`."""
        with self._lock:
            self._closed.set()
        self.reset()


def _closed() -> QueueError:
    return QueueError(Sentence("The connection to the queue has been closed."), trouble=QueueTrouble.OFFLINE)


def _sqs_client(connection: Connection) -> BotoClient:
    maker = ClientMaker(connection)
    control, receiving = (maker.sqs(config) for config in call_configs())
    check_answers(control)
    try:
        info = _look_up(control, connection)
    except BaseException:
        control.close()
        receiving.close()
        raise
    return BotoClient(control, receiving, info, connection)


def _look_up(client: SQSClient, connection: Connection) -> QueueInfo:
    """Look up the queue by name or URL, and read its attributes if that is permitted."""
    name = connection.queue_name
    url = connection.queue if "://" in connection.queue else client.get_queue_url(QueueName=name)["QueueUrl"]
    try:
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except ClientError as error:
        known = as_queue_error(error, connection, "GetQueueAttributes")
        if known.trouble is not QueueTrouble.NO_RIGHT:
            raise
        return QueueInfo(url, name, is_fifo=connection.is_fifo)
    is_fifo = attributes.get("FifoQueue", str(connection.is_fifo)).lower() == "true"
    return QueueInfo(url, name, is_fifo, int(attributes.get("MaximumMessageSize", MAX_REQUEST_BYTES)))
