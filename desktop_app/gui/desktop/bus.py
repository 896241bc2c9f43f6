"""A D-Bus connection in Qt's event loop. Opened beside the main thread; calls are answered later or never.

Qt's own D-Bus can't be used: from Python it has no way to write an unsigned number, which notifications and most
inhibitors ask for.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call
from jeepney.bus_messages import MatchRule, message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from PySide6.QtCore import QObject, QSocketNotifier, QThreadPool, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from jeepney import Message

log = logging.getLogger(__name__)

SESSION, SYSTEM = "SESSION", "SYSTEM"
_KEPT = 50
"""So many messages wait for the connection; more would only come from a bus that does not answer."""


class Bus(QObject):
    """One connection, opened at the first call. Where there is no bus, calls lead to nothing.

    Args:
        which: `SESSION` or `SYSTEM`.
        parent: Qt's owner.
    """

    _opened = Signal(object)

    def __init__(self, which: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._which = which
        self._connection: DBusConnection | None = None
        self._state = "new"
        self._waiting: deque[tuple[Message, Callable[[Any], None] | None]] = deque(maxlen=_KEPT)
        self._replies: dict[int, Callable[[Any], None]] = {}
        self._signals: dict[tuple[str, str], Callable[[tuple[Any, ...]], None]] = {}
        self._notifier: QSocketNotifier | None = None
        self._opened.connect(self._take_connection)

    def call(
        self,
        address: DBusAddress,
        method: str,
        signature: str = "",
        body: tuple[Any, ...] = (),
        on_reply: Callable[[Any], None] | None = None,
    ) -> None:
        """Call a method; `on_reply` gets the first value of the answer, and is not called if there is none."""
        self.send(new_method_call(address, method, signature, body), on_reply)

    def send(self, message: Message, on_reply: Callable[[Any], None] | None = None) -> None:
        """Send a message now or as soon as there is a connection."""
        match self._state:
            case "open":
                self._write(message, on_reply)
            case "new" | "opening":
                self._waiting.append((message, on_reply))
                self._open()
            case _:
                return

    def subscribe(self, address: DBusAddress, name: str, call: Callable[[tuple[Any, ...]], None]) -> None:
        """Call this with a signal's values whenever it comes."""
        self._signals[address.interface, name] = call
        rule = MatchRule(type="signal", interface=address.interface, member=name, path=address.object_path)
        self.send(message_bus.AddMatch(rule))

    def close(self) -> None:
        """Let the connection go; what it held is given up with it."""
        self._state = "closed"
        self._waiting.clear()
        self._drop()

    def _open(self) -> None:
        if self._state == "new":
            self._state = "opening"
            QThreadPool.globalInstance().start(self._connect)

    def _connect(self) -> None:
        """On the pool: a bus that does not answer keeps nobody waiting."""
        try:
            connection: DBusConnection | None = open_dbus_connection(bus=self._which, enable_fds=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no bus to be used
            log.info("no %s bus: %r", self._which.lower(), error)
            connection = None
        try:
            self._opened.emit(connection)
        except RuntimeError:  # the window is gone
            if connection is not None:
                connection.close()

    @Slot(object)
    def _take_connection(self, connection: DBusConnection | None) -> None:
        if self._state == "closed":
            if connection is not None:
                connection.close()
            return
        if connection is None:
            self._state = "none"
            self._waiting.clear()
            return
        self._connection = connection
        self._state = "open"
        self._notifier = QSocketNotifier(connection.sock.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        while self._waiting:
            self._write(*self._waiting.popleft())

    def _write(self, message: Message, on_reply: Callable[[Any], None] | None) -> None:
        if self._connection is None:
            return
        serial = next(self._connection.outgoing_serial)
        if on_reply is not None:
            self._replies[serial] = on_reply
        try:
            self._connection.send(message, serial=serial)
        except OSError as error:
            self._lose(error)

    @Slot()
    def _read(self) -> None:
        while self._connection is not None:
            try:
                message = self._connection.receive(timeout=0)
            except TimeoutError:
                return
            except (OSError, RuntimeError) as error:
                self._lose(error)
                return
            self._hear(message)

    def _hear(self, message: Message) -> None:
        fields, kind = message.header.fields, message.header.message_type
        if kind is MessageType.signal:
            call = self._signals.get((fields.get(HeaderFields.interface, ""), fields.get(HeaderFields.member, "")))
            if call is not None:
                call(message.body)
            return
        on_reply = self._replies.pop(fields.get(HeaderFields.reply_serial, -1), None)
        if kind is MessageType.error:
            log.info("%s: %s", fields.get(HeaderFields.error_name, ""), message.body[0] if message.body else "")
        elif on_reply is not None:
            on_reply(message.body[0] if message.body else None)

    def _lose(self, error: Exception) -> None:
        log.info("the %s bus is gone: %r", self._which.lower(), error)
        self._state = "none"
        self._drop()

    def _drop(self) -> None:
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._replies.clear()
