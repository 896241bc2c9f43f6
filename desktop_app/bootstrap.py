"""Puts the parts together, for the window and for the terminal alike. Knows everybody but Qt; does nothing itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from desktop_app.config.paths import Home, database_path, find_home
from desktop_app.config.settings import Connection, Settings, connection_from, load_settings, save_settings
from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.errors import KnownError
from desktop_app.services.adding.intake import IntakeService
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.consuming.priority import PriorityRequests
from desktop_app.services.control import PauseControl
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.store.adding import Intake
from desktop_app.store.database import Database, open_database
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.consumer import Consumer
    from desktop_app.services.control import PermissionGate
    from desktop_app.services.loops import LoopState
    from desktop_app.services.sending.sender import Sender
    from desktop_app.store.backups import Backups


MIGRATIONS = Path(__file__).resolve().parent / "store" / "migrations"


@dataclass(frozen=True, slots=True)
class Program:
    """What both faces of Filemill stand on.

    `wake_sender` is set whenever there is something new to send, `wake_receiver` to poll at once after trouble,
    `may_process` once the window may process the queue's files on this computer. `foreign` has what came from the
    queue that is not ours.
    `switch` is where a person pauses the window's consumer, `wanted` what that should do next.
    """

    home: Home
    settings: Settings
    connection: Connection
    database: Database
    clock: Clock
    jobs: JobList
    intake: IntakeService
    identity: WorkerIdentity
    wake_sender: Event = field(default_factory=Event)
    wake_receiver: Event = field(default_factory=Event)
    hurry_chores: Event = field(default_factory=Event)
    may_process: Event = field(default_factory=Event)
    foreign: ForeignMessages = field(default_factory=ForeignMessages)
    switch: PauseControl = field(default_factory=PauseControl)
    wanted: PriorityRequests = field(default_factory=PriorityRequests)

    def try_now(self) -> None:
        """Send, receive, and do what is done once a minute: now, also in the middle of a wait after trouble."""
        self.hurry_chores.set()
        self.wake_sender.set()
        self.wake_receiver.set()

    def allow_processing(self) -> None:
        """A person allows the window to process this queue's files, from now on.

        Raises:
            SettingsError: If that can't be saved; it holds for this time all the same.
        """
        self.may_process.set()
        saved = load_settings(self.home.settings_file)
        save_settings(self.home.settings_file, replace(saved, process_queue=self.connection.key))

    def remember_paused(self, paused: bool) -> None:  # noqa: FBT001 - what is remembered
        """Let the window start paused next time, or not.

        Raises:
            SettingsError: If that can't be saved.
        """
        saved = load_settings(self.home.settings_file)
        if saved.paused is not paused:
            save_settings(self.home.settings_file, replace(saved, paused=paused))

    def reconnected(self, connection: Connection, *, process_here: bool) -> Program:
        """The same program on another queue, where what is added and retried goes from now on.

        Args:
            connection: The other queue.
            process_here: Whether its files may be processed on this computer; the embedded queue's always may.
        """
        self.intake.use_queue(connection.key)
        # Loops of the queue before, which still end, must neither be allowed nor counted by what is said of this one.
        other = replace(self, connection=connection, may_process=Event(), foreign=ForeignMessages())
        if connection.is_local or process_here:
            other.may_process.set()
        return other

    @property
    def queue_file(self) -> Path:
        """The embedded queue. It belongs to the database: another one's messages would be nobody's here."""
        return self.database.path.with_name(f"{self.database.path.name}.queue")

    def close(self) -> None:
        """Give up this program's identity and close the calling thread's database connection."""
        self.identity.close()
        self.database.release()


@dataclass(frozen=True, slots=True)
class SendReport:
    """What a one-shot sending has done: how many messages went, how many still wait, and why (empty if none)."""

    sent: int
    waiting: int
    trouble: str = ""


def open_program(environment: Mapping[str, str] = os.environ, *, settings: Settings | None = None) -> Program:
    """Find the user's folder, read the settings, open the database.

    Args:
        environment: FILEMILL_DATABASE, FILEMILL_QUEUE and AWS's variables.
        settings: Use these instead of the file's.

    Raises:
        SettingsError: If the folder, the settings file or a variable can't be used.
        StoreError: If the database can't be opened.
    """
    home = find_home()
    home.create()
    chosen = settings or load_settings(home.settings_file)
    connection = connection_from(chosen, environment)
    database = open_database(database_path(home, environment.get("FILEMILL_DATABASE", "")), MIGRATIONS)
    clock = SystemClock()
    wake = Event()
    wanted = PriorityRequests()
    intake = IntakeService(Intake(database), queue=connection.key, clock=clock, wake=wake.set, wanted=wanted)
    identity = WorkerIdentity(database.path)
    jobs, switch = JobList(database), PauseControl(is_paused=chosen.paused)
    program = Program(
        home, chosen, connection, database, clock, jobs, intake, identity, wake, switch=switch, wanted=wanted
    )
    if connection.is_local or chosen.process_queue == connection.key:
        program.may_process.set()
    return program


def connect_queue(program: Program) -> QueueConnector:
    """The connector of the program's queue; nothing is contacted before a loop needs it. Close it at the end."""
    if program.connection.is_local:  # without boto3, which takes long to load
        from desktop_app.queues.embedded import EmbeddedQueue

        return EmbeddedQueue(program.queue_file, receiver=program.identity.name)
    from desktop_app.queues.connector import SqsConnector

    return SqsConnector(program.connection)


def build_sender(program: Program, connector: QueueConnector, report: Callable[[LoopState], None]) -> Sender:
    """The loop that sends the outbox of the program's queue.

    Args:
        program: What `open_program` gave.
        connector: Shared by all loops of this process.
        report: Takes the loop's states, on its thread.
    """
    from desktop_app.services.sending.dead_letters import DeadLetterWatcher
    from desktop_app.services.sending.periodic_tasks import BackupTask, PeriodicTask, PeriodicTasks
    from desktop_app.services.sending.reconciler import Reconciler
    from desktop_app.services.sending.sender import LOCAL_WINDOW, Sender, SenderOptions
    from desktop_app.store.backups import Backups
    from desktop_app.store.claims import Claims
    from desktop_app.store.outbox import Outbox
    from desktop_app.store.recovery import Recovery

    key, clock, database = program.connection.key, program.clock, program.database
    recovery = Recovery(database)
    chores = PeriodicTasks(
        [
            # What a sender that was killed had taken must not wait until its claim runs out.
            PeriodicTask("dead senders", partial(recovery.free_dead_claims, program.identity.is_alive, queue=key)),
            PeriodicTask("reconciler", Reconciler(recovery, connector, queue=key, clock=clock).do),
            PeriodicTask("dead-letter watcher", DeadLetterWatcher(Claims(database), connector, clock).do),
            PeriodicTask("backup", BackupTask(Backups(database.path), program.jobs, clock).do),
            PeriodicTask("removed rows", program.intake.tidy),
        ],
        clock,
        hurry=program.hurry_chores,
    )
    options = SenderOptions(
        queue=key,
        window=LOCAL_WINDOW if program.connection.is_local else None,
        strict_order=program.settings.fifo_order == "strict",
    )
    return Sender(
        Outbox(database),
        connector,
        program.identity,
        options=options,
        clock=clock,
        wake=program.wake_sender,
        report=report,
        chores=chores,
    )


def build_consumer(
    program: Program,
    connector: QueueConnector,
    report: Callable[[LoopState], None],
    *,
    concurrency: int | None = None,
    wait_s: int = 20,
    switch: PauseControl | None = None,
) -> Consumer:
    """The loop that consumes the program's queue.

    Args:
        program: What `open_program` gave.
        connector: Shared by all loops of this process.
        report: Takes the loop's states, on several threads.
        concurrency: How many files at once; None for what the settings say.
        wait_s: The longest poll, 0…20 s; short for a consumer that ends soon.
        switch: Where it is paused; None if it never is.
    """
    from desktop_app.processing.registry import default_registry
    from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions

    # In strict order nothing that was sent may be overtaken, also by who asks for it.
    keeps_order = program.connection.is_fifo and program.settings.fifo_order == "strict"
    options = ConsumerOptions(
        queue=program.connection.key,
        concurrency=concurrency or program.settings.workers,
        wait_s=wait_s,
    )
    return Consumer(
        program.database,
        connector,
        default_registry(),
        program.identity,
        options=options,
        clock=program.clock,
        report=report,
        look_now=program.wake_sender.set,
        foreign=program.foreign,
        switch=switch,
        retry_now=program.wake_receiver,
        wanted=None if keeps_order else program.wanted,
    )


def build_gated_consumer(
    program: Program, connector: QueueConnector, report: Callable[[LoopState], None]
) -> PermissionGate:
    """The consumer of the window: on a queue that Filemill did not make it waits for a person's permission."""
    from desktop_app.services.control import PermissionGate

    return PermissionGate(
        build_consumer(program, connector, report, switch=program.switch), program.may_process, report
    )


def send_all(program: Program, connector: QueueConnector, *, deadline_s: float) -> SendReport:
    """Send what waits for the program's queue, for a while; trouble is told, not raised, since nothing is lost.

    Args:
        program: What `open_program` gave.
        connector: The queue.
        deadline_s: No new batch is begun after so many seconds.

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
    """The copies of the database, for when it can't be opened any more.

    Raises:
        SettingsError: If FILEMILL_HOME or FILEMILL_DATABASE can't be used.
    """
    from desktop_app.store.backups import Backups

    return Backups(database_path(find_home(), environment.get("FILEMILL_DATABASE", "")))
