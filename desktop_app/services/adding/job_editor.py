"""Adds, retries, removes and restores jobs, and wakes the sender: what a person does to the list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError, PartlyAddedError
from desktop_app.services.adding.review import Review
from desktop_app.sources.file_list import SomeFiles
from desktop_app.sources.scan import scan
from desktop_app.store.adding import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import NewFile, PriorityResult
    from desktop_app.services.control import ProcessingControl
    from desktop_app.sources.scan import ScanResult
    from desktop_app.store.adding import Intake


KEEP_REMOVED_MS = 15 * 24 * 3600 * 1000
"""SQS keeps a message for 14 days at most (AWS: MessageRetentionPeriod): after that none can come for a removed row."""


class JobEditor:
    """Changes the list. Any thread; the window calls it off the main one for many rows.

    Args:
        intake: The database's side.
        queue: The key of the queue that new and retried jobs go to.
        clock: The time.
        control: Woken when there is something to send, and asked to begin files first.
    """

    def __init__(self, intake: Intake, *, queue: str, clock: Clock, control: ProcessingControl) -> None:
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._control = control

    def use_queue(self, key: str) -> None:
        """Send new and retried jobs to this queue from now on."""
        self._queue = key

    def review(self, result: ScanResult, cancelled: Callable[[], bool] = lambda: False) -> Review:
        """Compare what a scan found with what is on the list already.

        Raises:
            StoreError: If the database can't be read.
        """
        return Review(result, self._intake.listed(result.files, cancelled))

    def add(self, files: Sequence[NewFile], *, name: str = "", skip_listed: bool = False) -> Added:
        """Add one batch of files that the scan accepted; they are safe in the database when this returns.

        Args:
            files: May be empty.
            name: The batch's name for a person.
            skip_listed: Leave out what is on the list already and has not changed. If nothing remains, no batch is
                made, and its id is 0.

        Raises:
            PartlyAddedError: If the database can't be written any more.
            StoreError: If the database can't be written; nothing was added.
        """
        if skip_listed:
            known = self._intake.listed(files, lambda: False)
            files = SomeFiles(files, (place for place, is_known in enumerate(known) if not is_known))
            if not files:
                return Added(0, ())
        try:
            added = self._intake.add(files, queue=self._queue, name=name, now_ms=self._clock.now_ms())
        except PartlyAddedError:
            self._control.wake_sender()
            raise
        self._control.wake_sender()
        return added

    def process_next(self, row_ids: Sequence[int]) -> PriorityResult:
        """Have waiting jobs of the current queue processed before all others, in this order.

        Raises:
            StoreError: If the database can't be written.
        """
        moved = self._intake.move_to_front(row_ids, queue=self._queue)
        is_served = self._control.prioritize(moved.keys)
        self._control.wake_sender()
        return replace(moved, is_served=is_served)

    def retry(self, row_ids: Iterable[int]) -> int:
        """Submit jobs again that have ended, to the current queue; return the number of jobs changed.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.retry(row_ids, queue=self._queue)
        self._control.wake_sender()
        return count

    def relocate(self, row_id: int, path: str) -> bool:
        """Submit a job that has failed again, with the file at another place; False if it has not failed any more.

        Looks at the file, so not for the main thread.

        Args:
            row_id: The row.
            path: Where the file is now.

        Raises:
            KnownError: If there is no ordinary file.
            StoreError: If the database can't be written.
        """
        found = scan([path], recursive=False, cancelled=lambda: False, on_found=lambda _: None)
        if not found.files:
            raise KnownError(found.refused[0].text)
        is_done = self._intake.relocate(row_id, found.files[0], queue=self._queue)
        self._control.wake_sender()
        return is_done

    def remove(self, row_ids: Iterable[int]) -> int:
        """Remove jobs from the list; the files themselves are never touched. Returns the number of jobs changed.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.remove(row_ids, now_ms=self._clock.now_ms())

    def restore(self, row_ids: Iterable[int]) -> int:
        """Restore removed jobs; return the number of jobs changed.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.restore(row_ids)
        self._control.wake_sender()
        return count

    def delete_removed(self) -> int:
        """Delete removed rows whose messages can't come any more; return the number of rows deleted.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.forget_removed(before_ms=self._clock.now_ms() - KEEP_REMOVED_MS)
