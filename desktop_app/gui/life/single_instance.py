"""The first window's ear: what later starts of Filemill hand over arrives here.

A request is eight bytes that say its length, then JSON. The answer is a line: `taken`, or before that `wait`, while
there is no window yet. A connection that ends without `taken` has handed over nothing.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.gui.life.window_place import WindowPlace

log = logging.getLogger(__name__)

LENGTH_BYTES = 8
MOST_BYTES = 256 * 1024 * 1024
TAKEN, WAIT = b"taken\n", b"wait\n"
_LONGEST_ADDRESS = 80
"""The system allows about 104 bytes; Qt makes the socket under a longer name and moves it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a later start asks for.

    Attributes:
        names: What to add, as `scan` takes it; paths are absolute.
        token: The desktop's permission to come to the front; empty if it gave none.
    """

    names: tuple[str, ...] = ()
    token: str = ""


def packed(request: Request) -> bytes:
    """A request as it goes over the socket. Names that are not UTF-8 survive: JSON escapes their surrogates."""
    body = json.dumps({"names": list(request.names), "token": request.token}).encode("ascii")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def unpacked(data: bytes | bytearray) -> Request | None:
    """The request in these bytes; None if they are not all there yet.

    Raises:
        ValueError: If they are no request.
    """
    if len(data) < LENGTH_BYTES:
        return None
    end = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")
    if end > MOST_BYTES:
        raise ValueError(f"{end} bytes")
    if len(data) < end:
        return None
    match json.loads(data[LENGTH_BYTES:end]):
        case {"names": list(names), "token": str(token)} if all(isinstance(name, str) for name in names):
            return Request(tuple(names), token)
    raise ValueError("neither names nor a token")


class SingleInstance(QObject):
    """Listens for later starts, as long as it has the place. Main thread.

    Args:
        place: This program's.
        parent: Qt's owner.
    """

    def __init__(self, place: WindowPlace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._place = place
        self._folder = ""
        self._take: Callable[[Request], None] | None = None
        self._come_forward: Callable[[], None] = lambda: None
        self._data: dict[QLocalSocket, bytearray] = {}
        self._waiting: list[tuple[QLocalSocket, Request]] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._welcome)

    def listen(self, come_forward: Callable[[], None]) -> None:
        """Begin to listen; without a socket the window works all the same, and later starts open their own.

        Args:
            come_forward: Called for what comes while there is no window yet: brings forward what there is.
        """
        self._come_forward = come_forward
        for address in self._addresses():
            # Nobody listens there any more: who has the place has the socket.
            QLocalServer.removeServer(address)
            if self._server.listen(address):
                self._place.tell(self._server.fullServerName())
                return
            log.info("can't listen at %s: %s", address, self._server.errorString())
        self.close()

    def _addresses(self) -> Iterator[str]:
        if sys.platform == "win32":
            user = os.environ.get("USERNAME", "")
            yield f"filemill-{user}-{self._place.name}"
            return
        for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), self._place.run):
            address = f"{folder}/filemill-{self._place.name}"
            if folder and len(os.fsencode(address)) <= _LONGEST_ADDRESS and Path(folder).is_dir():
                yield address
        self._folder = tempfile.mkdtemp(prefix="filemill-")
        yield f"{self._folder}/window"

    def open_to(self, take: Callable[[Request], None]) -> None:
        """There is a window now: it takes what came already and what comes."""
        self._take = take
        if self._server.isListening():
            self._place.tell_open()
        waiting, self._waiting = self._waiting, []
        for socket, request in waiting:
            self._answer(socket, request)

    @Slot()
    def close(self) -> None:
        """Listen no more: the next start opens a window of its own. Safe to call twice."""
        self._server.close()
        self._take = None
        for socket in list(self._data):
            socket.abort()
        self._waiting.clear()
        self._place.give_up()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    @Slot()
    def _welcome(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            self._data[socket] = bytearray()
            socket.readyRead.connect(partial(self._read, socket))
            socket.disconnected.connect(partial(self._forget, socket))
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        data = self._data.get(socket)
        if data is None:
            return
        data += socket.readAll().data()
        try:
            request = unpacked(data)
        except ValueError as error:
            log.warning("something else than Filemill spoke to the window: %s", error)
            socket.abort()
            return
        if request is not None:
            data.clear()
            self._answer(socket, request)

    def _answer(self, socket: QLocalSocket, request: Request) -> None:
        if self._take is None:
            self._waiting.append((socket, request))
            socket.write(WAIT)
            self._come_forward()
        elif socket in self._data:
            self._take(request)
            socket.write(TAKEN)
        socket.flush()

    def _forget(self, socket: QLocalSocket) -> None:
        self._data.pop(socket, None)
        self._waiting = [(one, request) for one, request in self._waiting if one is not socket]
        socket.deleteLater()
