"""Create the parts that the window and the command line share. This module does not import Qt."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.paths import Home, database_path, find_home, readable_settings
from desktop_app.config.settings import Connection, Settings, connection_from, load_settings
from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.errors import KnownError, SettingsError
from desktop_app.queues.messages import MAX_WAIT_SECONDS
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.control import PermissionGate, ProcessingControl
from desktop_app.services.queue_identity import QueueIdentity
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.sources.share_access import require_response
from desktop_app.store.adding import Intake
from desktop_app.store.database import Database, open_database
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from desktop_app.domain.watched_folder import WatchedFolder
    from desktop_app.processing.registry import ProcessorRegistry
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.adding.watching import FolderStatus, WatchingLoop
    from desktop_app.services.consuming.consumer import Consumer
    from desktop_app.services.loops import LoopState
    from desktop_app.services.sending.sender import Sender
    from desktop_app.store.backups import Backups
    from desktop_app.store.watched_folders import WatchedFolders


log = logging.getLogger(__name__)

QUICK_SECONDS = 0.2
"""How long each of the parts of the window's consumer may take to end: together, less than `shutdown.LOOPS_MS`."""
REQUESTS_AT_ONCE = 3
"""How many requests of a kind a consumer has in progress while messages flow: a request takes 10 to 30 ms on SQS."""

MIGRATIONS = Path(__file__).resolve().parent / "store" / "migrations"


@dataclass(frozen=True, slots=True)
class Program:
    """The parts that the window and the command line share.

    Attributes:
        home: The folder that contains the settings, the database and the logs.
        settings: The settings when the program started or the connection was last changed.
        connection: The queue and how to reach it.
        database: The database with the list of files.
        clock: The clock.
        jobs: The list of files, for reading.
        editor: The service that changes the list of files.
        identity: The identity of this program as an owner of leases.
        control: The state that the user controls: pause, permission to process, and priority.
        queues: The service that determines which queue a connection leads to.
        foreign: The messages in the queue that Filemill did not send.
    """

    home: Home
    settings: Settings
    connection: Connection
    database: Database
    clock: Clock
    jobs: JobList
    editor: JobEditor
    identity: WorkerIdentity
    control: ProcessingControl
    queues: QueueIdentity
    foreign: ForeignMessages = field(default_factory=ForeignMessages)

    def reconnected(self, connection: Connection) -> Program:
        """Return this program with another connection.

        Files that are added or retried from now on use the queue of that connection. The settings are read again; if
        this fails, the current settings are kept.
        """
        self.editor.use_queue(connection.key)
        try:
            settings = load_settings(self.home.settings_file)
        except SettingsError as error:  # not shown here; saving the settings will show it
            log.info("the settings stay unchanged: %s", error.text)
            settings = self.settings
        # The loops of the previous queue might still be running, and must not add to the new queue's foreign messages.
        return replace(self, connection=connection, settings=settings, foreign=ForeignMessages())

    def identified(self, connection: Connection) -> Program:
        """Return this program with the account of its queue, and adopt the files that wait for the queue.

        Args:
            connection: The connection from `QueueIdentity.learn`.

        Raises:
            StoreError: If the database can't be read or written.
        """
        self.queues.adopt(connection)
        self.editor.use_queue(connection.key)
        return replace(self, connection=connection)

    @property
    def queue_file(self) -> Path:
        """The file of the embedded queue; each database has its own."""
        return self.database.path.with_name(f"{self.database.path.name}.queue")

    @property
    def keeps_order(self) -> bool:
        """Whether the files of a FIFO queue must be processed in order, since they share one message group."""
        return self.connection.is_fifo and self.settings.fifo_order == "strict"

    def close(self) -> None:
        """Release this program's identity and close the calling thread's database connection."""
        self.identity.close()
        self.database.release()


@dataclass(frozen=True, slots=True)
class SendReport:
    """The result of `send_all`.

    Attributes:
        sent: The number of messages that were sent.
        waiting: The number of messages that are still in the outbox.
        trouble: The text of the error that stopped `send_all`; empty if there was none.
    """

    sent: int
    waiting: int
    trouble: str = ""


def open_program(environment: Mapping[str, str] = os.environ) -> Program:
    """Read the settings and open the database.

    Args:
        environment: The environment variables, including FILEMILL_DATABASE, FILEMILL_QUEUE and those for AWS.

    Raises:
        SettingsError: If the home folder, the settings file or an environment variable can't be used.
        StoreError: If the database can't be opened.
        NotRespondingError: If it is on a network share that does not respond.
    """
    home = find_home()
    home.create()
    settings = load_settings(home.settings_file)
    typed = connection_from(settings, environment)
    path = database_path(home, environment.get("FILEMILL_DATABASE", ""))
    require_response(str(path))
    database = open_database(path, MIGRATIONS)
    queues = QueueIdentity(database)
    connection = queues.resolve(typed)
    queues.adopt(connection)
    clock = SystemClock()
    control = ProcessingControl()
    control.brakes = settings.brake
    is_permitted = connection.is_local or settings.process_queue == connection.permission_key
    control.permit(connection.key if is_permitted else "")
    editor = JobEditor(
        Intake(database),
        queue=connection.key,
        clock=clock,
        control=control,
        rules=lambda: readable_settings().type_rules,
    )
    identity = WorkerIdentity(database.path)
    return Program(
        home, settings, connection, database, clock, JobList(database, clock), editor, identity, control, queues
    )


def connect_queue(program: Program, notify: Callable[[str], object] = log.info) -> QueueConnector:
    """Create the connector for the program's queue, which connects on first use. The caller must close it.

    Args:
        program: The program.
        notify: Called with a sentence if connecting takes a long time, on the thread that is connecting.
    """
    if program.connection.is_local:  # avoid importing boto3, which is slow
        from desktop_app.queues.embedded import EmbeddedQueue

        return EmbeddedQueue(
            program.queue_file,
            receiver=program.identity.name,
            database=program.database.path,
            on_replaced=program.control.try_now,  # send again what is missing
        )
    from desktop_app.queues.connector import SqsConnector

    return SqsConnector(program.connection, notify, lambda: program.control.tries)


def build_sender(
    program: Program,
    connector: QueueConnector,
    report: Callable[[LoopState], None],
    *,
    on_new_key: Callable[[Connection], object] | None = None,
) -> Sender:
    """Create the loop that sends the messages in the outbox to the program's queue.

    Args:
        program: The program.
        connector: The connector for the program's queue, shared by all loops of this process.
        report: Called with each new state of the loop, on the loop's thread.
        on_new_key: Called on the loop's thread if the queue turns out to have another key, with the connection that
            has this key. Without it, the loop keeps its key until the program exits.
    """
    from desktop_app.services.sending.dead_letters import DeadLetterWatcher
    from desktop_app.services.sending.periodic_tasks import BackupTask, PeriodicTasks, RetentionTask
    from desktop_app.services.sending.reconciler import Reconciler
    from desktop_app.services.sending.sender import LOCAL_WINDOW, Sender, SenderOptions
    from desktop_app.store.backups import Backups
    from desktop_app.store.claims import Claims
    from desktop_app.store.recovery import Recovery

    key, clock, database = program.connection.key, program.clock, program.database
    recovery = Recovery(database)
    tasks = PeriodicTasks(
        {
            "queue identity": partial(program.queues.update, program.connection, connector, on_new_key),
            # Free the outbox entries of a killed process immediately, instead of when its claim expires.
            "dead senders": partial(recovery.free_dead_claims, program.identity.is_alive, queue=key),
            "reconciler": Reconciler(recovery, connector, queue=key, clock=clock, strict_order=program.keeps_order).do,
            "dead-letter watcher": DeadLetterWatcher(Claims(database), connector, clock).do,
            "backup": BackupTask(Backups(database.path), program.jobs, clock).do,
            "retention": RetentionTask(program.editor, partial(load_settings, program.home.settings_file), clock).do,
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


def build_registry(program: Program) -> ProcessorRegistry:
    """Create the registry of the processors that this computer has, with its commands and plug-ins.

    Commands that are not set up correctly are logged and left out. `ProcessorRegistry.refresh` reads them again.
    """
    from desktop_app.config.presets import PresetFile
    from desktop_app.processing.outputs import Outputs
    from desktop_app.processing.registry import default_registry
    from desktop_app.services.plugins import Plugins

    outputs = Outputs(program.database.path, program.identity.name, partial(note_output, program))
    return default_registry(
        outputs=outputs,
        plugins=Plugins(program.home.folder).processors(),
        changed_presets=PresetFile(program.home.settings_file).read_changed,
    )


def build_consumer(
    program: Program,
    connector: QueueConnector,
    report: Callable[[LoopState], None],
    *,
    concurrency: int | None = None,
    wait_s: int = MAX_WAIT_SECONDS,
    ends_quickly: bool = False,
) -> Consumer:
    """Create the loop that receives messages from the program's queue and processes the files named in them.

    Args:
        program: The program.
        connector: The connector for the program's queue, shared by all loops of this process.
        report: Called with each new state of the loop, on any of the loop's threads.
        concurrency: The number of files to process at once; None to use the number in the settings.
        wait_s: The wait time for long polling, in seconds; with a shorter time, the loop can stop sooner.
        ends_quickly: Whether a stop request interrupts files that are not finished within moments, since a user is
            waiting for the program to quit.
    """
    from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions

    options = ConsumerOptions(
        queue=program.connection.key,
        concurrency=concurrency or program.settings.workers,
        wait_s=wait_s,
        keeps_order=program.keeps_order,
        requests_at_once=1 if program.connection.is_local or program.connection.is_fifo else REQUESTS_AT_ONCE,
    )
    if ends_quickly:
        options = replace(
            options, work_grace_s=QUICK_SECONDS, cancel_grace_s=QUICK_SECONDS, flush_grace_s=QUICK_SECONDS
        )
    return Consumer(
        program.database,
        connector,
        build_registry(program),
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
    """Create the window's consumer, which processes files from an SQS queue only with the user's permission."""
    consumer = build_consumer(program, connector, report, ends_quickly=True)
    return PermissionGate(consumer, program.control, report, queue=program.connection.key)


def watched_folders(program: Program) -> WatchedFolders:
    """Return the store of the folders that are watched on this computer."""
    from desktop_app.store.watched_folders import WatchedFolders

    return WatchedFolders(program.database, Intake(program.database))


def note_output(program: Program, current: Path, final: Path) -> None:
    """Record that Filemill has written a file or a folder, so that nothing in it is added from a watched folder.

    Args:
        program: The program.
        current: The path where it is now.
        final: The path where it is, or will be after it was moved.
    """
    from desktop_app.services.adding import watching

    paths = (os.path.abspath(path) for path in (current, final))  # noqa: PTH100 - does not resolve links
    with program.database.session():  # on a thread that does not use the database otherwise
        watching.note_output(watched_folders(program), *paths)


def build_watching_loop(
    program: Program,
    *,
    folders: Callable[[], Iterable[WatchedFolder]],
    report: Callable[[tuple[FolderStatus, ...]], object],
) -> WatchingLoop:
    """Create the loop that watches folders, and adds their files for the queue of the program's editor.

    Args:
        program: The program.
        folders: Returns the folders to watch, on the loop's thread.
        report: Called with what is known about all folders after each change, on the loop's thread.
    """
    from desktop_app.services.adding.watching import WatchingLoop

    return WatchingLoop(
        watched_folders(program),
        folders=folders,
        queue=lambda: program.editor.queue,
        rules=program.editor.type_rules,
        own_paths=partial(_own_paths, program),
        clock=program.clock,
        wake_sender=program.control.wake_sender,
        report=report,
        release=program.database.release,
    )


def _own_paths(program: Program) -> list[str]:
    """Return what the paths begin with of files that Filemill writes: its data, and the output of commands."""
    from desktop_app.config.presets import load_presets

    paths = [*program.home.own_paths, str(program.database.path)]
    try:
        presets = load_presets(program.home.settings_file)
    except SettingsError as error:  # no command can be run then
        log.info("the commands can't be read: %s", error.text)
        return paths
    for preset in presets.valid.values():
        whole, brace, _ = preset.output.partition("{")
        # In a folder with a placeholder, only the files themselves are known; see `note_output`.
        if whole and not brace:
            paths.append(os.path.join(Path(whole).expanduser(), ""))  # noqa: PTH118 - with the separator at the end
    return paths


def send_all(program: Program, connector: QueueConnector, *, deadline_s: float) -> SendReport:
    """Send the messages in the outbox to the program's queue. Queue errors are returned, not raised.

    Args:
        program: The program.
        connector: The connector for the program's queue.
        deadline_s: The number of seconds after which no further batch is sent.

    Raises:
        StoreError: If the database can't be read.
    """
    from desktop_app.store.outbox import Outbox

    waiting = Outbox(program.database).waiting
    before = waiting(program.connection.key)
    trouble = ""
    try:
        program = program.identified(program.queues.learn(program.connection, connector))
        before = waiting(program.connection.key)
        build_sender(program, connector, lambda _: None).send_all(program.clock.steady() + deadline_s)
    except KnownError as error:
        trouble = error.text
    left = waiting(program.connection.key)
    return SendReport(max(0, before - left), left, trouble)


def backups(environment: Mapping[str, str] = os.environ) -> Backups:
    """Return the database's backups without opening the database.

    Raises:
        SettingsError: If FILEMILL_HOME or FILEMILL_DATABASE can't be used.
    """
    from desktop_app.store.backups import Backups

    return Backups(database_path(find_home(), environment.get("FILEMILL_DATABASE", "")))
