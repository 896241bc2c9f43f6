"""Who uses the local queue's server: one TCP connection a program, which the kernel closes however the program ends."""

from __future__ import annotations

import hmac
import logging
import selectors
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desktop_app.queues.local_facts import LINE_LIMIT, ServerFacts, greeted_token

if TYPE_CHECKING:
    import socket

_GREETING_SECONDS = 5.0
_MOST_CALLERS = 200

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Caller:
    """One connection to the control port: a stranger until it has said the token."""

    connection: socket.socket
    greet_until: float
    heard: bytearray = field(default_factory=bytearray)
    known: bool = False


class Lifelines:
    """Listens on the control port and says when nobody is left.

    Args:
        listener: Bound to loopback and listening; closed by `run`.
        facts: What a caller with the right token is told.
        first_grace: Seconds that the first program has to come.
        grace: Seconds without any program after which the server has to end.
    """

    def __init__(self, listener: socket.socket, facts: ServerFacts, *, first_grace: float, grace: float) -> None:
        self._listener = listener
        self._facts = facts
        self._grace = grace
        self._end_at: float | None = time.monotonic() + first_grace
        self._callers: set[_Caller] = set()
        self._selector = selectors.DefaultSelector()

    def run(self, stop: socket.socket) -> None:
        """Return when the last program has gone, or when there is something to read from `stop`. One thread only.

        Sleeps without waking up while nothing changes.
        """
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(stop, selectors.EVENT_READ)
        try:
            while not self._is_over():
                for key, _ in self._selector.select(self._patience()):
                    if key.fileobj is stop:
                        _log.info("asked to end")
                        return
                    if key.data is None:
                        self._accept()
                    else:
                        self._hear(key.data)
                self._drop_the_slow()
        finally:
            self._listener.close()
            for caller in list(self._callers):
                self._drop(caller)
            self._selector.close()

    def _is_over(self) -> bool:
        return self._end_at is not None and time.monotonic() >= self._end_at

    def _patience(self) -> float | None:
        moments = [caller.greet_until for caller in self._callers if not caller.known]
        if self._end_at is not None:
            moments.append(self._end_at)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it has gone again
            return
        if len(self._callers) >= _MOST_CALLERS:
            connection.close()
            return
        connection.setblocking(False)
        caller = _Caller(connection, time.monotonic() + _GREETING_SECONDS)
        self._callers.add(caller)
        self._selector.register(connection, selectors.EVENT_READ, caller)

    def _hear(self, caller: _Caller) -> None:
        try:
            data = caller.connection.recv(LINE_LIMIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(caller)
        elif not caller.known:
            self._greet(caller, data)

    def _greet(self, caller: _Caller, data: bytes) -> None:
        caller.heard += data
        line, newline, _ = caller.heard.partition(b"\n")
        if not newline and len(caller.heard) < LINE_LIMIT:
            return
        token = greeted_token(bytes(line)) if newline else ""
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._facts.token.encode()):
            _log.warning("a caller without the right token was turned away")
            self._drop(caller)
            return
        try:
            # A new connection's send buffer is empty: this one short line always fits.
            caller.connection.sendall(self._facts.to_line())
        except OSError:
            self._drop(caller)
            return
        caller.known = True
        caller.heard.clear()
        self._end_at = None
        _log.info("a program has come, %d now", self._known())

    def _drop_the_slow(self) -> None:
        now = time.monotonic()
        for caller in [caller for caller in self._callers if not caller.known and caller.greet_until <= now]:
            self._drop(caller)

    def _drop(self, caller: _Caller) -> None:
        self._selector.unregister(caller.connection)
        caller.connection.close()
        self._callers.discard(caller)
        if caller.known:
            left = self._known()
            _log.info("a program has gone, %d left", left)
            if not left:
                self._end_at = time.monotonic() + self._grace

    def _known(self) -> int:
        return sum(caller.known for caller in self._callers)
