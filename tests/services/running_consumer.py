"""A consumer at work, on a real database and a queue whose answers are written down."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from desktop_app.domain.clock import SystemClock
from desktop_app.processing.registry import FileResult
from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.control import ProcessingControl
from tests.helpers import wait_until
from tests.services.conftest import QUEUE
from tests.services.fakes import Acting, FakeClient, FakeConnector, received
from tests.services.observer import ConsumerObserver

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from desktop_app.queues.messages import Received
    from desktop_app.services.consuming.in_flight import Outcome
    from desktop_app.services.loops import LoopState
    from tests.services.conftest import Bench


class Plant:
    """A consumer at work on its thread."""

    def __init__(
        self,
        bench: Bench,
        concurrency: int = 2,
        control: ProcessingControl | None = None,
    ) -> None:
        self.bench = bench
        bench.clock = SystemClock()  # type: ignore[assignment]
        self.client = FakeClient()
        self.registry = Acting()
        self.told: list[LoopState] = []
        self.stop_asked = threading.Event()
        self.polling = threading.Event()
        self.foreign = ForeignMessages()
        # An empty poll of a real queue takes its time; this one waits a moment, so that nothing spins.
        self.client.on_receive = lambda: None if self.client.polls else self._idle()
        self.consumer = Consumer(
            bench.database,
            FakeConnector(self.client),
            self.registry,
            bench.identity,
            options=ConsumerOptions(queue=QUEUE, concurrency=concurrency, work_grace_s=0.3, flush_grace_s=2),
            clock=bench.clock,
            report=self.told.append,
            control=control or ProcessingControl(),
            foreign=self.foreign,
        )
        self.observer = ConsumerObserver(self.consumer)
        self.thread = threading.Thread(target=self.consumer.run, args=(self.stop_asked.is_set,))

    def _idle(self) -> None:
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
        if self.thread.ident is not None:  # else the test has not started it
            self.thread.join(10)

    def hold(self, name: str) -> tuple[threading.Event, threading.Event]:
        """Keep a file at work; its result comes whether it is cancelled or not."""
        return self.registry.hold(name, FileResult(4, 2))

    def deliver(self, *messages: Received) -> None:
        self.client.polls.append(list(messages))

    def deliver_foreign(self, count: int) -> None:
        """Messages that are not ours, in tens."""
        for start in range(0, count, 10):
            numbers = range(start, start + 10)
            self.deliver(*(received("not ours", handle=f"h{n}", message_id=f"m{n}") for n in numbers))

    def settled(self, count: int) -> None:
        """Wait until so many messages have ended and the queue has been told."""
        wait_until(lambda: self.observer.received >= count and self.observer.unsettled == 0)
        wait_until(lambda: self.observer.in_flight == 0)

    def count(self, outcome: Outcome) -> int:
        return self.observer.count(outcome)


def message(job: Job, *, generation: int = 1, handle: str = "", group: str = "") -> Received:
    return received(encode(FileMessage(job.id, generation)), handle=handle or job.name, message_id="m", group=group)


def suspect(plant: Plant, name: str) -> Job:
    """A file that was at work when a program was killed."""
    (job,) = plant.bench.add(name)
    host = plant.bench.identity.name.partition("/")[0]
    plant.bench.claim(job, worker=f"{host}/0123456789ab", lease_ms=3_600_000)
    return job
