"""The long poll: receive only as many messages as can start soon."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueError
from desktop_app.queues.messages import MAX_ENTRIES
from desktop_app.services.loops import Backoff, pause, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.queues.messages import Received
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.loops import StateReporter


log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 240.0
"""AWS repeats a response for five minutes; one minute less, so that no repetition is too late."""
AT_ONCE_SECONDS = 0.05
NO_WAIT_PAUSE_SECONDS = 0.5


class Receiver:
    """The receiving loop. `run` in a thread of its own, which may outlast a stop by one poll.

    A poll can't be cancelled, and closing its connection would strand the messages that SQS has already assigned to it.
    So at a stop the poll ends by itself, and the messages it still receives are released at once, in order.

    Args:
        connector: Connects to the queue.
        room: Returns how many more messages can be accepted now.
        deliver: Accepts received messages and the end of their visibility by the steady clock; returns quickly.
        state: Reports whether the queue responds.
        clock: The clock.
        visibility_s: The visibility timeout of received messages.
        wait_s: The wait time of a poll; 0 polls every `NO_WAIT_PAUSE_SECONDS`.
        control: Ends a backoff when the user wants to try again now.
    """

    def __init__(
        self,
        connector: QueueConnector,
        *,
        room: Callable[[], int],
        deliver: Callable[[list[Received], float], None],
        state: StateReporter,
        clock: Clock,
        visibility_s: int,
        wait_s: int,
        control: ProcessingControl,
        backoff: Backoff | None = None,
    ) -> None:
        self._connector = connector
        self._room = room
        self._deliver = deliver
        self._state = state
        self._clock = clock
        self._visibility_s = visibility_s
        self._wait_s = wait_s
        self._backoff = backoff or Backoff()
        self._attempt_id = ""
        self._attempted_at = 0.0
        self._control = control
        self.has_room = threading.Event()
        """Set when there may be room again."""

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Receive until stopped. Known errors are retried with backoff and never end the loop."""
        while not should_stop():
            limit = min(MAX_ENTRIES, self._room())
            if limit <= 0:
                wait_for(self.has_room, 1.0, should_stop)
                continue
            try:
                self._poll(limit, should_stop)
            except QueueError as error:
                if error.trouble.needs_reconnect:
                    self._connector.reset()
                if not should_stop():
                    self._control.wait_to_receive(self._state.waiting(error, self._backoff), should_stop)

    def _poll(self, limit: int, should_stop: Callable[[], bool]) -> None:
        client = self._connector.connect()
        if not self._backoff.tries:
            self._state.running()
        # After an error, do not wait in the poll, so that recovery shows at once.
        wait_s = 0 if self._backoff.tries else self._wait_s
        asked = self._clock.steady()
        messages = client.receive(
            limit=limit, wait_s=wait_s, visibility_s=self._visibility_s, attempt_id=self._attempt()
        )
        self._attempt_id = ""
        self._backoff.reset()
        if should_stop():
            self._release(client, messages)
            return
        self._state.running()
        took = self._clock.steady() - asked
        if not messages and took < AT_ONCE_SECONDS and wait_s == self._wait_s:
            # A server that does not support long polls, or is not asked to wait, must not make this loop spin.
            pause(NO_WAIT_PAUSE_SECONDS, should_stop)
        if messages:
            # The timeout begins when SQS returns the message: at the latest at the end of the longest poll.
            handed_out = min(self._clock.steady(), asked + wait_s)
            self._deliver(messages, handed_out + self._visibility_s)

    def _attempt(self) -> str:
        """Return the id of this logical poll, which its repetitions share as long as AWS remembers it."""
        now = self._clock.steady()
        if not self._attempt_id or now - self._attempted_at > ATTEMPT_SECONDS:
            self._attempt_id = str(uuid.uuid4())
            self._attempted_at = now
        return self._attempt_id

    def _release(self, client: QueueClient, messages: list[Received]) -> None:
        if not messages:
            return
        try:
            client.change_visibility([(message.receipt_handle, 0) for message in messages])
        except QueueError as error:
            log.info("%d messages stay hidden until their timeout: %s", len(messages), error.text)
