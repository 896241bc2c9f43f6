"""Calls on threads of their own: the result, any exception, and the thread."""

from __future__ import annotations

import threading

import pytest

from desktop_app.domain.background import in_background


def test_result_is_returned_from_a_daemon_thread_with_the_name() -> None:
    def work() -> tuple[str, bool]:
        thread = threading.current_thread()
        return thread.name, thread.daemon

    assert in_background(work, "queue").result(10) == ("queue", True)


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_whoever_waits_gets_any_exception(kind: type[BaseException]) -> None:
    def work() -> None:
        raise kind("no")

    assert isinstance(in_background(work, "queue").exception(10), kind)
