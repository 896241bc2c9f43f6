"""Change the list at the user's request: add, retry, prioritize, remove and restore jobs."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError, PartlyAddedError
from desktop_app.domain.secrets import masked
from desktop_app.services.adding.names import unused_name
from desktop_app.services.adding.review import Review
from desktop_app.sources.file_list import SomeFiles
from desktop_app.sources.scan import ScanResult, scan
from desktop_app.store.adding import Added, Intake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import NewFile, PriorityResult
    from desktop_app.services.control import ProcessingControl


log = logging.getLogger(__name__)


DAY_MS = 24 * 3600 * 1000
KEEP_REMOVED_MS = 15 * DAY_MS
"""How long removed jobs are kept: one day longer than the maximum retention period of SQS messages (14 days)."""


class JobEditor:
    """Changes the list. Any thread, but changing many rows would block the main thread.

    Args:
        intake: The part of the store that adds and changes jobs.
        queue: The key of the queue for new and retried jobs.
        clock: The clock.
        control: The `ProcessingControl` that wakes the sender and prioritizes jobs.
    """

    def __init__(self, intake: Intake, *, queue: str, clock: Clock, control: ProcessingControl) -> None:
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._control = control

    def use_queue(self, key: str) -> None:
        """Set the queue for new and retried jobs."""
        self._queue = key

    def review(self, result: ScanResult, cancelled: Callable[[], bool] = lambda: False) -> Review:
        """Return a review that compares the result of a scan with the list.

        Args:
            result: The result of the scan.
            cancelled: A function that returns whether to skip the rest of the comparison.

        Raises:
            StoreError: If the database can't be read.
        """
        return Review(result, self._intake.listed(result.files, cancelled))

    def listed_jobs(self, files: Sequence[NewFile]) -> dict[int, int]:
        """Return the positions of the files that are on the list and unchanged, with the keys of their jobs.

        Raises:
            StoreError: If the database can't be read.
        """
        return self._intake.listed_jobs(files)

    def add(
        self,
        files: Sequence[NewFile],
        *,
        name: str = "",
        automatic_name: Callable[[Sequence[NewFile]], str] = lambda _: "",
        skip_listed: bool = False,
    ) -> Added:
        """Save files in the database as one batch, and wake the sender.

        Args:
            files: The files; may be empty.
            name: The name of the batch that the user has chosen; may be empty.
            automatic_name: Returns the name of a batch for which the user has not chosen one, from the files that are
                added; a number is appended if another batch on the list has this name.
            skip_listed: Whether to skip files that are on the list and have not changed. If no file is left, no batch
                is created, and the batch ID in the result is 0.

        Raises:
            PartlyAddedError: If an error occurred after some files had been added.
            StoreError: If the database can't be written. No file was added.
        """
        if skip_listed:
            known = self._intake.listed(files, lambda: False)
            files = SomeFiles(files, (place for place, is_known in enumerate(known) if not is_known))
            if not files:
                return Added(0, ())
        if not name and files:
            name = automatic_name(files)
            name = name and unused_name(name, self._intake.batch_names(name))
        try:
            added = self._intake.add(files, queue=self._queue, name=name, now_ms=self._clock.now_ms())
        except PartlyAddedError:
            self._control.wake_sender()
            raise
        self._control.wake_sender()
        log.info("batch %d, %s: %d files added", added.batch_id, masked(added.name) or "unnamed", len(added.job_ids))
        return added

    def rename_batch(self, batch_id: int, name: str) -> None:
        """Change the name of a batch.

        Raises:
            StoreError: If the database can't be written.
        """
        self._intake.rename_batch(batch_id, name)

    def process_next(self, row_ids: Sequence[int]) -> PriorityResult:
        """Process waiting jobs of the current queue before all others, in the given order.

        Raises:
            StoreError: If the database can't be written.
        """
        moved = self._intake.move_to_front(row_ids, queue=self._queue)
        is_served = self._control.prioritize(moved.keys)
        self._control.wake_sender()
        return replace(moved, is_served=is_served)

    def retry(self, row_ids: Iterable[int]) -> int:
        """Resubmit finished jobs to the current queue; return the number of jobs changed.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.retry(row_ids, queue=self._queue)
        self._control.wake_sender()
        return count

    def relocate(self, row_id: int, path: str) -> bool:
        """Resubmit a failed job with a new path; return False if the job is no longer FAILED.

        This accesses the file, so do not call it on the main thread.

        Args:
            row_id: The key of the job.
            path: The new path of the file.

        Raises:
            KnownError: If there is no regular file at the path.
            StoreError: If the database can't be written.
        """
        found = scan([path], recursive=False, cancelled=lambda: False, on_found=lambda _: None)
        if not found.files:
            raise KnownError(found.refused[0].reason.sentence)
        is_done = self._intake.relocate(row_id, found.files[0], queue=self._queue)
        self._control.wake_sender()
        return is_done

    def remove(self, row_ids: Iterable[int]) -> int:
        """Remove jobs from the list without changing their files; return the number of jobs removed.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.remove(row_ids, now_ms=self._clock.now_ms())

    def remove_processed(self, *, older_than_days: int, limit: int) -> int:
        """Remove files that were processed a number of days ago or earlier from the list, oldest first.

        Args:
            older_than_days: The number of days.
            limit: The maximum number of files to remove.

        Returns:
            The number of files removed.

        Raises:
            StoreError: If the database can't be written.
        """
        now = self._clock.now_ms()
        return self._intake.remove_processed(before_ms=now - older_than_days * DAY_MS, limit=limit, now_ms=now)

    def restore(self, row_ids: Iterable[int]) -> int:
        """Restore removed jobs; return the number of jobs restored.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.restore(row_ids)
        self._control.wake_sender()
        return count

    def delete_removed(self) -> int:
        """Delete the rows of jobs that were removed long ago; return the number of rows deleted.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.forget_removed(before_ms=self._clock.now_ms() - KEEP_REMOVED_MS)
