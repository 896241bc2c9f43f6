"""The controller of the current connection and its loops, which run on QThreads."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktop_app.config.settings import Connection, Settings, connection_from, load_settings, update_settings
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.domain.sentences import mark
from desktop_app.gui.connection.status import ConnectionStatus, LoopKind
from desktop_app.gui.i18n import translated
from desktop_app.gui.startup.shutdown import WRITES_MS, Shutdown, Step, thread_step
from desktop_app.services.loops import StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from desktop_app.domain.clock import Clock
    from desktop_app.services.consuming.foreign_messages import ForeignMessages
    from desktop_app.services.control import ProcessingControl
    from desktop_app.services.loops import Loop, LoopState
    from desktop_app.services.support.connection_advisor import ConnectionAdvisor


log = logging.getLogger(__name__)

ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")
KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
OVERRIDING_VARIABLES = ("FILEMILL_QUEUE", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", *ENDPOINT_VARIABLES)
"""The environment variables that take precedence over the saved connection when the program starts."""


class LoopThread(QThread):
    """A thread that builds a loop and runs it until `requestInterruption()` is called. It can be restarted.

    Signals:
        state_changed(LoopState): The new state of the loop.
        failed(str, object): An exception ended the loop. The arguments are a text for the user and the
            `KnownError`, which is None for a bug.

    Attributes:
        kind: The kind of the loop.
        bug_text: The text for the user if a bug ends the loop.

    Args:
        build: Called in the new thread to build the loop, with the function to which the loop reports its states.
    """

    state_changed = Signal(object)
    failed = Signal(str, object)
    kind: LoopKind
    bug_text = mark("Stopped because of an error in Filemill. See the log for details.")

    def __init__(self, build: Callable[[Callable[[LoopState], None]], Loop]) -> None:
        super().__init__()
        self._build = build
        self._stop = StopRequest()
        self._status: ConnectionStatus | None = None
        self.setObjectName(type(self).__name__)
        self.state_changed.connect(self._report_state)
        self.failed.connect(self._report_failure)

    def report_to(self, status: ConnectionStatus | None) -> None:
        """Report states and failures to `status`; discard them if it is None."""
        # Disconnecting the signals would not suffice: Qt still delivers those already queued.
        self._status = status

    @Slot(object)
    def _report_state(self, state: LoopState) -> None:
        if self._status is not None:
            self._status.set_state(self.kind, state)

    @Slot(str, object)
    def _report_failure(self, text: str, error: KnownError | None) -> None:
        if self._status is not None:
            self._status.set_failure(self.kind, text, error)

    def start(self, priority: QThread.Priority = QThread.Priority.InheritPriority) -> None:
        """Start the thread, unless it is running."""
        if not self.isRunning():
            self._stop = StopRequest()
        super().start(priority)

    def requestInterruption(self) -> None:
        """Stop the loop, which wakes it if it is waiting."""
        super().requestInterruption()
        self._stop.set()

    def run(self) -> None:
        """Build the loop and run it."""
        try:
            self._build(self.state_changed.emit).run(self._stop)
        except KnownError as error:
            log.warning("%s ended: %s", self.objectName(), error.text)
            self.failed.emit(translated(error.text), error)
        except Exception:
            # A bug in a loop must not end the program.
            log.exception("%s ended", self.objectName())
            self.failed.emit(translated(self.bug_text), None)


class ConsumerThread(LoopThread):
    """The thread that receives messages and processes their files."""

    kind = LoopKind.CONSUMER
    bug_text = mark("Processing has stopped because of an error in Filemill. See the log for details.")


class SenderThread(LoopThread):
    """The thread that sends the messages in the outbox.

    Signals:
        key_changed(Connection): The queue turned out to have the key of this connection.
    """

    key_changed = Signal(object)
    kind = LoopKind.SENDER
    bug_text = mark("Sending has stopped because of an error in Filemill. See the log for details.")


class QueueLoops(QObject):
    """The consumer and the sender of a connection. Use it on the main thread only.

    Attributes:
        connection: The connection.
        threads: The threads, in the order in which they are stopped.
        foreign_messages: The foreign messages of the queue.
        give_up: The function that ends the wait for a program that provides credentials, which is then not run again
            until the user asks for another try.
        interrupt: The function that ends the wait for a program that provides credentials. Call it when the threads are
            asked to stop.
        close: The function that closes the SQS clients. Call it after both threads have finished; further calls do
            nothing.

    Args:
        connection, foreign_messages, give_up, interrupt, close: See the attributes.
        consumer, sender: The threads, not yet started.

    Signals:
        key_changed(Connection): The queue turned out to have the key of this connection.
        waiting_for(str): What connecting waits for, in a sentence. Emitted on any thread.
    """

    key_changed = Signal(object)
    waiting_for = Signal(object)

    def __init__(
        self,
        connection: Connection,
        consumer: ConsumerThread,
        sender: SenderThread,
        *,
        foreign_messages: ForeignMessages,
        give_up: Callable[[], None],
        interrupt: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        super().__init__()
        self.connection = connection
        self.threads = (consumer, sender)
        self.foreign_messages = foreign_messages
        self.give_up = give_up
        self.interrupt = interrupt
        self.close = close
        for thread in self.threads:
            thread.setParent(self)
        sender.key_changed.connect(self.key_changed)
        self._status: ConnectionStatus | None = None
        self.waiting_for.connect(self._report_waiting)

    def start(self) -> None:
        """Start the threads that are not running."""
        for thread in self.threads:
            thread.start()

    def report_to(self, status: ConnectionStatus | None) -> None:
        """Report states and failures to `status`; discard them if it is None."""
        self._status = status
        for thread in self.threads:
            thread.report_to(status)

    @Slot(object)
    def _report_waiting(self, text: str) -> None:
        log.info("%s", text)
        if self._status is not None:
            self._status.set_waiting_for(text)


class ConnectionController(QObject):
    """Owns the current connection and its loops. Use it on the main thread only.

    The loops of a new connection start only after the previous loops have finished, so that two senders never run at
    the same time.

    Signals:
        changed(Connection): The current connection has changed. The loops of the new connection start later if the
            previous ones are still running.

    Attributes:
        status: The status of the connection.
        advisor: The advisor that lists profiles, regions and queues, and tests connections.

    Args:
        make_loops: Called with a connection to create its loops, not yet started; new files are added to its queue
            from then on.
        control: The processing control, which holds the permission to process a queue's files.
        advisor: See the attribute.
        resolve: Returns a connection with what boto3 determines, without any request; see `QueueIdentity.resolve`.
        connection: The initial connection.
        settings_file: The file in which the connection is saved.
        clock: The clock.
        environment: The environment variables.
    """

    changed = Signal(object)

    def __init__(
        self,
        make_loops: Callable[[Connection], QueueLoops],
        control: ProcessingControl,
        advisor: ConnectionAdvisor,
        *,
        resolve: Callable[[Connection], Connection],
        connection: Connection,
        settings_file: Path,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__()
        self._make_loops = make_loops
        self._control = control
        self._resolve = resolve
        self._settings_file = settings_file
        self._environment = environment
        self.advisor = advisor
        self.status = ConnectionStatus(connection, clock, self)
        self._loops = make_loops(connection)
        self._loops.report_to(self.status)
        self._loops.key_changed.connect(self._use_new_key)
        self._next: QueueLoops | None = None
        """The loops to start once the previous loops have finished."""
        self._ending: Shutdown | None = None
        """The shutdown of the previous loops, while it is in progress."""
        self._hung: list[QueueLoops] = []
        """Loops whose threads did not finish in time; destroying a running QThread would crash the program."""
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
        """Return whether processing the current queue's files on this computer is permitted."""
        return self._control.is_permitted(self.connection.key)

    @property
    def foreign_messages(self) -> ForeignMessages:
        """Return the foreign messages of the current queue."""
        return self._current.foreign_messages

    @property
    def overrides(self) -> tuple[str, ...]:
        """Return the names of the environment variables that will override the saved connection at the next start."""
        return tuple(name for name in OVERRIDING_VARIABLES if self._environment.get(name, "").strip())

    @property
    def remembered(self) -> Connection | None:
        """Return the current connection if its access keys are in the system's keyring; otherwise None."""
        connection = self.connection
        try:
            saved = load_settings(self._settings_file)
        except SettingsError as error:  # saving the settings will show it
            log.info("it is not known whether keys are remembered: %s", error.text)
            return None
        is_remembered = connection.has_own_keys and saved.remembered_keys == connection.access_keys
        return connection if is_remembered else None

    # --- changing the connection

    def check(self, entered: Connection) -> Connection:
        """Check an entered connection, and return it with the details from its queue URL or ARN filled in.

        Raises:
            SettingsError: If the queue or the endpoint URL is invalid.
        """
        # boto3 reads these variables itself, so the endpoints apply unless a server is entered.
        names = KEY_VARIABLES if entered.endpoint_url else (*KEY_VARIABLES, *ENDPOINT_VARIABLES)
        environment = {name: self._environment.get(name, "") for name in names}
        connection = connection_from(Settings(**entered.saved_fields), environment)
        return self._resolve(connection.with_keys(entered.keys))

    def choose(self, entered: Connection, *, process_here: bool) -> None:
        """Switch to a connection and save it.

        Args:
            entered: The connection as entered.
            process_here: Whether the files of its queue are processed on this computer. The files of the embedded
                queue always are.

        Raises:
            SettingsError: If the connection is invalid, in which case nothing is changed; or if it can't be saved, in
                which case it is used only until the program exits.
        """
        try:
            self.save(entered, process_here=process_here)
        finally:
            self.change_to(entered, process_here=process_here)

    def save(self, entered: Connection, *, process_here: bool) -> None:
        """Save a connection for the next start, without switching to it. For the arguments, see `choose`.

        Raises:
            SettingsError: If the connection is invalid or can't be saved.
        """
        connection = self.check(entered)
        permitted = connection.permission_key if process_here and not connection.is_local else ""
        update_settings(self._settings_file, **entered.saved_fields, process_queue=permitted)

    def keep_keys(self, entered: Connection, before: Connection | None, *, remember: bool) -> None:
        """Store typed access keys in the system's keyring, or remove the previous ones from it. Any thread.

        Call this off the main thread, after `save`.

        Args:
            entered: The connection that was saved.
            before: The connection from `remembered` before that.
            remember: Whether to remember the keys.

        Raises:
            KnownError: If the keyring can't be used, or the settings can't be saved.
        """
        if remember and entered.keys is not None:
            self.advisor.remember_keys(entered.place[0], entered.keys)
            update_settings(self._settings_file, remembered_keys=entered.access_keys)
        elif before is not None and not remember and before.place[0] == entered.place[0]:
            self.advisor.forget_keys(before.place[0])

    def change_to(self, entered: Connection, *, process_here: bool) -> None:
        """Switch to a connection, without saving it. For the arguments, see `choose`.

        Raises:
            SettingsError: If the connection is invalid, in which case nothing is changed.
        """
        self._switch_to(self.check(entered), process_here=process_here)

    def allow_processing(self) -> None:
        """Permit processing the current queue's files on this computer.

        Raises:
            SettingsError: If the permission can't be saved, in which case it applies only until the program exits.
        """
        self._control.permit(self.connection.key)
        update_settings(self._settings_file, process_queue=self.connection.permission_key)

    def stop_processing(self) -> None:
        """Revoke the permission to process the current queue's files; their messages are still sent.

        Raises:
            SettingsError: If this can't be saved, in which case it applies only until the program exits.
        """
        connection = self.connection
        self._switch_to(connection, process_here=False)
        update_settings(self._settings_file, process_queue="")

    def give_up_waiting(self) -> None:
        """End the wait for a program that provides credentials; Try Now runs it again."""
        self._current.give_up()

    def tolerate_foreign_messages(self) -> None:
        """Ignore foreign messages in the current queue, and restart the consumer if they have stopped it."""
        self.foreign_messages.tolerate()
        self.start()

    @Slot()
    def restart(self) -> None:
        """Restart the loops, because this computer has other processors than before."""
        self._switch_to(self.connection, process_here=self.processes_here)

    @Slot(object)
    def _use_new_key(self, connection: Connection) -> None:
        """Switch to the same connection with its new key.

        The permission to process is kept, unless the user could not see the place of the queue or saw another account.
        """
        before = self.connection
        if connection.entered != before.entered or connection == before:
            return
        is_same_queue = before.typed is not None and before.account in {"", connection.account}
        if self.processes_here and not is_same_queue:
            try:
                update_settings(self._settings_file, process_queue="")
            except SettingsError as error:  # the next start compares the queue again
                log.warning("the permission can't be removed from the settings: %s", error.text)
        self._switch_to(connection, process_here=is_same_queue and self.processes_here)

    def _switch_to(self, connection: Connection, *, process_here: bool) -> None:
        self._control.permit(connection.key if connection.is_local or process_here else "")
        loops = self._make_loops(connection)
        if self._is_shutting_down:
            loops.close()
            return
        if self._next is not None:
            self._next.close()
        loops.key_changed.connect(self._use_new_key)
        self._next = loops
        self._loops.report_to(None)
        self.status.set_connection(connection)
        self.changed.emit(connection)
        if self._ending is None:
            self._loops.interrupt()
            # The user is not waiting, so the loops get the time to end cleanly.
            self._ending = Shutdown([thread_step(thread, WRITES_MS) for thread in self._loops.threads], parent=self)
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
        """Start the loops that are not running."""
        if not self._is_shutting_down and self._ending is None:
            self._loops.start()

    def steps(self) -> list[Step]:
        """Return the shutdown steps, which stop the consumers and the senders."""
        return [self._step(ConsumerThread), self._step(SenderThread)]

    def close(self) -> None:
        """Close the SQS clients; call this after the shutdown steps."""
        for loops in self._all():
            loops.close()

    def _step(self, kind: type[LoopThread]) -> Step:
        def threads() -> list[LoopThread]:
            return [thread for loops in self._all() for thread in loops.threads if isinstance(thread, kind)]

        def begin() -> None:
            self._is_shutting_down = True
            for loops in self._all():
                loops.interrupt()
            for thread in threads():
                thread.requestInterruption()

        return Step(kind.__name__, begin, lambda: not any(thread.isRunning() for thread in threads()))

    def _all(self) -> list[QueueLoops]:
        return [*self._hung, self._loops, *([self._next] if self._next is not None else [])]
