"""The real consumer beside a window, with messages from a test."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from desktop_app.domain.clock import SystemClock
from desktop_app.processing.registry import default_registry
from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.consuming.consumer import Consumer, ConsumerOptions
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import StopRequest
from desktop_app.services.worker_identity import WorkerIdentity
from tests.helpers import wait_until
from tests.helpers.consumer_observer import ConsumerObserver
from tests.helpers.fakes import FakeClient, FakeConnector, received

if TYPE_CHECKING:
    from desktop_app.services.consuming.worker_pool import Processing
    from tests.gui.jobs_database import JobsDatabase


def process(jobs_db: JobsDatabase, *keys: int, registry: Processing | None = None) -> None:
    """Process these jobs to the end, as a worker does."""
    client, stop = FakeClient(), StopRequest()
    jobs = jobs_db.jobs.page(keys)
    client.polls.append(
        [
            received(encode(FileMessage(jobs[key].id, jobs[key].generation)), handle=str(key), message_id=f"m-{key}")
            for key in keys
        ]
    )
    # A poll of a real queue takes time; this one waits a moment, so that the loop does not spin.
    client.on_receive = lambda: None if client.polls else _idle(stop)
    identity = WorkerIdentity(jobs_db.database.path)
    consumer = Consumer(
        jobs_db.database,
        FakeConnector(client),
        registry or default_registry(),
        identity,
        options=ConsumerOptions(queue="local", work_grace_s=0.3),
        clock=SystemClock(),
        report=lambda _: None,
        control=ProcessingControl(),
        foreign=ForeignMessages(),
    )
    observer = ConsumerObserver(consumer)
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: observer.received >= len(keys) and observer.in_flight == 0)
    finally:
        stop.set()
        thread.join(10)
        identity.close()


def _idle(stop: StopRequest) -> None:
    stop.wait(0.02)
