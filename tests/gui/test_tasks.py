from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QObject, QTimer
from shiboken6 import delete

from desktop_app.domain.errors import StoreError
from desktop_app.gui.tasks import CoalescedTask, Tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot


class Sessions:
    """Counts opened and closed sessions."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.opened += 1
        try:
            yield
        finally:
            self.closed += 1


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def tasks(sessions: Sessions) -> Iterator[Tasks]:
    made = Tasks(sessions, threads=1)
    yield made
    assert made.close(2000)


def test_work_runs_on_another_thread_and_its_callback_on_the_main_thread(
    tasks: Tasks, sessions: Sessions, qtbot: QtBot
) -> None:
    got: list[Any] = []
    tasks.run(threading.get_ident, lambda ident: got.extend((ident, threading.get_ident())))
    assert tasks.busy
    qtbot.waitUntil(lambda: bool(got))
    assert got[0] != got[1] == threading.get_ident()
    assert sessions.opened == sessions.closed == 1
    assert not tasks.busy


def test_one_thread_keeps_the_order(tasks: Tasks, qtbot: QtBot) -> None:
    got: list[int] = []
    for number in range(20):
        tasks.run(lambda number=number: number, got.append)  # type: ignore[misc]
    qtbot.waitUntil(lambda: len(got) == 20)
    assert got == list(range(20))


def test_known_error_is_passed_to_its_callback(tasks: Tasks, qtbot: QtBot) -> None:
    heard: list[str] = []
    tasks.run(_refuse, lambda _: None, lambda error: heard.append(error.text))
    qtbot.waitUntil(lambda: heard == ["No disk."])


@pytest.mark.expected_log("No disk.")
def test_known_error_without_a_callback_is_emitted(tasks: Tasks, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tasks.problem) as said:
        tasks.run(_refuse, lambda _: None)
    assert said.args == ["No disk."]


def _refuse() -> None:
    raise StoreError("No disk.")


def test_bug_reaches_the_excepthook_on_the_main_thread(
    tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: caught.extend((kind, threading.get_ident())))
    tasks.run(lambda: 1 // 0, lambda _: None)
    qtbot.waitUntil(lambda: bool(caught))
    assert caught == [ZeroDivisionError, threading.get_ident()]


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("work", [int, partial(fail, StoreError("busy")), partial(fail, ZeroDivisionError("bug"))])
def test_callbacks_of_a_deleted_object_are_not_called(
    work: Callable[[], object], tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bugs: list[type] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, _error, _trace: bugs.append(kind))
    called: list[str] = []

    class Dialog(QObject):
        def note(self, *_: object) -> None:
            called.append(self.objectName())

    dialog = Dialog()
    tasks.run(work, dialog.note, partial(dialog.note, 1), partial(dialog.note, 2))
    delete(dialog)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert called == []
    assert set(bugs) <= {ZeroDivisionError}


def test_closed_tasks_run_and_deliver_nothing(sessions: Sessions) -> None:
    tasks = Tasks(sessions, threads=1)
    begun, go_on = threading.Event(), threading.Event()
    got: list[object] = []

    def work() -> None:
        begun.set()
        go_on.wait(5)

    tasks.run(work, got.append)
    tasks.run(lambda: got.append("never"), got.append)
    assert begun.wait(5)
    assert not tasks.close(0)
    go_on.set()
    assert tasks.close(2000)
    tasks.run(lambda: got.append("never"), got.append)
    assert tasks.close(2000)
    assert got == []


class Reading:
    """A task that waits until it is released and returns its number."""

    def __init__(self) -> None:
        self.begun = 0
        self.let_go = threading.Semaphore(0)

    def prepare(self) -> Callable[[], int]:
        self.begun += 1
        return partial(self._wait, self.begun)

    def _wait(self, number: int) -> int:
        assert self.let_go.acquire(timeout=5)
        return number


@pytest.fixture
def reading() -> Reading:
    return Reading()


def results_of(task: CoalescedTask) -> list[object]:
    got: list[object] = []
    task.result.connect(got.append)
    return got


def test_requests_during_a_run_are_combined(tasks: Tasks, reading: Reading, qtbot: QtBot) -> None:
    task = CoalescedTask(reading.prepare, tasks, rest=0)
    got = results_of(task)
    for _ in range(5):
        task.request()
    assert (reading.begun, task.is_running) == (1, True)
    reading.let_go.release(2)
    qtbot.waitUntil(lambda: got == [1, 2])
    assert (reading.begun, task.is_running) == (2, False)


def test_rest_is_a_multiple_of_the_duration(tasks: Tasks, qtbot: QtBot) -> None:
    task = CoalescedTask(lambda: lambda: time.sleep(0.02), tasks, rest=1_000)
    with qtbot.waitSignal(task.result):
        task.request()
    got = results_of(task)
    task.request()
    assert not task.is_running
    with qtbot.waitSignal(task.result):
        task.restart()
    assert len(got) == 1, "restarting does not rest"


def test_waiting_for_a_thread_does_not_lengthen_the_rest(sessions: Sessions, reading: Reading, qtbot: QtBot) -> None:
    tasks = Tasks(sessions, threads=1)
    occupying, quick = CoalescedTask(reading.prepare, tasks), CoalescedTask(lambda: lambda: None, tasks, rest=1_000_000)
    got = results_of(quick)
    occupying.request()
    quick.request()
    QTimer.singleShot(50, partial(reading.let_go.release, 1))
    with qtbot.waitSignal(quick.result):
        pass
    quick.request()
    qtbot.waitUntil(lambda: len(got) == 2)
    assert tasks.close(2000)


def test_restart_discards_the_result_of_the_current_run(tasks: Tasks, reading: Reading, qtbot: QtBot) -> None:
    task = CoalescedTask(reading.prepare, tasks)
    got = results_of(task)
    task.request()
    task.restart()
    assert reading.begun == 1, "one at a time"
    reading.let_go.release(2)
    qtbot.waitUntil(lambda: got == [2])


def test_overlapping_run_does_not_wait_for_the_current_one(sessions: Sessions, reading: Reading, qtbot: QtBot) -> None:
    tasks = Tasks(sessions, threads=2)
    task = CoalescedTask(reading.prepare, tasks, overlaps=True)
    got = results_of(task)
    task.request()
    task.restart()
    assert reading.begun == 2
    reading.let_go.release(2)
    qtbot.waitUntil(lambda: got == [2])
    assert tasks.close(2000)


def test_run_is_skipped_if_there_is_nothing_to_do(tasks: Tasks) -> None:
    task = CoalescedTask(lambda: None, tasks)
    task.request()
    task.restart()
    assert not task.is_running
    assert not tasks.busy


def test_failed_run_emits_its_error_and_allows_the_next_run(tasks: Tasks, qtbot: QtBot) -> None:
    task = CoalescedTask(lambda: _refuse, tasks)
    for _ in range(2):
        with qtbot.waitSignal(task.failed) as failed:
            task.request()
        assert str(failed.args[0]) == "No disk."


def test_task_rests_after_a_short_run_unless_it_is_restarted(tasks: Tasks, qtbot: QtBot) -> None:
    task = CoalescedTask(lambda: lambda: "done", tasks, least_rest_ms=600_000)
    with qtbot.waitSignal(task.result):
        task.request()
    task.request()
    assert not task.is_running
    with qtbot.waitSignal(task.result):
        task.restart()
