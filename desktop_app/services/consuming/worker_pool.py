"""The threads that process files, a bounded number of them."""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.errors import FileError, FileProblem
from desktop_app.domain.sentences import Sentence
from desktop_app.processing.isolation import IsolatedProcessing, ProcessDiedError
from desktop_app.processing.processor import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import Job
    from desktop_app.processing.processor import Watch
    from desktop_app.processing.registry import FileResult
    from desktop_app.services.consuming.in_flight import InFlightMessage


log = logging.getLogger(__name__)

STALL_SECONDS = 600.0
STALLED_REASON = Sentence("The disk or network share did not answer for 10 minutes")

CRASHED_REASON = Sentence("The program ended while it worked on this file")

INTERNAL_REASON = Sentence("Something went wrong in Filemill itself. The file is put aside; the log has the details.")


class Processing(Protocol):
    """What processes one file: a `ProcessorRegistry`, or something with the same method."""

    def process(self, path: str, watch: Watch) -> FileResult:
        """See `ProcessorRegistry.process`."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What a worker has done with one file: a result, or why there is none; both None if it was cancelled."""

    message: InFlightMessage
    result: FileResult | None = None
    error: FileError | None = None
    seconds: float = 0.0
    """How long it took."""


@dataclass(slots=True)
class _Activity:
    """When a file was begun, when it last made progress, and how far it was then."""

    begun: float
    at: float
    progress: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _MessageWatch:
    """Notes the progress of a file and tells whether its processing was cancelled."""

    message: InFlightMessage

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        self.message.progress = (bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return self.message.cancelled.is_set()


class WorkerPool:
    """Processes what is submitted, in order, on `size` threads. `submit` and `stop` from any thread.

    The threads are daemons: one that hangs in a dead network share must not keep the program from ending.

    Args:
        size: How many files at once, 1 or more.
        registry: What is done to a file.
        on_done: Called for each submitted file, once, on a worker's thread or that of `give_up_stalled`; quick.
        clock: Only `steady` is used.
        may_begin: Asked right before a file is begun; one that may not is done at once, without an end.
        isolated: The same in a process of its own, for files that may end the process.
    """

    def __init__(
        self,
        size: int,
        registry: Processing,
        on_done: Callable[[Done], None],
        *,
        clock: Clock,
        may_begin: Callable[[], bool] = lambda: True,
        isolated: Processing | None = None,
    ) -> None:
        self._size = size
        self._registry = registry
        self._isolated = isolated or IsolatedProcessing()
        self._on_done = on_done
        self._clock = clock
        self._may_begin = may_begin
        self._todo: SimpleQueue[InFlightMessage | None] = SimpleQueue()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._running: dict[InFlightMessage, _Activity] = {}

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._size):
            self._start_thread()

    def _start_thread(self) -> None:
        threading.Thread(target=self._run, name=f"worker-{next(self._numbers)}", daemon=True).start()

    def submit(self, message: InFlightMessage) -> None:
        """Process the file of a claimed message as soon as a thread is free."""
        self._todo.put(message)

    def longest(self) -> float:
        """Return for how many seconds the file that was begun first has been processed; 0 if none is."""
        now = self._clock.steady()
        with self._lock:
            return max((now - activity.begun for activity in self._running.values()), default=0.0)

    def withdraw(self, message: InFlightMessage) -> bool:
        """Take back what was submitted; False if it has begun."""
        with self._lock:
            if message.is_begun:
                return False
            message.cancelled.set()
            return True

    def stop(self) -> None:
        """Let the threads end when they are through with what was submitted; does not wait."""
        for _ in range(self._size):
            self._todo.put(None)

    def give_up_stalled(self) -> None:
        """End the wait for files whose reading makes no progress any more; each gets another thread in its place.

        A read that hangs in a dead network share can't be ended. Its thread is left to itself, and what it may still
        bring is thrown away.
        """
        now = self._clock.steady()
        with self._lock:
            for message, activity in self._running.items():
                if activity.progress != message.progress:
                    activity.progress, activity.at = message.progress, now
            stalled = [message for message, activity in self._running.items() if now - activity.at > STALL_SECONDS]
            for message in stalled:
                del self._running[message]
        for message in stalled:
            message.cancelled.set()
            self._on_done(Done(message, error=FileError(FileProblem.UNREADABLE, STALLED_REASON, passing=True)))
            self._start_thread()

    def _run(self) -> None:
        while (message := self._todo.get()) is not None:
            done = self._process(message)
            if done is None:
                return
            self._on_done(done)

    def _process(self, message: InFlightMessage) -> Done | None:
        """Process one file; None if that took so long that somebody else has this thread's place."""
        begun = self._clock.steady()
        with self._lock:
            if message.job is None or message.cancelled.is_set() or not self._may_begin():
                return Done(message)
            message.is_begun = True
            self._running[message] = _Activity(begun, begun)
        result, error = self._outcome(message, message.job)
        with self._lock:
            if self._running.pop(message, None) is None:
                return None
        return Done(message, result, error, self._clock.steady() - begun)

    def _outcome(self, message: InFlightMessage, job: Job) -> tuple[FileResult | None, FileError | None]:
        try:
            processing = self._isolated if message.is_suspect else self._registry
            return processing.process(job.file_path, _MessageWatch(message)), None
        except Cancelled:
            return None, None
        except FileError as error:
            return None, error
        except ProcessDiedError as error:
            log.info("job %s: %s", job.id, error)
            return None, FileError(FileProblem.CRASHED, CRASHED_REASON, passing=True, detail=str(error))
        except Exception as error:
            # A bug of ours must cost one file, not the thread and with it all that follow.
            log.exception("job %s: bug while processing it", job.id)
            return None, FileError(FileProblem.INTERNAL, INTERNAL_REASON, detail=repr(error))
