"""A program without a window: the real sender and the real consumer on one database and one queue.

Both the killed program and the one that continues are built here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.config.presets import Preset
from desktop_app.config.settings import Connection
from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.fields import DEFAULT_PROCESSOR, Choice
from desktop_app.domain.job import Job, NewFile, StatusCounts
from desktop_app.processing.outputs import Outputs
from desktop_app.processing.registry import default_registry
from desktop_app.queues.connector import SqsConnector
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import StopRequest
from desktop_app.services.sending.periodic_tasks import PeriodicTasks
from desktop_app.services.sending.sender import LOCAL_WINDOW, Sender, SenderOptions
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.store.adding import Intake
from desktop_app.store.database import open_database
from desktop_app.store.job_list import JobList
from desktop_app.store.outbox import Outbox
from desktop_app.store.recovery import Recovery
from tests.crash import status_log
from tests.helpers import wait_until
from tests.helpers.consumer_observer import ConsumerObserver
from tests.helpers.sqs.simulator import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.consuming.worker_pool import Processing
    from desktop_app.services.loops import Loop

COPY = Preset(
    "copy",
    argv=(
        *("sh", "-c", 'cp "$1" "$2.copy"; mkdir sub; cp "$1" "sub/$2.copy"; cp "$1" "sub/again-$2"'),
        *("sh", "{path}", "{stem}"),
    ),
    output="{folder}/out",
)
"""A command that writes three files."""
QUEUES = {"standard": "work", "FIFO": "work.fifo"}
"""The queue's name by kind."""


@dataclass(frozen=True)
class Installation:
    """The place where a program works.

    Attributes:
        folder: The folder of the database and the embedded queue.
        endpoint_url: The address of SQS; empty for the embedded queue.
        queue: The name of the queue.
        visibility_s: The visibility timeout in seconds.
        strict: Whether all messages are in one group.
    """

    folder: Path
    endpoint_url: str = ""
    queue: str = "work"
    visibility_s: int = VISIBILITY_SECONDS
    strict: bool = False

    @property
    def connection(self) -> Connection:
        if not self.endpoint_url:
            return Connection()
        return Connection(queue=self.queue, region=REGION, endpoint_url=self.endpoint_url)

    @property
    def database(self) -> Path:
        return self.folder / "jobs.db"

    @property
    def queue_file(self) -> Path:
        return self.folder / "jobs.db.queue"

    def connector(self, receiver: str = "") -> QueueConnector:
        """Return the connector that the program would use."""
        if self.endpoint_url:
            return SqsConnector(self.connection)
        return EmbeddedQueue(self.queue_file, receiver=receiver)


class ProgramInstance:
    """A program of an installation.

    Args:
        installation: The installation.
        connector: By default, the real one for the installation.
        registry: Processes the files; by default, the real one.
        clock: The clock.
        concurrency: The number of files processed at the same time.
        wait_s: The longest poll in seconds.
        work_grace_s: How long running work may continue after a stop, in seconds.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        connector: QueueConnector | None = None,
        registry: Processing | None = None,
        clock: Clock | None = None,
        concurrency: int = 2,
        wait_s: int = 1,
        work_grace_s: float = 5.0,
    ) -> None:
        self.installation = installation
        self.key = installation.connection.key
        self.clock = clock or SystemClock()
        self.database = open_database(installation.database, MIGRATIONS)
        status_log.install(installation.database)
        self.jobs = JobList(self.database)
        self.intake = Intake(self.database)
        self.outbox = Outbox(self.database)
        self.identity = WorkerIdentity(self.database.path)
        self.connector = connector or installation.connector(self.identity.name)
        self.control = ProcessingControl()
        free_dead_claims = partial(Recovery(self.database).free_dead_claims, self.identity.is_alive, queue=self.key)
        self.sender = Sender(
            self.database,
            self.connector,
            self.identity,
            options=SenderOptions(
                self.key, window=None if installation.endpoint_url else LOCAL_WINDOW, strict_order=installation.strict
            ),
            clock=self.clock,
            control=self.control,
            report=lambda _: None,
            tasks=PeriodicTasks({"dead senders": free_dead_claims}, self.clock, self.control),
        )
        self.consumer = Consumer(
            self.database,
            self.connector,
            registry or default_registry(presets=[COPY], outputs=Outputs(self.database.path, self.identity.name)),
            self.identity,
            options=ConsumerOptions(
                self.key,
                concurrency=concurrency,
                visibility_s=installation.visibility_s,
                wait_s=wait_s,
                work_grace_s=work_grace_s,
            ),
            clock=self.clock,
            report=lambda _: None,
            control=self.control,
            foreign=ForeignMessages(),
        )
        self.observer = ConsumerObserver(self.consumer)

    def add(self, paths: Sequence[Path], processor: str = DEFAULT_PROCESSOR) -> list[str]:
        """Submit files; return the ids of their jobs in order."""
        files = [NewFile(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
        now = self.clock.now_ms()
        added = self.intake.add(files, queue=self.key, name="batch", now_ms=now, choice=Choice(processor))
        return list(added.job_ids)

    def all(self) -> list[Job]:
        """Return the list, in the order of adding."""
        return list(self.jobs.all())

    def counts(self) -> StatusCounts:
        return self.jobs.counts()

    def waiting(self) -> int:
        """Return the number of entries in the outbox."""
        return self.outbox.waiting(self.key)

    @property
    def is_done(self) -> bool:
        """Return whether the database and the consumer have nothing left to do."""
        return self.counts().unfinished == 0 and self.waiting() == 0 and self.observer.in_flight == 0

    def close(self) -> None:
        self.connector.close()
        self.identity.close()
        self.database.release()


class Running:
    """Loops that run, each on a thread, until `stop`."""

    def __init__(self, *loops: Loop) -> None:
        self.stop_asked = StopRequest()
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(loop,)) for loop in loops]
        for thread in self._threads:
            thread.start()

    def _run(self, loop: Loop) -> None:
        try:
            loop.run(self.stop_asked)
        except BaseException as error:  # noqa: BLE001 - raised again by `stop`
            self.errors.append(error)

    def until(self, condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        """Wait until a condition is true or a loop has ended with an error."""
        wait_until(lambda: self.errors or condition(), timeout=seconds, what=what)
        assert not self.errors, self.errors

    def stop(self, seconds: float = 60.0, nudge: Callable[[], None] = lambda: None) -> None:
        """Stop the loops and wait for their end.

        Args:
            seconds: The timeout.
            nudge: Called repeatedly meanwhile, to end long polls.
        """
        self.stop_asked.set()
        end = time.monotonic() + seconds
        while any(thread.is_alive() for thread in self._threads):
            assert time.monotonic() < end, "it did not stop in time"
            nudge()
            for thread in self._threads:
                thread.join(0.02)
        assert not self.errors, self.errors
