"""The texts about the connection, from the states of its sender and consumer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import Cause, KnownError, QueueTrouble
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.services.control import RunMode
from desktop_app.services.loops import LoopState, Phase

if TYPE_CHECKING:
    from desktop_app.config.settings import Connection
    from desktop_app.domain.clock import Clock


_EVERY_MS = 1_000


class Mark(StrEnum):
    """The symbol before the connection's name; the text says the same."""

    STARTING = "○"
    RUNNING = "●"
    RETRYING = "◑"
    NEEDED = "▲"
    STOPPED = "■"
    PAUSED = "‖"


@dataclass(frozen=True, slots=True)
class ConnectionText:
    """The text about the connection in the status bar.

    Attributes:
        mark: The symbol before it.
        text: A few words.
        detail: Whole sentences for the tool tip.
    """

    mark: Mark
    text: str
    detail: str


class Need(StrEnum):
    """What the user can do about a problem whose exact cause is not known."""

    NOTHING = "nothing"
    """It ends when what failed succeeds again."""
    PATIENCE = "patience"
    """It is retried automatically; trying now may be sooner."""
    RESTART = "restart"
    """The loop has ended by itself."""
    PERMISSION = "permission"
    """The loop has not started because it is not permitted."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem shown in the banner.

    Attributes:
        text: A plain text.
        need: What can be done.
        error: The error, if there is one; its cause says more exactly what can be done.
    """

    text: str
    need: Need = Need.PATIENCE
    error: KnownError | None = field(default=None, compare=False)

    @property
    def cause(self) -> Cause:
        """Return the cause; `OTHER` if there is no error."""
        return self.error.cause if self.error is not None else Cause.OTHER


_NEEDED = {
    QueueTrouble.SIGNED_OUT: mark("Sign-in needed"),
    QueueTrouble.NO_RIGHT: mark("Access to the queue denied"),
    QueueTrouble.NO_QUEUE: mark("Queue not found"),
    QueueTrouble.SETUP: mark("The connection needs attention"),
}

_STARTING = LoopState(Phase.STARTING)


class ConnectionStatus(QObject):
    """Turns the states of the sender and the consumer into texts. Main thread.

    Signals:
        text_changed(ConnectionText): For the status bar; once a second while a loop waits.
        trouble_changed(object): The `Trouble` to show; None when it is over.

    Args:
        connection: The connection.
        clock: The time, for "trying again in 8 s".
        parent: The parent.
    """

    text_changed = Signal(object)
    trouble_changed = Signal(object)

    def __init__(self, connection: Connection, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._connection = connection
        self._clock = clock
        self._sender = _STARTING
        self._consumer = _STARTING
        self._mode = RunMode.RUNNING
        self._failures: dict[str, Trouble] = {}
        self._trouble: Trouble | None = None
        self._text = ConnectionText(Mark.STARTING, tr("Starting…"), "")
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._update_text)

    def set_connection(self, connection: Connection) -> None:
        """Switch to another connection, whose state is not known yet."""
        self._connection = connection
        self._sender = self._consumer = _STARTING
        self._failures.clear()
        self._update()

    def set_sender_state(self, state: LoopState) -> None:
        """Set the state of the sender; it runs, so an earlier failure is over."""
        self._sender = state
        self._failures.pop("sender", None)
        self._update()

    def set_consumer_state(self, state: LoopState) -> None:
        """Set the state of the consumer; it runs, so an earlier failure is over."""
        self._consumer = state
        self._failures.pop("consumer", None)
        self._update()

    def set_sender_failure(self, text: str, error: KnownError | None = None) -> None:
        """Set the reason why the sender ended unexpectedly; the error is None for a bug."""
        self._failures["sender"] = Trouble(text, Need.RESTART, error)
        self._update()

    def set_consumer_failure(self, text: str, error: KnownError | None = None) -> None:
        """Set the reason why the consumer ended unexpectedly; the error is None for a bug."""
        self._failures["consumer"] = Trouble(text, Need.RESTART, error)
        self._update()

    @Slot(object)
    def set_mode(self, mode: RunMode) -> None:
        """Set the run mode of the consumer."""
        self._mode = mode
        self._update()

    @property
    def text(self) -> ConnectionText:
        """Return the text for the status bar."""
        if self._failures:
            texts = dict.fromkeys(failure.text for failure in self._failures.values())
            return ConnectionText(Mark.STOPPED, tr("Stopped"), " ".join(texts))
        label = tr("Local queue") if self._connection.is_local else self._connection.label
        if self._mode is RunMode.PAUSED:
            text = tr(
                "No files are started until you resume. You can add files, and their messages are sent to {queue}."
            )
            return ConnectionText(Mark.PAUSED, tr("Paused"), text.format(queue=label))
        if self._mode is RunMode.FINISHING:
            return ConnectionText(Mark.PAUSED, tr("Pausing…"), tr("The current files are finished first."))
        for state in (self._sender, self._consumer):
            if state.phase is Phase.WAITING:
                return self._waiting_text(state)
        phases = {self._sender.phase, self._consumer.phase}
        if Phase.STOPPED in phases:
            detail = tr("Nothing is sent to or received from {queue}.").format(queue=label)
            return ConnectionText(Mark.STOPPED, tr("Stopped"), detail)
        if Phase.STARTING in phases:
            return ConnectionText(Mark.STARTING, tr("Starting…"), tr("Connecting to {queue}.").format(queue=label))
        if self._consumer.phase is Phase.OFF:
            text = tr("{queue} · sending only").format(queue=label)
            return ConnectionText(Mark.STARTING, text, translated(self._consumer.text))
        if self._connection.is_local:
            detail = tr("Files are sent and processed on this computer, no account needed.")
        else:
            detail = tr("Files are sent and processed through {queue}.").format(queue=label)
        return ConnectionText(Mark.RUNNING, label, detail)

    def _waiting_text(self, state: LoopState) -> ConnectionText:
        needed = _NEEDED.get(state.trouble) if state.trouble is not None else None
        if needed is not None:
            return ConnectionText(Mark.NEEDED, translated(needed), translated(state.text))
        if state.next_try_at is None:
            return ConnectionText(Mark.RETRYING, tr("Waiting"), translated(state.text))
        left = max(1, round((state.next_try_at - self._clock.now_ms()) / 1000))
        if state.trouble is QueueTrouble.THROTTLED:
            text = tr("Throttled – continuing in {seconds} s")
        else:
            text = tr("Trying again in {seconds} s")
        return ConnectionText(Mark.RETRYING, text.format(seconds=left), translated(state.text))

    def _update(self) -> None:
        waits = Phase.WAITING in {self._sender.phase, self._consumer.phase}
        if waits and not self._failures:
            self._timer.start()
        else:
            self._timer.stop()
        self._update_text()
        trouble = self._find_trouble()
        if trouble != self._trouble:
            self._trouble = trouble
            self.trouble_changed.emit(trouble)

    @Slot()
    def _update_text(self) -> None:
        text = self.text
        if text != self._text:
            self._text = text
            self.text_changed.emit(text)

    def _find_trouble(self) -> Trouble | None:
        """Return the most important problem: failed loops before waiting ones, the sender before the consumer."""
        if self._failures:
            return next(iter(self._failures.values()))
        # A paused consumer does not ask the queue, so it can't know whether its problem persists.
        asking = (self._sender, self._consumer) if self._mode is RunMode.RUNNING else (self._sender,)
        for state in asking:
            # The user can't do anything about throttling; the status bar shows it.
            if state.phase is Phase.WAITING and state.text and state.trouble is not QueueTrouble.THROTTLED:
                return Trouble(translated(state.text), error=state.error)
        if self._consumer.phase is Phase.OFF:
            return Trouble(translated(self._consumer.text), need=Need.PERMISSION)
        return None
