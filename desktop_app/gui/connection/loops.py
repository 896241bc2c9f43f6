"""The two loops of one connection, each on a QThread: the consumer and the sender."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.settings import Connection
    from desktop_app.gui.connection.status import ConnectionStatus
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.services.loops import Loop, LoopState


log = logging.getLogger(__name__)


class LoopThread(QThread):
    """Builds a loop inside its own thread and runs it there until `requestInterruption()`.

    It has signals and no slots: the object lives in the main thread, so its receivers are called there. It may be
    started again after it has ended.

    Signals:
        state_changed(LoopState): What the loop does now.
        failed(str, object): The loop ended by itself: a plain text, and the `KnownError` or None for a bug. Nothing
            more comes until it is started again.

    Args:
        build: Makes the loop, given what takes its states; called in the new thread.
        parent: Qt's owner.
    """

    state_changed = Signal(object)
    failed = Signal(str, object)
    bug_text = mark("This work has stopped because of a fault in Filemill. The log says more.")

    def __init__(self, build: Callable[[Callable[[LoopState], None]], Loop], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._build = build
        self.setObjectName(type(self).__name__)

    def run(self) -> None:
        """Build the loop and run it."""
        try:
            self._build(self.state_changed.emit).run(self.isInterruptionRequested)
        except KnownError as error:
            log.warning("%s ended: %s", self.objectName(), error.text)
            self.failed.emit(translated(error.text), error)
        except Exception:
            # A bug in a loop must not take the window, and the view of the files, with it.
            log.exception("%s ended", self.objectName())
            self.failed.emit(translated(self.bug_text), None)


class ConsumerThread(LoopThread):
    """Receives messages and processes their files. Signals: those of `LoopThread`."""

    bug_text = mark("Processing has stopped because of a fault in Filemill. The log says more.")


class SenderThread(LoopThread):
    """Sends the messages of what waits in the outbox. Signals: those of `LoopThread`."""

    bug_text = mark("Sending has stopped because of a fault in Filemill. The log says more.")


class QueueLoops(QObject):
    """The consumer and the sender of one connection, with what belongs to its queue alone. Main thread.

    Attributes:
        connection: Which queue, and how it is reached.
        consumer_thread, sender_thread: The loops' threads.
        foreign_messages: What came from this queue that is not ours.
        close: Closes the queue's clients, after both threads have ended; safe to call twice.

    Args:
        connection, foreign_messages, close: See the attributes.
        consumer, sender: Not started yet.
    """

    def __init__(
        self,
        connection: Connection,
        consumer: ConsumerThread,
        sender: SenderThread,
        *,
        foreign_messages: ForeignMessages,
        close: Callable[[], None],
    ) -> None:
        super().__init__()
        self.connection = connection
        self.consumer_thread = consumer
        self.sender_thread = sender
        self.foreign_messages = foreign_messages
        self.close = close
        self._status: ConnectionStatus | None = None
        for thread in self.threads:
            thread.setParent(self)
        consumer.state_changed.connect(self._report_consumer_state)
        consumer.failed.connect(self._report_consumer_failure)
        sender.state_changed.connect(self._report_sender_state)
        sender.failed.connect(self._report_sender_failure)

    @property
    def threads(self) -> tuple[ConsumerThread, SenderThread]:
        """Return the threads in the order in which they are ended."""
        return self.consumer_thread, self.sender_thread

    def start(self) -> None:
        """Start the threads; one that runs already goes on."""
        for thread in self.threads:
            thread.start()

    def report_to(self, status: ConnectionStatus | None) -> None:
        """Report there from now on.

        Disconnecting would not do: what a thread has emitted before is delivered all the same.

        Args:
            status: Takes the states and failures; None to drop them.
        """
        self._status = status

    @Slot(object)
    def _report_consumer_state(self, state: LoopState) -> None:
        if self._status is not None:
            self._status.set_consumer_state(state)

    @Slot(object)
    def _report_sender_state(self, state: LoopState) -> None:
        if self._status is not None:
            self._status.set_sender_state(state)

    @Slot(str, object)
    def _report_consumer_failure(self, text: str, error: KnownError | None) -> None:
        if self._status is not None:
            self._status.set_consumer_failure(text, error)

    @Slot(str, object)
    def _report_sender_failure(self, text: str, error: KnownError | None) -> None:
        if self._status is not None:
            self._status.set_sender_failure(text, error)
