"""Discover queues: all of one region page by page, and a name in the other regions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.domain.connection_checks import FoundQueue
from desktop_app.queues.connector import ClientMaker, once_config
from desktop_app.queues.errors import PARTITIONS, as_queue_error, known_regions, refuse_other_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.config.settings import Connection


PAGE = 200

MOST = 5_000
"""More queues than anyone scrolls through; typing a name finds the others."""

_AT_ONCE = 8


def regions() -> list[str]:
    """Return the regions with SQS that botocore knows without a request."""
    return list(known_regions())


def list_queues(connection: Connection, should_stop: Callable[[], bool]) -> Iterator[list[FoundQueue]]:
    """Yield the queues of the connection's profile, region and endpoint page by page, including dead-letter queues.

    Args:
        connection: The connection; its queue is ignored.
        should_stop: Called between two pages; True ends the listing.

    Raises:
        QueueError: If they can't be listed.
    """
    try:
        maker = ClientMaker(connection)
        client = maker.sqs(once_config())
    except (BotoCoreError, OSError, ValueError) as error:
        raise as_queue_error(error, connection, "ListQueues") from error
    refuse_other_answers(client)
    count = 0
    try:
        for page in client.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": PAGE}):
            found = [_found(url, maker.region) for url in page.get("QueueUrls", [])]
            count += len(found)
            yield found
            if count >= MOST or should_stop():
                return
    except (ClientError, BotoCoreError, OSError) as error:
        raise as_queue_error(error, connection, "ListQueues") from error
    finally:
        client.close()


def look_in_regions(connection: Connection, should_stop: Callable[[], bool]) -> list[FoundQueue]:
    """Look for the queue's name in all other regions; skip regions that fail or deny access.

    Args:
        connection: The profile and queue name to use.
        should_stop: Ends the search early, with the queues found so far.

    Raises:
        QueueError: If the profile can't be used.
    """
    session = botocore.session.Session()
    partition = "aws"
    for name in PARTITIONS:
        if connection.region in session.get_available_regions("sqs", name):
            partition = name
    others = [name for name in session.get_available_regions("sqs", partition) if name != connection.region]
    try:
        maker = ClientMaker(replace(connection, endpoint_url=""))
        # One client after the other: a session is not thread-safe.
        clients = {name: maker.sqs(once_config(), region=name) for name in others}
    except (BotoCoreError, OSError, ValueError) as error:
        raise as_queue_error(error, connection, "GetQueueUrl") from error

    def look(region: str) -> FoundQueue | None:
        return None if should_stop() else _look(clients[region], connection.queue_name, region)

    try:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="regions") as pool:
            return [found for found in pool.map(look, others) if found is not None]
    finally:
        for client in clients.values():
            client.close()


def _look(client: SQSClient, name: str, region: str) -> FoundQueue | None:
    try:
        return FoundQueue(name, client.get_queue_url(QueueName=name)["QueueUrl"], region)
    except (ClientError, BotoCoreError, OSError, KeyError):
        return None


def _found(url: str, region: str) -> FoundQueue:
    return FoundQueue(url.rstrip("/").rsplit("/", 1)[-1], url, region)
