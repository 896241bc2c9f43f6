"""Look up AWS profiles, regions and queues, and test connections.

The modules of `queues/` are imported in the functions, since importing boto3 on the main thread would block the window.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.config.settings import Connection
    from desktop_app.domain.connection_checks import Finding, FoundQueue, Profiles
    from desktop_app.domain.secrets import AccessKeys


log = logging.getLogger(__name__)


class ConnectionAdvisor:
    """Looks up profiles, regions and queues, and tests connections. Do not call it on the main thread.

    Args:
        queue_file: The file of the embedded queue.
    """

    def __init__(self, queue_file: Path) -> None:
        self._queue_file = queue_file

    def profiles(self) -> Profiles:
        """Return the profiles in the user's AWS configuration, including those that can't be used."""
        from desktop_app.queues.profiles import read_profiles

        return read_profiles()

    def regions(self) -> list[str]:
        """Return the regions in which SQS is available, from botocore's data."""
        from desktop_app.queues.errors import known_regions

        return list(known_regions())

    def queues(
        self, connection: Connection, should_stop: Callable[[], bool], notify: Callable[[str], object] = log.info
    ) -> Iterator[list[FoundQueue]]:
        """Yield the queues of a connection's profile and region, or of its server, page by page.

        `notify` is called with a sentence if a program that provides credentials takes a long time.

        Raises:
            QueueError: If the queues can't be listed.
        """
        from desktop_app.queues.discovery import list_queues

        return list_queues(connection, should_stop, notify)

    def look_in_regions(self, connection: Connection, should_stop: Callable[[], bool]) -> list[FoundQueue]:
        """Return the queues with the same name in other regions.

        Raises:
            QueueError: If the profile can't be used.
        """
        from desktop_app.queues.discovery import look_in_regions

        return look_in_regions(connection, should_stop)

    def test(
        self, connection: Connection, should_stop: Callable[[], bool], notify: Callable[[str], object] = log.info
    ) -> Iterator[Finding]:
        """Test a connection and yield the findings, without sending, receiving or deleting a message.

        `notify` is called with a sentence if a program that provides credentials takes a long time.
        """
        from desktop_app.queues.checks import probe

        return probe(connection, self._queue_file, should_stop, notify)

    def keyring_problem(self) -> str:
        """Return why the system's keyring can't be used; empty if it can."""
        from desktop_app.queues.remembered_keys import keyring_problem

        return keyring_problem()

    def remember_keys(self, server: str, keys: AccessKeys) -> None:
        """Store the access keys of a server in the system's keyring.

        Raises:
            KnownError: If the keyring can't be used.
        """
        from desktop_app.queues.remembered_keys import remember_keys

        remember_keys(server, keys)

    def forget_keys(self, server: str) -> None:
        """Remove the access keys of a server from the system's keyring.

        Raises:
            KnownError: If the keyring can't be used.
        """
        from desktop_app.queues.remembered_keys import forget_keys

        forget_keys(server)
