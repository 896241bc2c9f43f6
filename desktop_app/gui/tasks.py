"""Runs short tasks off the main thread, such as reading the list, scanning folders and writing rows."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from itertools import count
from threading import Event
from typing import Any, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, QThreadPool, QTimer, Signal, Slot
from shiboken6 import isValid

from desktop_app.domain.errors import KnownError
from desktop_app.gui.i18n import translated

log = logging.getLogger(__name__)


Result = TypeVar("Result")

DatabaseSession = Callable[[], AbstractContextManager[None]]
"""Returns a context in which a thread can use the database. When it ends, the thread's connection is closed."""


class Tasks(QObject):
    """Runs functions on a thread pool and passes their results to callbacks on the thread of this object.

    Each function runs in a database session, so that no pool thread keeps a connection open. A result is discarded if
    its callback is a method of a `QObject`, such as a dialog, that has been deleted in the meantime.

    Signals:
        problem(str): The text of a `KnownError` raised by a function that was run without `on_problem`.

    Args:
        session: A function that opens a database session.
        threads: The number of threads. With a single thread, the functions run in order.
        parent: The parent.
    """

    problem = Signal(str)
    _ended = Signal(int, object, object)

    def __init__(self, session: DatabaseSession, *, threads: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._tokens = count(1)
        self._waiting: dict[int, tuple[Callable[[Any], None], Callable[[KnownError], None] | None, Callable[[], None]]]
        self._waiting = {}
        self._closed = False
        self._ended.connect(self._deliver)

    def run(
        self,
        work: Callable[[], Result],
        on_done: Callable[[Result], None],
        on_problem: Callable[[KnownError], None] | None = None,
        on_bug: Callable[[], None] = lambda: None,
    ) -> None:
        """Run a function on the pool, then call a callback on the thread of this object. Call this only on that thread.

        Args:
            work: The function. It must not use widgets.
            on_done: Called with the result of `work`. A method, or a `partial` of one, if it uses a `QObject`.
            on_problem: Called with a `KnownError` raised by `work`; if it is None, `problem` is emitted. Any other
                exception is a bug and is passed to `sys.excepthook`.
            on_bug: Called after a bug.
        """
        if self._closed:
            return
        token = next(self._tokens)
        self._waiting[token] = (on_done, on_problem, on_bug)
        self._pool.start(partial(self._perform, token, work))

    def _perform(self, token: int, work: Callable[[], object]) -> None:
        """Run a function on a thread of the pool."""
        value, error = None, None
        try:
            with self._session():
                value = work()
        except Exception as raised:  # noqa: BLE001 - handled on the thread of this object
            error = raised
        self._ended.emit(token, value, error)

    @property
    def busy(self) -> bool:
        """Return whether a task is waiting or running, or its callback has not been called yet."""
        return bool(self._waiting)

    def close(self, timeout_ms: int) -> bool:
        """Discard waiting tasks and all results, and ignore later calls to `run`.

        Args:
            timeout_ms: The time to wait for running tasks, in milliseconds.

        Returns:
            Whether all tasks have ended.
        """
        self._closed = True
        self._waiting.clear()
        self._pool.clear()
        return self._pool.waitForDone(timeout_ms)

    @Slot(int, object, object)
    def _deliver(self, token: int, value: object, error: BaseException | None) -> None:
        waiting = self._waiting.pop(token, None)
        if waiting is None:
            return
        on_done, on_problem, on_bug = waiting
        match error:
            case None:
                _call(on_done, value)
            case KnownError() if on_problem is not None:
                _call(on_problem, error)
            case KnownError():
                log.warning("%s", error.text)
                self.problem.emit(translated(error.text))
            case _:
                sys.excepthook(type(error), error, error.__traceback__)
                _call(on_bug)


def _call(callback: Callable[..., object], *values: object) -> None:
    """Call a callback unless it is a method of a `QObject` that has been deleted."""
    method = callback
    while isinstance(method, partial):
        method = method.func
    owner = getattr(method, "__self__", None)
    if not isinstance(owner, QObject) or isValid(owner):
        callback(*values)


Prepare = Callable[[], Callable[[], object] | None]


def _timed(work: Callable[[], object]) -> tuple[object, int]:
    """Run a function; return its result and its duration in milliseconds, without the time it waited for a thread."""
    timer = QElapsedTimer()
    timer.start()
    return work(), timer.elapsed()


class CoalescedTask(QObject):
    """Runs a task on request. Requests made during a run are combined into one.

    Each run is followed by a rest, whose duration is a multiple of the run's, so that a slow task does not keep the
    pool busy.

    Signals:
        result(object): The result of the latest run.
        failed(KnownError): The error of the latest run.

    Args:
        prepare: Called on the main thread before each run, to get the function to run, or None to skip the run.
        tasks: The pool.
        parent: The parent.
        rest: The duration of the rest, as a multiple of the run's duration.
        least_rest_ms: The shortest rest in milliseconds.
        overlaps: Whether `restart` starts the next run at once, even while another run is in progress.
    """

    result = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        prepare: Prepare,
        tasks: Tasks,
        parent: QObject | None = None,
        *,
        rest: int = 9,
        least_rest_ms: int = 0,
        overlaps: bool = False,
    ) -> None:
        super().__init__(parent)
        self._prepare = prepare
        self._tasks = tasks
        self._rest = rest
        self._least_rest_ms = least_rest_ms
        self._overlaps = overlaps
        self._newest = 0
        self._running: set[int] = set()
        self._next_ms: int | None = None  # the delay before the run that was requested during the current one
        self._took_ms = 0
        self._since_end = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._begin)

    @property
    def is_running(self) -> bool:
        """Return whether the latest run is in progress."""
        return self._newest in self._running

    def request(self, wait_ms: int = 0) -> None:
        """Run the task as soon as the current run, its rest and a delay are over.

        Args:
            wait_ms: The minimum delay in milliseconds. If there are several requests, the shortest delay counts.
        """
        if self._is_busy():
            self._next_ms = wait_ms if self._next_ms is None else min(wait_ms, self._next_ms)
            return
        rest = max(self._rest * self._took_ms, self._least_rest_ms)
        left = rest - self._since_end.elapsed() if self._since_end.isValid() else 0
        wait_ms = max(wait_ms, left)
        if wait_ms <= 0:
            self._begin()
        elif not self._timer.isActive() or wait_ms < self._timer.remainingTime():
            self._timer.start(wait_ms)

    def restart(self) -> None:
        """Discard the result of the current run, and run again without a rest."""
        self._newest += 1
        self._next_ms = None
        if self._is_busy():
            self._next_ms = 0
            self._since_end.invalidate()  # no rest
        else:
            self._begin()

    def _is_busy(self) -> bool:
        return self.is_running if self._overlaps else bool(self._running)

    @Slot()
    def _begin(self) -> None:
        self._timer.stop()
        work = self._prepare()
        if work is None:
            return
        self._newest += 1
        self._running.add(self._newest)
        number = self._newest
        self._tasks.run(
            partial(_timed, work), partial(self._end, number), partial(self._fail, number), partial(self._drop, number)
        )

    def _end(self, number: int, timed: tuple[object, int]) -> None:
        self._running.discard(number)
        if number == self._newest:
            value, self._took_ms = timed
            self._since_end.start()
            self.result.emit(value)
        self._run_requested()

    def _fail(self, number: int, error: KnownError) -> None:
        self._running.discard(number)
        if number == self._newest:
            self.failed.emit(error)
        self._run_requested()

    def _drop(self, number: int) -> None:
        """Forget a run that a bug has ended, so that later requests are still served."""
        self._running.discard(number)
        self._run_requested()

    def _run_requested(self) -> None:
        if self._next_ms is not None and not self._is_busy():
            wait_ms, self._next_ms = self._next_ms, None
            self.request(wait_ms)


class Stream(QObject):
    """Runs a task that yields several results. This object must outlive the receivers of its signals.

    Signals:
        result(object): A result of the current task.
        finished(): The task has yielded its last result.
        failed(KnownError): The task has failed.

    Args:
        tasks: The pool.
        parent: The parent.
    """

    result = Signal(object)
    finished = Signal()
    failed = Signal(object)
    _delivered = Signal(int, object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._number = 0
        self._stop: Event | None = None
        self._delivered.connect(self._take)

    @property
    def is_running(self) -> bool:
        """Return whether the task can still yield results."""
        return self._stop is not None

    def start(self, work: Callable[[Callable[[], bool]], Iterable[object]]) -> None:
        """Stop the current task and start another one.

        Args:
            work: A function that returns the results, which are iterated over on a pool thread. It is called with a
                function that returns whether to stop.
        """
        self.stop()
        self._number += 1
        self._stop = stop = Event()
        number, deliver = self._number, self._delivered.emit

        def run() -> None:
            for one in work(stop.is_set):
                if stop.is_set():
                    return
                deliver(number, one)

        self._tasks.run(run, partial(self._finish, number), partial(self._fail, number))

    def stop(self) -> None:
        """Discard all further results, and ask the task to stop."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    @Slot(int, object)
    def _take(self, number: int, one: object) -> None:
        if number == self._number and self._stop is not None:
            self.result.emit(one)

    def _finish(self, number: int, _: None) -> None:
        if self._has_ended(number):
            self.finished.emit()

    def _fail(self, number: int, error: KnownError) -> None:
        if self._has_ended(number):
            self.failed.emit(error)

    def _has_ended(self, number: int) -> bool:
        """Forget a task; return False if it was stopped before."""
        if number != self._number or self._stop is None:
            return False
        self._stop = None
        return True
