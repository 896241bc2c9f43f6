"""Makes a copy of the database once an hour, if something has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.store.backups import EVERY_SECONDS

if TYPE_CHECKING:
    from desktop_app.clock import Clock
    from desktop_app.store.backups import Backups
    from desktop_app.store.job_list import JobList


class BackupChore:
    """A chore; see `services/chores.py`. One thread.

    Args:
        backups: Makes the copies.
        jobs: Tells whether something has changed.
        clock: The time.
    """

    def __init__(self, backups: Backups, jobs: JobList, clock: Clock) -> None:
        self._backups = backups
        self._jobs = jobs
        self._clock = clock
        self._copied = 0

    def do(self) -> None:
        """Make one if it is time.

        Raises:
            StoreError: If it can't be made.
        """
        newest = next(iter(self._backups.all()), None)
        if newest is not None and self._clock.now_ms() - newest.made_at < EVERY_SECONDS * 1000:
            return
        revision = self._jobs.revision()
        if revision > self._copied and self._backups.make() is not None:
            self._copied = revision
