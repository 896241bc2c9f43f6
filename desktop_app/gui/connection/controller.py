"""Keeps the loops of the connection of now, and exchanges them for another connection's while the window stays open."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import translated
from desktop_app.gui.startup.shutdown import Shutdown, Step, thread_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.config.settings import Connection
    from desktop_app.gui.connection.status import LoopStates
    from desktop_app.services.loops import Loop, LoopState


log = logging.getLogger(__name__)


class QueueLoops(QObject):
    """One connection at work: its consumer, its sender, and the way to its queue.

    Args:
        connection: Which queue.
        consumer, sender: Not started yet.
        close: Lets go of the queue, after both have ended; safe to call twice.
    """

    def __init__(
        self, connection: Connection, consumer: ConsumerThread, sender: SenderThread, close: Callable[[], None]
    ) -> None:
        super().__init__()
        self.connection = connection
        self.consuming = consumer
        self.sending = sender
        self.close = close
        self._states: LoopStates | None = None
        for thread in (consumer, sender):
            thread.setParent(self)
        consumer.state_changed.connect(self._take_consumer)
        consumer.died.connect(self._take_consumer_death)
        sender.state_changed.connect(self._take_sender)
        sender.died.connect(self._take_sender_death)

    @property
    def threads(self) -> tuple[QThread, QThread]:
        """In the order in which they end."""
        return self.consuming, self.sending

    @property
    def is_running(self) -> bool:
        """Whether one of them runs."""
        return any(thread.isRunning() for thread in self.threads)

    def start(self) -> None:
        """Begin; does nothing to a thread that runs."""
        for thread in self.threads:
            thread.start()

    def tell(self, states: LoopStates | None) -> None:
        """Report there from now on; None for nowhere: what is still on its way is not told any more."""
        self._states = states

    @Slot(object)
    def _take_consumer(self, state: LoopState) -> None:
        if self._states is not None:
            self._states.take_consumer(state)

    @Slot(object)
    def _take_sender(self, state: LoopState) -> None:
        if self._states is not None:
            self._states.take_sender(state)

    @Slot(str)
    def _take_consumer_death(self, text: str) -> None:
        if self._states is not None:
            self._states.take_consumer_death(text, self.consuming.last_error)

    @Slot(str)
    def _take_sender_death(self, text: str) -> None:
        if self._states is not None:
            self._states.take_sender_death(text, self.sending.last_error)


class LoopManager(QObject):
    """Has one link at work. Another one begins when the one before has ended, so that no two senders meet.

    Signals:
        changed(Connection): The window is about this connection from now on; its link begins soon.

    Args:
        link: The first one.
        states: Shows what the loops of the newest link do.
        parent: Qt's owner.
    """

    changed = Signal(object)

    def __init__(self, link: QueueLoops, states: LoopStates, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._states = states
        self._link = link
        self._next: QueueLoops | None = None
        self._retiring: Shutdown | None = None
        self._left: list[QueueLoops] = []
        """Whose threads did not end in time. They must not be destroyed while they run."""
        self._is_ending = False
        link.tell(states)

    def start(self) -> None:
        """Start the loops; those that have ended by themselves too."""
        if not self._is_ending and self._retiring is None:
            self._link.start()

    def switch(self, link: QueueLoops) -> None:
        """Let this link take the place of the one at work, or of one that has not begun yet."""
        if self._is_ending:
            link.close()
            return
        if self._next is not None:
            self._next.close()
        self._next = link
        self._link.tell(None)
        self._states.follow(link.connection)
        self.changed.emit(link.connection)
        if self._retiring is None:
            self._retiring = Shutdown([thread_step(thread) for thread in self._link.threads], parent=self)
            self._retiring.finished.connect(self._begin_next)
            self._retiring.begin()

    @Slot(list)
    def _begin_next(self, left_over: list[str]) -> None:
        if self._retiring is not None:
            self._retiring.deleteLater()
            self._retiring = None
        old = self._link
        old.close()
        if left_over:
            log.warning("still running after a change of the connection: %s", ", ".join(left_over))
            self._left.append(old)
        else:
            old.deleteLater()
        if self._next is not None:
            self._link, self._next = self._next, None
        self._link.tell(self._states)
        self.start()

    def steps(self) -> list[Step]:
        """Ending all of it, as steps of a shutdown."""
        return [
            Step("ConsumerThread", lambda: self._end([link.consuming for link in self._links()]), self._has_ended),
            Step("SenderThread", lambda: self._end([link.sending for link in self._links()]), self._has_ended_all),
        ]

    def _end(self, threads: Sequence[QThread]) -> None:
        self._is_ending = True
        for thread in threads:
            thread.requestInterruption()

    def _has_ended(self) -> bool:
        return not any(link.consuming.isRunning() for link in self._links())

    def _has_ended_all(self) -> bool:
        return not any(link.is_running for link in self._links())

    def close(self) -> None:
        """Let go of the queues, after the steps."""
        for link in self._links():
            link.close()

    def _links(self) -> list[QueueLoops]:
        return [*self._left, self._link, *([self._next] if self._next is not None else [])]


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
