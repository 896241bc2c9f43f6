"""A consumer on a real database and a queue with scripted responses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from desktop_app.domain.clock import SystemClock
from desktop_app.processing.registry import FileResult
from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import StopRequest
from tests.helpers import wait_until
from tests.helpers.consumer_observer import ConsumerObserver
from tests.helpers.fakes import FakeClient, FakeConnector, ScriptedProcessing, received
from tests.services.conftest import QUEUE

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from desktop_app.queues.messages import Received
    from desktop_app.services.consuming.in_flight import Outcome
    from desktop_app.services.consuming.worker_pool import Processing
    from desktop_app.services.loops import LoopState
    from tests.services.conftest import ServicesSetup


class RunningConsumer:
    """A consumer that runs on a thread."""

    def __init__(
        self,
        services: ServicesSetup,
        concurrency: int = 2,
        control: ProcessingControl | None = None,
        *,
        keeps_order: bool = False,
        processing: Processing | None = None,
    ) -> None:
        self.services = services
        services.clock = SystemClock()  # type: ignore[assignment]
        self.client = FakeClient()
        self.registry = ScriptedProcessing()
        self.told: list[LoopState] = []
        self.stop_asked = StopRequest()
        self.polling = threading.Event()
        self.foreign = ForeignMessages()
        # A poll of a real queue takes time; this one waits a moment, so that the loop does not spin.
        self.client.on_receive = lambda: None if self.client.polls else self.idle()
        self.consumer = Consumer(
            services.database,
            FakeConnector(self.client),
            processing or self.registry,
            services.identity,
            options=ConsumerOptions(QUEUE, concurrency, work_grace_s=0.3, flush_grace_s=2, keeps_order=keeps_order),
            clock=services.clock,
            report=self.told.append,
            control=control or ProcessingControl(),
            foreign=self.foreign,
        )
        self.observer = ConsumerObserver(self.consumer)
        self.thread = threading.Thread(target=self.consumer.run, args=(self.stop_asked,))

    def idle(self) -> None:
        self.polling.set()
        self.stop_asked.wait(0.02)

    def start(self) -> None:
        self.thread.start()

    def stop(self, within: float = 5.0) -> None:
        self.stop_asked.set()
        self.thread.join(within)
        assert not self.thread.is_alive(), "it did not stop in time"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_asked.set()
        if self.thread.ident is not None:  # otherwise the test has not started it
            self.thread.join(10)

    def hold(self, name: str) -> tuple[threading.Event, threading.Event]:
        """Block the processing of a file; its result is returned even if it is cancelled."""
        return self.registry.hold(name, FileResult(4, 2))

    def deliver(self, *messages: Received) -> None:
        self.client.polls.append(list(messages))

    def deliver_foreign(self, count: int) -> None:
        """Deliver foreign messages in batches of ten."""
        for start in range(0, count, 10):
            numbers = range(start, start + 10)
            self.deliver(*(received("not ours", handle=f"h{n}", message_id=f"m{n}") for n in numbers))

    def settled(self, count: int) -> None:
        """Wait until this many messages are finished and have been deleted or released."""
        wait_until(lambda: self.observer.received >= count and self.observer.unsettled == 0)
        wait_until(lambda: self.observer.in_flight == 0)

    def count(self, outcome: Outcome) -> int:
        return self.observer.count(outcome)


def message(job: Job, *, generation: int = 1, handle: str = "", group: str = "") -> Received:
    return received(encode(FileMessage(job.id, generation)), handle=handle or job.name, message_id="m", group=group)


def suspect(running: RunningConsumer, name: str) -> Job:
    """Submit a file whose processing was interrupted when a program was killed."""
    (job,) = running.services.add(name)
    host = running.services.identity.name.partition("/")[0]
    running.services.claim(job, worker=f"{host}/0123456789ab", lease_ms=3_600_000)
    return job
