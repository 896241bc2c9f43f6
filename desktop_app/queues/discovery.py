"""Discover queues: list the queues in one region page by page, and look for a queue by name in other regions."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.domain.connection_checks import FoundQueue
from desktop_app.domain.sentences import foreign_text
from desktop_app.queues.connector import ClientMaker, no_retry_config
from desktop_app.queues.errors import PARTITIONS, as_queue_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.config.settings import Connection


log = logging.getLogger(__name__)

PAGE = 200

MOST = 5_000
"""The maximum number of queues to list. Users can choose any other queue by typing its name."""

_THREADS = 8


def list_queues(
    connection: Connection, should_stop: Callable[[], bool], notify: Callable[[str], object] = log.info
) -> Iterator[list[FoundQueue]]:
    """Yield pages of the queues in the connection's region or at its endpoint, including dead-letter queues.

    Args:
        connection: The profile, region and endpoint to use.
        should_stop: Called after each page; the listing ends when it returns True.
        notify: Called with a sentence if a program that provides credentials takes a long time.

    Raises:
        QueueError: If the queues can't be listed.
    """
    try:
        maker = ClientMaker(connection, should_stop, notify)
        client = maker.sqs(no_retry_config())
    except (BotoCoreError, OSError, ValueError) as error:
        raise as_queue_error(error, connection, "ListQueues") from error
    count = 0
    try:
        for page in client.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": PAGE}):
            urls = page.get("QueueUrls", [])
            count += len(urls)
            yield [FoundQueue(foreign_text(url.rstrip("/").rsplit("/", 1)[-1]), url, maker.region) for url in urls]
            if not urls or count >= MOST or should_stop():
                return
    except (ClientError, BotoCoreError, OSError) as error:
        raise as_queue_error(error, connection, "ListQueues") from error
    finally:
        client.close()


def look_in_regions(connection: Connection, should_stop: Callable[[], bool]) -> list[FoundQueue]:
    """Return the queues with the same name in other regions. Regions that fail or deny access are skipped.

    Args:
        connection: The connection, with the profile and queue name to use and the region to skip.
        should_stop: Called before each request; when it returns True, no further requests are made.

    Raises:
        QueueError: If the profile can't be used.
    """
    session = botocore.session.Session()
    partitions = [session.get_available_regions("sqs", name) for name in PARTITIONS]
    partition = next((regions for regions in partitions if connection.region in regions), partitions[0])
    others = [name for name in partition if name != connection.region]
    try:
        maker = ClientMaker(replace(connection, endpoint_url=""), should_stop)
        # Created on this thread, since a session is not thread-safe.
        clients = {name: maker.sqs(no_retry_config(), region=name) for name in others}
    except (BotoCoreError, OSError, ValueError) as error:
        raise as_queue_error(error, connection, "GetQueueUrl") from error

    def look(region: str) -> FoundQueue | None:
        name = connection.queue_name
        try:
            if should_stop():
                return None
            return FoundQueue(name, clients[region].get_queue_url(QueueName=name)["QueueUrl"], region)
        except (ClientError, BotoCoreError, OSError):
            return None

    try:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="regions") as pool:
            return [found for found in pool.map(look, others) if found is not None]
    finally:
        for client in clients.values():
            client.close()
