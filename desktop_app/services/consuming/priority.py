"""Files that a person wants next, whatever order the queue has: their rows are claimed without their messages.

That is as safe as with them. The claim is the row's own, fenced by its token. The message comes when it comes: it finds
the row held and is kept with it, or finds it finished and is deleted; if this program dies, it is still there.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from desktop_app.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from desktop_app.services.consuming.dispatcher import Dispatcher
    from desktop_app.services.control import PauseControl
    from desktop_app.store.priority import Priority


class PriorityRequests:
    """The keys of these files, in their order, between those who ask and the consumer. Any thread."""

    def __init__(self) -> None:
        self._keys: deque[int] = deque()
        self._serving = 0
        self._lock = threading.Lock()

    @property
    def waits(self) -> bool:
        """Whether anything is asked for."""
        return bool(self._keys)

    def ask(self, keys: Iterable[int]) -> bool:
        """These before all others, and before those asked for earlier; False if nobody here can do that."""
        with self._lock:
            if not self._serving:
                return False
            chosen = dict.fromkeys(keys)
            self._keys = deque([*chosen, *(key for key in self._keys if key not in chosen)])
            return True

    def take(self, limit: int) -> list[int]:
        """The next ones; they are not wanted any more."""
        with self._lock:
            return [self._keys.popleft() for _ in range(min(limit, len(self._keys)))]

    def put_back(self, keys: Iterable[int]) -> None:
        """These could not be dealt with yet."""
        with self._lock:
            self._keys.extendleft(reversed(list(keys)))

    @contextmanager
    def served(self) -> Iterator[None]:
        """A consumer's whole life: only while one is in this, anything can be asked for."""
        with self._lock:
            self._serving += 1
        try:
            yield
        finally:
            with self._lock:
                self._serving -= 1
                if not self._serving:
                    self._keys.clear()


class PriorityDispatcher:
    """A consumer's side of it. One thread.

    Args:
        wanted: What is asked for; None where order must be kept.
        priority: The rows.
        dispatcher: Claims them and sets them going.
        queue: The key of the consumer's queue.
        switch: Whether files may begin.
    """

    def __init__(
        self,
        wanted: PriorityRequests | None,
        priority: Priority,
        dispatcher: Dispatcher,
        *,
        queue: str,
        switch: PauseControl,
    ) -> None:
        self._wanted = wanted or PriorityRequests()
        self._can_serve = wanted is not None
        self._priority = priority
        self._dispatcher = dispatcher
        self._queue = queue
        self._switch = switch

    @property
    def waits(self) -> bool:
        """Whether anything is wanted: nothing else should be received then."""
        return self._wanted.waits

    @contextmanager
    def served(self) -> Iterator[None]:
        """See `Wanted.served`."""
        if not self._can_serve:
            yield
            return
        with self._wanted.served():
            yield

    def begin(self, room: int) -> None:
        """Begin as many as there are free threads.

        Raises:
            StoreError: If the rows can't be claimed; they are wanted still.
        """
        if room <= 0 or not self._switch.may_begin or not self._wanted.waits:
            return
        keys = self._wanted.take(room)
        try:
            self._dispatcher.begin(self._priority.requests(keys, queue=self._queue))
        except StoreError:
            self._wanted.put_back(keys)
            raise
