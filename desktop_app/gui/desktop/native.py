"""Desktop integration for Windows and macOS, and the function that selects the integration for this system.

Qt 6 offers neither task bar progress nor a way to prevent sleep, so ctypes is used on Windows. Errors are only logged,
since the program works without these features.
"""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QGuiApplication

from desktop_app.config.child_environment import child_environment
from desktop_app.gui.desktop.ports import Desktop, no_desktop
from desktop_app.gui.desktop.tray import TrayNotifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


log = logging.getLogger(__name__)

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001
_NO_PROGRESS, _NORMAL, _ERROR = 0, 2, 4
_STEPS = 1000
_CLSCTX_INPROC = 1
_TASKBAR_CLASS = "{56FDF344-FD6D-11d0-958A-006097C9A090}"
_TASKBAR_LIST_3 = "{EA1AFB91-9E28-4B86-90E9-9E9F8A5EEFAF}"
_INIT, _SET_VALUE, _SET_STATE = 3, 9, 10
"""The indices of the methods in the function table of ITaskbarList3."""


class WindowsAwake:
    """Prevents sleep with SetThreadExecutionState, which stays in effect until it is reset or the program exits."""

    def __init__(self) -> None:
        self._is_kept = False

    def keep(self, *, awake: bool) -> None:
        """Prevent sleep, or allow it again."""
        if awake == self._is_kept:
            return
        self._is_kept = awake
        try:
            _dlls().kernel32.SetThreadExecutionState(ctypes.c_uint(_CONTINUOUS | (_SYSTEM_REQUIRED if awake else 0)))
        except (OSError, AttributeError) as error:
            log.info("can't keep this computer awake: %r", error)


def _dlls() -> Any:  # noqa: ANN401 - the libraries of Windows; None on other systems
    return getattr(ctypes, "windll", None)


class WindowsTaskbar:
    """Shows progress on the window's task bar button with ITaskbarList3: green, or red if files have failed.

    Args:
        window_id: A function that returns the window handle.
    """

    def __init__(self, window_id: Callable[[], int]) -> None:
        self._window_id = window_id
        self._list: Any = None
        self._is_broken = False

    def show(self, fraction: float | None, failed: int) -> None:
        """Show the progress and the number of failed files."""
        _show_badge(failed)
        if self._is_broken:
            return
        try:
            self._show(fraction, failed)
        except (OSError, AttributeError) as error:
            self._is_broken = True
            log.info("can't show progress on the task bar: %r", error)

    def _show(self, fraction: float | None, failed: int) -> None:
        if self._list is None:
            self._list = _make_taskbar_list()
        window = ctypes.c_void_p(self._window_id())
        state = _NO_PROGRESS if fraction is None else _ERROR if failed else _NORMAL
        _call(self._list, _SET_STATE, (ctypes.c_void_p, ctypes.c_int), (window, state))
        if fraction is not None:
            done = int(fraction * _STEPS)
            kinds = (ctypes.c_void_p, ctypes.c_ulonglong, ctypes.c_ulonglong)
            _call(self._list, _SET_VALUE, kinds, (window, done, _STEPS))


class _Guid(ctypes.Structure):
    _fields_ = (
        ("first", ctypes.c_uint32),
        ("second", ctypes.c_uint16),
        ("third", ctypes.c_uint16),
        ("rest", ctypes.c_uint8 * 8),
    )


def _make_taskbar_list() -> ctypes.c_void_p:
    """Create the COM object. Qt has already initialized COM on the main thread."""
    ole = _dlls().ole32
    kind, interface, made = _Guid(), _Guid(), ctypes.c_void_p()
    for text, target in ((_TASKBAR_CLASS, kind), (_TASKBAR_LIST_3, interface)):
        ole.CLSIDFromString(ctypes.c_wchar_p(text), ctypes.byref(target))
    if ole.CoCreateInstance(ctypes.byref(kind), None, _CLSCTX_INPROC, ctypes.byref(interface), ctypes.byref(made)):
        raise OSError("CoCreateInstance failed for ITaskbarList3")
    _call(made, _INIT, (), ())
    return made


def _call(item: ctypes.c_void_p, index: int, kinds: tuple[Any, ...], values: tuple[Any, ...]) -> None:
    """Call the method at the given index in the function table of a COM object."""
    table = ctypes.cast(item, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
    kind: Any = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
    kind(ctypes.c_long, ctypes.c_void_p, *kinds)(table[index])(item, *values)


class DockBadge:
    """Shows the number of failed files on the dock icon on macOS."""

    def show(self, fraction: float | None, failed: int) -> None:  # noqa: ARG002 - the dock shows no progress
        """Show the number of failed files."""
        _show_badge(failed)


def _show_badge(number: int) -> None:
    """Show a number on the program's icon, if Qt supports that on this system; 0 removes it."""
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(number)


class MacAwake:
    """Prevents sleep with `caffeinate`, which exits as soon as this program exits, even if it is killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self, *, awake: bool) -> None:
        """Prevent sleep, or allow it again."""
        if awake and self._process is None:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - part of macOS, found through PATH
                    ["caffeinate", "-i", "-w", str(os.getpid())],  # noqa: S607
                    env=child_environment(),
                )
            except OSError as error:
                log.info("can't keep this computer awake: %r", error)
        elif not awake and self._process is not None:
            self._process.terminate()
            self._process = None


def desktop_of(window: QWidget, platform: str = sys.platform) -> Desktop:
    """Return the desktop integration for a window. Desktop services are contacted on first use.

    Args:
        window: The window; also the parent of the created objects.
        platform: The platform, as in `sys.platform`.
    """
    if platform == "win32":
        return Desktop(TrayNotifier(window), WindowsTaskbar(lambda: int(window.winId())), WindowsAwake())
    if platform == "darwin":
        return Desktop(TrayNotifier(window), DockBadge(), MacAwake())
    if platform.startswith("linux"):
        from desktop_app.gui.desktop.bus_connection import SESSION, SYSTEM
        from desktop_app.gui.desktop.linux import Bus, BusAwake, BusNotifier, LauncherEntry

        session, system = Bus(SESSION, window), Bus(SYSTEM, window)
        return Desktop(BusNotifier(session), LauncherEntry(session), BusAwake(session, system))
    return no_desktop()
