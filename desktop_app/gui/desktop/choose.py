"""Which desktop this is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from desktop_app.gui.desktop.ports import Desktop, no_desktop
from desktop_app.gui.desktop.tray import TrayNotifier

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def desktop_of(window: QWidget, platform: str = sys.platform) -> Desktop:
    """What the desktop around a window offers; nothing is asked of it before it is needed.

    Args:
        window: The window, which owns it.
        platform: Which system.
    """
    if platform == "win32":
        from desktop_app.gui.desktop.windows import WindowsAwake, WindowsTaskbar

        return Desktop(TrayNotifier(window), WindowsTaskbar(lambda: int(window.winId())), WindowsAwake())
    if platform == "darwin":
        from desktop_app.gui.desktop.mac import DockBadge, MacAwake

        return Desktop(TrayNotifier(window), DockBadge(), MacAwake())
    if platform.startswith("linux"):
        from desktop_app.gui.desktop.bus import SESSION, SYSTEM, Bus
        from desktop_app.gui.desktop.linux import BusAwake, BusNotifier, LauncherEntry

        session, system = Bus(SESSION, window), Bus(SYSTEM, window)
        return Desktop(BusNotifier(session), LauncherEntry(session), BusAwake(session, system))
    return no_desktop()
