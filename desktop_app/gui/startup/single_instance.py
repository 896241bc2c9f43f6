"""Allow only one window per list, user and computer.

An instance that is started later passes its arguments to the running one.

The program that holds the `InstanceLock` is the first instance. It listens with `QLocalServer`, once its empty window
has been painted; the others wait until it does, and connect with `QLocalSocket`.

A request is one line of JSON. The reply is the line `taken`, preceded by the line `wait` if there is no window yet.
A request has not been handed over until `taken` has been read.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, Qt, QTimer, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.gui.startup.instance_lock import InstanceLock


log = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 64 * 1024 * 1024
_TAKEN, _WAIT = b"taken\n", b"wait\n"
_MAX_ADDRESS_BYTES = 80
"""Most systems allow about 104 bytes, but Qt creates the socket under a longer name and then renames it."""
RESPOND_SECONDS = 8.0
"""The timeout for a reply from a first instance that is listening."""
START_SECONDS = 60.0
"""The timeout for the first instance to start listening. Opening a large database can take a while."""
_POLL_SECONDS = 0.05
_IO_STEP_MS = 100


class Outcome(Enum):
    """The outcome of a start."""

    FIRST = auto()
    """This program is the first instance and holds the lock."""
    HANDED_OVER = auto()
    """The first instance has received the request."""
    NOT_RESPONDING = auto()
    """Another program holds the lock but is not responding."""
    STOPPED = auto()
    """This program received a stop signal."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request from a later instance.

    Attributes:
        names: The files, folders and URLs to add, in the form that `scan` accepts; paths are absolute.
        token: The activation token from the desktop, which permits raising the window; may be empty.
    """

    names: tuple[str, ...] = ()
    token: str = ""


class InstanceServer(QObject):
    """Receives the requests from later instances while this program holds the lock. Main thread.

    Args:
        lock: The lock, which this program holds.
        parent: The parent object.
    """

    def __init__(self, lock: InstanceLock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = lock
        self._cleanup = contextlib.ExitStack()
        self._handler: Callable[[Request], None] | None = None
        self._connections: list[QLocalSocket] = []
        self._waiting: list[tuple[QLocalSocket, Request]] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)

    @Slot()
    def listen(self) -> None:
        """Start listening. If that fails, the lock is released, and the next instance opens another window."""
        if not self._lock.is_held():
            return  # closed before the event loop started
        for address in self._addresses():
            # A socket at this address is a leftover: only the holder of the lock may create one.
            QLocalServer.removeServer(address)
            if self._server.listen(address):
                break
            log.info("can't listen at %s: %s", address, self._server.errorString())
        try:
            if self._server.isListening():
                self._lock.publish(self._server.fullServerName())
                return
        except OSError as error:
            log.info("can't publish the address of this program: %s", error)
        self.close()

    def _addresses(self) -> Iterator[str]:
        if sys.platform == "win32":
            yield f"filemill-{os.environ.get('USERNAME', '')}-{self._lock.name}"
            return
        for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), self._lock.folder):
            address = f"{folder}/filemill-{self._lock.name}"
            if folder and len(os.fsencode(address)) <= _MAX_ADDRESS_BYTES and Path(folder).is_dir():
                yield address
        temporary = tempfile.TemporaryDirectory(prefix="filemill-", ignore_cleanup_errors=True)
        yield f"{self._cleanup.enter_context(temporary)}/window"

    def set_handler(self, handler: Callable[[Request], None] | None) -> None:
        """Pass all requests to a function, including those that are waiting; None lets requests wait."""
        self._handler = handler
        if handler is None:
            return
        waiting, self._waiting = self._waiting, []
        for connection, request in waiting:
            self._handle(connection, request)

    @Slot()
    def close(self) -> None:
        """Stop listening and release the lock, so that the next start opens a window. Safe to call twice."""
        self._server.close()
        self._handler = None
        for connection in list(self._connections):
            connection.abort()
        self._lock.release()
        self._cleanup.close()

    @Slot()
    def _accept(self) -> None:
        while self._server.hasPendingConnections():
            connection = self._server.nextPendingConnection()
            self._connections.append(connection)
            connection.readyRead.connect(self._read_all)
            connection.disconnected.connect(self._remove_closed)
        self._read_all()
        self._remove_closed()

    @Slot()
    def _read_all(self) -> None:
        for connection in list(self._connections):
            try:
                request = read_request(connection) if connection.isValid() else None
            except (ValueError, RecursionError) as error:
                log.warning("the window received an invalid request: %s", error)
                connection.abort()
            else:
                if request is not None:
                    self._handle(connection, request)

    def _handle(self, connection: QLocalSocket, request: Request) -> None:
        if self._handler is None:
            self._waiting.append((connection, request))
            connection.write(_WAIT)
            activate_open_dialogs()
        else:
            self._handler(request)
            connection.write(_TAKEN)

    @Slot()
    def _remove_closed(self) -> None:
        closed = QLocalSocket.LocalSocketState.UnconnectedState
        for connection in [one for one in self._connections if one.state() is closed]:
            self._connections.remove(connection)
            connection.deleteLater()
        self._waiting = [(one, request) for one, request in self._waiting if one in self._connections]


def write_request(connection: QLocalSocket, request: Request) -> None:
    """Send a request. Names that are not UTF-8 are preserved, since JSON escapes their surrogates."""
    connection.write(json.dumps({"names": request.names, "token": request.token}).encode("ascii") + b"\n")


def read_request(connection: QLocalSocket) -> Request | None:
    """Read a request. Return None, and read nothing, if it has not been received completely.

    Raises:
        ValueError: If the data is not a request, or exceeds `MAX_REQUEST_BYTES`.
    """
    if connection.bytesAvailable() > MAX_REQUEST_BYTES:
        raise ValueError(f"{connection.bytesAvailable()} bytes")
    if not connection.canReadLine():
        return None
    match json.loads(bytes(connection.readLine().data())):
        case {"names": list(names), "token": str(token)} if all(isinstance(name, str) for name in names):
            # Qt reads the token from an environment variable, which can't contain NUL.
            if b"\0" in os.fsencode(token):
                raise ValueError("a token with a NUL")
            return Request(tuple(names), token)
    raise ValueError("neither names nor a token")


class InstanceClient:
    """Repeatedly tries to acquire the lock or, failing that, to hand a request over to the holder.

    Args:
        lock: The lock for the list's window.
        request: The request.
        should_stop: Called several times a second; returns whether this program has received a stop signal.
    """

    def __init__(self, lock: InstanceLock, request: Request, should_stop: Callable[[], bool]) -> None:
        self._lock = lock
        self._request = request
        self._should_stop = should_stop
        self._address = ""
        self._since = 0.0

    def run(self) -> Outcome:
        """Try until there is an outcome.

        Raises:
            OSError: If the folder of the lock is not writable.
        """
        self._since = time.monotonic()
        while not self._should_stop():
            if self._has_timed_out():
                return Outcome.NOT_RESPONDING
            if self._lock.try_lock():
                return Outcome.FIRST
            if self._address and self._hand_over():
                return Outcome.HANDED_OVER
            time.sleep(_POLL_SECONDS)
        return Outcome.STOPPED

    def _has_timed_out(self) -> bool:
        """Return whether the timeout has expired; it restarts when the holder publishes a new address."""
        address = self._lock.address()
        now = time.monotonic()
        if address != self._address:
            self._address, self._since = address, now
        return now - self._since > (RESPOND_SECONDS if address else START_SECONDS)

    def _hand_over(self) -> bool:
        connection = QLocalSocket()
        connection.connectToServer(self._address)
        try:
            if not connection.waitForConnected(_IO_STEP_MS):
                return False
            _allow_set_foreground_window(self._lock.holder_pid())
            write_request(connection, self._request)
            reply = b""
            while _TAKEN not in reply and connection.state() is QLocalSocket.LocalSocketState.ConnectedState:
                if connection.bytesToWrite():
                    connection.waitForBytesWritten(_IO_STEP_MS)
                if connection.waitForReadyRead(_IO_STEP_MS) or connection.bytesAvailable():
                    reply += connection.readAll().data()
                # There is no timeout after `wait`: the first instance is showing a dialog and waiting for the user.
                if self._should_stop() or (_WAIT not in reply and self._has_timed_out()):
                    return False
            return _TAKEN in reply + connection.readAll().data()
        finally:
            connection.abort()


def become_first_instance(lock: InstanceLock, request: Request, should_stop: Callable[[], bool]) -> Outcome:
    """Become the first instance, or hand the request over to it.

    Raises:
        OSError: If the folder of the lock is not writable.
    """
    client = InstanceClient(lock, request, should_stop)
    while (outcome := client.run()) is Outcome.NOT_RESPONDING:
        from desktop_app.gui.startup.dialogs import NotRespondingChoice, NotRespondingDialog

        dialog = NotRespondingDialog(
            lock.holder_pid(), lock.locked_at(), can_stop=lock.can_stop_holder(), locale=QLocale()
        )
        choice = dialog.choose()
        if choice is NotRespondingChoice.CANCEL:
            return outcome
        if choice is NotRespondingChoice.STOP:
            lock.stop_holder()
    if outcome is not Outcome.FIRST:
        log.info("not the first instance: %s, %d names", outcome.name, len(request.names))
    return outcome


def serve_later_instances(lock: InstanceLock) -> InstanceServer:
    """Return the server of the first instance, which holds the lock."""
    server = InstanceServer(lock)
    # Listen only once an event loop is running (a dialog's or the window's): without one, the server can't respond.
    QTimer.singleShot(0, server, server.listen)
    return server


def _allow_set_foreground_window(pid: int | None) -> None:
    """Let the first instance raise its window, which Windows permits only to the program that was started last."""
    if sys.platform == "win32" and pid is not None:
        ctypes.windll.user32.AllowSetForegroundWindow(pid)


def activate(window: QWidget, token: str = "") -> None:
    """Show, raise and activate a window, as far as the desktop permits.

    Args:
        window: The window; it can be hidden or minimized.
        token: The activation token that the desktop passed to the later instance; may be empty.
    """
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token  # on Wayland, Qt reads it from there
    if window.isMinimized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    QApplication.alert(window)


def activate_open_dialogs() -> None:
    """Raise the dialogs that are open before there is a main window."""
    for window in QApplication.topLevelWidgets():
        if window.isVisible():
            activate(window)
