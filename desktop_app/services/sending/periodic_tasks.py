"""Small things that are done now and then beside a loop's work."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import BEGINNING
from desktop_app.store.backups import BACKUP_EVERY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.store.backups import Backups
    from desktop_app.store.job_list import JobList


log = logging.getLogger(__name__)


EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """One such thing: its name for the log, and what does it; that may raise a `KnownError`."""

    name: str
    do: Callable[[], object]


class PeriodicTasks:
    """Does its chores once a minute, when it is asked whether it is time. One thread.

    Args:
        chores: In this order.
        clock: Only `steady` is used.
        every_s: So often, in seconds.
        hurry: Set by others to have them done at the next call, whatever the time.
    """

    def __init__(
        self,
        chores: Sequence[PeriodicTask],
        clock: Clock,
        *,
        every_s: float = EVERY_SECONDS,
        hurry: Event | None = None,
    ) -> None:
        self._chores = chores
        self._clock = clock
        self._every_s = every_s
        self._next = clock.steady()
        self._hurry = hurry or Event()
        self._told: dict[str, str] = {}

    def do_due(self) -> None:
        """Do all of them if it is time. One that can't be done is said in the log, once, and costs nothing else."""
        if self._clock.steady() < self._next and not self._hurry.is_set():
            return
        self._hurry.clear()
        self._next = self._clock.steady() + self._every_s
        for chore in self._chores:
            try:
                chore.do()
            except KnownError as error:
                if self._told.get(chore.name) != error.text:
                    log.info("%s: %s (%s)", chore.name, error.text, error.detail)
                self._told[chore.name] = error.text
            else:
                self._told.pop(chore.name, None)


class BackupTask:
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
        self._copied = BEGINNING

    def do(self) -> None:
        """Make one if it is time.

        Raises:
            StoreError: If it can't be made.
        """
        newest = next(iter(self._backups.all()), None)
        if newest is not None and self._clock.now_ms() - newest.made_at < BACKUP_EVERY_SECONDS * 1000:
            return
        written = self._jobs.changes.cursor()
        if written != self._copied and self._backups.make() is not None:
            self._copied = written
