"""The threads that process files, a bounded number of them."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from desktop_app.errors import FileError, FileProblem
from desktop_app.processing.isolation import IsolatedProcessing, ProcessDiedError
from desktop_app.processing.registry import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.jobs import Job
    from desktop_app.processing.registry import FileResult, Watch
    from desktop_app.services.leases import Held

log = logging.getLogger(__name__)

CRASHED_REASON = "The program ended while it worked on this file"
INTERNAL_REASON = "Something went wrong in Filemill itself. The file is put aside; the log has the details."


class Processing(Protocol):
    """What processes one file: a `ProcessorRegistry`, or something that stands for one."""

    def process(self, path: str, watch: Watch) -> FileResult:
        """See `ProcessorRegistry.process`."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """A worker has ended with one file: a result, or why there is none; both None if it was cancelled."""

    held: Held
    result: FileResult | None = None
    error: FileError | None = None
    seconds: float = 0.0
    """How long it took."""


@dataclass(frozen=True, slots=True)
class _HeldWatch:
    """Lets the processing of a file tell its progress and ask whether it is still wanted."""

    held: Held

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
        isolated: The same in a process of its own, for files that may end the process.
        on_done: Called on a worker's thread for each submitted file, once; quick.
    """

    def __init__(
        self, size: int, registry: Processing, on_done: Callable[[Done], None], *, isolated: Processing | None = None
    ) -> None:
        self._registry = registry
        self._isolated = isolated or IsolatedProcessing()
        self._on_done = on_done
        self._todo: SimpleQueue[Held | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"worker-{number}", daemon=True) for number in range(1, size + 1)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, held: Held) -> None:
        """Process the file of a claimed message as soon as a thread is free."""
        self._todo.put(held)

    def stop(self) -> None:
        """Let the threads end when they are through with what was submitted; does not wait."""
        for _ in self._threads:
            self._todo.put(None)

    def _run(self) -> None:
        while (held := self._todo.get()) is not None:
            self._on_done(self._process(held))

    def _process(self, held: Held) -> Done:
        if held.job is None or held.cancelled.is_set():
            return Done(held)
        held.is_begun = True
        begun = time.monotonic()
        result, error = self._outcome(held, held.job)
        return Done(held, result, error, time.monotonic() - begun)

    def _outcome(self, held: Held, job: Job) -> tuple[FileResult | None, FileError | None]:
        try:
            processing = self._isolated if held.is_suspect else self._registry
            return processing.process(job.file_path, _HeldWatch(held)), None
        except Cancelled:
            return None, None
        except FileError as error:
            return None, error
        except ProcessDiedError as error:
            log.info("%s: %s", job.id, error)
            return None, FileError(FileProblem.CRASHED, CRASHED_REASON, passing=True, detail=str(error))
        except Exception as error:
            # A bug of ours must cost one file, not the thread and with it all that follow.
            log.exception("bug while processing %s", job.id)
            return None, FileError(FileProblem.INTERNAL, INTERNAL_REASON, detail=repr(error))
