"""The status of the connection: a text for the status bar, and the banner that shows the most important problem."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from desktop_app.domain.errors import Cause, KnownError, QueueTrouble
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction, NoticeBar
from desktop_app.services.control import RunMode
from desktop_app.services.loops import LoopState, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.settings import Connection
    from desktop_app.domain.clock import Clock


_UPDATE_MS = 1_000
_SLOW_MS = 3_000
"""How long a program that provides credentials has been running when it is said that it is slow."""


class LoopKind(StrEnum):
    """A kind of loop. Earlier members take precedence in texts."""

    SENDER = "sender"
    CONSUMER = "consumer"


class Mark(StrEnum):
    """A symbol for the status of the connection."""

    STARTING = "○"
    RUNNING = "●"
    RETRYING = "◑"
    NEEDED = "▲"
    STOPPED = "■"
    PAUSED = "‖"


@dataclass(frozen=True, slots=True)
class ConnectionText:
    """The status of the connection, for the status bar.

    Attributes:
        mark: The symbol before the text.
        text: The text, a few words long.
        detail: The text of the tool tip: whole sentences, or empty.
    """

    mark: Mark
    text: str
    detail: str


class Need(StrEnum):
    """What the user can do about a problem whose cause is unknown."""

    NOTHING = "nothing"
    """Nothing: the banner disappears when the problem is solved."""
    PATIENCE = "patience"
    """Wait for the next automatic attempt, or try now."""
    RESTART = "restart"
    """Restart a loop that an exception has ended."""
    CREDENTIALS = "credentials"
    """Wait for a program that provides credentials, or stop it."""
    PERMISSION = "permission"
    """Permit processing on this computer."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem shown in the banner.

    Attributes:
        text: One or more sentences of plain text.
        need: What the user can do about the problem.
        error: The error, or None.
    """

    text: str
    need: Need = Need.PATIENCE
    error: KnownError | None = field(default=None, compare=False)

    @property
    def cause(self) -> Cause:
        """Return the cause of the error; `OTHER` if there is no error."""
        return self.error.cause if self.error is not None else Cause.OTHER


_NEEDED = {
    QueueTrouble.SIGNED_OUT: mark("Sign-in required"),
    QueueTrouble.NO_RIGHT: mark("Access to the queue denied"),
    QueueTrouble.NO_QUEUE: mark("Queue not found"),
    QueueTrouble.SETUP: mark("The connection needs attention"),
}

_STARTING = LoopState(Phase.STARTING)


class ConnectionStatus(QObject):
    """Derives texts and problems from the states of the sender and the consumer, on the main thread.

    Signals:
        text_changed(ConnectionText): The text for the status bar has changed.
        trouble_changed(object): The most important problem has changed; the argument is a `Trouble`, or None if there
            is no problem.

    Args:
        connection: The connection.
        clock: The clock for the countdown to the next attempt.
        parent: The parent.
    """

    text_changed = Signal(object)
    trouble_changed = Signal(object)

    def __init__(self, connection: Connection, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._connection = connection
        self._clock = clock
        self._states = dict.fromkeys(LoopKind, _STARTING)
        self._mode = RunMode.RUNNING
        self._waiting_for = ""
        """The sentence about what connecting waits for; empty if it does not wait."""
        self._waiting_since = 0
        self._failures: dict[LoopKind, Trouble] = {}
        self._trouble: Trouble | None = None
        self._text = ConnectionText(Mark.STARTING, tr("Starting…"), "")
        self._timer = QTimer(self, interval=_UPDATE_MS)
        self._timer.timeout.connect(self._update_text)

    def set_connection(self, connection: Connection) -> None:
        """Set the connection and reset the states and failures."""
        self._connection = connection
        self._states = dict.fromkeys(LoopKind, _STARTING)
        self._failures.clear()
        self._waiting_for = ""
        self._update()

    def set_waiting_for(self, text: str) -> None:
        """Set what connecting has been waiting for; the next state of a loop that has connected or failed clears it."""
        self._waiting_for = text
        self._waiting_since = self._clock.now_ms() - _SLOW_MS
        self._update()

    def set_state(self, loop: LoopKind, state: LoopState) -> None:
        """Set the state of a loop and clear its failure."""
        self._states[loop] = state
        if state.phase in {Phase.RUNNING, Phase.WAITING, Phase.STOPPED}:
            self._waiting_for = ""
        self._failures.pop(loop, None)
        self._update()

    def set_failure(self, loop: LoopKind, text: str, error: KnownError | None = None) -> None:
        """Report that an exception has ended a loop. `error` is None for a bug."""
        self._failures[loop] = Trouble(text, Need.RESTART, error)
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
        label = translated(self._connection.label)
        if self._mode is RunMode.PAUSED:
            text = tr(
                "No more files will be processed until you resume. You can still add files; their "
                "messages will be sent to {queue}."
            )
            return ConnectionText(Mark.PAUSED, tr("Paused"), text.format(queue=label))
        if self._mode is RunMode.FINISHING:
            return ConnectionText(Mark.PAUSED, tr("Pausing…"), tr("The current files will be finished first."))
        if (waiting := self._waiting_text()) is not None:
            return waiting
        phases = {state.phase for state in self._states.values()}
        if Phase.STOPPED in phases:
            detail = tr("Nothing is being sent to or received from {queue}.").format(queue=label)
            return ConnectionText(Mark.STOPPED, tr("Stopped"), detail)
        if Phase.STARTING in phases:
            return ConnectionText(Mark.STARTING, tr("Starting…"), tr("Connecting to {queue}.").format(queue=label))
        consumer = self._states[LoopKind.CONSUMER]
        if consumer.phase is Phase.OFF:
            text = tr("{queue} · sending only").format(queue=label)
            return ConnectionText(Mark.STARTING, text, translated(consumer.text))
        if self._connection.is_local:
            detail = tr("Files are queued and processed on this computer; no account is needed.")
        else:
            detail = tr("Files are processed through {queue}.").format(queue=label)
        return ConnectionText(Mark.RUNNING, label, detail)

    def _waiting_text(self) -> ConnectionText | None:
        """Return the text about a wait for credentials or for the next attempt; None if there is no wait."""
        if self._waiting_for:
            seconds = (self._clock.now_ms() - self._waiting_since) // 1000
            text = tr("Waiting for credentials – {seconds} s").format(seconds=seconds)
            return ConnectionText(Mark.STARTING, text, translated(self._waiting_for))
        waiting = (state for state in self._states.values() if state.phase is Phase.WAITING)
        state = next(waiting, None)
        return self._retry_text(state) if state is not None else None

    def _retry_text(self, state: LoopState) -> ConnectionText:
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
        is_waiting = self._waiting_for or Phase.WAITING in {state.phase for state in self._states.values()}
        if is_waiting and not self._failures:
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
        """Return the most important problem: a failed loop, then the sender's problem, then the consumer's."""
        if self._failures:
            return next(iter(self._failures.values()))
        if self._waiting_for:
            return Trouble(translated(self._waiting_for), need=Need.CREDENTIALS)
        # A paused consumer sends no requests, so its last problem may be outdated.
        active = tuple(LoopKind) if self._mode is RunMode.RUNNING else (LoopKind.SENDER,)
        for state in (self._states[loop] for loop in active):
            # Throttling is shown only in the status bar, because the user does not have to do anything.
            if state.phase is Phase.WAITING and state.text and state.trouble is not QueueTrouble.THROTTLED:
                return Trouble(translated(state.text), error=state.error)
        consumer = self._states[LoopKind.CONSUMER]
        if consumer.phase is Phase.OFF:
            return Trouble(translated(consumer.text), need=Need.PERMISSION)
        return None


_SAME_PROBLEM_S = 30.0
"""A problem that recurs within this time is counted as a repetition."""

_KINDS = {
    Need.NOTHING: Kind.PROBLEM,
    Need.PATIENCE: Kind.WARNING,
    Need.RESTART: Kind.PROBLEM,
    Need.CREDENTIALS: Kind.INFO,
    Need.PERMISSION: Kind.INFO,
}


class TroubleBanner(QObject):
    """Shows the most important problem in a notice bar, unless the user has dismissed it.

    Args:
        bar: The notice bar.
        buttons: Called with a problem; returns the buttons for it.
        steady: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        bar: NoticeBar,
        buttons: Callable[[Trouble], tuple[NoticeAction, ...]],
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(bar)
        self._bar = bar
        self._buttons = buttons
        self._steady = steady
        self._database: Trouble | None = None
        self._loops: Trouble | None = None
        self._dismissed = ""
        self._last: tuple[str, int, float] = ("", 0, 0.0)
        """The text of the last problem, the number of its occurrences, and the time at which it ended."""
        bar.dismissed.connect(self._note_dismissed)

    @Slot(object)
    def set_loop_trouble(self, trouble: Trouble | None) -> None:
        """Set the problem of the sender or the consumer; None if there is none."""
        self._loops = trouble
        self._update()

    @Slot(object)
    def set_database_error(self, error: KnownError) -> None:
        """Report that the database can't be read."""
        self._database = Trouble(translated(error.text), Need.NOTHING, error)
        self._update()

    @Slot()
    def clear_database_error(self) -> None:
        """Report that the database can be read again."""
        self._database = None
        self._update()

    def _current(self) -> Notice | None:
        trouble = self._database or self._loops
        if trouble is None:
            return None
        # The text of a database error is complete without a title.
        title = translated(trouble.error.title) if trouble.error is not None and trouble is self._loops else ""
        text = translated(trouble.error.body) if trouble.error is not None and title else trouble.text
        return Notice(text, _KINDS[trouble.need], self._buttons(trouble), title=title)

    def _update(self) -> None:
        current = self._current()
        shown = self._bar.notice
        if current is None:
            self._dismissed = ""
            if shown is not None:
                self._last = (shown.title + shown.text, shown.times, self._steady())
            self._bar.clear()
        elif current.text == self._dismissed:
            self._bar.clear()
        elif shown is None or (shown.title, shown.text, shown.kind) != (current.title, current.text, current.kind):
            self._bar.show_notice(self._counted(current))

    def _counted(self, notice: Notice) -> Notice:
        words, times, ended = self._last
        if words == notice.title + notice.text and self._steady() - ended < _SAME_PROBLEM_S:
            return replace(notice, times=times + 1)
        return notice

    @Slot(str)
    def _note_dismissed(self, text: str) -> None:
        self._dismissed = text
