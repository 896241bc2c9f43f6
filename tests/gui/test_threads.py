from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import StoreError
from desktop_app.gui.connection.controller import ConsumerThread, LoopThread, SenderThread
from desktop_app.services.loops import LoopState, Phase, StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot


class FakeLoop:
    """A loop that reports a state, and then runs until it is stopped or raises the given exception."""

    def __init__(self, report: Callable[[LoopState], None], error: Exception | None = None) -> None:
        self._report = report
        self._error = error
        self.thread = threading.get_ident()

    def run(self, stop: StopRequest) -> None:
        self._report(LoopState(Phase.RUNNING))
        if self._error is not None:
            raise self._error
        stop.wait(60)
        self._report(LoopState(Phase.STOPPED))


def test_states_are_received_in_order_in_the_main_thread(qtbot: QtBot) -> None:
    seen: list[tuple[Phase, int]] = []
    thread = ConsumerThread(FakeLoop)
    thread.state_changed.connect(lambda state: seen.append((state.phase, threading.get_ident())))
    with qtbot.waitSignal(thread.state_changed):
        thread.start()
    with qtbot.waitSignal(thread.finished):
        thread.requestInterruption()
    main = threading.get_ident()
    qtbot.waitUntil(lambda: seen == [(Phase.RUNNING, main), (Phase.STOPPED, main)])


def test_loop_is_built_in_its_own_thread(qtbot: QtBot) -> None:
    built: list[FakeLoop] = []

    def build(report: Callable[[LoopState], None]) -> FakeLoop:
        built.append(FakeLoop(report))
        return built[0]

    thread = SenderThread(build)
    with qtbot.waitSignal(thread.state_changed):
        thread.start()
    thread.requestInterruption()
    assert thread.wait(3000)
    assert built[0].thread != threading.get_ident()


@pytest.mark.expected_log("SenderThread ended: The database is gone.")
def test_known_error_that_ends_the_loop_is_reported_with_its_text(qtbot: QtBot) -> None:
    thread = SenderThread(lambda report: FakeLoop(report, StoreError("The database is gone.")))
    with qtbot.waitSignal(thread.failed) as failed:
        thread.start()
    assert failed.args is not None
    text, error = failed.args
    assert text == "The database is gone."
    assert isinstance(error, StoreError)
    assert thread.wait(3000)


@pytest.mark.expected_log("ConsumerThread ended", "ERROR")
def test_bug_that_ends_the_loop_is_logged_and_reported(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    thread = ConsumerThread(lambda report: FakeLoop(report, ZeroDivisionError("oops")))
    with qtbot.waitSignal(thread.failed) as failed:
        thread.start()
    assert failed.args == ["Processing has stopped because of an error in Filemill. See the log for details.", None]
    assert thread.wait(3000)
    assert "oops" in caplog.text


def test_thread_can_be_restarted_after_it_has_ended(qtbot: QtBot) -> None:
    thread = LoopThread(FakeLoop)
    for _ in range(2):
        with qtbot.waitSignal(thread.state_changed):
            thread.start()
        with qtbot.waitSignal(thread.finished):
            thread.requestInterruption()


def test_class_docstrings_list_the_signals() -> None:
    assert "state_changed(LoopState)" in (LoopThread.__doc__ or "")
    assert "failed(str, object)" in (LoopThread.__doc__ or "")
