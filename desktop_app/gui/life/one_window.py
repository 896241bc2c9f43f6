"""Decides at the start whether this program opens a window or another one has it already."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication

from desktop_app.gui.life.hung_program import end_program
from desktop_app.gui.life.not_answering import Choice, NotAnswering
from desktop_app.gui.life.second_launch import Outcome, SecondLaunch
from desktop_app.gui.life.single_instance import Request, SingleInstance

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.life.window_place import WindowPlace

log = logging.getLogger(__name__)


def become_first(
    place: WindowPlace, request: Request, is_stopped: Callable[[], bool] = lambda: False
) -> SingleInstance | Outcome:
    """Take the place of the one window, or hand over what was asked for.

    Returns:
        The ear of this program's own window; or HANDED_OVER, or SILENT or STOPPED if it came to nothing.

    Raises:
        OSError: If the place's folder can't be written.
    """
    while (outcome := SecondLaunch(place, request, is_stopped=is_stopped).run()) is Outcome.SILENT:
        holder = place.holder()
        choice = NotAnswering(holder, QLocale()).choose()
        if choice is Choice.CANCEL:
            return outcome
        if choice is Choice.END_IT and holder is not None:
            end_program(holder.pid, holder.birth)
    if outcome is not Outcome.FIRST:
        log.info("no window of its own: %s, %d names", outcome.name, len(request.names))
        return outcome
    instance = SingleInstance(place)
    instance.listen(bring_all_forward)
    return instance


def bring_forward(window: QWidget, token: str = "") -> None:
    """Bring a window to the front and give it the keyboard, as far as the desktop lets it.

    Args:
        window: It may be minimized.
        token: The desktop's permission, from `desktop_token`.
    """
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token  # where Qt looks for it under Wayland; used up by it
    if window.isMinimized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    QApplication.alert(window)


def bring_all_forward() -> None:
    """Bring forward what there is while there is no main window: a dialog that asks something."""
    for window in QApplication.topLevelWidgets():
        if window.isVisible():
            bring_forward(window)
