from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QThread, Signal

from desktop_app.gui.connection.controller import ConsumerThread, SenderThread
from desktop_app.gui.startup import shutdown
from desktop_app.gui.startup.shutdown import Shutdown, Step, thread_step
from desktop_app.gui.startup.stop_signals import QtStopSignals
from desktop_app.services.loops import LoopState, Phase
from desktop_app.window_app import RunningWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory


class Recorder:
    """Steps that end when they are released."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.ended: set[str] = set()

    def step(self, name: str) -> Step:
        return Step(name, lambda: self.events.append(name), lambda: name in self.ended)


def test_steps_follow_each_other(qtbot: QtBot) -> None:
    recorder = Recorder()
    ending = Shutdown([recorder.step("a"), recorder.step("b")])
    ending.begin()
    ending.begin()
    assert recorder.events == ["a"]
    with qtbot.waitSignal(ending.finished) as over:
        recorder.ended.add("a")
        qtbot.waitUntil(lambda: recorder.events == ["a", "b"])
        recorder.ended.add("b")
    assert over.args == [[]]


def test_step_that_hangs_does_not_block_the_others(qtbot: QtBot) -> None:
    recorder = Recorder()
    recorder.ended.add("b")
    ending = Shutdown([recorder.step("a"), recorder.step("b"), recorder.step("c")], deadline_ms=30)
    with qtbot.waitSignal(ending.finished) as over:
        ending.begin()
    assert recorder.events == ["a", "b", "c"]
    assert over.args == [["a", "c"]]


def test_whole_shutdown_is_bounded() -> None:
    assert shutdown.DEADLINE_MS == 12_000


def test_thread_is_interrupted_and_never_terminated(qtbot: QtBot) -> None:
    class Waiter(QThread):
        def run(self) -> None:
            while not self.isInterruptionRequested():
                self.msleep(1)

    thread = Waiter()
    thread.start()
    ending = Shutdown([thread_step(thread)])
    with qtbot.waitSignal(ending.finished) as over:
        ending.begin()
    assert over.args == [[]]
    assert thread.isFinished()


class LoopLog:
    """Makes loops that record when they end."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.hang = threading.Event()

    def loop(self, name: str, *, hangs: bool = False) -> Callable[[Callable[[LoopState], None]], LoggedLoop]:
        return lambda report: LoggedLoop(self, name, report, hangs=hangs)


class LoggedLoop:
    def __init__(self, log: LoopLog, name: str, report: Callable[[LoopState], None], *, hangs: bool) -> None:
        self._log = log
        self._name = name
        self._report = report
        self._hangs = hangs

    def run(self, should_stop: Callable[[], bool]) -> None:
        self._report(LoopState(Phase.RUNNING))
        tick = threading.Event()
        while not should_stop():
            tick.wait(0.002)
        if self._hangs:
            self._log.hang.wait(10)
        self._log.events.append(self._name)


def started(
    windows: WindowFactory, log: LoopLog, qtbot: QtBot, *, deadline_ms: int = shutdown.DEADLINE_MS
) -> tuple[RunningWindow, tuple[ConsumerThread, SenderThread]]:
    """Start a window whose consumer thread hangs at its end until it is released."""
    threads = ConsumerThread(log.loop("consumer", hangs=True)), SenderThread(log.loop("sender"))
    running = RunningWindow(
        windows.open(),
        windows.controller(),
        begin=lambda: None,
        steps=[thread_step(thread) for thread in threads],
        close_rest=lambda: log.events.append("rest"),
        deadline_ms=deadline_ms,
    )
    for thread in threads:
        with qtbot.waitSignal(thread.state_changed):
            thread.start()
    return running, threads


@pytest.mark.parametrize("again", [1, 2])
def test_closing_hides_the_window_at_once_and_ends_consumer_then_sender_then_the_rest(
    windows: WindowFactory, qtbot: QtBot, again: int
) -> None:
    log = LoopLog()
    running, _ = started(windows, log, qtbot)
    window = running.window
    with qtbot.waitSignal(running.ended):
        for _ in range(again):
            window.close()
        assert not window.isVisible()
        assert log.events == []  # the window does not wait for the consumer
        log.hang.set()
    assert log.events == ["consumer", "sender", "rest"]
    assert running.left_over == []


def test_thread_that_hangs_is_abandoned_and_logged(windows: WindowFactory, qtbot: QtBot) -> None:
    log = LoopLog()
    running, threads = started(windows, log, qtbot, deadline_ms=50)
    with qtbot.waitSignal(running.ended):
        running.window.close()
    assert "ConsumerThread" in running.left_over
    assert "rest" in log.events
    log.hang.set()
    assert all(thread.wait(3000) for thread in threads)


def test_start_shows_the_window_and_adds_named_files(windows: WindowFactory, qtbot: QtBot, tmp_path: object) -> None:
    log = LoopLog()
    window = windows.open()
    consumer = ConsumerThread(log.loop("consumer"))
    running = RunningWindow(
        window,
        windows.controller(),
        begin=consumer.start,
        steps=[thread_step(consumer)],
        close_rest=lambda: log.events.append("rest"),
    )
    with qtbot.waitSignal(consumer.state_changed):
        running.start([str(tmp_path)])
    qtbot.waitUntil(lambda: windows.controller().model.rowCount() > 0)
    with qtbot.waitSignal(running.ended):
        window.close()
    assert log.events == ["consumer", "rest"]


def test_signal_before_the_event_loop_is_handled_in_it(qtbot: QtBot) -> None:
    signals = QtStopSignals()
    os.kill(os.getpid(), signal.SIGTERM)
    assert signals.is_set()
    assert signals.is_set()  # however often it is called
    signals.close()
    signals = QtStopSignals()
    assert not signals.is_set()
    os.kill(os.getpid(), signal.SIGTERM)
    with qtbot.waitCallback() as called:
        signals.connect(called)
    signals.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_of_the_system_reach_the_event_loop(qtbot: QtBot, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    signals = QtStopSignals()
    with qtbot.waitCallback() as called:
        signals.connect(called)
        os.kill(os.getpid(), number)
    assert signals.is_set()
    signals.close()
    assert signal.getsignal(number) is before


def test_ignored_signal_stays_ignored(qapp: object) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    signals = QtStopSignals()
    during = signal.getsignal(signal.SIGHUP)
    signals.close()
    signal.signal(signal.SIGHUP, before)
    assert during is signal.SIG_IGN


def test_other_signals_do_not_stop_the_program(qtbot: QtBot) -> None:
    class Heard(QObject):
        usr1 = Signal()

    heard = Heard()
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.usr1.emit())
    signals = QtStopSignals()
    asked: list[bool] = []
    signals.connect(lambda: asked.append(True))
    with qtbot.waitSignal(heard.usr1):
        os.kill(os.getpid(), signal.SIGUSR1)
    qtbot.wait(1)
    is_set = signals.is_set()
    signals.close()
    signal.signal(signal.SIGUSR1, before)
    assert not is_set
    assert asked == []
