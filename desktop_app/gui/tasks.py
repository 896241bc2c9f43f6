"""Short tasks off the main thread: reading keys, scanning folders, writing many rows."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, QRunnable, QThreadPool, QTimer, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.gui.i18n import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)


Result = TypeVar("Result")

DatabaseSession = Callable[[], AbstractContextManager[None]]
"""A context for the database on a thread: the thread's connection is closed at its end."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of a task, on its way to the main thread."""

    token: int
    value: Any = None
    error: BaseException | None = None


class Tasks(QObject):
    """Runs functions on its own thread pool and delivers their results on the thread that it lives in.

    Every function runs inside a database session, so that no pool thread keeps a connection open.

    Signals:
        problem(str): The plain text of a `KnownError` of a task without `on_problem`.

    Args:
        session: See `DatabaseSession`.
        threads: The number of threads; 1 keeps tasks in order.
        parent: The parent.
    """

    problem = Signal(str)
    _ended = Signal(object)

    def __init__(self, session: DatabaseSession, *, threads: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._tokens = count(1)
        self._waiting: dict[int, tuple[Callable[[Any], None], Callable[[KnownError], None] | None]] = {}
        self._closed = False
        self._ended.connect(self._deliver)

    def run(
        self,
        work: Callable[[], Result],
        on_done: Callable[[Result], None],
        on_problem: Callable[[KnownError], None] | None = None,
    ) -> None:
        """Run `work` on the pool, then call a callback on this object's thread. Call from that thread only.

        Args:
            work: A function that uses no widgets.
            on_done: Called with the result of `work`.
            on_problem: Called with a `KnownError`; without it, `problem` is emitted. Any other exception is a bug and
                goes to `sys.excepthook`.
        """
        if self._closed:
            return
        token = next(self._tokens)
        self._waiting[token] = (on_done, on_problem)
        self._pool.start(_Task(token, work, self._session, self._ended.emit))

    @property
    def busy(self) -> bool:
        """Return whether a task is running or its result has not been delivered."""
        return bool(self._waiting)

    def close(self, timeout_ms: int) -> bool:
        """Refuse new tasks, drop pending ones and all results; return False if a task is still running."""
        self._closed = True
        self._waiting.clear()
        self._pool.clear()
        return self._pool.waitForDone(timeout_ms)

    @Slot(object)
    def _deliver(self, outcome: _Outcome) -> None:
        waiting = self._waiting.pop(outcome.token, None)
        if waiting is None:
            return
        on_done, on_problem = waiting
        match outcome.error:
            case None:
                on_done(outcome.value)
            case KnownError() as error if on_problem is not None:
                on_problem(error)
            case KnownError() as error:
                log.warning("%s", error.text)
                self.problem.emit(translated(error.text))
            case error:
                sys.excepthook(type(error), error, error.__traceback__)


class _Task(QRunnable):
    """A function to run on the pool."""

    def __init__(
        self, token: int, work: Callable[[], Any], session: DatabaseSession, report: Callable[[_Outcome], None]
    ) -> None:
        super().__init__()
        self._token = token
        self._work = work
        self._session = session
        self._report = report

    def run(self) -> None:
        try:
            with self._session():
                outcome = _Outcome(self._token, self._work())
        except Exception as error:  # noqa: BLE001 - carried to the main thread, which tells known from bug
            outcome = _Outcome(self._token, error=error)
        self._report(outcome)


Prepare = Callable[[], Callable[[], object] | None]


class CoalescedTask(QObject):
    """Runs the same task on request: simultaneous requests are combined, and only the newest result counts.

    After each run it rests for a multiple of the run's duration, so that slow tasks never take most of
    the time.

    Signals:
        result(object): The result of the newest run.
        failed(KnownError): The error of the newest run.

    Args:
        prepare: Called on the main thread when a run begins. Returns the function for the pool; None for nothing to do.
        tasks: The pool.
        parent: The parent.
        rest: The rest after a run, as a multiple of its duration.
        overlaps: Whether `restart` begins a run while another is still running, instead of after it.
    """

    result = Signal(object)
    failed = Signal(object)

    def __init__(
        self, prepare: Prepare, tasks: Tasks, parent: QObject | None = None, *, rest: int = 9, overlaps: bool = False
    ) -> None:
        super().__init__(parent)
        self._prepare = prepare
        self._tasks = tasks
        self._rest = rest
        self._overlaps = overlaps
        self._newest = 0
        self._running: set[int] = set()
        self._next_ms: int | None = None  # requested during a run: the delay after its end
        self._cost_ms = 0
        self._took = QElapsedTimer()
        self._rested = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)

    @property
    def is_running(self) -> bool:
        """Return whether the newest result is pending."""
        return self._newest in self._running

    def request(self, wait_ms: int = 0) -> None:
        """Run as soon as allowed: after the current run, the rest and `wait_ms`."""
        if self._is_busy():
            self._next_ms = wait_ms if self._next_ms is None else min(wait_ms, self._next_ms)
            return
        left = self._rest * self._cost_ms - self._rested.elapsed() if self._rested.isValid() else 0
        wait_ms = max(wait_ms, left)
        if wait_ms <= 0:
            self._begin()
        elif not self._timer.isActive() or wait_ms < self._timer.remainingTime():
            self._timer.start(wait_ms)

    def restart(self) -> None:
        """Run now, without a rest; a pending result is dropped."""
        self._newest += 1
        self._next_ms = None
        if self._is_busy():
            self._next_ms = 0
            self._cost_ms = 0  # no rest
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
        self._took.start()
        self._tasks.run(work, partial(self._end, self._newest), partial(self._fail, self._newest))

    def _end(self, number: int, value: object) -> None:
        self._running.discard(number)
        if number == self._newest:
            self._cost_ms = self._took.elapsed()
            self._rested.start()
            self.result.emit(value)
        self._go_on()

    def _fail(self, number: int, error: KnownError) -> None:
        self._running.discard(number)
        if number == self._newest:
            self.failed.emit(error)
        self._go_on()

    def _go_on(self) -> None:
        if self._next_ms is not None and not self._is_busy():
            wait_ms, self._next_ms = self._next_ms, None
            self.request(wait_ms)


class Stream(QObject):
    """Runs one task that yields results; those of an older task are dropped. Must outlive its receivers.

    Signals:
        result(object): One result.
        finished(): There are no more results.
        failed(KnownError): The task ended with this error.

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
        """Return whether results may still come."""
        return self._stop is not None

    def start(self, work: Callable[[Callable[[], bool]], Iterable[object]]) -> None:
        """Start a task; the previous one is stopped.

        Args:
            work: Called with a function that returns whether to stop; iterated on another thread.
        """
        self.stop()
        self._number += 1
        self._stop = stop = Event()
        number, bring = self._number, self._delivered.emit

        def run() -> None:
            for one in work(stop.is_set):
                if stop.is_set():
                    return
                bring(number, one)

        self._tasks.run(run, lambda _: self._end(number), lambda error: self._end(number, error))

    def stop(self) -> None:
        """Drop all further results. The task itself ends as soon as it can."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    @Slot(int, object)
    def _take(self, number: int, one: object) -> None:
        if number == self._number and self._stop is not None:
            self.result.emit(one)

    def _end(self, number: int, error: KnownError | None = None) -> None:
        if number != self._number or self._stop is None:
            return
        self._stop = None
        if error is None:
            self.finished.emit()
        else:
            self.failed.emit(error)
