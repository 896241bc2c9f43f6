"""Control of the sender and the consumer: pause and resume, permission to consume, priority, immediate retry."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence
from desktop_app.services.loops import Loop, LoopState, Phase, StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


log = logging.getLogger(__name__)


class RunMode(StrEnum):
    """Whether the consumer may start processing files."""

    RUNNING = "running"
    FINISHING = "finishing"
    """No more files are started; the mode becomes PAUSED when all running files have finished."""
    PAUSED = "paused"


class ProcessingControl:
    """Controls the sender and the consumer of this program. Any thread.

    The window and the command line call the methods that change the state; the loops of the sender and the consumer
    query it and wait for changes. Sending is never paused, so that other computers can continue to process the queue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mode = RunMode.RUNNING
        self._consumers = 0
        self._listeners: list[Callable[[RunMode], None]] = []
        self._wakes: list[Callable[[], object]] = []
        self._permitted_queue = ""
        self._priorities: deque[int] = deque()
        self._concurrency: int | None = None
        self._serving = 0
        self._to_send = threading.Event()
        self._waits_for_room = False
        self._receive_now = threading.Event()
        self.tries = 0
        """How often `try_now` has been called."""
        self.brakes = True
        """Whether batches are paused when many of their files fail for the same reason."""
        self._check_now = threading.Event()

    # --- pause and resume

    @property
    def mode(self) -> RunMode:
        """The current mode."""
        return self._mode

    @property
    def may_begin(self) -> bool:
        """Whether files may be started; otherwise, received messages are released."""
        return self._mode is RunMode.RUNNING

    def pause(self) -> None:
        """Stop starting files."""
        self._change_mode(RunMode.PAUSED)

    def finish(self) -> None:
        """Stop starting files; pause when all running files have finished, or immediately if no consumer is running."""
        self._change_mode(RunMode.FINISHING, only_from=RunMode.RUNNING)
        if not self._consumers:
            self.note_idle()

    def resume(self) -> None:
        """Allow files to be started again."""
        self._change_mode(RunMode.RUNNING)

    def note_idle(self) -> None:
        """Complete `finish`; the consumer calls this when no file is being processed anymore."""
        self._change_mode(RunMode.PAUSED, only_from=RunMode.FINISHING)

    def add_listener(self, listener: Callable[[RunMode], None]) -> None:
        """Call a function with the new mode after each change, on the thread that made the change.

        Args:
            listener: The function, which must return quickly.
        """
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[RunMode], None]) -> None:
        """Remove a function that was added with `add_listener`."""
        self._listeners.remove(listener)

    @contextmanager
    def consuming(self, *, serves_priorities: bool) -> Iterator[None]:
        """Return a context manager that registers a running consumer, which `finish` waits for.

        Args:
            serves_priorities: Whether the consumer starts prioritized files; False if it must keep the queue's order.
        """
        with self._lock:
            self._consumers += 1
            self._serving += serves_priorities
        try:
            yield
        finally:
            with self._lock:
                self._consumers -= 1
                self._serving -= serves_priorities
                if not self._serving:
                    self._priorities.clear()
            if not self._consumers:
                self.note_idle()

    def _change_mode(self, mode: RunMode, *, only_from: RunMode | None = None) -> None:
        with self._lock:
            if mode is self._mode or only_from not in {None, self._mode}:
                return
            self._mode = mode
        log.info("processing: %s", mode)
        for listener in list(self._listeners):
            listener(mode)
        self._wake_consumers()

    # --- permission

    def permit(self, queue: str) -> None:
        """Permit consuming one queue on this computer.

        Args:
            queue: The key of the queue, which replaces the queue permitted before; empty to permit none.
        """
        self._permitted_queue = queue
        self._wake_consumers()

    def is_permitted(self, queue: str) -> bool:
        """Return whether consuming a queue is permitted on this computer."""
        return bool(queue) and self._permitted_queue == queue

    # --- priority

    @property
    def has_priorities(self) -> bool:
        """Whether any file is prioritized."""
        return bool(self._priorities)

    def prioritize(self, keys: Iterable[int]) -> bool:
        """Process some jobs before all others, including jobs prioritized earlier.

        Args:
            keys: The keys of the jobs, in the order in which to process them.

        Returns:
            Whether this program has a consumer that starts prioritized files.
        """
        with self._lock:
            if not self._serving:
                return False
            chosen = dict.fromkeys(keys)
            self._priorities = deque([*chosen, *(key for key in self._priorities if key not in chosen)])
        self._wake_consumers()
        return True

    def take_priorities(self, limit: int) -> list[int]:
        """Remove and return the keys of the next prioritized jobs, at most `limit`."""
        with self._lock:
            return [self._priorities.popleft() for _ in range(min(limit, len(self._priorities)))]

    def return_priorities(self, keys: Iterable[int]) -> None:
        """Put back the keys of jobs that could not be started."""
        with self._lock:
            self._priorities.extendleft(reversed(list(keys)))

    # --- the number of files at once

    @property
    def concurrency(self) -> int | None:
        """The number of files to process at once, if the user has changed it while the program is running."""
        return self._concurrency

    @concurrency.setter
    def concurrency(self, number: int | None) -> None:
        self._concurrency = number
        self._wake_consumers()

    # --- waking the sender and the consumer

    def note_commands_changed(self) -> None:
        """Let the consumer read the commands of the user at once, which it otherwise does within seconds."""
        self._wake_consumers()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Enter a context in which a function is called after each change that concerns a consumer.

        These are changes of the mode, the permission, the priorities, the commands and the number of files at once.

        Args:
            wake: The function, which must return quickly. It is called on the thread that made the change.
        """
        self._wakes.append(wake)
        try:
            yield
        finally:
            self._wakes.remove(wake)

    def _wake_consumers(self) -> None:
        for wake in list(self._wakes):
            wake()

    def wake_sender(self) -> None:
        """Wake the sender, because there may be messages to send."""
        self._to_send.set()

    def try_now(self) -> None:
        """Make the sender and the consumer continue immediately, even during a backoff, and run the periodic tasks."""
        self.tries += 1
        self._check_now.set()
        self._to_send.set()
        self._receive_now.set()

    def wait_to_send(self, seconds: float, stop: StopRequest, *, for_room: bool = False) -> bool:
        """Wait until the sender is woken, the time is up or a stop is requested; return whether it was woken.

        Args:
            seconds: The maximum time to wait, in seconds.
            stop: The stop request.
            for_room: Whether the queue is full, so that `note_finished` wakes the sender, too.
        """
        self._waits_for_room = for_room
        return stop.wait(seconds, self._to_send)

    def note_finished(self) -> None:
        """Wake the sender if it waits for room in the queue, because messages will be deleted."""
        if self._waits_for_room:
            self._to_send.set()

    def wait_to_receive(self, seconds: float, stop: StopRequest) -> bool:
        """Wait until `try_now` is called, the time is up or a stop is requested; return whether it was called."""
        return stop.wait(seconds, self._receive_now)

    def take_check_request(self) -> bool:
        """Return whether `try_now` has been called since the last call to this method."""
        is_requested = self._check_now.is_set()
        self._check_now.clear()
        return is_requested


OFF_TEXT = Sentence(
    "Messages are sent to this queue, but the files are not processed on this computer yet. Allow "
    "processing if only Filemill uses the queue: each time it receives another program's message, "
    "it counts as a delivery attempt."
)


class PermissionGate:
    """A loop that runs another loop as soon as consuming its queue is permitted. Call `run` on one thread.

    Args:
        loop: The loop to run.
        control: The `ProcessingControl` that grants the permission.
        report: Called with the state of this loop while it is waiting for permission.
        queue: The key of the queue.
    """

    def __init__(
        self, loop: Loop, control: ProcessingControl, report: Callable[[LoopState], None], *, queue: str
    ) -> None:
        self._loop = loop
        self._control = control
        self._queue = queue
        self._report = report

    def run(self, stop: StopRequest) -> None:
        """Wait for permission, then run the loop until a stop is requested."""
        if not self._control.is_permitted(self._queue):
            self._report(LoopState(Phase.OFF, OFF_TEXT))
        changed = threading.Event()
        with self._control.waking(changed.set):
            while not self._control.is_permitted(self._queue):
                if stop.is_set():
                    self._report(LoopState(Phase.STOPPED))
                    return
                stop.wait(threading.TIMEOUT_MAX, changed)
        self._loop.run(stop)
