"""Connect to queues: create boto3 sessions and clients, and look up the queue.

Credentials come from boto3's credential chain.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.domain.queue_key import account_of
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.answers import check_answers
from desktop_app.queues.client import BotoClient, QueueClient
from desktop_app.queues.credential_program import ProgramRunner
from desktop_app.queues.credentials import CONNECT_SECONDS, READ_SECONDS, configuration_errors, make_session
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.messages import MAX_REQUEST_BYTES, MAX_WAIT_SECONDS, QueueInfo
from desktop_app.queues.response_limits import limit_responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.credentials import Credentials
    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.config.settings import Connection


log = logging.getLogger(__name__)

_POOL = 32


def call_configs() -> tuple[Config, Config]:
    """Return the configurations of the `control` and `receiving` clients of a `BotoClient`."""
    common: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "max_pool_connections": _POOL,
        "tcp_keepalive": True,
        # The parameters are Filemill's own; checking them takes a tenth of a call (measured).
        "parameter_validation": False,
    }
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
        should_stop: A function that returns whether to end a program that provides credentials; called often.
        notify: Called with a sentence if such a program takes a long time.

    Raises:
        BotoCoreError: If the profile or the configuration files can't be used.
    """

    def __init__(
        self,
        connection: Connection,
        should_stop: Callable[[], bool] = lambda: False,
        notify: Callable[[str], object] = log.info,
    ) -> None:
        self._connection = connection
        with configuration_errors():
            self._session = make_session(connection, ProgramRunner(should_stop, notify))

    def credentials(self) -> Credentials | None:
        """Return the credentials that boto3 finds, if any. Credentials that need a request are not resolved yet."""
        found: Credentials | None = self._session.get_credentials()
        return found

    @property
    def may_check_no_keys(self) -> bool:
        """Whether the endpoint is a server other than AWS, since many such servers accept any access keys."""
        return bool(self._connection.place[0])

    @property
    def region(self) -> str:
        """The region of the connection or, if it has none, of the AWS configuration; empty if neither has one."""
        return self._session.region_name or ""

    def sqs(self, config: Config, *, region: str = "") -> SQSClient:
        """Create an SQS client whose responses are limited and checked.

        Args:
            config: The configuration; see `call_configs` and `no_retry_config`.
            region: The region; empty to use the connection's region.
        """
        options: dict[str, Any] = {"config": config}
        if region:
            options["region_name"] = region
        url = self._connection.endpoint_url
        if not url and self._connection.typed is not None:
            # The configuration might name another endpoint by now, and then another queue would be used.
            settings: Any = Config  # boto3-stubs lack the parameter
            options["config"] = config.merge(settings(ignore_configured_endpoint_urls=True))
        if url:
            options["endpoint_url"] = url
            if not self.region:
                # Signing requires a region, even though servers other than AWS ignore it.
                options["region_name"] = "us-east-1"
            if self.may_check_no_keys and self.credentials() is None:
                # These keys are never sent to AWS.
                options |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        with configuration_errors():
            client: SQSClient = self._session.client("sqs", **options)
        limit_responses(client)
        check_answers(client)
        return client

    def caller_arn(self) -> str:
        """Return the ARN of the caller (AWS: GetCallerIdentity).

        Raises:
            BotoCoreError: If AWS can't be reached.
            ClientError: If AWS rejects the credentials.
        """
        client: Any = self._session.client("sts", config=no_retry_config(), region_name=self.region or "us-east-1")
        limit_responses(client)
        try:
            return str(client.get_caller_identity().get("Arn", ""))
        finally:
            client.close()


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

    def give_up(self) -> None:
        """Make calls to `connect` that wait for a program to provide credentials fail soon, and do not run it again.

        It is run again when the user asks for another try.
        """
        ...

    def interrupt(self) -> None:
        """Make calls to `connect` that wait for a program to provide credentials fail soon, before `close`."""
        ...

    def close(self) -> None:
        """Close all connections. Later calls to `connect` fail. Can be called more than once."""
        ...


class SqsConnector:
    """Connects to a queue on Amazon SQS or a compatible server.

    Args:
        connection: The connection.
        notify: Called with a sentence if connecting takes a long time, on the thread that is connecting.
        tries: Returns how often the user has asked for another try.
    """

    def __init__(
        self,
        connection: Connection,
        notify: Callable[[str], object] = log.info,
        tries: Callable[[], int] = lambda: 0,
    ) -> None:
        self._connection = connection
        self._notify = notify
        self._tries = tries
        self._given_up_at = -1
        """The number of tries when the user gave up waiting for a program that provides credentials."""
        # A separate lock, since connecting can take a long time, and `reset` and `close` must not wait for it.
        self._connecting = threading.Lock()
        self._lock = threading.Lock()
        self._client: BotoClient | None = None
        self._failure: QueueError | None = None
        self._interrupted = threading.Event()
        self._closed = threading.Event()

    def release_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """Do nothing: SQS does not store receivers. The messages become visible after the visibility timeout."""

    def connect(self) -> BotoClient:
        """See `QueueConnector.connect`."""
        failure_before = self._failure
        with self._connecting:
            with self._lock:
                if self._client is not None:
                    return self._client
                if self._closed.is_set():
                    raise _closed()
            if self._failure is not None and (self._failure is not failure_before or self._has_given_up()):
                # Another thread has failed while this one was waiting; another attempt would double the wait.
                raise self._failure
            try:
                client = _sqs_client(self._connection, self._should_stop, self._notify)
            except (BotoCoreError, ClientError, OSError, ValueError) as error:
                self._failure = as_queue_error(error, self._connection, "GetQueueUrl")
                raise self._failure from error
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

    def give_up(self) -> None:
        """See `QueueConnector.give_up`."""
        self._given_up_at = self._tries()

    def _has_given_up(self) -> bool:
        return self._given_up_at == self._tries()

    def _should_stop(self) -> bool:
        return self._interrupted.is_set() or self._has_given_up()

    def interrupt(self) -> None:
        """See `QueueConnector.interrupt`."""
        self._interrupted.set()

    def close(self) -> None:
        """See `QueueConnector.close`."""
        self.interrupt()
        with self._lock:
            self._closed.set()
        self.reset()


class OtherAccountError(QueueError):
    """The credentials lead to a queue of the same name in another account.

    Attributes:
        account: The account that the queue is in.
    """

    def __init__(self, connection: Connection, account: str) -> None:
        text = Sentence(
            "The queue “{name}” is in the account {found}, but the waiting files were added for the queue in the "
            "account {wanted}. Choose the profile of that account.",
            name=connection.queue_name,
            found=account,
            wanted=connection.account,
        )
        super().__init__(text, trouble=QueueTrouble.SETUP, cause=Cause.OTHER_ACCOUNT)
        self.account = account


def _closed() -> QueueError:
    return QueueError(Sentence("The connection to the queue has been closed."), trouble=QueueTrouble.OFFLINE)


def _sqs_client(connection: Connection, should_stop: Callable[[], bool], notify: Callable[[str], object]) -> BotoClient:
    maker = ClientMaker(connection, should_stop, notify)
    control, receiving = (maker.sqs(config) for config in call_configs())
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
    if connection.account and account_of(url) not in {"", connection.account}:
        raise OtherAccountError(connection, account_of(url))
    try:
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except ClientError as error:
        known = as_queue_error(error, connection, "GetQueueAttributes")
        if known.trouble is not QueueTrouble.NO_RIGHT:
            raise
        return QueueInfo(url, name, is_fifo=connection.is_fifo)
    is_fifo = attributes.get("FifoQueue", str(connection.is_fifo)).lower() == "true"
    return QueueInfo(url, name, is_fifo, int(attributes.get("MaximumMessageSize", MAX_REQUEST_BYTES)))
