"""The window's connection: its loops, switching to another connection, and saving it."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from desktop_app.config.settings import Connection, Settings, connection_from, load_settings, update_settings
from desktop_app.gui.connection.status import ConnectionStatus
from desktop_app.gui.startup.shutdown import Shutdown, Step, thread_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from PySide6.QtCore import QThread

    from desktop_app.domain.clock import Clock
    from desktop_app.gui.connection.loops import QueueLoops
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor


log = logging.getLogger(__name__)

ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")
OVERRIDING_VARIABLES = ("FILEMILL_QUEUE", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", *ENDPOINT_VARIABLES)
"""The environment variables that override the saved connection at a start."""


class LoopFactory(Protocol):
    """Makes the loops of a connection."""

    def __call__(self, connection: Connection, /) -> QueueLoops:
        """Return the loops, not started; files added from now on belong to this connection's queue.

        Args:
            connection: The queue and how to reach it.
        """
        ...


class ConnectionController(QObject):
    """Owns the current connection and its loops. Main thread.

    The loops of a new connection start when the previous ones have ended, so that two senders never overlap.

    Signals:
        changed(Connection): The new current connection; its loops start soon.

    Attributes:
        status: The texts about the connection.
        advisor: Lists profiles, regions and queues, and tests a connection.

    Args:
        make_loops: Makes the loops of a connection.
        control: Knows which queues' files may be processed on this computer.
        advisor: See the attribute.
        connection: The first connection.
        settings_file: Stores the connection.
        clock: The time.
        environment: The environment variables.
        parent: The parent.
    """

    changed = Signal(object)

    def __init__(
        self,
        make_loops: LoopFactory,
        control: ProcessingControl,
        advisor: ConnectionAdvisor,
        *,
        connection: Connection,
        settings_file: Path,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_loops = make_loops
        self._control = control
        self._settings_file = settings_file
        self._environment = environment
        self.advisor = advisor
        self.status = ConnectionStatus(connection, clock, self)
        self._loops = make_loops(connection)
        self._loops.report_to(self.status)
        self._next: QueueLoops | None = None
        """Starts when the previous loops have ended."""
        self._ending: Shutdown | None = None
        """Ends the loops of the previous connection."""
        self._hung: list[QueueLoops] = []
        """Loops whose threads did not end in time; they must not be destroyed while they run."""
        self._is_shutting_down = False

    # --- the current connection

    @property
    def _current(self) -> QueueLoops:
        return self._next or self._loops

    @property
    def connection(self) -> Connection:
        """Return the current connection."""
        return self._current.connection

    @property
    def processes_here(self) -> bool:
        """Return whether the current queue's files may be processed on this computer."""
        return self._control.is_permitted(self.connection.key)

    @property
    def foreign_messages(self) -> ForeignMessages:
        """Return the foreign messages of the current queue."""
        return self._current.foreign_messages

    @property
    def overrides(self) -> tuple[str, ...]:
        """Return the environment variables that override the saved connection at the next start."""
        return tuple(name for name in OVERRIDING_VARIABLES if self._environment.get(name, "").strip())

    # --- changing it

    def check(self, entered: Connection) -> Connection:
        """Return the entered connection, completed with what a URL or an ARN says.

        Raises:
            SettingsError: If the queue is neither a legal name nor a URL, or the endpoint's URL can't be read.
        """
        # boto3 itself reads these variables, so they apply now too unless another server is entered.
        names = () if entered.endpoint_url else ENDPOINT_VARIABLES
        return connection_from(Settings(**asdict(entered)), {name: self._environment.get(name, "") for name in names})

    def choose(self, entered: Connection, *, process_here: bool) -> None:
        """Switch to another connection now, and use it at the next start.

        Args:
            entered: The connection as entered.
            process_here: Whether its files may be processed on this computer; always allowed for the embedded queue.

        Raises:
            SettingsError: If it can't be used, so nothing was changed; or if it can't be saved, so it is used until
                the program ends.
        """
        try:
            self.save(entered, process_here=process_here)
        finally:
            self.change_to(entered, process_here=process_here)

    def save(self, entered: Connection, *, process_here: bool) -> None:
        """Use another connection at the next start. Arguments as for `choose`.

        Raises:
            SettingsError: If it can't be used or saved.
        """
        connection = self.check(entered)
        permitted = load_settings(self._settings_file).process_queue
        if not connection.is_local:
            permitted = connection.key if process_here else ("" if permitted == connection.key else permitted)
        update_settings(self._settings_file, **asdict(entered), process_queue=permitted)

    def change_to(self, entered: Connection, *, process_here: bool) -> None:
        """Use another connection until the program ends. Arguments as for `choose`.

        Raises:
            SettingsError: If it can't be used, and nothing has changed.
        """
        self._start_over(self.check(entered), process_here=process_here)

    def allow_processing(self) -> None:
        """Process the current queue's files on this computer from now on.

        Raises:
            SettingsError: If that can't be saved; it holds until the program ends.
        """
        self._control.permit(self.connection.key)
        update_settings(self._settings_file, process_queue=self.connection.key)

    def stop_processing(self) -> None:
        """Stop receiving from the current queue; keep sending to it.

        Raises:
            SettingsError: If that can't be saved; it holds until the program ends.
        """
        connection = self.connection
        self._start_over(connection, process_here=False)
        if load_settings(self._settings_file).process_queue == connection.key:
            update_settings(self._settings_file, process_queue="")

    def tolerate_foreign_messages(self) -> None:
        """Allow foreign messages in the current queue, and restart the loops that ended because of them."""
        self.foreign_messages.tolerate()
        self.start()

    def _start_over(self, connection: Connection, *, process_here: bool) -> None:
        self._control.permit(connection.key if connection.is_local or process_here else "")
        loops = self._make_loops(connection)
        if self._is_shutting_down:
            loops.close()
            return
        if self._next is not None:
            self._next.close()
        self._next = loops
        self._loops.report_to(None)
        self.status.set_connection(connection)
        self.changed.emit(connection)
        if self._ending is None:
            self._ending = Shutdown([thread_step(thread) for thread in self._loops.threads], parent=self)
            self._ending.finished.connect(self._start_next)
            self._ending.begin()

    @Slot(list)
    def _start_next(self, left_over: list[str]) -> None:
        if self._ending is not None:
            self._ending.deleteLater()
            self._ending = None
        before = self._loops
        before.close()
        if left_over:
            log.warning("still running after the connection was changed: %s", ", ".join(left_over))
            self._hung.append(before)
        else:
            before.deleteLater()
        if self._next is not None:
            self._loops, self._next = self._next, None
        self._loops.report_to(self.status)
        self.start()

    # --- starting and ending

    @Slot()
    def start(self) -> None:
        """Start the loops; restart those that have ended by themselves."""
        if not self._is_shutting_down and self._ending is None:
            self._loops.start()

    def steps(self) -> list[Step]:
        """Return the shutdown steps: end the consumer, then the sender."""
        return [
            Step("ConsumerThread", lambda: self._interrupt(self._consumers()), lambda: _have_ended(self._consumers())),
            Step("SenderThread", lambda: self._interrupt(self._senders()), lambda: _have_ended(self._senders())),
        ]

    def close(self) -> None:
        """Close the queues' clients, after the steps."""
        for loops in self._all():
            loops.close()

    def _interrupt(self, threads: Sequence[QThread]) -> None:
        self._is_shutting_down = True
        for thread in threads:
            thread.requestInterruption()

    def _consumers(self) -> list[QThread]:
        return [loops.consumer_thread for loops in self._all()]

    def _senders(self) -> list[QThread]:
        return [loops.sender_thread for loops in self._all()]

    def _all(self) -> list[QueueLoops]:
        return [*self._hung, self._loops, *([self._next] if self._next is not None else [])]


def _have_ended(threads: Sequence[QThread]) -> bool:
    return not any(thread.isRunning() for thread in threads)
