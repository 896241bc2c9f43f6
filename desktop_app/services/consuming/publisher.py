"""Publish the files that commands have written, after the result was committed, and discard those of lost leases.

This is done on a thread, since the folder can be on a disk or share that does not respond. If the program ends before,
the next one does it: `recover` decides by the row's fencing token, which only the attempt that was committed has.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from desktop_app.domain.job import Status
from desktop_app.processing.command import OUTPUT, output_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_app.processing.outputs import Outputs, Staged
    from desktop_app.store.results import Work

log = logging.getLogger(__name__)

RECOVER_SECONDS = 60.0


class Publisher:
    """Publishes and discards the output of commands, one after another. The consumer's thread calls it.

    Args:
        outputs: The output folders; None if there are no commands.
        work: Reads which attempts were committed.
        owner: The identity of this program.
        is_alive: Returns whether the program with an identity is running, and True if that is unknown.
    """

    def __init__(self, outputs: Outputs | None, work: Work, *, owner: str, is_alive: Callable[[str], bool]) -> None:
        self._outputs = outputs
        self._work = work
        self._owner = owner
        self._is_alive = is_alive
        self._todo: queue.SimpleQueue[tuple[Callable[[Staged], None], Staged]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        """The attempts in `_todo`."""
        self._numbered: queue.SimpleQueue[tuple[Staged, Path]] = queue.SimpleQueue()
        """The files that got another name than the one in the result, since there was one of that name."""
        self._told: set[tuple[str, str]] = set()
        """The errors that are in the log."""
        self._is_idle = threading.Event()
        self._is_idle.set()
        self._thread: threading.Thread | None = None

    def publish(self, staged: Staged) -> None:
        """Publish the files of an attempt whose result was committed."""
        if self._outputs is not None:
            self._do_later(self._publish, staged)

    def discard(self, staged: Staged) -> None:
        """Discard the files of an attempt whose result was rejected."""
        if self._outputs is not None:
            self._do_later(self._outputs.discard, staged)

    def recover(self) -> None:
        """Publish or discard what programs have left that ended before they could, and what failed before.

        Raises:
            StoreError: If the database can't be read.
        """
        left = [] if self._outputs is None else self._outputs.left()
        if not left:
            return
        statuses = self._work.attempt_statuses([(one.job_id, one.token) for one in left])
        for one in left:
            status = statuses.get((one.job_id, one.token))
            is_own = one.owner == self._owner
            # What another program that is running has not published yet, it will.
            if not is_own and self._is_alive(one.owner):
                continue
            if status is Status.PROCESSED:
                self.publish(one)
            elif status is not Status.PROCESSING or not is_own:
                self.discard(one)

    def note_numbers(self) -> None:
        """Write the names of files that got a number into the results.

        Raises:
            StoreError: If the database can't be written.
        """
        while not self._numbered.empty():
            staged, place = self._numbered.get()
            self._work.correct(staged.job_id, staged.token, OUTPUT.name, output_text(place))

    def join(self, seconds: float) -> None:
        """Wait until everything is done, at most for a time in seconds; the rest is left to the next program."""
        self._is_idle.wait(seconds)

    def _do_later(self, act: Callable[[Staged], None], staged: Staged) -> None:
        with self._lock:
            if staged.attempt_id in self._waiting:
                return
            self._waiting.add(staged.attempt_id)
            self._is_idle.clear()
        self._todo.put((act, staged))
        if self._thread is None:
            # A daemon thread, so that a share that does not respond does not keep the program from exiting.
            self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
            self._thread.start()

    def _publish(self, staged: Staged) -> None:
        if self._outputs is not None and (place := self._outputs.publish(staged)) is not None:
            self._numbered.put((staged, place))

    def _run(self) -> None:
        while True:
            act, staged = self._todo.get()
            try:
                act(staged)
            except OSError as error:
                if (staged.attempt_id, str(error)) not in self._told:
                    self._told.add((staged.attempt_id, str(error)))
                    log.info(
                        "job %s: its output can't be moved to %s yet: %s", staged.job_id, staged.destination, error
                    )
            except Exception:
                log.exception("job %s: bug while publishing its output", staged.job_id)
            with self._lock:
                self._waiting.discard(staged.attempt_id)
                if not self._waiting:
                    self._is_idle.set()
