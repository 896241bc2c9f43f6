"""The program that is killed: started by the crash matrix in a process of its own, armed with one point.

It ends by SIGKILL at that point; with exit code 3 if it never came there, which fails the test.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.registry import FileResult, default_registry
from desktop_app.queues.client import BotoClient
from desktop_app.queues.messages import QueueInfo
from desktop_app.services.consuming import in_flight as leases
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.store.claims import Claims
from tests.crash import points
from tests.crash.mill import Mill, Running
from tests.services.fakes import in_use
from tests.sqs.kit import FixedConnector, boto_client
from tests.sqs.simulator import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.queues.connector import QueueConnector
    from tests.crash.mill import Place

NEVER_CAME_THERE = 3
_SECONDS = 20.0
BUSY, SLOW = "busy", "slow"
boto_client()  # so that it is loaded before the fork


class Acting:
    """Stands for the registry: a file whose name starts with `busy` is in use, one with `slow` takes for ever."""

    def __init__(self) -> None:
        self._real = default_registry()
        self.has_begun = threading.Event()

    def process(self, path: str, watch: Watch) -> FileResult:
        name = Path(path).name
        self.has_begun.set()
        if name.startswith(BUSY):
            in_use(watch)
        while name.startswith(SLOW):
            if watch.cancelled():
                raise Cancelled
            time.sleep(0.01)
        return self._real.process(path, watch)


def main(role: str, point: str, place: Place, files: list[Path]) -> None:
    """Be one program at a place until the point is reached."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    points.ALL[point]()
    ROLES[role](place, files)
    sys.exit(NEVER_CAME_THERE)


def _mill(place: Place, *, registry: Acting | None = None, concurrency: int = 2, work_grace_s: float = 5) -> Mill:
    connector: QueueConnector | None = None
    if place.endpoint_url:
        # Not `SqsConnector`, which takes a tenth of a second to set up.
        info = QueueInfo(f"{place.endpoint_url}/{ACCOUNT}/{place.queue}", place.queue, place.connection.is_fifo)
        sqs = boto_client(endpoint_url=place.endpoint_url)
        client = BotoClient(sqs, sqs, info, place.connection)
        connector = FixedConnector(lambda: client)
    return Mill(place, connector=connector, registry=registry, concurrency=concurrency, work_grace_s=work_grace_s)


def _send(place: Place, _: list[Path]) -> None:
    mill = _mill(place)
    Running(mill.sender).until(lambda: False, "killed", _SECONDS)


def _consume(place: Place, _: list[Path]) -> None:
    mill = _mill(place, registry=Acting())
    Running(mill.sender, mill.consumer).until(lambda: False, "killed", _SECONDS)


def _consume_with_a_quick_heart(place: Place, files: list[Path]) -> None:
    leases.HEARTBEAT_SECONDS = 0.02
    _consume(place, files)


def _consume_and_stop(place: Place, _: list[Path]) -> None:
    registry = Acting()
    mill = _mill(place, registry=registry, concurrency=1, work_grace_s=0.1)
    running = Running(mill.consumer)
    running.until(registry.has_begun.is_set, "work has begun")
    running.stop(_SECONDS)


def _add(place: Place, files: list[Path]) -> None:
    _mill(place).add(files)


def _retry(place: Place, _: list[Path]) -> None:
    mill = _mill(place)
    mill.intake.retry([job.row_id for job in mill.all()], queue=mill.key)


def _watch_dead_letters(place: Place, _: list[Path]) -> None:
    mill = _mill(place)
    DeadLetterWatcher(Claims(mill.database), mill.connector, mill.clock).do()


ROLES: dict[str, Callable[[Place, list[Path]], None]] = {
    "sender": _send,
    "consumer": _consume,
    "quick-hearted consumer": _consume_with_a_quick_heart,
    "stopping consumer": _consume_and_stop,
    "adder": _add,
    "retrier": _retry,
    "dead-letter watcher": _watch_dead_letters,
}
