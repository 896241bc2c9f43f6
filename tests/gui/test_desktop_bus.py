"""D-Bus messages, on a private bus with services that record their calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if sys.platform != "linux" or shutil.which("dbus-daemon") is None:
    pytest.skip("needs Linux and dbus-daemon", allow_module_level=True)

from jeepney import HeaderFields, Message, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from desktop_app.gui.desktop.bus_connection import SESSION, SYSTEM
from desktop_app.gui.desktop.linux import (
    GNOME_SESSION,
    LOGIN,
    NOTIFICATIONS,
    POWER,
    Bus,
    BusAwake,
    BusNotifier,
    LauncherEntry,
)
from desktop_app.gui.desktop.ports import Notification, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

NAMES = [address.bus_name for address in (NOTIFICATIONS, LOGIN, POWER, GNOME_SESSION)]


class Services:
    """Notification service, login manager and inhibitors, on one thread."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.pipes: list[int] = []
        self._connection: DBusConnection = open_dbus_connection(enable_fds=True)
        for name in NAMES:
            self._connection.send_and_get_reply(message_bus.RequestName(name))
        self._connection.send(message_bus.AddMatch("type='signal',interface='com.canonical.Unity.LauncherEntry'"))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError, ValueError, KeyError):
            while True:
                self._answer(self._connection.receive())

    def _answer(self, message: Message) -> None:
        member = message.header.fields.get(HeaderFields.member, "")
        if message.header.message_type is MessageType.signal and member != "Update":
            return
        interface = message.header.fields.get(HeaderFields.interface, "")
        self.calls.append((f"{interface}.{member}", message.body))
        match f"{interface.rpartition('.')[2]}.{member}":
            case "Notifications.Notify":
                self._connection.send(new_method_return(message, "u", (7 + len(self.named("Notify")),)))
            case "Manager.Inhibit":
                read, write = os.pipe()
                self.pipes.append(read)
                with os.fdopen(write) as held:
                    self._connection.send(new_method_return(message, "h", (held,)))
            case "Inhibit.Inhibit" | "SessionManager.Inhibit":
                self._connection.send(new_method_return(message, "u", (99,)))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [body for called, body in self.calls if called.endswith(f".{name}")]

    def press(self, number: int) -> None:
        self._connection.send(new_signal(NOTIFICATIONS, "ActionInvoked", "us", (number, "default")))

    def is_held(self) -> bool:
        """Return whether the other end of the newest pipe is open."""
        os.set_blocking(self.pipes[-1], False)
        try:
            return os.read(self.pipes[-1], 1) != b""
        except BlockingIOError:
            return True

    def close(self) -> None:
        with suppress(OSError):
            self._connection.sock.shutdown(2)
        self._thread.join(5)
        self._connection.close()
        for pipe in self.pipes:
            os.close(pipe)


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    configuration = tmp_path / "bus.conf"
    configuration.write_text(
        f"<busconfig><type>session</type><listen>unix:path={tmp_path}/bus</listen>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
        '<allow own="*"/></policy></busconfig>'
    )
    daemon = subprocess.Popen(
        ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    made = Services()
    yield made
    made.close()
    daemon.terminate()
    daemon.wait(5)
    daemon.stdout.close()


@pytest.fixture
def session(services: Services, qapp: object) -> Iterator[Bus]:
    bus = Bus(SESSION)
    yield bus
    bus.close()


def test_notification_is_shown_and_its_click_is_received(services: Services, session: Bus, qtbot: QtBot) -> None:
    notifier = BusNotifier(session)
    pressed: list[Topic] = []
    notifier.on_click(pressed.append)
    notifier.show(Notification(Topic.ENDED, "Finished", "248 files <b>processed</b> & done."))
    qtbot.waitUntil(lambda: notifier._ids == {Topic.ENDED: 8})
    name, replaced, _, title, body, actions, hints, _ = services.named("Notify")[0]
    assert (name, replaced, title) == ("Filemill", 0, "Finished")
    assert body == "248 files &lt;b&gt;processed&lt;/b&gt; &amp; done."
    assert actions == ["default", "Show"]
    assert hints == {"desktop-entry": ("s", "filemill"), "urgency": ("y", 1)}
    services.press(3)
    services.press(8)
    qtbot.waitUntil(lambda: pressed == [Topic.ENDED])


def test_newer_notification_replaces_the_older_one_of_its_kind(services: Services, session: Bus, qtbot: QtBot) -> None:
    notifier = BusNotifier(session)
    notifier.show(Notification(Topic.ENDED, "Finished", "1"))
    qtbot.waitUntil(lambda: len(notifier._ids) == 1)
    notifier.show(Notification(Topic.ENDED, "Finished", "2"))
    notifier.show(Notification(Topic.TROUBLE, "Sign-in required", "3", is_urgent=True))
    qtbot.waitUntil(lambda: len(services.named("Notify")) == 3)
    assert [body[1] for body in services.named("Notify")] == [0, 8, 0]


def test_dock_receives_progress_and_failures_once(services: Services, session: Bus, qtbot: QtBot) -> None:
    entry = LauncherEntry(session)
    for fraction, failed in ((0.421, 0), (0.428, 0), (0.43, 2), (None, 0)):
        entry.show(fraction, failed)
    qtbot.waitUntil(lambda: len(services.named("Update")) == 3)
    uri, first = services.named("Update")[0]
    assert uri == "application://filemill.desktop"
    assert first["progress"] == ("d", 0.42)
    assert first["progress-visible"] == ("b", True)
    second, third = services.named("Update")[1][1], services.named("Update")[2][1]
    assert (second["count"], second["urgent"]) == (("x", 2), ("b", True))
    assert third["progress-visible"] == third["count-visible"] == ("b", False)


def test_sleep_is_inhibited_while_busy_and_released_at_once(services: Services, session: Bus, qtbot: QtBot) -> None:
    system = Bus(SYSTEM)
    awake = BusAwake(session, system)
    awake.keep(awake=True)
    awake.keep(awake=True)
    qtbot.waitUntil(lambda: awake._releases is not None and len(awake._releases) == 3)
    assert len(services.named("Inhibit")) == 3
    assert services.named("Inhibit")[0][0] in {"idle", "Filemill"}
    assert services.is_held()
    awake.keep(awake=False)
    qtbot.waitUntil(lambda: not services.is_held())
    qtbot.waitUntil(lambda: services.named("UnInhibit") == services.named("Uninhibit") == [(99,)])
    system.close()


def test_inhibitor_that_arrives_after_the_work_is_released(services: Services, session: Bus, qtbot: QtBot) -> None:
    system = Bus(SYSTEM)
    awake = BusAwake(session, system)
    awake.keep(awake=True)
    awake.keep(awake=False)
    qtbot.waitUntil(lambda: services.named("UnInhibit") == services.named("Uninhibit") == [(99,)])
    qtbot.waitUntil(lambda: bool(services.pipes) and not services.is_held())
    assert awake._releases is None
    system.close()


def test_without_a_bus_nothing_happens(qapp: object, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    bus = Bus(SESSION)
    notifier = BusNotifier(bus)
    notifier.show(Notification(Topic.ENDED, "Finished", "x"))
    qtbot.waitUntil(lambda: bus._state == "closed")
    notifier.show(Notification(Topic.ENDED, "Finished", "x"))
    bus.close()


def test_lost_bus_is_released(services: Services, session: Bus, qtbot: QtBot) -> None:
    notifier = BusNotifier(session)
    notifier.show(Notification(Topic.ENDED, "Finished", "x"))
    qtbot.waitUntil(lambda: bool(notifier._ids))
    assert session._connection is not None
    session._connection.sock.shutdown(2)
    qtbot.waitUntil(lambda: session._state == "closed")
    notifier.show(Notification(Topic.ENDED, "Finished", "y"))


def test_missing_service_is_no_error(services: Services, session: Bus, qtbot: QtBot) -> None:
    from jeepney import DBusAddress

    answers: list[Any] = []
    session.call(DBusAddress("/a", "org.example.Absent", "org.example.Absent"), "Do", on_reply=answers.append)
    session.call(POWER, "Inhibit", "ss", ("Filemill", "x"), answers.append)
    qtbot.waitUntil(lambda: answers == [99])
    assert session._replies == {}
