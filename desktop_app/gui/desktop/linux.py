"""Linux and similar systems: notifications, task bar progress and keeping awake, over D-Bus.

QtDBus can't be used: from Python it can't send unsigned numbers, which notifications and most
inhibitors require.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call, new_signal
from jeepney.bus_messages import MatchRule, message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from PySide6.QtCore import QObject, QSocketNotifier, QThreadPool, Signal, Slot

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from jeepney import Message

    from desktop_app.gui.desktop.ports import Notification, Topic


log = logging.getLogger(__name__)

SESSION, SYSTEM = "SESSION", "SYSTEM"
_KEPT = 50
"""At most this many messages wait for the connection; more would mean that the bus does not respond."""


class Bus(QObject):
    """A D-Bus connection in Qt's event loop. Without a bus, calls do nothing.

    It is opened by the first call, off the main thread; replies come later or never.

    Args:
        which: `SESSION` or `SYSTEM`.
        parent: The parent.
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
        """Call a method; `on_reply` gets the first value of the reply, if one comes."""
        self.send(new_method_call(address, method, signature, body), on_reply)

    def send(self, message: Message, on_reply: Callable[[Any], None] | None = None) -> None:
        """Send a message, or queue it until there is a connection."""
        match self._state:
            case "open":
                self._write(message, on_reply)
            case "new" | "opening":
                self._waiting.append((message, on_reply))
                self._open()
            case _:
                return

    def subscribe(self, address: DBusAddress, name: str, call: Callable[[tuple[Any, ...]], None]) -> None:
        """Call a function with a signal's values whenever the signal comes."""
        self._signals[address.interface, name] = call
        rule = MatchRule(type="signal", interface=address.interface, member=name, path=address.object_path)
        self.send(message_bus.AddMatch(rule))

    def close(self) -> None:
        """Close the connection, which releases everything held through it."""
        self._state = "closed"
        self._waiting.clear()
        self._drop()

    def _open(self) -> None:
        if self._state == "new":
            self._state = "opening"
            QThreadPool.globalInstance().start(self._connect)

    def _connect(self) -> None:
        """Connect on the pool, so that a bus that does not respond blocks nothing."""
        try:
            connection: DBusConnection | None = open_dbus_connection(bus=self._which, enable_fds=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no bus to be used
            log.info("no %s bus: %r", self._which.lower(), error)
            connection = None
        try:
            self._opened.emit(connection)
        except RuntimeError:  # the window is closed
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
        log.info("the %s bus was closed: %r", self._which.lower(), error)
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


APP_NAME = "Filemill"

DESKTOP_FILE = "filemill"

NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
)

LOGIN = DBusAddress("/org/freedesktop/login1", "org.freedesktop.login1", "org.freedesktop.login1.Manager")

POWER = DBusAddress(
    "/org/freedesktop/PowerManagement/Inhibit",
    "org.freedesktop.PowerManagement",
    "org.freedesktop.PowerManagement.Inhibit",
)

GNOME_SESSION = DBusAddress("/org/gnome/SessionManager", "org.gnome.SessionManager", "org.gnome.SessionManager")

_GNOME_NO_SLEEP = 4

_URGENCY = {False: 1, True: 2}

_DEFAULT_ACTION = "default"


class BusNotifier:
    """Notifications through org.freedesktop.Notifications; works without a tray."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ids: dict[Topic, int] = {}
        self._clicked: Callable[[Topic], None] | None = None
        self._subscribed = False

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Call a function when the user clicks a notification."""
        self._clicked = call

    def show(self, notification: Notification) -> None:
        """Show a notification, replacing the previous one about the same topic."""
        if not self._subscribed:
            self._subscribed = True
            self._bus.subscribe(NOTIFICATIONS, "ActionInvoked", self._hear_click)
        hints = {
            "desktop-entry": ("s", DESKTOP_FILE),
            "urgency": ("y", _URGENCY[notification.is_urgent]),
        }
        body = (
            APP_NAME,
            self._ids.get(notification.topic, 0),
            DESKTOP_FILE,
            notification.title,
            # Some desktops interpret markup.
            notification.body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            [_DEFAULT_ACTION, tr("Show")],
            hints,
            -1,
        )

        def remember(number: int) -> None:
            self._ids[notification.topic] = number

        self._bus.call(NOTIFICATIONS, "Notify", "susssasa{sv}i", body, remember)

    def _hear_click(self, values: tuple[Any, ...]) -> None:
        topic = next((topic for topic, number in self._ids.items() if number == values[0]), None)
        if topic is not None and self._clicked is not None:
            self._clicked(topic)

    def close(self) -> None:
        """Stop showing notifications; those on screen stay."""
        self._clicked = None


class LauncherEntry:
    """Task bar progress through com.canonical.Unity.LauncherEntry, which several docks support."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._shown: tuple[int, int] | None = None
        self._failed = 0

    def show(self, fraction: float | None, failed: int) -> None:
        """Show the run's progress and failures; sends each state once."""
        percent = -1 if fraction is None else int(fraction * 100)
        if (percent, failed) == self._shown:
            return
        asks = failed > self._failed
        self._shown, self._failed = (percent, failed), failed
        self._send(
            {
                "progress": ("d", max(0, percent) / 100),
                "progress-visible": ("b", percent >= 0),
                "count": ("x", failed),
                "count-visible": ("b", failed > 0),
                "urgent": ("b", asks),
            }
        )

    def _send(self, state: dict[str, tuple[str, object]]) -> None:
        place = DBusAddress("/com/filemill", interface="com.canonical.Unity.LauncherEntry")
        self._bus.send(new_signal(place, "Update", "sa{sv}", (f"application://{DESKTOP_FILE}.desktop", state)))

    def close(self) -> None:
        """Remove what is shown, and show nothing more."""
        if self._shown is not None:
            self.show(None, 0)


class BusAwake:
    """Keeps the computer awake through inhibitors of the login manager and of the session."""

    def __init__(self, session: Bus, system: Bus) -> None:
        self._session = session
        self._system = system
        self._is_kept = False
        self._turn = 0
        self._release: list[Callable[[], None]] = []

    def keep(self, *, awake: bool) -> None:
        """Keep the computer awake, or allow sleep again."""
        if awake == self._is_kept:
            return
        self._is_kept = awake
        self._turn += 1
        if awake:
            self._ask(self._turn)
        else:
            self._let_go()

    def _ask(self, turn: int) -> None:
        why = tr("Files are being processed")

        def hold_file(held: Any) -> None:  # noqa: ANN401 - the library's descriptor
            self._hold(turn, held.close)

        def hold(address: DBusAddress, method: str) -> Callable[[Any], None]:
            return lambda cookie: self._hold(turn, lambda: self._session.call(address, method, "u", (cookie,)))

        self._system.call(LOGIN, "Inhibit", "ssss", ("idle", APP_NAME, why, "block"), hold_file)
        self._session.call(POWER, "Inhibit", "ss", (APP_NAME, why), hold(POWER, "UnInhibit"))
        self._session.call(
            GNOME_SESSION, "Inhibit", "susu", (APP_NAME, 0, why, _GNOME_NO_SLEEP), hold(GNOME_SESSION, "Uninhibit")
        )

    def _hold(self, turn: int, release: Callable[[], None]) -> None:
        """Keep the inhibitor from a reply; release it at once if the reply came too late."""
        if self._is_kept and turn == self._turn:
            self._release.append(release)
        else:
            release()

    def _let_go(self) -> None:
        releases, self._release = self._release, []
        for release in releases:
            release()

    def close(self) -> None:
        """Allow sleep for good."""
        self.keep(awake=False)
