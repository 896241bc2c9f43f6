"""The loops of a connection, each on a QThread: the consumer and the sender."""

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
    """A thread that builds a loop and runs it until `requestInterruption()`.

    The object lives in the main thread, so its signals are received there. It may be
    restarted after it has ended.

    Signals:
        state_changed(LoopState): The new state of the loop.
        failed(str, object): The loop ended by itself: a plain text, and the `KnownError` or None for a bug. Nothing
            more comes until it is started again.

    Args:
        build: Builds the loop, given a callback for its states; called in the new thread.
        parent: The parent.
    """

    state_changed = Signal(object)
    failed = Signal(str, object)
    bug_text = mark("Stopped because of an error in Filemill. See the log for details.")

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
            # A bug in a loop must not close the window.
            log.exception("%s ended", self.objectName())
            self.failed.emit(translated(self.bug_text), None)


class ConsumerThread(LoopThread):
    """The thread that receives messages and processes their files. Signals: see `LoopThread`."""

    bug_text = mark("Processing has stopped because of an error in Filemill. See the log for details.")


class SenderThread(LoopThread):
    """The thread that sends the messages in the outbox. Signals: see `LoopThread`."""

    bug_text = mark("Sending has stopped because of an error in Filemill. See the log for details.")


class QueueLoops(QObject):
    """The consumer and the sender of a connection, and the state of its queue. Main thread.

    Attributes:
        connection: Which queue, and how it is reached.
        consumer_thread, sender_thread: The loops' threads.
        foreign_messages: The foreign messages of this queue.
        close: Closes the queue's clients, after both threads have ended; safe to call twice.

    Args:
        connection, foreign_messages, close: See the attributes.
        consumer, sender: The threads, not started yet.
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
        """Start the threads that are not running."""
        for thread in self.threads:
            thread.start()

    def report_to(self, status: ConnectionStatus | None) -> None:
        """Report states and failures to another receiver.

        Disconnecting would not be enough: signals emitted before are still delivered.

        Args:
            status: The receiver; None to drop the reports.
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
