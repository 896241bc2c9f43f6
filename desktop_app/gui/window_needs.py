"""What a window is given: its parts that others make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.clock import Clock
    from desktop_app.gui.look import Look
    from desktop_app.gui.loop_states import LoopStates
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording
    from desktop_app.gui.workbench import Workbench
    from desktop_app.services.foreign import ForeignMail
    from desktop_app.services.switch import WorkSwitch
    from desktop_app.settings import Connection


@dataclass(frozen=True, slots=True)
class WindowNeeds:
    """What a window does not make itself.

    Attributes:
        workbench: What works behind it.
        connection: The queue of now.
        states: What the loops do.
        memory: What was remembered.
        look, wording: How it looks and speaks.
        try_now, start_again, allow_processing: See `TroubleBanner`.
        foreign: What came from the queue that is not ours.
        clock: The time.
        switch, remember_paused: See `Pausing`.
    """

    workbench: Workbench
    connection: Connection
    states: LoopStates
    memory: WindowMemory
    look: Look
    wording: Wording
    try_now: Callable[[], None]
    start_again: Callable[[], None]
    allow_processing: Callable[[], None]
    foreign: ForeignMail
    clock: Clock
    switch: WorkSwitch
    remember_paused: Callable[[bool], None]
