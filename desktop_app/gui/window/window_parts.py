"""What a window is given: its parts that others make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.desktop.ports import Desktop
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording
    from desktop_app.services.control import PauseControl
    from desktop_app.services.support.report import SupportSources


@dataclass(frozen=True, slots=True)
class WindowParts:
    """What a window does not make itself.

    Attributes:
        workbench: What works behind it.
        connection: The connection and its loops.
        folder: Where the list is kept.
        memory: What was remembered.
        look, wording: How it looks and speaks.
        try_now: Lets the loops try at once.
        clock: The time.
        desktop: Gives the desktop around the window.
        switch: Where a person pauses.
        remember_paused: Keeps for the next start whether it is paused; may raise a `KnownError`.
        log_folder: Where the log files lie.
        support: What a support report tells of; its home has the log.
        strict_order: Whether a FIFO queue's messages are all sent in one group.
    """

    workbench: ListController
    connection: ConnectionController
    folder: Path
    memory: WindowMemory
    look: Theme
    wording: Wording
    try_now: Callable[[], None]
    clock: Clock
    switch: PauseControl
    remember_paused: Callable[[bool], None]
    desktop: Callable[[QWidget], Desktop]
    log_folder: Path
    support: SupportSources
    strict_order: bool = False
