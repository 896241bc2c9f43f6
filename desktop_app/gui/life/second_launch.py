"""A later start of Filemill: hands what it was given to the window that is there, or becomes the window itself."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtNetwork import QLocalSocket

from desktop_app.gui.life.single_instance import TAKEN, WAIT, Request, packed

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.life.window_place import Holder, WindowPlace

log = logging.getLogger(__name__)

SILENT_SECONDS = 8.0
"""So long may a window keep silent."""
STARTING_SECONDS = 60.0
"""So long may a program take until it listens, or has a window: its list may be large, its computer busy."""
_LOOK_AGAIN_SECONDS = 0.05
_STEP_MS = 100


class Outcome(Enum):
    """How a start goes on."""

    FIRST = auto()
    """There is no other window; the place is ours."""
    HANDED_OVER = auto()
    """The window has it."""
    SILENT = auto()
    """Somebody has the place and does not answer."""
    STOPPED = auto()
    """This program is told to end."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long others may take, in seconds."""

    silent_s: float = SILENT_SECONDS
    starting_s: float = STARTING_SECONDS


class SecondLaunch:
    """Asks for the place, and whoever has it, in turn; one of them must answer. Main thread, before any window.

    Args:
        place: The window's.
        request: What to hand over.
        patience: How long others may take.
        is_stopped: Whether this program is told to end; asked several times a second.
    """

    def __init__(
        self,
        place: WindowPlace,
        request: Request,
        patience: Patience | None = None,
        *,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._place = place
        self._request = request
        self._patience = patience or Patience()
        self._ask_stopped = is_stopped
        self._is_stopped = False
        self._heard: Holder | None = None
        self._since = 0.0

    def run(self) -> Outcome:
        """Try until there is an answer, or patience ends.

        Raises:
            OSError: If the place's folder can't be written.
        """
        self._since = time.monotonic()
        while not self._must_stop() and not self._is_out_of_patience():
            if self._place.take():
                return Outcome.FIRST
            holder = self._heard
            if holder is not None and self._hand_over(holder):
                return Outcome.HANDED_OVER
            time.sleep(_LOOK_AGAIN_SECONDS)
        return Outcome.STOPPED if self._is_stopped else Outcome.SILENT

    def _must_stop(self) -> bool:
        self._is_stopped = self._is_stopped or self._ask_stopped()
        return self._is_stopped

    def _is_out_of_patience(self) -> bool:
        holder = self._place.holder()
        now = time.monotonic()
        if holder != self._heard:
            self._heard, self._since = holder, now
        is_open = holder is not None and holder.is_open
        return now - self._since > (self._patience.silent_s if is_open else self._patience.starting_s)

    def _hand_over(self, holder: Holder) -> bool:
        """Say what we want; True if the window took it."""
        socket = QLocalSocket()
        socket.connectToServer(holder.address)
        try:
            if not socket.waitForConnected(_STEP_MS):
                return False
            allow_to_come_forward(holder.pid)
            socket.write(packed(self._request))
            answer = b""
            while TAKEN not in answer and socket.state() is QLocalSocket.LocalSocketState.ConnectedState:
                if socket.bytesToWrite():
                    socket.waitForBytesWritten(_STEP_MS)
                if socket.waitForReadyRead(_STEP_MS) or socket.bytesAvailable():
                    answer += socket.readAll().data()
                # Who asks to wait shows a dialog, which a person answers; the connection ends if it gives up.
                if self._must_stop() or (WAIT not in answer and self._is_out_of_patience()):
                    return False
            return TAKEN in answer + socket.readAll().data()
        finally:
            socket.abort()


def allow_to_come_forward(pid: int) -> None:
    """Windows lets a program come to the front only if the one that the person has just started allows it."""
    if sys.platform == "win32":
        ctypes.windll.user32.AllowSetForegroundWindow(pid)


def desktop_token() -> str:
    """The desktop's permission to come to the front, which it gives to the program that it starts."""
    return os.environ.pop("XDG_ACTIVATION_TOKEN", "") or os.environ.get("DESKTOP_STARTUP_ID", "")
