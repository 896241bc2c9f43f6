"""Allow only one window per list, user and computer.

An instance that is started later passes its arguments to the running one.

A file lock decides which program may open the window. The operating system releases it however the program exits, so
a leftover socket or lock file is never mistaken for a window, and if several programs start at the same moment, exactly
one becomes the first instance. That one listens with `QLocalServer`; the others connect with `QLocalSocket`.

A request is one line of JSON. The reply is the line `taken`, preceded by the line `wait` if there is no window yet.
A request has not been handed over until `taken` has been read.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import re
import select
import signal
import socket
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout as LockTimeout
from PySide6.QtCore import QLocale, QObject, Qt, QTimer, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.config.private_files import create_private, private_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filelock import FileLock


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
_TERMINATE_SECONDS = 3.0
_KILL_SECONDS = 5.0


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


class InstanceLock:
    """The lock for a list's window, and a file with the process ID and the socket address of the lock's holder.

    Not thread-safe.

    Args:
        folder: The existing folder for the two files; it can be on a network share.
        database: The database that contains the list.
    """

    def __init__(self, folder: Path, database: Path) -> None:
        # A folder on a network share also contains the locks of other computers.
        identity = f"{socket.gethostname()}\0{os.path.realpath(database)}"
        self.name = f"window-{zlib.crc32(os.fsencode(identity)):08x}"
        self.folder = folder
        self.file = folder / f"{self.name}.lock"
        self._holder_file = folder / f"{self.name}.holder"
        self._lock: FileLock | None = None

    def try_lock(self) -> bool:
        """Acquire the lock if it is free; return whether this program holds it.

        Raises:
            OSError: If the folder is not writable or the disk is full.
        """
        lock = private_lock(self.file, timeout=0)
        try:
            lock.acquire()
        except LockTimeout:
            return False
        self._lock = lock
        try:
            self.publish("")
        except OSError:
            lock.release()
            raise
        return True

    def is_held(self) -> bool:
        """Return whether this program holds the lock."""
        return self._lock is not None and self._lock.is_locked

    def publish(self, address: str) -> None:
        """Publish the process ID and the socket address of this program, which must hold the lock.

        Args:
            address: The address; empty if the program is not listening yet.

        Raises:
            OSError: If the folder is not writable.
        """
        new = self._holder_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        create_private(new)
        new.write_text(f"{os.getpid()}\n{address}", encoding="utf-8", errors="surrogateescape")
        new.replace(self._holder_file)

    def address(self) -> str:
        """Return the socket address of the holder; empty if the holder is not listening yet."""
        return self._holder()[1]

    def holder_pid(self) -> int | None:
        """Return the process ID of the last program that acquired the lock; None if unknown."""
        pid = self._holder()[0]
        return int(pid) if pid.isdecimal() else None

    def _holder(self) -> tuple[str, str]:
        try:
            pid, _, address = self._holder_file.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")
        except OSError:
            return "", ""
        return pid, address

    def release(self) -> None:
        """Release the lock if this program holds it."""
        if self._lock is not None and self._lock.is_locked:
            self._holder_file.unlink(missing_ok=True)
            self._lock.release()

    def locked_at(self) -> int:
        """Return the time at which the holder started, in milliseconds since the Unix epoch; 0 if unknown."""
        try:
            return self._holder_file.stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def can_stop_holder(self) -> bool:
        """Return whether the process that holds the lock can be stopped without the risk of stopping another one."""
        with self._holder_process() as process:
            return process is not None

    def stop_holder(self) -> None:
        """Stop the process that holds the lock, with SIGTERM and, if necessary, SIGKILL; see `can_stop_holder`.

        Nothing is lost: every status is in the database, and unfinished files are processed again.
        """
        with self._holder_process() as process:
            if process is None:
                return
            for number, seconds in ((signal.SIGTERM, _TERMINATE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
                try:
                    signal.pidfd_send_signal(process, number)
                except ProcessLookupError:
                    return
                except PermissionError:
                    log.warning("process %s belongs to another user", self.holder_pid())
                    return
                # A pidfd becomes readable when its process exits.
                if select.select([process], [], [], seconds)[0]:
                    log.warning("stopped process %s, which did not respond (%s)", self.holder_pid(), number.name)
                    return

    @contextlib.contextmanager
    def _holder_process(self) -> Iterator[int | None]:
        """Yield a pidfd of the process that holds the lock; None if the process can't be identified."""
        pid = self.holder_pid()
        try:
            process = os.pidfd_open(pid) if pid is not None and hasattr(os, "pidfd_open") else None
        except OSError:
            process = None
        if pid is None or process is None:
            yield None
            return
        try:
            # The process ID may have been reused, or belong to another container. The pidfd refers to the right
            # process if the kernel still lists this process ID as the holder of the lock after the pidfd was opened.
            yield process if self._kernel_lists(pid) else None
        finally:
            os.close(process)

    def _kernel_lists(self, pid: int) -> bool:
        try:
            locks = Path("/proc/locks").read_text(encoding="ascii")
            inode = self.file.stat().st_ino
        except OSError:
            return False
        return re.search(rf"\bFLOCK +ADVISORY +WRITE +{pid} \w+:\w+:{inode} ", locks) is not None


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


def become_first_instance(
    lock: InstanceLock, request: Request, should_stop: Callable[[], bool]
) -> InstanceServer | Outcome:
    """Become the first instance, or hand the request over to it.

    Returns:
        The server for later requests if this is the first instance; otherwise HANDED_OVER, NOT_RESPONDING or STOPPED.

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
    server = InstanceServer(lock)
    # Listen only once an event loop is running (a dialog's or the window's): without one, the server can't respond.
    QTimer.singleShot(0, server, server.listen)
    return server


def _allow_set_foreground_window(pid: int | None) -> None:
    """Let the first instance raise its window, which Windows permits only to the program that was started last."""
    if sys.platform == "win32" and pid is not None:
        ctypes.windll.user32.AllowSetForegroundWindow(pid)


def activation_token() -> str:
    """Return the activation token that the desktop passed to this program; empty if there is none."""
    return os.environ.pop("XDG_ACTIVATION_TOKEN", "") or os.environ.get("DESKTOP_STARTUP_ID", "")


def activate(window: QWidget, token: str = "") -> None:
    """Show, raise and activate a window, as far as the desktop permits.

    Args:
        window: The window; it can be hidden or minimized.
        token: The activation token from `activation_token`.
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
