"""Check for a display without importing Qt, since Qt aborts the process if there is no display.

Whether Qt can use a platform is known only once it has tried: a plugin may lack a library, or a device that it needs.
`recover_from_platform` and `exit_without_display` are called from Qt's message handler before Qt aborts the process.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from desktop_app.config.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

NO_DISPLAY = (
    "There is no display here, so the window can't open. "
    "Use `filemill submit`, `filemill worker` and `filemill status` in a terminal."
)
DISPLAY_LOST = "The connection to the display was lost. Nothing is lost: unfinished files will be processed later."
_WRONG_PLATFORM = "QT_QPA_PLATFORM is “{name}”, which does not work here, so it is ignored."
_NO_PLATFORM = "The window can't open, because Qt can't use the display here. The log contains Qt's reason."
_CONNECT_SECONDS = 3.0
_X_PORT = 6000
_NEED_A_DISPLAY = ("xcb", "wayland")
_X_ADDRESS = re.compile(r"(?P<host>.*):(?P<number>\d+)(?:\.\d+)?")


@contextmanager
def display(environment: Mapping[str, str], platform: str = sys.platform) -> Iterator[bool]:
    """Yield whether a window can be opened. Create the Qt application within the context.

    The connection to an X server is kept open during the context: a server resets itself when its last client
    disconnects, and refuses connections until it has done so.

    Args:
        environment: The environment variables DISPLAY, WAYLAND_DISPLAY, XDG_RUNTIME_DIR and QT_QPA_PLATFORM.
        platform: The platform, as in `sys.platform`. Windows and macOS always have a display.
    """
    chosen = environment.get("QT_QPA_PLATFORM", "")
    needs_display = platform not in {"win32", "darwin"} and (not chosen or chosen.startswith(_NEED_A_DISPLAY))
    if not needs_display or _wayland_responds(environment):
        yield True
        return
    with _x_display(environment.get("DISPLAY", "")) as found:
        yield found


def recover_from_platform() -> NoReturn:
    """Restart this program without QT_QPA_PLATFORM or, if it is not set, say that the window can't open, and exit."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if not chosen:
        _exit(_NO_PLATFORM, 2)
    _say(_WRONG_PLATFORM.format(name=chosen))
    environment = child_environment()
    environment.pop("QT_QPA_PLATFORM", None)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - this program


def exit_without_display() -> NoReturn:
    """Say that the display is gone, and exit at once: Qt would end the process without stopping its threads."""
    _exit(DISPLAY_LOST, 1)


def _exit(text: str, code: int) -> NoReturn:
    _say(text)
    logging.shutdown()
    os._exit(code)


def _say(text: str) -> None:
    log.warning("%s", text)
    if sys.stderr is not None:
        sys.stderr.write(f"filemill: {text}\n")
        sys.stderr.flush()


def _wayland_responds(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    return bool(name) and _can_connect(str(Path(environment.get("XDG_RUNTIME_DIR", "/")) / name))


@contextmanager
def _x_display(name: str) -> Iterator[bool]:
    found = _X_ADDRESS.fullmatch(name)
    if found is None:
        yield False
        return
    host, number = found["host"], int(found["number"])
    is_remote = host not in {"", "unix"} and not host.startswith("/")
    if is_remote and not _can_connect((host.strip("[]"), _X_PORT + number)):
        yield False  # libxcb can block for minutes if the host is unreachable
        return
    import ctypes  # takes milliseconds, and is needed for X servers only

    try:
        library = ctypes.CDLL("libxcb.so.1")
    except OSError:
        yield is_remote or _can_connect(f"/tmp/.X11-unix/X{number}")  # noqa: S108 - the path that X servers use
        return
    # Qt uses this library too, so it connects with the same permissions.
    library.xcb_connect.restype = ctypes.c_void_p
    library.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    library.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = library.xcb_connect(name.encode(), None)
    try:
        yield not library.xcb_connection_has_error(connection)
    finally:
        library.xcb_disconnect(connection)


def _can_connect(address: str | tuple[str, int]) -> bool:
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
