"""Small tools that many tests share; import them as `from tests.helpers import wait_until`."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.005


def wait_until(condition: Callable[[], object], timeout: float = 5.0, what: str = "") -> None:
    """Wait for other threads or processes to make a condition true; tests with Qt use `qtbot.waitUntil`.

    Args:
        condition: Asked every 5 ms, on the calling thread; true once it returns something true.
        timeout: Seconds after which the test fails.
        what: Said when it fails; the condition's own name if empty.

    Raises:
        AssertionError: If the condition did not become true in time.
    """
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            wanted = what or getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"not within {timeout} s: {wanted}")
        pause.wait(_POLL_SECONDS)
