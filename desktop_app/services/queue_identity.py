"""Determine which queue a connection leads to, and give waiting files the key of their queue once it is known."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueError, StoreError
from desktop_app.domain.job import OPEN_STATUSES
from desktop_app.domain.queue_key import QueueKey, account_of, name_of
from desktop_app.store.queue_keys import QueueKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.settings import Connection
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.store.database import Database


log = logging.getLogger(__name__)


class QueueIdentity:
    """Determines the queues of connections. Any thread.

    The account of a queue is often known only after the queue has responded. It is then stored for the credentials, so
    that the queue is recognized without a request the next time.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._keys = QueueKeys(database)

    def resolve(self, typed: Connection) -> Connection:
        """Return a connection with what boto3 determines and with the stored account, without any request.

        If boto3 can't determine the place of the queue, the connection is returned unchanged. If the database can't be
        read, the account stays unknown until the queue responds.
        """
        if typed.is_local:
            return typed
        from desktop_app.queues.identity import resolve

        connection = resolve(typed)
        if connection.typed is None or connection.account:
            return connection
        try:
            known = QueueKey.parse(self._keys.answered(connection.unanswered_key))
        except StoreError as error:
            log.info("the account of the queue can't be read: %s", error.text)
            return connection
        if known is None:
            return connection
        is_same_server = (known.server, known.region) == connection.place
        return replace(connection, account=known.account, has_responded=True) if is_same_server else connection

    def adopt(self, connection: Connection) -> None:
        """Give files that wait for a connection's queue under other keys the key of the queue.

        Files are adopted only if their key can't mean any other queue: if it was given before the queue responded or
        before boto3 could resolve the connection, if it was given by a program that did not have the access keys typed
        in this one, or if it is a key of Filemill 0.1.0 that leads to this queue with all profiles. All other files
        keep waiting for their own queue.

        Raises:
            StoreError: If the database can't be read or written.
        """
        if connection.typed is None:
            return
        name = connection.queue_name
        others = {key for key in self._keys.used() if name_of(key) == name} - {connection.key}
        if not others:
            return
        from desktop_app.queues.identity import means, unanswered_keys

        earlier = unanswered_keys(connection)
        if "://" in connection.queue and connection.account:
            # The name without the account can lead to another queue with these credentials.
            earlier = {key for key in earlier if self._keys.answered(key) == connection.key}
        if connection.keys is not None:
            # Other programs do not know the typed keys, so they could not connect to this server yet.
            earlier |= {key for key in unanswered_keys(connection.without_keys()) if not self._keys.answered(key)}
        count = self._keys.adopt(others & earlier, connection.key)
        # There may be very many finished jobs with the keys of Filemill 0.1.0, so these keep them.
        old = {key for key in others & self._keys.used(OPEN_STATUSES) if means(key, connection)}
        count += self._keys.adopt(old, connection.key, OPEN_STATUSES)
        if count:
            log.info("%d waiting files belong to the queue %s", count, connection.key)

    def learn(self, connection: Connection, connector: QueueConnector) -> Connection:
        """Connect to a queue; return the connection with the account in which the queue is.

        If boto3 could not resolve the connection before, this is tried again first, and no request is made.

        Args:
            connection: A connection from `resolve`.
            connector: The connector for this connection.

        Raises:
            QueueError: If the queue can't be reached or used.
            StoreError: If the database can't be read or written.
        """
        if connection.typed is None:
            return self.resolve(connection)
        from desktop_app.queues.connector import OtherAccountError

        try:
            account = account_of(connector.connect().info.url) or connection.account
        except OtherAccountError as error:
            if not connection.has_responded:
                raise  # the configuration names the account
            account = error.account
        if connection.account and not connection.has_responded:
            if "://" in connection.queue:
                self._look_up_name(connection)
            return connection
        learnt = replace(connection, account=account, has_responded=True)
        self._keys.store_answered(connection.unanswered_key, learnt.key)
        return learnt

    def update(
        self, connection: Connection, connector: QueueConnector, on_change: Callable[[Connection], object] | None
    ) -> None:
        """Find out the account of a queue, and adopt the files that wait for the queue. Call this periodically.

        Args:
            connection: The current connection.
            connector: The connector for the current connection.
            on_change: Called with the connection as it is now known if that has changed; None if it can't be used.

        Raises:
            QueueError: If the queue can't be reached or used.
            StoreError: If the database can't be read or written.
        """
        learnt = self.learn(connection, connector)
        if learnt == connection:
            self.adopt(connection)
        elif on_change is not None:  # otherwise, the files must keep the key with which the loops look for them
            self.adopt(learnt)
            on_change(learnt)

    def _look_up_name(self, connection: Connection) -> None:
        """Find out whether a queue's name leads to the same queue as its URL, if files are waiting for the name."""
        from desktop_app.queues.connector import SqsConnector
        from desktop_app.queues.identity import unanswered_keys

        waiting = self._keys.used(OPEN_STATUSES) - {connection.key}
        waiting = waiting & unanswered_keys(connection) if waiting else waiting
        if not waiting:
            return
        with closing(SqsConnector(replace(connection, queue=connection.queue_name, account=""))) as connector:
            try:
                account = account_of(connector.connect().info.url)
            except QueueError as error:
                log.info("the account of the queue can't be found out by its name: %s", error.text)
            else:
                found = replace(connection, queue=connection.queue_name, account=account, has_responded=True)
                for key in waiting:
                    self._keys.store_answered(key, found.key)
