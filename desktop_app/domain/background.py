"""Calls on threads that do not keep the program from exiting."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


def in_background(work: Callable[[], Result], name: str) -> Future[Result]:
    """Call a function on a daemon thread of its own, and return the future that gets its result or its exception.

    Args:
        work: The function. It can't be interrupted, so it must do no harm if nobody waits for it any more.
        name: The name of the thread.
    """
    result: Future[Result] = Future()

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - raised again by the future
            result.set_exception(error)
        else:
            result.set_result(value)

    threading.Thread(target=run, name=name, daemon=True).start()
    return result
