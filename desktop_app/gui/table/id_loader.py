"""Loads the order of the list beside the main thread; late answers are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from desktop_app.gui.texts import translated
from desktop_app.jobs import ListQuery

if TYPE_CHECKING:
    from array import array

    from desktop_app.errors import KnownError
    from desktop_app.gui.ports import JobReader
    from desktop_app.gui.tasks import Tasks

SOON_MS = 100
GENTLE_MS = 2_000
"""How often rows may move by themselves: more often nobody can read them."""


@dataclass(frozen=True, slots=True)
class LoadedIds:
    """An order as it was loaded; `newest` is the greatest key in it."""

    token: int
    query: ListQuery
    ids: array[int]
    newest: int


class IdLoader(QObject):
    """One load at a time; what is asked for meanwhile is loaded next.

    Signals:
        loaded(LoadedIds): The order of the newest query.
        problem(str): It could not be read; a plain text.

    Attributes:
        query: The newest that was asked for.
        newest: The greatest key that is known to be listed.
        has_begun, has_loaded: Whether anything was asked for, and has come.
        in_flight: Whether an answer is under way.
        removed: Jobs that were removed since it was asked for: they may be in it.
    """

    loaded = Signal(object)
    problem = Signal(str)

    def __init__(self, reader: JobReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.query = ListQuery()
        self.newest = 0
        self.has_begun = False
        self.has_loaded = False
        self._reader = reader
        self._tasks = tasks
        self._token = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._load_again)
        self._running = QElapsedTimer()
        self._cost_ms = 0
        self.in_flight = False
        self.removed: set[int] = set()

    def load(self, query: ListQuery) -> None:
        """Load now; an answer that is under way is no longer wanted."""
        self._soon.stop()
        self.query = query
        self.has_begun = True
        self._token += 1
        self.in_flight = True
        self.removed.clear()
        self._running.start()
        token, reader = self._token, self._reader

        def read() -> LoadedIds:
            ids = reader.ids(query)
            return LoadedIds(token, query, ids, max(ids, default=0))

        self._tasks.run(read, self._take, partial(self._tell, token))

    def load_soon(self, *, gently: bool = False) -> None:
        """Load the same query again in a moment, once for many calls.

        Args:
            gently: True if rows would only change places; then not more often than a person can follow.
        """
        # A list that takes long to load is loaded less often, so that it never takes most of the time.
        pause = max(GENTLE_MS if gently else SOON_MS, 4 * self._cost_ms)
        if not self._soon.isActive() or pause < self._soon.remainingTime():
            self._soon.start(pause)

    def _load_again(self) -> None:
        if self.in_flight:
            self._soon.start(SOON_MS)
        else:
            self.load(self.query)

    def _take(self, loaded: LoadedIds) -> None:
        if loaded.token != self._token:
            return
        self.in_flight = False
        self._cost_ms = self._running.elapsed()
        self.newest = max(self.newest, loaded.newest)
        self.has_loaded = True
        self.loaded.emit(loaded)

    def _tell(self, token: int, error: KnownError) -> None:
        if token != self._token:
            return
        self.in_flight = False
        self.problem.emit(translated(error.text))
        self.load_soon(gently=True)
