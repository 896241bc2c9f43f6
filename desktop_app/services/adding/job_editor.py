"""Change the list at the user's request: add, retry, prioritize, remove and restore jobs."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError, PartlyAddedError
from desktop_app.domain.fields import BY_TYPE, Choice
from desktop_app.domain.secrets import masked
from desktop_app.services.adding.names import unused_name
from desktop_app.services.adding.review import Review
from desktop_app.services.adding.type_rules import TypeRules
from desktop_app.sources.file_list import SomeFiles
from desktop_app.sources.scan import ScanResult, scan
from desktop_app.store.adding import Added, Intake, Proceed, always

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

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
        rules: Returns the rules by which processors are chosen for files of some types; see `TypeRules`.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        queue: str,
        clock: Clock,
        control: ProcessingControl,
        rules: Callable[[], str] = lambda: "",
    ) -> None:
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._control = control
        self._rules = rules
        self._removal_lock = threading.Lock()  # old files are removed on the sender's thread
        self._newest_removal = 0

    @property
    def queue(self) -> str:
        """The key of the queue for new and retried jobs."""
        return self._queue

    def use_queue(self, key: str) -> None:
        """Set the queue for new and retried jobs."""
        self._queue = key

    def type_rules(self) -> TypeRules:
        """Return the rules by which processors are chosen for files of some types."""
        return TypeRules(self._rules())

    def review(self, result: ScanResult, cancelled: Callable[[], bool] = lambda: False) -> Review:
        """Return a review that compares the result of a scan with the list.

        Args:
            result: The result of the scan.
            cancelled: A function that returns whether to skip the rest of the comparison.

        Raises:
            StoreError: If the database can't be read.
        """
        revision = self._intake.revision()
        return Review(result, self._intake.listed(result.files, cancelled), revision)

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
        skip_since: int | None = None,
        choice: Choice = BY_TYPE,
        proceed: Proceed = always,
    ) -> Added:
        """Save files in the database as one batch, and wake the sender.

        Args:
            files: The files; may be empty.
            name: The name of the batch that the user has chosen; may be empty.
            automatic_name: Returns the name of a batch for which the user has not chosen one, from the files that are
                added; a number is appended if another batch on the list has this name.
            skip_since: The revision at which none of the files was on the list, as by `Review.revision`. Files that are
                on the list now are skipped. If no file is left, no batch is created, and the batch ID in the result is
                0. None to skip no files.
            choice: What to do with the files.
            proceed: Called with the number of files added so far; returns whether to go on.

        Raises:
            PartlyAddedError: If an error occurred after some files had been added.
            StoreError: If the database can't be written. No file was added.
        """
        if skip_since is not None:
            known = self._intake.listed_since(files, skip_since)
            files = SomeFiles(files, (place for place in range(len(files)) if place not in known)) if known else files
            if not files:
                return Added(0, ())
        is_automatic = not name
        name = name or self._unused_name(automatic_name, files)
        try:
            added = self._intake.add(
                files,
                queue=self._queue,
                name=name,
                now_ms=self._clock.now_ms(),
                choice=choice,
                processor_of=self.type_rules().processor_of,
                proceed=proceed,
            )
        except PartlyAddedError:
            self._control.wake_sender()
            raise
        self._control.wake_sender()
        done = len(added.job_ids)
        if is_automatic and 0 < done < len(files):  # stopped: the name tells what has been added
            added = replace(added, name=self._unused_name(automatic_name, files[:done]))
            self._intake.rename_batch(added.batch_id, added.name)
        log.info("batch %d, %s: %d files added", added.batch_id, masked(added.name) or "unnamed", done)
        return added

    def _unused_name(self, automatic_name: Callable[[Sequence[NewFile]], str], files: Sequence[NewFile]) -> str:
        name = automatic_name(files) if files else ""
        return name and unused_name(name, self._intake.batch_names(name))

    def rename_batch(self, batch_id: int, name: str) -> None:
        """Change the name of a batch.

        Raises:
            StoreError: If the database can't be written.
        """
        self._intake.rename_batch(batch_id, name)

    def process_next(self, row_ids: Sequence[int], *, proceed: Proceed = always) -> PriorityResult:
        """Process waiting jobs of the current queue before all others, in the given order.

        Raises:
            StoreError: If the database can't be written.
        """
        moved = self._intake.move_to_front(row_ids, queue=self._queue, proceed=proceed)
        is_served = self._control.prioritize(moved.keys)
        self._control.wake_sender()
        return replace(moved, is_served=is_served)

    def retry(self, row_ids: Iterable[int], *, choice: Choice | None = None, proceed: Proceed = always) -> int:
        """Resubmit finished jobs to the current queue; return the number of jobs changed.

        Args:
            row_ids: The keys of the jobs.
            choice: What to do with the files; waiting ones are then resubmitted, too. None to do the same again.
            proceed: Called with the number of rows done so far; returns whether to go on.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.retry(row_ids, queue=self._queue, choice=choice, proceed=proceed)
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

    def resume_batches(self, batch_ids: Collection[int], *, tolerates: bool = True) -> int:
        """Continue batches that were paused because many of their files failed; return how many of them were paused.

        Args:
            batch_ids: The keys of the batches.
            tolerates: Whether further files may fail for the same reason without pausing the batch again.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.held_batches.resume(batch_ids, tolerates=tolerates)
        self._control.wake_sender()
        return count

    def removal_time(self) -> int:
        """Return the current time for a removal, in milliseconds since 1970. No other removal here has the same one."""
        with self._removal_lock:
            self._newest_removal = max(self._clock.now_ms(), self._newest_removal + 1)
            return self._newest_removal

    def remove(self, row_ids: Iterable[int], *, removed_at: int | None = None, proceed: Proceed = always) -> int:
        """Remove jobs from the list without changing their files; return the number of jobs removed.

        Args:
            row_ids: The keys of the jobs.
            removed_at: A `removal_time`, by which `restore` can select the jobs.
            proceed: Called with the number of rows done so far; returns whether to go on.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been removed.
        """
        return self._intake.remove(row_ids, now_ms=removed_at or self.removal_time(), proceed=proceed)

    def restore(self, row_ids: Iterable[int], *, removed_at: Collection[int] = (), proceed: Proceed = always) -> int:
        """Restore removed jobs; return the number of jobs restored.

        Args:
            row_ids: The keys of the jobs.
            removed_at: The times at which the jobs were removed; empty for any time.
            proceed: Called with the number of rows done so far; returns whether to go on.

        Raises:
            StoreError: If the database can't be written. Some jobs may have been restored.
        """
        count = self._intake.restore(row_ids, removed_at=removed_at, proceed=proceed)
        self._control.wake_sender()
        return count

    def forget_restoration(self, removed_at: Collection[int]) -> None:
        """Forget that jobs removed at these times were being restored, since all have been, or the rest is not wanted.

        Raises:
            StoreError: If the database can't be written.
        """
        self._intake.forget_restoration(removed_at)

    def unrestored(self) -> tuple[list[int], frozenset[int]]:
        """Return the jobs that were still to be restored when the program ended, and when they were removed.

        Raises:
            StoreError: If the database can't be read.
        """
        return self._intake.unrestored()

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
        before = self._clock.now_ms() - older_than_days * DAY_MS
        return self._intake.remove_processed(before_ms=before, limit=limit, now_ms=self.removal_time())

    def delete_removed(self) -> int:
        """Delete the rows of jobs that were removed long ago; return the number of rows deleted.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.forget_removed(before_ms=self._clock.now_ms() - KEEP_REMOVED_MS)
