"""A pool of threads that process files."""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.isolation import IsolatedProcessing, ProcessDiedError
from desktop_app.processing.processor import Cancelled, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import Job
    from desktop_app.processing.registry import FileResult
    from desktop_app.services.consuming.in_flight import InFlightMessage


log = logging.getLogger(__name__)

STALL_SECONDS = 600.0


class Processing(Protocol):
    """The interface of `ProcessorRegistry` and `IsolatedProcessing`."""

    def process(self, path: str, watch: Watch) -> FileResult:
        """Process a file; see `ProcessorRegistry.process`."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of one file: a result or an error, or neither if the file was cancelled or not started."""

    message: InFlightMessage
    result: FileResult | None = None
    error: FileError | None = None
    seconds: float = 0.0
    """The processing time in seconds."""


@dataclass(slots=True)
class _Activity:
    """When the processing of a file started, when it last made progress, and that progress."""

    begun: float
    at: float
    progress: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _MessageWatch:
    """Connects the processing of a file to its message: stores the progress and checks for cancellation."""

    message: InFlightMessage

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        self.message.progress = (bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return self.message.cancelled.is_set()


class WorkerPool:
    """Processes submitted files in order on a fixed number of threads. Any thread.

    The threads are daemon threads, so that a thread blocked by an unresponsive network share does not keep the program
    from exiting.

    Args:
        size: The number of threads, at least 1.
        registry: The registry that processes the files.
        on_done: Called once for each submitted file, on a thread of the pool or on the thread that calls
            `give_up_stalled`; must return quickly.
        clock: The clock; only `steady` is used.
        may_begin: A function that returns whether files may be started; if not, files are reported as done without a
            result.

    """

    def __init__(
        self,
        size: int,
        registry: Processing,
        on_done: Callable[[Done], None],
        *,
        clock: Clock,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> None:
        self._size = size
        self._registry = registry
        self._isolated = IsolatedProcessing()
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
        """Process the file of a message as soon as a thread is free."""
        self._todo.put(message)

    def longest(self) -> float:
        """Return the time in seconds since the oldest running file was started; 0 if no file is running."""
        now = self._clock.steady()
        with self._lock:
            return max((now - activity.begun for activity in self._running.values()), default=0.0)

    def withdraw(self, message: InFlightMessage) -> bool:
        """Withdraw a submitted file; return False if its processing has started."""
        with self._lock:
            if message.is_begun:
                return False
            message.cancelled.set()
            return True

    def stop(self) -> None:
        """Tell the threads to exit after processing the submitted files, and return immediately."""
        for _ in range(self._size):
            self._todo.put(None)

    def give_up_stalled(self) -> None:
        """Report files that have made no progress for `STALL_SECONDS` as failed, and replace their threads.

        A read from an unresponsive network share can't be interrupted, so its thread is abandoned. A late result is
        discarded.
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
            self._on_done(Done(message, error=FileError(Reason(ReasonCode.NO_ANSWER), passing=True)))
            self._start_thread()

    def _run(self) -> None:
        while (message := self._todo.get()) is not None:
            done = self._process(message)
            if done is None:
                return
            self._on_done(done)

    def _process(self, message: InFlightMessage) -> Done | None:
        """Process one file; return None if this thread was replaced in the meantime."""
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
            return None, FileError(Reason(ReasonCode.CRASHED), passing=True, detail=str(error))
        except Exception as error:
            # A bug must not end the thread.
            log.exception("job %s: bug while processing it", job.id)
            return None, FileError(Reason(ReasonCode.INTERNAL), detail=repr(error))
