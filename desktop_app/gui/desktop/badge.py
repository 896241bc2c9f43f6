"""The number on the program's icon, where Qt knows how."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication


def show_badge(number: int) -> None:
    """Show a number on the program's icon; 0 takes it away."""
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(number)
