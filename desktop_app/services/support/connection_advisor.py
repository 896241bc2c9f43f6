"""Find the choices for a connection, and test connections.

The window must not import `queues/`, and doing so on the main thread would block it: boto3 is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.config.settings import Connection
    from desktop_app.domain.connection_checks import Finding, FoundQueue, Profiles


class ConnectionAdvisor:
    """Looks up profiles, regions and queues, and tests connections. Not for the main thread.

    Args:
        queue_file: The file of the embedded queue.
    """

    def __init__(self, queue_file: Path) -> None:
        self._queue_file = queue_file

    def profiles(self) -> Profiles:
        """Return the profiles of the user's AWS configuration, including unusable ones."""
        from desktop_app.queues.profiles import read_profiles

        return read_profiles()

    def regions(self) -> list[str]:
        """Return the regions with SQS that botocore knows without a request."""
        from desktop_app.queues.errors import known_regions

        return list(known_regions())

    def queues(self, connection: Connection, should_stop: Callable[[], bool]) -> Iterator[list[FoundQueue]]:
        """Yield the queues of a connection's profile and region page by page.

        Raises:
            QueueError: If they can't be listed.
        """
        from desktop_app.queues.discovery import list_queues

        return list_queues(connection, should_stop)

    def look_in_regions(self, connection: Connection, should_stop: Callable[[], bool]) -> list[FoundQueue]:
        """Return queues of the same name in other regions.

        Raises:
            QueueError: If the profile can't be used.
        """
        from desktop_app.queues.discovery import look_in_regions

        return look_in_regions(connection, should_stop)

    def test(self, connection: Connection, should_stop: Callable[[], bool]) -> Iterator[Finding]:
        """Test a connection and yield the findings; no message is sent, received or deleted."""
        from desktop_app.queues.checks import probe

        return probe(connection, self._queue_file, should_stop)
