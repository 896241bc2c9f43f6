"""What a window is given: its parts that others make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.connection.status import LoopStates
    from desktop_app.gui.desktop.ports import Desktop
    from desktop_app.gui.ports import Office
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.list_controller import ListController
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor
    from desktop_app.services.support.report import SupportSources


@dataclass(frozen=True, slots=True)
class WindowParts:
    """What a window does not make itself.

    Attributes:
        workbench: What works behind it.
        session: The connection of now.
        advisor: Helps to choose another one.
        folder: Where the list is kept.
        states: What the loops do.
        memory: What was remembered.
        look, wording: How it looks and speaks.
        start_again: Starts loops that have ended by themselves.
        clock: The time.
        desktop: Gives the desktop around the window.
        control: Where a person pauses.
        remember_paused: Keeps for the next start whether it is paused; may raise a `KnownError`.
        log_folder: Where the log files lie.
        support: What a support report tells of; its home has the log.
        strict_order: Whether a FIFO queue's messages are all sent in one group.
    """

    workbench: ListController
    session: Office
    advisor: ConnectionAdvisor
    folder: Path
    states: LoopStates
    memory: WindowMemory
    look: Theme
    wording: Wording
    start_again: Callable[[], None]
    clock: Clock
    control: ProcessingControl
    remember_paused: Callable[[bool], object]
    desktop: Callable[[QWidget], Desktop]
    log_folder: Path
    support: SupportSources
    strict_order: bool = False
