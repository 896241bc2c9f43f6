"""Short pieces of work beside the main thread: reading ids, scanning folders, writing many rows."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.gui.i18n import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)


Result = TypeVar("Result")

DatabaseSession = Callable[[], AbstractContextManager[None]]
"""A thread's life with the database: the thread's connection is closed at its end."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a task ended, on its way to the main thread."""

    token: int
    value: Any = None
    error: BaseException | None = None


class Tasks(QObject):
    """Runs functions on a thread pool of its own and hands their results to the thread that it lives in.

    Every function runs inside a database session, so that no pool thread keeps a connection open.

    Signals:
        problem(str): A task ended with a `KnownError` that nobody asked to hear about; its plain text.

    Args:
        session: See `DatabaseSession`.
        threads: How many run at once; 1 keeps them in order.
        parent: Qt's owner.
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
        """Run `work` on the pool; later call one of the others on this object's thread. Call from that thread only.

        Args:
            work: Anything that needs no widget.
            on_done: Gets what `work` gave.
            on_problem: Gets a `KnownError`; without it `problem` is emitted. Any other exception is a bug and goes to
                `sys.excepthook`.
        """
        if self._closed:
            return
        token = next(self._tokens)
        self._waiting[token] = (on_done, on_problem)
        self._pool.start(_Task(token, work, self._session, self._ended.emit))

    @property
    def busy(self) -> bool:
        """True while something runs or its result has not been delivered."""
        return bool(self._waiting)

    def close(self, timeout_ms: int) -> bool:
        """Take nothing more, drop what has not begun, forget every answer; False if something still runs after all."""
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
    """One function on its way through the pool."""

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


class Stream(QObject):
    """One piece of work at a time; what an older one still brings is dropped. Must outlive what it works for.

    Signals:
        result(object): One result.
        ended(): There are no more.
        failed(KnownError): There are no more, for this reason.

    Args:
        tasks: Where it runs.
        parent: Qt's owner.
    """

    result = Signal(object)
    ended = Signal()
    failed = Signal(object)
    _brought = Signal(int, object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._number = 0
        self._stop: Event | None = None
        self._brought.connect(self._take)

    @property
    def is_running(self) -> bool:
        """Whether results may still come."""
        return self._stop is not None

    def start(self, work: Callable[[Callable[[], bool]], Iterable[object]]) -> None:
        """Begin; what was under way is stopped.

        Args:
            work: Given what to ask whether it should stop; called and iterated on another thread.
        """
        self.stop()
        self._number += 1
        self._stop = stop = Event()
        number, bring = self._number, self._brought.emit

        def run() -> None:
            for one in work(stop.is_set):
                if stop.is_set():
                    return
                bring(number, one)

        self._tasks.run(run, lambda _: self._end(number), lambda error: self._end(number, error))

    def stop(self) -> None:
        """Let nothing more come. The work itself ends as soon as it can."""
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
            self.ended.emit()
        else:
            self.failed.emit(error)
