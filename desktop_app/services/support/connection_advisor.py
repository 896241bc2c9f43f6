"""What there is to choose from for a connection, and whether one works.

The window may not import `queues/`, and importing it on the main thread would block it: boto3 takes a while to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.config.settings import Connection
    from desktop_app.domain.connection_checks import Finding, FoundQueue, Profiles


class ConnectionAdvisor:
    """Looks things up, and tests a connection. Not for the main thread: most calls ask AWS, and the first loads boto3.

    Args:
        queue_file: The embedded queue.
    """

    def __init__(self, queue_file: Path) -> None:
        self._queue_file = queue_file

    def profiles(self) -> Profiles:
        """Return the profiles of the user's AWS configuration, the broken ones too."""
        from desktop_app.queues.profiles import read_profiles

        return read_profiles()

    def regions(self) -> list[str]:
        """Return the regions in which SQS is, as far as botocore knows without asking."""
        from desktop_app.queues.discovery import regions

        return regions()

    def queues(self, connection: Connection, should_stop: Callable[[], bool]) -> Iterator[list[FoundQueue]]:
        """Yield the queues of a connection's profile and region, a page at a time.

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
        """Yield what is found about one thing after the other; no message is sent, received or deleted."""
        from desktop_app.queues.checks import probe

        return probe(connection, self._queue_file, should_stop)
