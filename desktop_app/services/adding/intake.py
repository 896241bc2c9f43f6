"""What a person does to the list, with the time, the queue and the sender's wake-up filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_app.domain.errors import KnownError, PartlyAddedError
from desktop_app.services.consuming.priority import PriorityRequests
from desktop_app.sources.file_list import SomeFiles
from desktop_app.sources.scan import scan
from desktop_app.store.adding import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import NewFile, PriorityResult
    from desktop_app.store.adding import Intake


KEEP_REMOVED_MS = 15 * 24 * 3600 * 1000
"""SQS keeps a message for 14 days at most (AWS: MessageRetentionPeriod): after that none can come for a removed row."""


class IntakeService:
    """Adds, retries, removes and brings back jobs. Any thread; the window calls it off the main one for many rows.

    Args:
        intake: The database's side.
        queue: The key of the queue that new and retried jobs go to.
        clock: The time.
        wake: Called after something new is there to send; quick, from the calling thread.
        wanted: Where this program's consumer is asked to begin them at once.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        queue: str,
        clock: Clock,
        wake: Callable[[], None],
        wanted: PriorityRequests | None = None,
    ) -> None:
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._wake = wake
        self._wanted = wanted or PriorityRequests()

    def use_queue(self, key: str) -> None:
        """New and retried jobs go to this queue from now on."""
        self._queue = key

    def listed(self, files: Sequence[NewFile], cancelled: Callable[[], bool] = lambda: False) -> bytearray:
        """For each file 1 if it is on the list already and has not changed since; see `store.known`.

        Raises:
            StoreError: If the database can't be read.
        """
        return self._intake.listed(files, cancelled)

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
            known = self.listed(files)
            files = SomeFiles(files, (place for place, is_known in enumerate(known) if not is_known))
            if not files:
                return Added(0, ())
        try:
            added = self._intake.add(files, queue=self._queue, name=name, now_ms=self._clock.now_ms())
        except PartlyAddedError:
            self._wake()
            raise
        self._wake()
        return added

    def process_next(self, row_ids: Sequence[int]) -> PriorityResult:
        """Let waiting jobs of the queue of now come before all others, in this order.

        Raises:
            StoreError: If the database can't be written.
        """
        moved = self._intake.move_to_front(row_ids, queue=self._queue)
        is_served = self._wanted.ask(moved.keys)
        self._wake()
        return replace(moved, is_served=is_served)

    def retry(self, row_ids: Iterable[int]) -> int:
        """Submit jobs again that have ended, to the queue of now; gives how many it were.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.retry(row_ids, queue=self._queue)
        self._wake()
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
            raise KnownError(found.refused[0].reason.sentence)
        is_done = self._intake.relocate(row_id, found.files[0], queue=self._queue)
        self._wake()
        return is_done

    def remove(self, row_ids: Iterable[int]) -> int:
        """Take jobs off the list; the files themselves are never touched. Gives how many it were.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.remove(row_ids, now_ms=self._clock.now_ms())

    def restore(self, row_ids: Iterable[int]) -> int:
        """Bring removed jobs back; gives how many it were.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.restore(row_ids)
        self._wake()
        return count

    def tidy(self) -> int:
        """Forget removed rows whose messages can't come any more; gives how many it were.

        Raises:
            StoreError: If the database can't be written.
        """
        return self._intake.forget_removed(before_ms=self._clock.now_ms() - KEEP_REMOVED_MS)
