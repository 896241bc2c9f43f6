"""Calls to the queue that Ctrl+C stops at once, even while the operating system resolves the name of a server."""

from __future__ import annotations

import math
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING, TypeVar

from desktop_app.domain.background import in_background

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.services.stop_signals import StopSignals
    from desktop_app.store.database import Database

Result = TypeVar("Result")

INTERRUPT_SECONDS = 3.0
"""More time than it takes to end a program that provides credentials, with its children."""
_LOOK_SECONDS = 0.01


def result_of(
    call: Callable[[], Result],
    database: Database,
    interrupt: Callable[[], None],
    stop: StopSignals,
    seconds: float = math.inf,
) -> Result | None:
    """Call a function on another thread; return its result, or None after a stop or a given time.

    Args:
        call: The function, which can use the database.
        database: The database.
        interrupt: Called after a stop or the given time, to make the function return soon.
        stop: The stop signals.
        seconds: The given time in seconds.

    Raises:
        BaseException: The exception that the function raised, if any.
    """

    def run() -> Result:
        with database.session():
            return call()

    answer = in_background(run, "queue")
    end = time.monotonic() + seconds
    while not answer.done() and time.monotonic() < end and stop.pause(_LOOK_SECONDS):
        pass
    if not answer.done():
        interrupt()
        wait([answer], INTERRUPT_SECONDS)
        return None
    return answer.result()
