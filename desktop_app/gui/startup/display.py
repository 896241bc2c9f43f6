"""Checks for a display before Qt is used, because Qt aborts the process without one. Does not import Qt."""

from __future__ import annotations

import ctypes
import re
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NO_DISPLAY = (
    "There is no display here, so the window can't open. "
    "Use `filemill submit`, `filemill worker` and `filemill status` in a terminal."
)
_CONNECT_SECONDS = 3.0
_X_PORT = 6000
_NEED_A_DISPLAY = ("xcb", "wayland")
_X_ADDRESS = re.compile(r"(?P<host>.*):(?P<number>\d+)(?:\.\d+)?")


@contextmanager
def display(environment: Mapping[str, str], platform: str = sys.platform) -> Iterator[bool]:
    """Yield whether a window can be opened. Create the Qt application inside the `with`.

    An X server without clients resets itself and refuses connections meanwhile, so this connection
    is kept open until Qt has its own.

    Args:
        environment: Usually `os.environ`: DISPLAY, WAYLAND_DISPLAY, XDG_RUNTIME_DIR, QT_QPA_PLATFORM.
        platform: As `sys.platform`. On Windows and macOS there always is a display.
    """
    chosen = environment.get("QT_QPA_PLATFORM", "")
    needs_one = platform not in {"win32", "darwin"} and (not chosen or chosen.startswith(_NEED_A_DISPLAY))
    if not needs_one or _wayland_answers(environment):
        yield True
        return
    with _x_display(environment.get("DISPLAY", "")) as found:
        yield found


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    return bool(name) and _answers(str(Path(environment.get("XDG_RUNTIME_DIR", "/")) / name))


@contextmanager
def _x_display(name: str) -> Iterator[bool]:
    found = _X_ADDRESS.fullmatch(name)
    if found is None:
        yield False
        return
    host, number = found["host"], int(found["number"])
    is_remote = host not in {"", "unix"} and not host.startswith("/")
    if is_remote and not _answers((host.strip("[]"), _X_PORT + number)):
        yield False  # libxcb would wait minutes for an unreachable computer
        return
    try:
        library = ctypes.CDLL("libxcb.so.1")
    except OSError:
        yield is_remote or _answers(f"/tmp/.X11-unix/X{number}")  # noqa: S108 - the X servers' own path
        return
    with _x_connection(library, name) as is_in:
        yield is_in


@contextmanager
def _x_connection(library: ctypes.CDLL, name: str) -> Iterator[bool]:
    """Connect with the library that Qt uses, so with the same permissions; yield whether it succeeded."""
    library.xcb_connect.restype = ctypes.c_void_p
    library.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    library.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = library.xcb_connect(name.encode(), None)
    try:
        yield not library.xcb_connection_has_error(connection)
    finally:
        library.xcb_disconnect(connection)


def _answers(address: str | tuple[str, int]) -> bool:
    try:
        if isinstance(address, tuple):
            socket.create_connection(address, _CONNECT_SECONDS).close()
            return True
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(address)
    except OSError:
        return False
    return True
