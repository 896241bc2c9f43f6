from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QThread, QTimer, Signal

from desktop_app import bootstrap
from desktop_app.gui.connection.controller import ConsumerThread, SenderThread
from desktop_app.gui.startup import shutdown
from desktop_app.gui.startup.shutdown import Shutdown, Step, run_steps, thread_step
from desktop_app.gui.startup.stop_signals import QtStopSignals
from desktop_app.gui.window import list_controller
from desktop_app.services.loops import LoopState, Phase, StopRequest
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

    def step(self, name: str, deadline_ms: int = 60_000) -> Step:
        return Step(name, lambda: self.events.append(name), lambda: name in self.ended, deadline_ms)


def test_steps_run_at_the_same_time(qtbot: QtBot) -> None:
    recorder = Recorder()
    ending = Shutdown([recorder.step("a"), recorder.step("b")])
    ending.begin()
    ending.begin()
    assert recorder.events == ["a", "b"]
    with qtbot.waitSignal(ending.finished) as over:
        recorder.ended |= {"b", "a"}
    assert over.args == [[]]


def test_step_that_hangs_is_left_after_its_deadline_while_another_may_take_longer(qtbot: QtBot) -> None:
    recorder = Recorder()
    ending = Shutdown([recorder.step("hangs", 0), recorder.step("writes", 60_000), recorder.step("hangs too", 1)])
    over: list[list[str]] = []
    ending.finished.connect(over.append)
    ending.begin()
    QTimer.singleShot(50, lambda: recorder.ended.add("writes"))
    qtbot.waitUntil(lambda: over != [])
    assert "writes" in recorder.ended
    assert over == [["hangs", "hangs too"]]


@pytest.mark.parametrize("ends", [True, False])
def test_shutdown_without_an_event_loop(ends: bool) -> None:
    recorder = Recorder()
    if ends:
        recorder.ended.add("a")
    assert run_steps([recorder.step("a", 1)]) == ([] if ends else ["a"])
    assert recorder.events == ["a"]


def test_quitting_takes_at_most_a_second_unless_changes_are_being_written() -> None:
    assert shutdown.LOOPS_MS <= 1_000 - 4 * list_controller.CLOSE_MS
    assert shutdown.WRITES_MS == 12_000
    assert 3 * bootstrap.QUICK_SECONDS * 1_000 < shutdown.LOOPS_MS


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

    def run(self, stop: StopRequest) -> None:
        self._report(LoopState(Phase.RUNNING))
        stop.wait(60)
        if self._hangs:
            self._log.hang.wait(10)
        self._log.events.append(self._name)


def started(
    windows: WindowFactory, log: LoopLog, qtbot: QtBot, deadline_ms: int = 60_000
) -> tuple[RunningWindow, tuple[ConsumerThread, SenderThread]]:
    """Start a window whose consumer thread hangs at its end until it is released."""
    threads = ConsumerThread(log.loop("consumer", hangs=True)), SenderThread(log.loop("sender"))
    running = RunningWindow(
        windows.open(),
        windows.controller(),
        begin=lambda: None,
        steps=[thread_step(thread, deadline_ms) for thread in threads],
        close_rest=lambda: log.events.append("rest"),
    )
    for thread in threads:
        with qtbot.waitSignal(thread.state_changed):
            thread.start()
    return running, threads


@pytest.mark.parametrize("again", [1, 2])
def test_closing_hides_the_window_at_once_and_ends_the_loops_before_the_rest(
    windows: WindowFactory, qtbot: QtBot, again: int
) -> None:
    log = LoopLog()
    running, _ = started(windows, log, qtbot)
    window = running.window
    with qtbot.waitSignal(running.ended):
        for _ in range(again):
            window.close()
        assert not window.isVisible()
        qtbot.waitUntil(lambda: log.events == ["sender"])  # which does not wait for the consumer
        log.hang.set()
    assert log.events == ["sender", "consumer", "rest"]
    assert running.left_over == []


def test_thread_that_hangs_is_abandoned(windows: WindowFactory, qtbot: QtBot) -> None:
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


def test_process_ends_at_once_with_its_output_and_code() -> None:
    code = (
        "import atexit; atexit.register(print, 'late')\n"
        "from PySide6.QtCore import QCoreApplication\n"
        "from desktop_app.gui.startup.shutdown import end_process\n"
        "application = QCoreApplication([])\n"
        "application.destroyed.connect(lambda: print('cleaned up'))\n"
        "print('said')\n"
        "end_process(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (3, "said\ncleaned up\n", "")
