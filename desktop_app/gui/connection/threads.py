"""The two long-running loops of the services, each in a thread of Qt's. Thin on purpose: the loops know no Qt."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from desktop_app.errors import KnownError
from desktop_app.gui.texts import mark, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.services.loop import Loop
    from desktop_app.services.state import LoopState

log = logging.getLogger(__name__)


class LoopThread(QThread):
    """Builds a loop inside its own thread and runs it there until `requestInterruption()`.

    It is a QThread that owns its signals and has no slots: it lives in the main thread, so whoever is connected hears
    of them there. May be started again after it has ended.

    Signals:
        state_changed(LoopState): What the loop does now.
        died(str): The loop ended by itself; a plain text why. Nothing more comes until it is started again.

    Args:
        build: Makes the loop, given whom it reports to; called in the new thread.
        parent: Qt's owner.
    """

    state_changed = Signal(object)
    died = Signal(str)
    fault = mark("This work has stopped because of a fault in Filemill. The log says more.")
    """What is said when a bug has ended it."""

    def __init__(self, build: Callable[[Callable[[LoopState], None]], Loop], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._build = build
        self.last_error: KnownError | None = None
        """What it has died of, if that is not a bug."""
        self.setObjectName(type(self).__name__)

    def run(self) -> None:
        """The thread's whole life."""
        self.last_error = None
        try:
            self._build(self.state_changed.emit).run(self.isInterruptionRequested)
        except KnownError as error:
            log.warning("%s ended: %s", self.objectName(), error.text)
            self.last_error = error
            self.died.emit(translated(error.text))
        except Exception:
            # A thread that dies of a bug must not take the window, and the user's view of the files, with it.
            log.exception("%s ended", self.objectName())
            self.died.emit(translated(self.fault))


class ConsumerThread(LoopThread):
    """Receives messages and processes their files. Signals: those of `LoopThread`."""

    fault = mark("Processing has stopped because of a fault in Filemill. The log says more.")


class SenderThread(LoopThread):
    """Sends the messages of what waits in the outbox. Signals: those of `LoopThread`."""

    fault = mark("Sending has stopped because of a fault in Filemill. The log says more.")
