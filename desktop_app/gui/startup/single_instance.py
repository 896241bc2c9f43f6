"""One window per list, user and computer: a later start hands its arguments to the existing window.

`QLockFile` decides which program may open the window. It holds a native lock that the system releases however the
program ends, so a socket without its program is never taken for a window, and two programs that start at the same
moment never both become the first. The first listens with `QLocalServer`; a later one connects with `QLocalSocket`.

A request is its length in eight bytes, then JSON. The reply is the line `taken`, preceded by `wait` as long as
there is no window yet. Only after reading `taken` is the request known to be handed over.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import re
import select
import shutil
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

from PySide6.QtCore import QLocale, QLockFile, QObject, Qt, QTimer, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication

from desktop_app.gui.startup.dialogs import NotRespondingChoice, NotRespondingDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QWidget

log = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 256 * 1024 * 1024
_LENGTH_BYTES = 8
_TAKEN, _WAIT = b"taken\n", b"wait\n"
_MAX_ADDRESS_BYTES = 80
"""The system allows about 104 bytes; Qt creates the socket under a longer name and renames it."""
RESPOND_SECONDS = 8.0
"""The time for the first instance to reply once it listens."""
START_SECONDS = 60.0
"""The time for it to start listening: the database may be large and the computer busy."""
_STALE_LOCK_MS = 5_000
_POLL_SECONDS = 0.05
_IO_STEP_MS = 100
_TERMINATE_SECONDS = 3.0
_KILL_SECONDS = 5.0


class Outcome(Enum):
    """The outcome of a start."""

    FIRST = auto()
    """There is no other instance; this program holds the lock."""
    HANDED_OVER = auto()
    """The first instance has the request."""
    NOT_RESPONDING = auto()
    """Another instance holds the lock and does not respond."""
    STOPPED = auto()
    """This program was asked to end."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request of a later start.

    Attributes:
        names: What to add, in the form that `scan` takes; paths are absolute.
        token: The desktop's activation token, which permits raising the window; may be empty.
    """

    names: tuple[str, ...] = ()
    token: str = ""


class InstanceLock:
    """The lock of a list's window, and the file with the address of its holder. One thread.

    Args:
        folder: The existing folder for locks and addresses; it may be on a network share.
        database: The list that the window shows.
    """

    def __init__(self, folder: Path, database: Path) -> None:
        # On a network share, other computers' locks are here too.
        words = f"{socket.gethostname()}\0{os.path.realpath(database)}"
        self.name = f"window-{zlib.crc32(os.fsencode(words)):08x}"
        self.folder = folder
        self.file = folder / f"{self.name}.lock"
        self._address_file = folder / f"{self.name}.address"
        self._lock = QLockFile(f"{_path_for_qt(folder)}/{self.name}.lock")
        # A lock whose holder is gone is recognised by its process ID at once. The age is for a lock whose process ID
        # now belongs to another program, and for a truncated one; a lock in use is never broken, however old, since
        # its holder has a native lock on the file.
        self._lock.setStaleLockTime(_STALE_LOCK_MS)

    def try_lock(self) -> bool:
        """Take the lock if it is free; return whether it is this program's now.

        Raises:
            OSError: If the folder can't be written.
        """
        if self._lock.tryLock(0):
            self._address_file.unlink(missing_ok=True)  # of a holder that was killed
            return True
        if self._lock.error() is not QLockFile.LockError.LockFailedError:
            raise OSError(f"{self.file}: {self._lock.error().name}")
        return False

    def is_held(self) -> bool:
        """Return whether this program holds the lock."""
        return self._lock.isLocked()

    def publish(self, address: str) -> None:
        """Publish the address of this program, which holds the lock.

        Raises:
            OSError: If the folder can't be written.
        """
        new = self._address_file.with_suffix(".new")
        new.write_text(address, encoding="utf-8", errors="surrogateescape")
        new.replace(self._address_file)

    def address(self) -> str:
        """Return the holder's address; empty if it does not listen yet."""
        try:
            return self._address_file.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""

    def release(self) -> None:
        """Release the lock; safe to call twice."""
        if self.is_held():
            self._address_file.unlink(missing_ok=True)
            self._lock.unlock()

    def holder_pid(self) -> int | None:
        """Return the ID of the process that took the lock last; None if unknown."""
        return self._lock.getLockInfo()[0] or None

    def locked_at(self) -> int:
        """Return when the lock was taken, in milliseconds since 1970; 0 if it is free."""
        try:
            return self.file.stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def can_end_holder(self) -> bool:
        """Return whether the holder's process is known for sure, so that it can be stopped safely."""
        process = self._open_holder()
        if process is not None:
            os.close(process)
        return process is not None

    def end_holder(self) -> None:
        """Stop the holder's process, first with SIGTERM; do nothing if it is not known for sure.

        Nothing is lost: the database is the truth, and unfinished files are processed again.
        """
        process = self._open_holder()
        if process is None:
            return
        try:
            for number, seconds in ((signal.SIGTERM, _TERMINATE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, number)
                # The descriptor becomes readable when the process has ended.
                if select.select([process], [], [], seconds)[0]:
                    log.warning("stopped process %s, which did not respond (%s)", self.holder_pid(), number.name)
                    return
        except PermissionError:
            log.warning("process %s belongs to another user", self.holder_pid())
        finally:
            os.close(process)

    def _open_holder(self) -> int | None:
        """Return a pidfd of the holder's process, which can't be reused for another; None if unknown."""
        pid = self.holder_pid()
        if pid is None or not hasattr(os, "pidfd_open"):
            return None
        try:
            process = os.pidfd_open(pid)
        except OSError:
            return None
        # A process ID may have been reused, or belong to another container. The kernel is asked after the
        # process was opened: if it holds the native lock now, it did so when its ID was looked up.
        if self._has_native_lock(pid):
            return process
        os.close(process)
        return None

    def _has_native_lock(self, pid: int) -> bool:
        try:
            locks = Path("/proc/locks").read_text(encoding="ascii")
            inode = self.file.stat().st_ino
        except OSError:
            return False
        return re.search(rf"\bFLOCK +ADVISORY +WRITE +{pid} \w+:\w+:{inode} ", locks) is not None


def _path_for_qt(folder: Path) -> str:
    """Return a path of the folder that `QLockFile` can open: Qt replaces bytes that are not UTF-8."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        return f"/proc/self/fd/{os.open(folder, os.O_RDONLY)}"  # stays open as long as this program needs the lock
    return str(folder)


class InstanceServer(QObject):
    """Receives the requests of later starts as long as this program holds the lock. Main thread.

    Args:
        lock: Held by this program.
        parent: The parent.
    """

    def __init__(self, lock: InstanceLock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = lock
        self._temporary_folder = ""
        self._handler: Callable[[Request], None] | None = None
        self._connections: list[QLocalSocket] = []
        self._waiting: list[tuple[QLocalSocket, Request]] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)

    @Slot()
    def listen(self) -> None:
        """Start listening. Without a socket the window still works, but later starts open their own."""
        if not self._lock.is_held():
            return  # closed before the first event loop ran
        for address in self._addresses():
            # Nobody listens there any more: the holder of the lock owns the socket.
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
        self._temporary_folder = tempfile.mkdtemp(prefix="filemill-")
        yield f"{self._temporary_folder}/window"

    def set_handler(self, handler: Callable[[Request], None]) -> None:
        """Pass earlier and later requests to the window, which exists now."""
        self._handler = handler
        waiting, self._waiting = self._waiting, []
        for connection, request in waiting:
            self._hand_over(connection, request)

    @Slot()
    def close(self) -> None:
        """Stop listening and release the lock, so that the next start opens a window. Safe to call twice."""
        self._server.close()
        self._handler = None
        for connection in list(self._connections):
            connection.abort()
        self._lock.release()
        if self._temporary_folder:
            shutil.rmtree(self._temporary_folder, ignore_errors=True)
            self._temporary_folder = ""

    @Slot()
    def _accept(self) -> None:
        while self._server.hasPendingConnections():
            connection = self._server.nextPendingConnection()
            self._connections.append(connection)
            connection.readyRead.connect(self._read_all)
            connection.disconnected.connect(self._forget_closed)
        self._read_all()
        self._forget_closed()

    @Slot()
    def _read_all(self) -> None:
        for connection in list(self._connections):
            if connection.isValid():
                self._read(connection)

    def _read(self, connection: QLocalSocket) -> None:
        try:
            request = read_request(connection)
        except (ValueError, RecursionError) as error:
            log.warning("the window received an invalid request: %s", error)
            connection.abort()
            return
        if request is not None:
            self._hand_over(connection, request)

    def _hand_over(self, connection: QLocalSocket, request: Request) -> None:
        if self._handler is None:
            self._waiting.append((connection, request))
            connection.write(_WAIT)
            activate_open_dialogs()
        else:
            self._handler(request)
            connection.write(_TAKEN)

    @Slot()
    def _forget_closed(self) -> None:
        closed = QLocalSocket.LocalSocketState.UnconnectedState
        for connection in [one for one in self._connections if one.state() is closed]:
            self._connections.remove(connection)
            connection.deleteLater()
        self._waiting = [(one, request) for one, request in self._waiting if one in self._connections]


def write_request(connection: QLocalSocket, request: Request) -> None:
    """Send a request. Names that are not UTF-8 are preserved: JSON escapes their surrogates."""
    body = json.dumps({"names": request.names, "token": request.token}).encode("ascii")
    connection.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)


def read_request(connection: QLocalSocket) -> Request | None:
    """Return the received request; return None and read nothing while it is incomplete.

    Raises:
        ValueError: If it is not a request, or larger than `MAX_REQUEST_BYTES`.
    """
    head = connection.peek(_LENGTH_BYTES).data()
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    if length > MAX_REQUEST_BYTES:
        raise ValueError(f"{length} bytes")
    if connection.bytesAvailable() < _LENGTH_BYTES + length:
        return None
    match json.loads(bytes(connection.read(_LENGTH_BYTES + length).data()[_LENGTH_BYTES:])):
        case {"names": list(names), "token": str(token)} if all(isinstance(name, str) for name in names):
            # Such a token can't stand in the environment, where Qt looks for it.
            if b"\0" in os.fsencode(token):
                raise ValueError("a token with a NUL")
            return Request(tuple(names), token)
    raise ValueError("neither names nor a token")


class InstanceClient:
    """Alternately tries to take the lock and to hand over to its holder. Used before there is a window.

    Args:
        lock: Of the list's window.
        request: The request to hand over.
        should_stop: Returns whether this program was asked to end. Called several times a second.
        respond_s, start_s: The time for the first instance; see `RESPOND_SECONDS` and `START_SECONDS`.
    """

    def __init__(
        self,
        lock: InstanceLock,
        request: Request,
        should_stop: Callable[[], bool],
        *,
        respond_s: float = RESPOND_SECONDS,
        start_s: float = START_SECONDS,
    ) -> None:
        self._lock = lock
        self._request = request
        self._should_stop = should_stop
        self._respond_s = respond_s
        self._start_s = start_s
        self._address = ""
        self._since = 0.0

    def run(self) -> Outcome:
        """Try until there is an outcome.

        Raises:
            OSError: If the lock's folder can't be written.
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
        address = self._lock.address()
        now = time.monotonic()
        if address != self._address:
            self._address, self._since = address, now
        return now - self._since > (self._respond_s if address else self._start_s)

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
                # An instance that replies `wait` shows a dialog; the connection ends if its user gives up.
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
        The server for later requests if this is the first instance; else HANDED_OVER, NOT_RESPONDING or STOPPED.

    Raises:
        OSError: If the lock's folder can't be written.
    """
    client = InstanceClient(lock, request, should_stop)
    while (outcome := client.run()) is Outcome.NOT_RESPONDING:
        dialog = NotRespondingDialog(
            lock.holder_pid(), lock.locked_at(), can_end=lock.can_end_holder(), locale=QLocale()
        )
        choice = dialog.choose()
        if choice is NotRespondingChoice.CANCEL:
            return outcome
        if choice is NotRespondingChoice.END_IT:
            lock.end_holder()
    if outcome is not Outcome.FIRST:
        log.info("not the first instance: %s, %d names", outcome.name, len(request.names))
        return outcome
    server = InstanceServer(lock)
    # In the first event loop, a dialog's or the window's: whoever listens has to reply, so wait until this can.
    QTimer.singleShot(0, server, server.listen)
    return server


def _allow_set_foreground_window(pid: int | None) -> None:
    """Allow the first instance to raise its window: Windows only lets the program just started by the user do that."""
    if sys.platform == "win32" and pid is not None:
        ctypes.windll.user32.AllowSetForegroundWindow(pid)


def activation_token() -> str:
    """Return the activation token that the desktop gave to this program."""
    return os.environ.pop("XDG_ACTIVATION_TOKEN", "") or os.environ.get("DESKTOP_STARTUP_ID", "")


def activate(window: QWidget, token: str = "") -> None:
    """Raise and activate a window, as far as the desktop allows.

    Args:
        window: It may be minimized.
        token: From `activation_token`.
    """
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token  # where Qt reads it on Wayland, once
    if window.isMinimized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    QApplication.alert(window)


def activate_open_dialogs() -> None:
    """Raise the open dialogs while there is no main window."""
    for window in QApplication.topLevelWidgets():
        if window.isVisible():
            activate(window)
