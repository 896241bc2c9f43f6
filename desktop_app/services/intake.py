"""What a person does to the list, with the time, the queue and the sender's wake-up filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from desktop_app.clock import Clock
    from desktop_app.jobs import NewFile
    from desktop_app.store.intake import Added, Intake

KEEP_REMOVED_MS = 15 * 24 * 3600 * 1000
"""SQS keeps a message for 14 days at most (AWS: MessageRetentionPeriod): after that none can come for a removed row."""


class IntakeService:
    """Adds, retries, removes and brings back jobs. Any thread; the window calls it off the main one for many rows.

    Args:
        intake: The database's side.
        queue: The key of the queue that new and retried jobs go to.
        clock: The time.
        wake: Called after something new is there to send; quick, from the calling thread.
    """

    def __init__(self, intake: Intake, *, queue: str, clock: Clock, wake: Callable[[], None]) -> None:
        self._intake = intake
        self._queue = queue
        self._clock = clock
        self._wake = wake

    def add(self, files: Sequence[NewFile], *, name: str = "") -> Added:
        """Add one batch of files that the scan accepted; they are safe in the database when this returns.

        Raises:
            StoreError: If the database can't be written.
        """
        added = self._intake.add(files, queue=self._queue, name=name, now_ms=self._clock.now_ms())
        self._wake()
        return added

    def retry(self, row_ids: Iterable[int]) -> int:
        """Submit jobs again that have ended, to the queue of now; gives how many it were.

        Raises:
            StoreError: If the database can't be written.
        """
        count = self._intake.retry(row_ids, queue=self._queue)
        self._wake()
        return count

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
