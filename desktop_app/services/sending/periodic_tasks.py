"""Tasks that are done now and then beside a loop's work."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError
from desktop_app.store.backups import BACKUP_EVERY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.services.control import ProcessingControl
    from desktop_app.store.backups import Backups
    from desktop_app.store.job_list import JobList


log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A task: its name for the log, and what does it; that may raise a `KnownError`."""

    name: str
    do: Callable[[], object]


class PeriodicTasks:
    """Does its tasks once a minute, or when a person asks. One thread.

    Args:
        tasks: In this order.
        clock: Only `steady` is used.
        control: Knows whether a person wants them done now.
        every_s: So often, in seconds.
    """

    def __init__(
        self,
        tasks: Sequence[PeriodicTask],
        clock: Clock,
        control: ProcessingControl,
        *,
        every_s: float = EVERY_SECONDS,
    ) -> None:
        self._tasks = tasks
        self._control = control
        self._clock = clock
        self._every_s = every_s
        self._next = clock.steady()
        self._logged: dict[str, str] = {}

    def do_due(self) -> None:
        """Do all of them if it is time. One that fails is logged, once, and costs nothing else."""
        if not self._control.take_check_request() and self._clock.steady() < self._next:
            return
        self._next = self._clock.steady() + self._every_s
        for task in self._tasks:
            try:
                task.do()
            except KnownError as error:
                if self._logged.get(task.name) != error.text:
                    log.info("%s: %s (%s)", task.name, error.text, error.detail)
                self._logged[task.name] = error.text
            else:
                self._logged.pop(task.name, None)


class BackupTask:
    """Copies the database now and then, if something has changed; a periodic task. One thread.

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
        if newest is not None and self._clock.now_ms() - newest.made_at < BACKUP_EVERY_SECONDS * 1000:
            return
        revision = self._jobs.revision()
        if revision > self._copied and self._backups.make() is not None:
            self._copied = revision
