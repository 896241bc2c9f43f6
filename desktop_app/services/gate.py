"""Keeps a consumer from a queue until a person has allowed it.

A queue that Filemill did not make may be another program's, and each look at its messages is a delivery attempt that
counts against them. Sending to it does no such harm, so only the consumer waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.sentences import Sentence
from desktop_app.services.loop import wait_for
from desktop_app.services.state import LoopState, Phase

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from desktop_app.services.loop import Loop

OFF_TEXT = Sentence(
    "Files are sent to this queue, but none are processed on this computer yet. Allow it if the queue is only for "
    "Filemill: each look at another program's messages counts as a delivery attempt for them."
)
_LOOK_SECONDS = 60.0


class GatedLoop:
    """A loop that begins when it is allowed. `run` in one thread.

    Args:
        loop: What runs then.
        allowed: Set when a person has allowed it, by any thread.
        report: Told that it waits for that.
    """

    def __init__(self, loop: Loop, allowed: Event, report: Callable[[LoopState], None]) -> None:
        self._loop = loop
        self._allowed = allowed
        self._report = report

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Wait for the permission, then run the loop, until stopped."""
        if not self._allowed.is_set():
            self._report(LoopState(Phase.OFF, OFF_TEXT))
        while not self._allowed.is_set():
            if should_stop():
                self._report(LoopState(Phase.STOPPED))
                return
            wait_for(self._allowed, _LOOK_SECONDS, should_stop, clear=False)
        self._loop.run(should_stop)
