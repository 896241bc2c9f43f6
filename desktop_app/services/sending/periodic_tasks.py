"""Periodic tasks of the sender loop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import BEGINNING
from desktop_app.store.backups import BACKUP_EVERY_SECONDS, Backups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desktop_app.config.settings import Settings
    from desktop_app.domain.clock import Clock
    from desktop_app.services.adding.job_editor import JobEditor
    from desktop_app.services.control import ProcessingControl
    from desktop_app.store.job_list import JobList


log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
RETENTION_SECONDS = 3600.0
REMOVED_AT_ONCE = 1_000
LONGEST_REMOVAL_SECONDS = 0.5
"""After this time, the sender goes on, or ends when the program is closed; the other files follow a minute later."""


class PeriodicTasks:
    """Runs tasks at a fixed interval, and immediately when the user requests it. One thread.

    Args:
        tasks: The tasks by their names in the log, in the order in which to run them. They can raise `KnownError`.
        clock: The clock; only `steady` is used.
        control: The `ProcessingControl` that receives the user's request.
        every_s: The interval in seconds.
    """

    def __init__(
        self,
        tasks: Mapping[str, Callable[[], object]],
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
        """Run all tasks if they are due. An error is logged once and does not affect the other tasks."""
        if not self._control.take_check_request() and self._clock.steady() < self._next:
            return
        self._next = self._clock.steady() + self._every_s
        for name, task in self._tasks.items():
            try:
                task()
            except KnownError as error:
                if self._logged.get(name) != error.text:
                    log.info("%s: %s (%s)", name, error.text, error.detail)
                self._logged[name] = error.text
            else:
                self._logged.pop(name, None)


class BackupTask:
    """A periodic task that backs up the database regularly if it has changed. One thread.

    Args:
        backups: The backups of the database.
        jobs: The list of jobs, which is checked for changes.
        clock: The clock.
    """

    def __init__(self, backups: Backups, jobs: JobList, clock: Clock) -> None:
        self._backups = backups
        self._jobs = jobs
        self._clock = clock
        self._backed_up = BEGINNING

    def do(self) -> None:
        """Make a backup if one is due.

        Raises:
            StoreError: If the backup fails.
        """
        newest = next(iter(self._backups.all()), None)
        if newest is not None and self._clock.now_ms() - newest.made_at < BACKUP_EVERY_SECONDS * 1000:
            return
        cursor = self._jobs.changes.cursor()
        if cursor != self._backed_up and self._backups.make() is not None:
            self._backed_up = cursor


class RetentionTask:
    """A periodic task that removes files from the list some days after they were processed. One thread.

    Args:
        editor: The service that removes the files.
        settings: Returns the current settings, which contain the number of days; can raise `SettingsError`.
        clock: The clock; only `steady` is used.
    """

    def __init__(self, editor: JobEditor, settings: Callable[[], Settings], clock: Clock) -> None:
        self._editor = editor
        self._settings = settings
        self._clock = clock
        self._next = clock.steady()

    def do(self) -> None:
        """Remove the files that are old enough, if this has not been done within the last hour.

        Raises:
            SettingsError: If the settings can't be read.
            StoreError: If the database can't be written.
        """
        if self._clock.steady() < self._next:
            return
        days = self._settings().keep_days
        if not days or self._remove(days):
            self._next = self._clock.steady() + RETENTION_SECONDS

    def _remove(self, days: int) -> bool:
        """Remove files for a short time; return whether all that are old enough have been removed."""
        end = self._clock.steady() + LONGEST_REMOVAL_SECONDS
        total, is_done = 0, False
        while not is_done and self._clock.steady() <= end:
            count = self._editor.remove_processed(older_than_days=days, limit=REMOVED_AT_ONCE)
            total, is_done = total + count, count < REMOVED_AT_ONCE
        if total:
            log.info("removed %d files from the list that were processed at least %d days ago", total, days)
        return is_done
