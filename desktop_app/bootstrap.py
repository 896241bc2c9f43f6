"""Build what the window and the command line share. Imports no Qt."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.paths import Home, database_path, find_home
from desktop_app.config.settings import Connection, Settings, connection_from, load_settings
from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.queues.messages import MAX_WAIT_SECONDS
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.control import PermissionGate, ProcessingControl
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.store.adding import Intake
from desktop_app.store.database import Database, open_database
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.consumer import Consumer
    from desktop_app.services.loops import LoopState
    from desktop_app.services.sending.sender import Sender
    from desktop_app.store.backups import Backups


log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).resolve().parent / "store" / "migrations"


@dataclass(frozen=True, slots=True)
class Program:
    """The parts that the window and the command line share.

    Attributes:
        home: The folder of settings, database and logs.
        settings: The settings when the loops of the connection were made.
        read_settings: Returns the settings as they are saved now.
        connection: The queue and how to reach it.
        database: The database.
        clock: The clock.
        jobs: Reads the list.
        editor: Changes the list.
        identity: This program as a holder of leases.
        control: Pause, permission and priority.
        foreign: The foreign messages that were received.
    """

    home: Home
    settings: Settings
    read_settings: Callable[[], Settings]
    connection: Connection
    database: Database
    clock: Clock
    jobs: JobList
    editor: JobEditor
    identity: WorkerIdentity
    control: ProcessingControl
    foreign: ForeignMessages = field(default_factory=ForeignMessages)

    def reconnected(self, connection: Connection) -> Program:
        """Return the same program with another queue; files that are added or retried from now on go there.

        It has the settings as they are saved now; if they can't be read, those it had.

        Args:
            connection: The new connection.
        """
        self.editor.use_queue(connection.key)
        try:
            settings = self.read_settings()
        except SettingsError as error:  # saving shows this error; a start with such a file is refused
            log.info("the settings stay unchanged: %s", error.text)
            settings = self.settings
        # Loops of the previous queue may still be ending; their foreign messages must not be counted here.
        return replace(self, connection=connection, settings=settings, foreign=ForeignMessages())

    @property
    def queue_file(self) -> Path:
        """The file of the embedded queue, which belongs to the database: each database has its own."""
        return self.database.path.with_name(f"{self.database.path.name}.queue")

    def close(self) -> None:
        """Release this program's identity and close the calling thread's database connection."""
        self.identity.close()
        self.database.release()


@dataclass(frozen=True, slots=True)
class SendReport:
    """The result of `send_all`: the numbers of sent and waiting messages, and the error, empty if there was none."""

    sent: int
    waiting: int
    trouble: str = ""


def open_program(environment: Mapping[str, str] = os.environ, *, settings: Settings | None = None) -> Program:
    """Find the user's folder, read the settings, open the database.

    Args:
        environment: FILEMILL_DATABASE, FILEMILL_QUEUE and the variables of AWS.
        settings: Used instead of those in the file, for new connections, too.

    Raises:
        SettingsError: If the folder, the settings file or a variable can't be used.
        StoreError: If the database can't be opened.
    """
    home = find_home()
    home.create()
    read: Callable[[], Settings] = (lambda: settings) if settings else partial(load_settings, home.settings_file)
    chosen = read()
    connection = connection_from(chosen, environment)
    database = open_database(database_path(home, environment.get("FILEMILL_DATABASE", "")), MIGRATIONS)
    clock = SystemClock()
    control = ProcessingControl()
    control.permit(connection.key if connection.is_local else chosen.process_queue)
    editor = JobEditor(Intake(database), queue=connection.key, clock=clock, control=control)
    identity = WorkerIdentity(database.path)
    return Program(home, chosen, read, connection, database, clock, JobList(database), editor, identity, control)


def connect_queue(program: Program) -> QueueConnector:
    """Create the connector of the program's queue. It connects when a loop first needs it; the caller closes it."""
    if program.connection.is_local:  # avoids importing boto3, which is slow
        from desktop_app.queues.embedded import EmbeddedQueue

        return EmbeddedQueue(program.queue_file, receiver=program.identity.name)
    from desktop_app.queues.connector import SqsConnector

    return SqsConnector(program.connection)


def build_sender(program: Program, connector: QueueConnector, report: Callable[[LoopState], None]) -> Sender:
    """Build the loop that sends the outbox of the program's queue.

    Args:
        program: From `open_program`.
        connector: Shared by all loops of this process.
        report: Called with the loop's states, on its thread.
    """
    from desktop_app.services.sending.dead_letters import DeadLetterWatcher
    from desktop_app.services.sending.periodic_tasks import BackupTask, PeriodicTasks
    from desktop_app.services.sending.reconciler import Reconciler
    from desktop_app.services.sending.sender import LOCAL_WINDOW, Sender, SenderOptions
    from desktop_app.store.backups import Backups
    from desktop_app.store.claims import Claims
    from desktop_app.store.recovery import Recovery

    key, clock, database = program.connection.key, program.clock, program.database
    recovery = Recovery(database)
    tasks = PeriodicTasks(
        {
            # Entries of a sender that was killed must not wait until its claim expires.
            "dead senders": partial(recovery.free_dead_claims, program.identity.is_alive, queue=key),
            "reconciler": Reconciler(recovery, connector, queue=key, clock=clock).do,
            "dead-letter watcher": DeadLetterWatcher(Claims(database), connector, clock).do,
            "backup": BackupTask(Backups(database.path), program.jobs, clock).do,
            "removed rows": program.editor.delete_removed,
        },
        clock,
        program.control,
    )
    options = SenderOptions(
        queue=key,
        window=LOCAL_WINDOW if program.connection.is_local else None,
        strict_order=program.settings.fifo_order == "strict",
    )
    return Sender(
        database,
        connector,
        program.identity,
        options=options,
        clock=clock,
        control=program.control,
        report=report,
        tasks=tasks,
    )


def build_consumer(
    program: Program,
    connector: QueueConnector,
    report: Callable[[LoopState], None],
    *,
    concurrency: int | None = None,
    wait_s: int = MAX_WAIT_SECONDS,
) -> Consumer:
    """Build the loop that consumes the program's queue.

    Args:
        program: From `open_program`.
        connector: Shared by all loops of this process.
        report: Called with the loop's states, on several threads.
        concurrency: The number of files to process at once; None for the setting.
        wait_s: The wait time of a poll in seconds; short for a consumer that should stop quickly.
    """
    from desktop_app.processing.registry import default_registry
    from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions

    options = ConsumerOptions(
        queue=program.connection.key,
        concurrency=concurrency or program.settings.workers,
        wait_s=wait_s,
        keeps_order=program.connection.is_fifo and program.settings.fifo_order == "strict",
    )
    return Consumer(
        program.database,
        connector,
        default_registry(),
        program.identity,
        options=options,
        clock=program.clock,
        report=report,
        control=program.control,
        foreign=program.foreign,
    )


def build_gated_consumer(
    program: Program, connector: QueueConnector, report: Callable[[LoopState], None]
) -> PermissionGate:
    """Build the window's consumer: on a named queue it waits for the user's permission."""
    consumer = build_consumer(program, connector, report)
    return PermissionGate(consumer, program.control, report, queue=program.connection.key)


def send_all(program: Program, connector: QueueConnector, *, deadline_s: float) -> SendReport:
    """Send the waiting messages of the program's queue, for a limited time. Errors are returned, not raised.

    Args:
        program: From `open_program`.
        connector: The queue.
        deadline_s: No new batch is started after this many seconds.

    Raises:
        StoreError: If the database can't be read.
    """
    from desktop_app.store.outbox import Outbox

    waiting = Outbox(program.database).waiting
    before = waiting(program.connection.key)
    trouble = ""
    try:
        build_sender(program, connector, lambda _: None).send_all(program.clock.steady() + deadline_s)
    except KnownError as error:
        trouble = error.text
    left = waiting(program.connection.key)
    return SendReport(max(0, before - left), left, trouble)


def backups(environment: Mapping[str, str] = os.environ) -> Backups:
    """Return the backups of the database, for when it can't be opened.

    Raises:
        SettingsError: If FILEMILL_HOME or FILEMILL_DATABASE can't be used.
    """
    from desktop_app.store.backups import Backups

    return Backups(database_path(find_home(), environment.get("FILEMILL_DATABASE", "")))
