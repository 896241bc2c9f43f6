"""Desktop integration for Linux over D-Bus: notifications, task bar progress, and preventing sleep.

QtDBus can't be used: when called from Python, it can't send unsigned integers, which these interfaces require.
"""

from __future__ import annotations

import html
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call, new_signal
from jeepney.bus_messages import MatchRule, message_bus
from PySide6.QtCore import QObject, QSocketNotifier, QThreadPool, Signal, Slot

from desktop_app.gui.desktop.bus_connection import open_bus
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from jeepney.io.blocking import DBusConnection

    from desktop_app.gui.desktop.ports import Notification, Topic


log = logging.getLogger(__name__)

_MAX_WAITING = 50
"""The maximum number of messages waiting for the connection; if there are more, the oldest are dropped."""


class Bus(QObject):
    """A D-Bus connection in Qt's event loop. If there is no bus, calls do nothing.

    The connection is opened on another thread when the first message is sent.

    Args:
        which: `SESSION` or `SYSTEM`.
        parent: The parent object.
    """

    _opened = Signal(object)

    def __init__(self, which: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._which = which
        self._connection: DBusConnection | None = None
        self._state = "new"
        self._waiting: deque[tuple[Message, Callable[[Any], None] | None]] = deque(maxlen=_MAX_WAITING)
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
        """Call a method.

        Args:
            address: The object and its interface.
            method: The name of the method.
            signature: The D-Bus signature of the arguments.
            body: The arguments.
            on_reply: Called with the first value of the reply; not called after an error.
        """
        self.send(new_method_call(address, method, signature, body), on_reply)

    def send(self, message: Message, on_reply: Callable[[Any], None] | None = None) -> None:
        """Send a message, or queue it until the connection is open."""
        if self._state == "new":
            self._state = "opening"
            QThreadPool.globalInstance().start(self._connect)
        if self._state == "opening":
            self._waiting.append((message, on_reply))
        else:
            self._write(message, on_reply)

    def subscribe(self, address: DBusAddress, name: str, call: Callable[[tuple[Any, ...]], None]) -> None:
        """Call a function with the values of a signal each time the signal is received."""
        self._signals[address.interface, name] = call
        rule = MatchRule(type="signal", interface=address.interface, member=name, path=address.object_path)
        self.send(message_bus.AddMatch(rule))

    def close(self) -> None:
        """Close the connection, which releases all inhibitors. Later messages are dropped."""
        self._state = "closed"
        self._waiting.clear()
        self._replies.clear()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        """Open the connection. Called on a pool thread, since an unresponsive bus would block the main thread."""
        try:
            connection: DBusConnection | None = open_bus(self._which)
        except Exception as error:  # noqa: BLE001 - after any exception, the program runs without a bus
            log.info("no %s bus: %r", self._which.lower(), error)
            connection = None
        try:
            self._opened.emit(connection)
        except RuntimeError:  # this object was deleted together with the window
            if connection is not None:
                connection.close()

    @Slot(object)
    def _take_connection(self, connection: DBusConnection | None) -> None:
        if connection is None:
            self.close()
            return
        if self._state == "closed":
            connection.close()
            return
        # The bus may stop reading; a message that would block the main thread ends the connection instead.
        connection.sock.setblocking(False)
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
            self._dispatch(message)

    def _dispatch(self, message: Message) -> None:
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
        log.info("the connection to the %s bus was lost: %r", self._which.lower(), error)
        self.close()


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
LAUNCHER = DBusAddress("/com/filemill", interface="com.canonical.Unity.LauncherEntry")
_GNOME_NO_SLEEP = 4
_NORMAL, _CRITICAL = 1, 2
_DEFAULT_ACTION = "default"


class BusNotifier:
    """Shows notifications through org.freedesktop.Notifications."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ids: dict[Topic, int] = {}
        self._clicked: Callable[[Topic], None] | None = None
        self._subscribed = False

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Call a function when the user clicks a notification."""
        self._clicked = call

    def show(self, notification: Notification) -> None:
        """Show a notification; it replaces the previous one about the same topic."""
        if not self._subscribed:
            self._subscribed = True
            self._bus.subscribe(NOTIFICATIONS, "ActionInvoked", self._click)
        urgency = _CRITICAL if notification.is_urgent else _NORMAL
        body = (
            APP_NAME,
            self._ids.get(notification.topic, 0),
            DESKTOP_FILE,
            notification.title,
            html.escape(notification.body, quote=False),  # some desktops interpret markup
            [_DEFAULT_ACTION, tr("Show")],
            {"desktop-entry": ("s", DESKTOP_FILE), "urgency": ("y", urgency)},
            -1,
        )

        def remember(number: int) -> None:
            self._ids[notification.topic] = number

        self._bus.call(NOTIFICATIONS, "Notify", "susssasa{sv}i", body, remember)

    def _click(self, values: tuple[Any, ...]) -> None:
        topic = next((topic for topic, number in self._ids.items() if number == values[0]), None)
        if topic is not None and self._clicked is not None:
            self._clicked(topic)

    def close(self) -> None:
        """Ignore clicks from now on. Notifications that are already shown remain."""
        self._clicked = None


class LauncherEntry:
    """Shows task bar progress through com.canonical.Unity.LauncherEntry, which several docks support."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._percent = -1
        self._failed = 0

    def show(self, fraction: float | None, failed: int) -> None:
        """Show the progress and the number of failed files; send a signal only if they have changed."""
        percent = -1 if fraction is None else int(fraction * 100)
        if (percent, failed) == (self._percent, self._failed):
            return
        state = {
            "progress": ("d", max(0, percent) / 100),
            "progress-visible": ("b", percent >= 0),
            "count": ("x", failed),
            "count-visible": ("b", failed > 0),
            "urgent": ("b", failed > self._failed),
        }
        self._percent, self._failed = percent, failed
        self._bus.send(new_signal(LAUNCHER, "Update", "sa{sv}", (f"application://{DESKTOP_FILE}.desktop", state)))


class BusAwake:
    """Prevents sleep with inhibitors from the login manager and the desktop session."""

    def __init__(self, session: Bus, system: Bus) -> None:
        self._session = session
        self._system = system
        self._releases: list[Callable[[], None]] | None = None
        """The functions that release the inhibitors; None if sleep is allowed."""

    def keep(self, *, awake: bool) -> None:
        """Prevent sleep, or allow it again."""
        if awake and self._releases is None:
            self._releases = []
            self._inhibit(self._releases)
        elif not awake and self._releases is not None:
            releases, self._releases = self._releases, None
            for release in releases:
                release()

    def _inhibit(self, releases: list[Callable[[], None]]) -> None:
        """Request the inhibitors. Add their release functions to the list, or release inhibitors granted too late."""
        why = tr("Files are being processed")

        def take(release: Callable[[], None]) -> None:
            if self._releases is releases:
                releases.append(release)
            else:
                release()

        def take_cookie(address: DBusAddress, method: str) -> Callable[[Any], None]:
            return lambda cookie: take(lambda: self._session.call(address, method, "u", (cookie,)))

        login = ("idle", APP_NAME, why, "block")
        self._system.call(LOGIN, "Inhibit", "ssss", login, lambda descriptor: take(descriptor.close))
        self._session.call(POWER, "Inhibit", "ss", (APP_NAME, why), take_cookie(POWER, "UnInhibit"))
        gnome = (APP_NAME, 0, why, _GNOME_NO_SLEEP)
        self._session.call(GNOME_SESSION, "Inhibit", "susu", gnome, take_cookie(GNOME_SESSION, "Uninhibit"))
