"""Makes boto3's sessions and clients for a connection, by AWS's own chain of profiles, keys and sign-ins."""

from __future__ import annotations

import logging
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from desktop_app.queues.envelopes import MAX_WAIT_SECONDS

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.settings import Connection

# They log each try with a session that has ended, with a traceback, before they raise what we tell the person.
for _talker in ("botocore.tokens", "botocore.credentials"):
    logging.getLogger(_talker).setLevel(logging.ERROR)

CONNECT_SECONDS = 4
READ_SECONDS = 8
_POOL = 32


def call_configs(proxies: dict[str, str] | None = None) -> tuple[Config, Config]:
    """For control calls and for receiving; see `QueueClient` for why they differ.

    Args:
        proxies: Instead of the ones that the environment names.
    """
    common: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "max_pool_connections": _POOL, "tcp_keepalive": True}
    if proxies is not None:
        common["proxies"] = proxies
    control = Config(read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 2}, **common)
    receiving = Config(
        read_timeout=MAX_WAIT_SECONDS + 10, retries={"mode": "standard", "total_max_attempts": 1}, **common
    )
    return control, receiving


def once_config() -> Config:
    """For questions that a person waits for: one try each."""
    return Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})


class ClientMaker:
    """One boto3 session, which is not thread-safe, and the clients that it makes, which are.

    Args:
        connection: Whose profile, region and endpoint are used.

    Raises:
        BotoCoreError: If the profile or the files can't be used.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session = boto3.Session(profile_name=connection.profile or None, region_name=connection.region or None)

    def credentials(self) -> Credentials | None:
        """What the chain has found, not looked up yet where that needs a call."""
        found: Credentials | None = self._session.get_credentials()
        return found

    @property
    def needs_none(self) -> bool:
        """Whether it is a server on this computer, which takes any keys."""
        return _is_loopback(self._connection.endpoint_url)

    @property
    def region(self) -> str:
        """The connection's, or the one of the chain; may be empty."""
        return self._session.region_name or ""

    def sqs(self, config: Config, *, region: str = "") -> SQSClient:
        """A client of SQS.

        Args:
            config: See `call_configs`.
            region: Another one than the connection's.
        """
        options: dict[str, Any] = {"config": config}
        if region:
            options["region_name"] = region
        url = self._connection.endpoint_url
        if url:
            options["endpoint_url"] = url
            if not self.region:
                # Servers that are not AWS ignore the region, but a request must be signed for one.
                options["region_name"] = "us-east-1"
            if self.needs_none and self.credentials() is None:
                # A server on this computer takes any key; nobody else ever sees these.
                options |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        client: SQSClient = self._session.client("sqs", **options)
        return client

    def who(self) -> str:
        """The ARN that the credentials belong to, as AWS says.

        Raises:
            BotoCoreError: If AWS can't be asked.
            ClientError: If it refuses them.
        """
        client: Any = self._session.client("sts", config=once_config(), region_name=self.region or "us-east-1")
        try:
            return str(client.get_caller_identity()["Arn"])
        finally:
            client.close()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
