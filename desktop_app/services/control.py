"""What the user controls: pause and resume, permission to process a queue, priority, and trying again at once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence
from desktop_app.services.loops import STOP_CHECK_SECONDS, LoopState, Phase, pause, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from desktop_app.services.loops import Loop


log = logging.getLogger(__name__)


class RunMode(StrEnum):
    """Whether the consumer may start files."""

    RUNNING = "running"
    FINISHING = "finishing"
    """Starts no more files, and becomes PAUSED when those being processed have ended."""
    PAUSED = "paused"


class ProcessingControl:
    """Controls this program's sender and consumer. Any thread.

    The window and the command line call its methods; the loops get it in their constructors and wait on it.
    Sending is never paused, so that other computers on the queue can go on while this one is paused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mode = RunMode.RUNNING
        self._consumers = 0
        self._listeners: list[Callable[[RunMode], None]] = []
        self._permitted_queue = ""
        self._priorities: deque[int] = deque()
        self._serving = 0
        self._to_send = threading.Event()
        self._receive_now = threading.Event()
        self._check_now = threading.Event()

    # --- pause and resume

    @property
    def mode(self) -> RunMode:
        """The current mode."""
        return self._mode

    @property
    def may_begin(self) -> bool:
        """Whether files may be started; received messages are released otherwise."""
        return self._mode is RunMode.RUNNING

    def pause(self) -> None:
        """Start no more files."""
        self._change_mode(RunMode.PAUSED)

    def finish(self) -> None:
        """Start no more files, and pause when those being processed have ended; at once if no consumer runs."""
        self._change_mode(RunMode.FINISHING, only_from=RunMode.RUNNING)
        if not self._consumers:
            self.note_idle()

    def resume(self) -> None:
        """Start files again."""
        self._change_mode(RunMode.RUNNING)

    def note_idle(self) -> None:
        """Note that no file is being processed any more; called by the consumer."""
        self._change_mode(RunMode.PAUSED, only_from=RunMode.FINISHING)

    def add_listener(self, listener: Callable[[RunMode], None]) -> None:
        """Call a function with the new mode after each change, on the thread that makes it; it must return quickly."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[RunMode], None]) -> None:
        """Remove a function that `add_listener` added."""
        self._listeners.remove(listener)

    @contextmanager
    def consuming(self, *, serves_priorities: bool) -> Iterator[None]:
        """Mark a consumer as running within the context: `finish` waits for it, and it can start prioritized files.

        Args:
            serves_priorities: False for a consumer that must keep the queue's order.
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

    # --- permission

    def permit(self, queue: str) -> None:
        """Permit processing the files of this queue, and of no other named queue, on this computer; empty = of none.

        Args:
            queue: The queue's key.
        """
        self._permitted_queue = queue

    def is_permitted(self, queue: str) -> bool:
        """Return whether the files of this queue may be processed on this computer."""
        return bool(queue) and self._permitted_queue == queue

    def wait_for_permission(self, queue: str, should_stop: Callable[[], bool]) -> bool:
        """Wait until the files of this queue may be processed; return False if stopped first."""
        while not self.is_permitted(queue):
            if should_stop():
                return False
            pause(STOP_CHECK_SECONDS, should_stop)
        return True

    # --- priority

    @property
    def has_priorities(self) -> bool:
        """Whether any file is prioritized."""
        return bool(self._priorities)

    def prioritize(self, keys: Iterable[int]) -> bool:
        """Start these files before all others, in this order, and before those prioritized earlier.

        Returns:
            False if this program has no consumer that can do so.
        """
        with self._lock:
            if not self._serving:
                return False
            chosen = dict.fromkeys(keys)
            self._priorities = deque([*chosen, *(key for key in self._priorities if key not in chosen)])
            return True

    def take_priorities(self, limit: int) -> list[int]:
        """Remove and return the keys of the next files, at most `limit`."""
        with self._lock:
            return [self._priorities.popleft() for _ in range(min(limit, len(self._priorities)))]

    def return_priorities(self, keys: Iterable[int]) -> None:
        """Put back files that could not be started yet."""
        with self._lock:
            self._priorities.extendleft(reversed(list(keys)))

    # --- now

    def wake_sender(self) -> None:
        """Tell the sender that there is something to send."""
        self._to_send.set()

    def try_now(self) -> None:
        """Send, receive and run the periodic tasks now, even during a backoff."""
        self._check_now.set()
        self._to_send.set()
        self._receive_now.set()

    def wait_to_send(self, seconds: float, should_stop: Callable[[], bool]) -> bool:
        """Wait until there is something to send, the time is over, or stopped; return True if there is something."""
        return wait_for(self._to_send, seconds, should_stop)

    def wait_to_receive(self, seconds: float, should_stop: Callable[[], bool]) -> bool:
        """Wait before receiving again: for a time, until stopped, or until `try_now`, which returns True."""
        return wait_for(self._receive_now, seconds, should_stop)

    def take_check_request(self) -> bool:
        """Return whether the periodic tasks were requested since the last call."""
        is_asked = self._check_now.is_set()
        self._check_now.clear()
        return is_asked


OFF_TEXT = Sentence(
    "Files are sent to this queue, but not yet processed on this computer. Allow it if only Filemill uses the queue: "
    "each receive of another program's message counts as a delivery attempt for it."
)


class PermissionGate:
    """A loop that starts once its queue is permitted. `run` in one thread.

    Args:
        loop: The loop to run.
        control: Grants the permission.
        queue: The queue's key.
        report: Called with the state of waiting for permission.
    """

    def __init__(
        self, loop: Loop, control: ProcessingControl, report: Callable[[LoopState], None], *, queue: str
    ) -> None:
        self._loop = loop
        self._control = control
        self._queue = queue
        self._report = report

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Wait for the permission, then run the loop, until stopped."""
        if not self._control.is_permitted(self._queue):
            self._report(LoopState(Phase.OFF, OFF_TEXT))
        if self._control.wait_for_permission(self._queue, should_stop):
            self._loop.run(should_stop)
        else:
            self._report(LoopState(Phase.STOPPED))
