"""The receiving loop, which receives only as many messages as can be processed soon."""

from __future__ import annotations

import itertools
import logging
import threading
import uuid
from typing import TYPE_CHECKING

from desktop_app.domain.errors import Cause, QueueError
from desktop_app.queues.messages import MAX_ENTRIES, Received
from desktop_app.services.loops import Backoff, ResponseTimes, StateReporter, StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.control import ProcessingControl


log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 240.0
"""How long a receive request attempt ID is reused: less than the five minutes for which SQS accepts it."""
AT_ONCE_SECONDS = 0.05
NO_WAIT_PAUSE_SECONDS = 0.5
ROOM_SECONDS = 5.0
PARALLEL_WAIT_SECONDS = 1
"""The wait time of polls in parallel to another one: short, so that a single poll is left when the queue is empty."""
EMPTY_MS = 60_000
"""The maximum time between two empty polls which show that the queue was empty."""


class PollRecord:
    """What the polls of a receiver have shown about the queue. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._last_empty = 0
        self._empty_at = 0
        self._is_draining = False
        self._is_drained = False
        self._flows = False
        self._extra = 0

    def begin_extra(self, room: int) -> bool:
        """Return whether to poll in parallel to another poll; if so, `end_extra` must be called after the poll.

        Args:
            room: The number of messages that can be accepted, without those of polls in progress.
        """
        with self._lock:
            is_needed = self._flows and not self._is_draining and room >= MAX_ENTRIES * (2 + self._extra)
            self._extra += is_needed
            return is_needed

    def end_extra(self, received: int) -> None:
        """Record a poll that `begin_extra` has allowed, and the number of messages that it received."""
        with self._lock:
            self._extra -= 1
            self._received += received
            self._flows = received == MAX_ENTRIES

    @property
    def flows(self) -> bool:
        """Whether the last poll has received as many messages as a poll can receive."""
        return self._flows

    def note(self, asked_ms: int, received: int) -> None:
        """Record a poll.

        Args:
            asked_ms: When the poll began, in milliseconds since 1970.
            received: The number of messages that it received.
        """
        with self._lock:
            self._received += received
            self._flows = received == MAX_ENTRIES
            if received or self._extra:
                return
            # Only two empty polls count, since a single one can be a fault of the server. They need not be in a row:
            # foreign messages become visible again between two long polls.
            if asked_ms - self._last_empty <= EMPTY_MS:
                self._empty_at = self._last_empty
            self._last_empty = asked_ms
            self._is_drained = self._is_draining

    def take(self) -> tuple[int, int]:
        """Return the number of messages received since the last call, and when the queue was empty; 0 if it was not."""
        with self._lock:
            taken = self._received, self._empty_at
            self._received = self._empty_at = 0
            return taken

    def drain(self, *, is_wanted: bool = True) -> None:
        """Make the next empty poll the last one, or undo this."""
        with self._lock:
            self._is_draining, self._is_drained = is_wanted, False

    @property
    def is_draining(self) -> bool:
        """Whether the next empty poll is, or was, the last one."""
        return self._is_draining

    @property
    def is_drained(self) -> bool:
        """Whether a poll has been empty since `drain` was called."""
        return self._is_drained


class Receiver:
    """Receives messages with long polls. Call `run` on a separate thread; it returns only after the current poll.

    A poll can't be cancelled, and if its connection were closed, the messages that SQS has already assigned to it would
    stay hidden until their visibility timeout ends. Therefore a poll is never interrupted. The messages that it
    receives after a stop request are released immediately, in order.

    Args:
        connector: The connector for the queue.
        room: A function that returns the number of messages that can be accepted now; the number can be negative.
        pause_s: A function that returns the time to wait before the next receive, in seconds.
        deliver: Called with received messages and the end of their visibility timeout in seconds of the steady clock;
            must return quickly.
        before_poll: Called before each poll of `run`, on its thread.
        state: The reporter of the loop's state.
        clock: The clock.
        visibility_s: The visibility timeout of received messages in seconds.
        wait_s: The wait time of a poll in seconds; if it is 0, the loop polls every `NO_WAIT_PAUSE_SECONDS`.
        control: The `ProcessingControl` that ends the wait after an error if the user wants to retry immediately.
        polls: The record of the polls.
        backoff: The wait times after errors.
    """

    def __init__(
        self,
        connector: QueueConnector,
        *,
        room: Callable[[], int],
        pause_s: Callable[[], float],
        deliver: Callable[[list[Received], float], None],
        state: StateReporter,
        clock: Clock,
        visibility_s: int,
        wait_s: int,
        control: ProcessingControl,
        polls: PollRecord,
        before_poll: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._connector = connector
        self._before_poll = before_poll
        self._room = room
        self._pause_s = pause_s
        self._deliver = deliver
        self._state = state
        self._clock = clock
        self._visibility_s = visibility_s
        self._wait_s = wait_s
        self._backoff = backoff or Backoff()
        self._name, self._numbers = uuid.uuid4(), itertools.count(1)
        self._attempt_id = ""
        self._attempted_at = 0.0
        self._control = control
        self._polls = polls
        self._times = ResponseTimes()
        self._has_room = threading.Event()
        self._may_assist = threading.Condition()

    def note_room(self) -> None:
        """Go on if `room` has increased. Any thread."""
        self._has_room.set()
        if self._polls.flows and self._times.are_long:
            self._wake_assistants()

    def _wake_assistants(self) -> None:
        with self._may_assist:
            self._may_assist.notify_all()

    def run(self, stop: StopRequest) -> None:
        """Receive until a stop is requested. After a queue error, try again with backoff."""
        while not stop.is_set():
            self._before_poll()
            limit = min(MAX_ENTRIES, self._room())
            if limit <= 0:
                stop.wait(ROOM_SECONDS, self._has_room)
                continue
            stop.wait(self._pause_s())
            try:
                self._poll(limit, stop)
            except QueueError as error:
                if error.cause is Cause.MALFORMED:
                    self._attempt_id = ""  # another attempt with the same ID would return the same messages
                if error.trouble.needs_reconnect:
                    self._connector.reset()
                if not stop.is_set():
                    self._control.wait_to_receive(self._state.waiting(error, self._backoff), stop)

    def _poll(self, limit: int, stop: StopRequest) -> None:
        client = self._connector.connect()
        if not self._backoff.tries:
            self._state.running()
        # After an error, poll without waiting, so that a success is reported immediately.
        wait_s = 0 if self._backoff.tries else self._wait_s
        asked, asked_ms = self._clock.steady(), self._clock.now_ms()
        messages = client.receive(
            limit=limit, wait_s=wait_s, visibility_s=self._visibility_s, attempt_id=self._attempt()
        )
        self._attempt_id = ""
        self._backoff.reset()
        if stop.is_set():
            self._release(client, messages)
            return
        if messages or wait_s:  # without waiting, SQS asks only some of its servers (AWS: short polling)
            self._polls.note(asked_ms, len(messages))
        self._state.running()
        took = self._clock.steady() - asked
        if len(messages) == MAX_ENTRIES:  # otherwise, it includes a wait
            self._times.note(took)
        if not messages and took < AT_ONCE_SECONDS and wait_s == self._wait_s:
            # Do not spin if the server does not support long polls, or `wait_s` is 0.
            stop.wait(NO_WAIT_PAUSE_SECONDS)
        if messages:
            # The timeout starts when SQS returns the messages, or at the latest when the wait time of the poll ends.
            handed_out = min(self._clock.steady(), asked + wait_s)
            self._deliver(messages, handed_out + self._visibility_s)

    def assist(self, stop: StopRequest) -> None:
        """Receive in parallel to `run` while more messages are waiting, until a stop is requested. On other threads."""
        with stop.waking(self._wake_assistants):
            while not stop.is_set():
                if self._times.are_long and self._polls.begin_extra(0 if self._pause_s() else self._room()):
                    received = 0
                    try:
                        received = self._poll_too(stop)
                    except QueueError as error:
                        log.debug("a parallel poll failed: %s", error.text)  # `run` reports what is wrong
                    finally:
                        self._polls.end_extra(received)
                    continue
                with self._may_assist:
                    if not stop.is_set():
                        stop.wait_for(self._may_assist)

    def _poll_too(self, stop: StopRequest) -> int:
        client = self._connector.connect()
        asked = self._clock.steady()
        messages = client.receive(limit=MAX_ENTRIES, wait_s=PARALLEL_WAIT_SECONDS, visibility_s=self._visibility_s)
        if stop.is_set():
            self._release(client, messages)
            return 0
        if messages:
            handed_out = min(self._clock.steady(), asked + PARALLEL_WAIT_SECONDS)
            self._deliver(messages, handed_out + self._visibility_s)
        return len(messages)

    def _attempt(self) -> str:
        """Return the receive request attempt ID, which retries after an error reuse for `ATTEMPT_SECONDS`."""
        now = self._clock.steady()
        if not self._attempt_id or now - self._attempted_at > ATTEMPT_SECONDS:
            self._attempt_id = f"{self._name}-{next(self._numbers)}"
            self._attempted_at = now
        return self._attempt_id

    def _release(self, client: QueueClient, messages: list[Received]) -> None:
        if not messages:
            return
        try:
            client.change_visibility([(message.receipt_handle, 0) for message in messages])
        except QueueError as error:
            log.info("%d messages stay hidden until their timeout: %s", len(messages), error.text)
