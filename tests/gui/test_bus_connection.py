"""A D-Bus that does not respond, or is not there, never delays the window by more than seconds."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

if sys.platform != "linux":
    pytest.skip("only Linux has D-Bus", allow_module_level=True)

from desktop_app.gui.desktop import bus_connection
from desktop_app.gui.desktop.bus_connection import disable_unresponsive_buses, open_bus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_connection, "RESPOND_SECONDS", 0.2)


@pytest.fixture
def silent_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a bus that accepts connections and never responds."""
    path = tmp_path_factory.mktemp("b") / "bus"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen()
        yield f"unix:path={path}"


@pytest.fixture
def full_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a bus that accepts no more connections."""
    path = tmp_path_factory.mktemp("b") / "bus"
    with closing(socket.socket(socket.AF_UNIX)) as listener, closing(socket.socket(socket.AF_UNIX)) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        yield f"unix:path={path}"


@pytest.fixture
def bus_without_a_reply(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a bus that authenticates its clients, and then ignores their messages."""
    path = tmp_path_factory.mktemp("b") / "bus"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                with client:
                    for answer in (b"OK 0123456789abcdef0123456789abcdef\r\n", b"AGREE_UNIX_FD\r\n"):
                        while b"\r\n" not in client.recv(1024):
                            pass
                        client.sendall(answer)
                    while client.recv(1024):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"unix:path={path}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.expected_log("the session bus does not respond and is not used")
@pytest.mark.parametrize("kind", ["silent_bus", "full_bus", "bus_without_a_reply"])
def test_bus_that_does_not_respond_is_disabled(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    environment = {
        "DBUS_SESSION_BUS_ADDRESS": request.getfixturevalue(kind),
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none",
    }

    disable_unresponsive_buses(environment)

    assert environment == {
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none",
    }


@pytest.mark.expected_log("the session bus does not respond and is not used")
def test_bus_at_the_default_place_is_checked_too(silent_bus: str, tmp_path: Path) -> None:
    folder = silent_bus.removeprefix("unix:path=").removesuffix("/bus")
    environment = {"XDG_RUNTIME_DIR": folder, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"}

    disable_unresponsive_buses(environment)

    assert environment["DBUS_SESSION_BUS_ADDRESS"] == "disabled:"


@pytest.mark.parametrize(
    "address",
    [
        *(
            "unix:path=/nonexistent/bus",
            "unix:abstract=filemill-none",
            "nonsense",
            "unix:",
            "unix:path",
            ";;",
            "foo:a=b",
        ),
        *("tcp:host=127.0.0.1,port=9", "tcp:port=x", "autolaunch:", "disabled:", "unixexec:path=/bin/false"),
    ],
)
def test_bus_that_is_not_there_is_left_to_qt(address: str) -> None:
    environment = {"DBUS_SESSION_BUS_ADDRESS": address, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"}
    before = dict(environment)

    disable_unresponsive_buses(environment)

    assert environment == before


def test_connection_to_a_bus_that_does_not_reply_times_out(bus_without_a_reply: str) -> None:
    with pytest.raises(TimeoutError):
        open_bus(bus_without_a_reply)
