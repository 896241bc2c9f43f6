"""Open D-Bus connections in bounded time, without Qt."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from jeepney.io.blocking import DBusConnection

log = logging.getLogger(__name__)

SESSION, SYSTEM = "SESSION", "SYSTEM"
RESPOND_SECONDS = 1.0
_DISABLED = "disabled:"


def open_bus(bus: str) -> DBusConnection:
    """Open a connection.

    Args:
        bus: `SESSION`, `SYSTEM` or an address.

    Raises:
        TimeoutError: If the bus does not respond.
        Exception: If there is no bus, or its address is not valid; jeepney raises several types.
    """
    # The first paint waits for this module; without a bus, the import would be in vain.
    from jeepney.bus import get_bus
    from jeepney.io.blocking import DBusConnection, prep_socket

    connected = prep_socket(get_bus(bus), enable_fds=True, timeout=RESPOND_SECONDS)
    has_timed_out = threading.Event()

    def give_up() -> None:
        has_timed_out.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    # jeepney waits for the reply to its first message without a timeout.
    timer = threading.Timer(RESPOND_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    try:
        return DBusConnection(connected, enable_fds=True)
    except Exception as error:
        connected.close()
        if has_timed_out.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()


def disable_unresponsive_buses(environment: MutableMapping[str, str]) -> None:
    """Disable each bus that does not respond, for this process and its children.

    Qt connects to the buses on the main thread and waits without a timeout, so the window would never open.

    Args:
        environment: The environment variables with the addresses of the buses.
    """
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    sockets = {SESSION: f"{runtime}/bus" if runtime else "", SYSTEM: "/var/run/dbus/system_bus_socket"}
    for bus, default in sockets.items():
        variable = f"DBUS_{bus}_BUS_ADDRESS"
        address = environment.get(variable, "")
        if not address and not os.path.exists(default):  # noqa: PTH110 - never raises
            continue
        try:
            _check(address or f"unix:path={default}")
        except (TimeoutError, BlockingIOError) as error:  # BlockingIOError: too many connections wait to be accepted
            log.warning("the %s bus does not respond and is not used: %s", bus.lower(), error)
            environment[variable] = _DISABLED
        except Exception:
            # Qt notices just as quickly that there is no bus at this address, or that the address is not valid.
            log.debug("no %s bus at %s", bus.lower(), address, exc_info=True)


def _check(address: str) -> None:
    """Raise TimeoutError if one of the buses in an address list does not respond."""
    for one in address.split(";"):
        transport, _, text = one.partition(":")
        if transport in {"tcp", "nonce-tcp"}:
            values = dict(pair.partition("=")[::2] for pair in text.split(","))
            place = values.get("host", "localhost"), int(values.get("port", "0"))
            socket.create_connection(place, RESPOND_SECONDS).close()
        elif one:
            open_bus(one).close()
