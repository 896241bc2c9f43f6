"""The threads that process files, a bounded number of them."""

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
from desktop_app.processing.registry import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.job import Job
    from desktop_app.processing.registry import FileResult, Watch
    from desktop_app.services.consuming.in_flight import InFlightMessage


log = logging.getLogger(__name__)


STALL_SECONDS = 600.0


class Processing(Protocol):
    """What processes one file: a `ProcessorRegistry`, or something that stands for one."""

    def process(self, path: str, watch: Watch) -> FileResult:
        """See `ProcessorRegistry.process`."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """A worker has ended with one file: a result, or why there is none; both None if it was cancelled."""

    held: InFlightMessage
    result: FileResult | None = None
    error: FileError | None = None
    seconds: float = 0.0
    """How long it took."""


@dataclass(slots=True)
class _Sign:
    """Since when a file is processed, and the last sign of life: how far it was, and since when."""

    begun: float
    at: float
    progress: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _HeldWatch:
    """Lets the processing of a file tell its progress and ask whether it is still wanted."""

    held: InFlightMessage

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        self.held.progress = (bytes_done, bytes_total)

    def cancelled(self) -> bool:
        return self.held.cancelled.is_set()


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
        self._running: dict[InFlightMessage, _Sign] = {}

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._size):
            self._start_thread()

    def _start_thread(self) -> None:
        threading.Thread(target=self._run, name=f"worker-{next(self._numbers)}", daemon=True).start()

    def submit(self, held: InFlightMessage) -> None:
        """Process the file of a claimed message as soon as a thread is free."""
        self._todo.put(held)

    def longest(self) -> float:
        """For how many seconds the file has been processed that has been the longest; 0 if none is."""
        now = self._clock.steady()
        with self._lock:
            return max((now - sign.begun for sign in self._running.values()), default=0.0)

    def withdraw(self, held: InFlightMessage) -> bool:
        """Take back what was submitted; False if it has begun."""
        with self._lock:
            if held.is_begun:
                return False
            held.cancelled.set()
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
            for held, sign in self._running.items():
                if sign.progress != held.progress:
                    sign.progress, sign.at = held.progress, now
            stalled = [held for held, sign in self._running.items() if now - sign.at > STALL_SECONDS]
            for held in stalled:
                del self._running[held]
        for held in stalled:
            held.cancelled.set()
            self._on_done(Done(held, error=FileError(Reason(ReasonCode.NO_ANSWER), passing=True)))
            self._start_thread()

    def _run(self) -> None:
        while (held := self._todo.get()) is not None:
            done = self._process(held)
            if done is None:
                return
            self._on_done(done)

    def _process(self, held: InFlightMessage) -> Done | None:
        """Process one file; None if that took so long that somebody else has this thread's place."""
        begun = self._clock.steady()
        with self._lock:
            if held.job is None or held.cancelled.is_set() or not self._may_begin():
                return Done(held)
            held.is_begun = True
            self._running[held] = _Sign(begun, begun)
        result, error = self._outcome(held, held.job)
        with self._lock:
            if self._running.pop(held, None) is None:
                return None
        return Done(held, result, error, self._clock.steady() - begun)

    def _outcome(self, held: InFlightMessage, job: Job) -> tuple[FileResult | None, FileError | None]:
        try:
            processing = self._isolated if held.is_suspect else self._registry
            return processing.process(job.file_path, _HeldWatch(held)), None
        except Cancelled:
            return None, None
        except FileError as error:
            return None, error
        except ProcessDiedError as error:
            log.info("job %s: %s", job.id, error)
            return None, FileError(Reason(ReasonCode.CRASHED), passing=True, detail=str(error))
        except Exception as error:
            # A bug of ours must cost one file, not the thread and with it all that follow.
            log.exception("job %s: bug while processing it", job.id)
            return None, FileError(Reason(ReasonCode.INTERNAL), detail=repr(error))
