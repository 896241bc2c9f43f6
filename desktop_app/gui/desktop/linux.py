"""Linux and its like: notifications, the task bar and staying awake, over D-Bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, new_signal

from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.desktop.bus import Bus
    from desktop_app.gui.desktop.ports import Notification, Topic


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
    """org.freedesktop.Notifications: works without a tray."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ids: dict[Topic, int] = {}
        self._clicked: Callable[[Topic], None] | None = None
        self._subscribed = False

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Call this when the person presses one."""
        self._clicked = call

    def show(self, notification: Notification) -> None:
        """Show one, in the place of the one before about the same."""
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
            # Some desktops take what looks like markup for markup.
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
        """Show none any more; those that are shown stay for the person to read."""
        self._clicked = None


class LauncherEntry:
    """com.canonical.Unity.LauncherEntry, which the docks of several desktops listen to."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._shown: tuple[int, int] | None = None
        self._failed = 0

    def show(self, fraction: float | None, failed: int) -> None:
        """Show the run's progress and its failures; says each state once."""
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
        """Show nothing any more."""
        if self._shown is not None:
            self.show(None, 0)


class BusAwake:
    """Asks whoever puts this desktop's computers to sleep not to: the login manager and the session's own."""

    def __init__(self, session: Bus, system: Bus) -> None:
        self._session = session
        self._system = system
        self._is_kept = False
        self._turn = 0
        self._release: list[Callable[[], None]] = []

    def keep(self, *, awake: bool) -> None:
        """Keep the computer awake, or no longer."""
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
        """An answer; one that came too late is given back at once."""
        if self._is_kept and turn == self._turn:
            self._release.append(release)
        else:
            release()

    def _let_go(self) -> None:
        releases, self._release = self._release, []
        for release in releases:
            release()

    def close(self) -> None:
        """No longer, for good."""
        self.keep(awake=False)
