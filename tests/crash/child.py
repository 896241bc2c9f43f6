"""The process that the crash matrix kills at one point.

It ends with SIGKILL at that point, or with exit code 3 if it did not reach it, which fails the test.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.processing.processor import Cancelled, Watch
from desktop_app.processing.registry import BUILT_IN, FileResult, ProcessorRegistry
from desktop_app.queues.client import BotoClient
from desktop_app.queues.messages import QueueInfo
from desktop_app.services.consuming import in_flight as leases
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.store import adding
from desktop_app.store.claims import Claims
from tests.crash import points
from tests.crash.program import ProgramInstance, Running
from tests.helpers.fakes import in_use
from tests.helpers.sqs.kit import FixedConnector, boto_client
from tests.helpers.sqs.simulator import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.queues.connector import QueueConnector
    from desktop_app.sources.local import Source
    from tests.crash.program import Installation

NEVER_CAME_THERE = 3
_SECONDS = 20.0
BUSY, SLOW = "busy", "slow"
boto_client()  # imported here, so that it is loaded before the fork


class ScriptedProcessing(ProcessorRegistry):
    """A registry for which files named `busy…` are in use and files named `slow…` never end."""

    def __init__(self) -> None:
        super().__init__(BUILT_IN)
        self.has_begun = threading.Event()

    def process(
        self,
        path: str,
        watch: Watch,
        opened: Source | None = None,
        processor: str = DEFAULT_PROCESSOR,
        options: str = "",
    ) -> FileResult:
        name = Path(path).name
        self.has_begun.set()
        if name.startswith(BUSY):
            in_use(watch)
        while name.startswith(SLOW):
            if watch.cancelled():
                raise Cancelled
            time.sleep(0.01)
        return super().process(path, watch, opened, processor, options)


def main(role: str, point: str, installation: Installation, files: list[Path]) -> None:
    """Run a program until it reaches the point."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    points.ALL[point]()
    ROLES[role](installation, files)
    sys.exit(NEVER_CAME_THERE)


def _program(
    installation: Installation,
    *,
    registry: ScriptedProcessing | None = None,
    concurrency: int = 2,
    work_grace_s: float = 5,
) -> ProgramInstance:
    connector: QueueConnector | None = None
    if installation.endpoint_url:
        # Not `SqsConnector`, which takes a tenth of a second to set up.
        info = QueueInfo(
            f"{installation.endpoint_url}/{ACCOUNT}/{installation.queue}",
            installation.queue,
            installation.connection.is_fifo,
        )
        sqs = boto_client(endpoint_url=installation.endpoint_url)
        client = BotoClient(sqs, sqs, info, installation.connection)
        connector = FixedConnector(lambda: client)
    return ProgramInstance(
        installation, connector=connector, registry=registry, concurrency=concurrency, work_grace_s=work_grace_s
    )


def _send(installation: Installation, _: list[Path]) -> None:
    program = _program(installation)
    Running(program.sender).until(lambda: False, "killed", _SECONDS)


def _consume(installation: Installation, _: list[Path]) -> None:
    program = _program(installation, registry=ScriptedProcessing())
    Running(program.sender, program.consumer).until(lambda: False, "killed", _SECONDS)


def _run_commands(installation: Installation, _: list[Path]) -> None:
    program = _program(installation)
    Running(program.sender, program.consumer).until(lambda: False, "killed", _SECONDS)


def _consume_with_a_fast_heartbeat(installation: Installation, files: list[Path]) -> None:
    leases.HEARTBEAT_SECONDS = 0.02
    _consume(installation, files)


def _consume_and_stop(installation: Installation, _: list[Path]) -> None:
    registry = ScriptedProcessing()
    program = _program(installation, registry=registry, concurrency=1, work_grace_s=0.1)
    running = Running(program.consumer)
    running.until(registry.has_begun.is_set, "work has begun")
    running.stop(_SECONDS)


def _add(installation: Installation, files: list[Path]) -> None:
    adding.ROWS_A_PART = 200  # the second part must be small enough to be processed quickly
    _program(installation).add(files)


def _retry(installation: Installation, _: list[Path]) -> None:
    program = _program(installation)
    program.intake.retry([job.row_id for job in program.all()], queue=program.key)


def _watch_dead_letters(installation: Installation, _: list[Path]) -> None:
    program = _program(installation)
    DeadLetterWatcher(Claims(program.database), program.connector, program.clock).do()


ROLES: dict[str, Callable[[Installation, list[Path]], None]] = {
    "sender": _send,
    "consumer": _consume,
    "consumer with a fast heartbeat": _consume_with_a_fast_heartbeat,
    "stopping consumer": _consume_and_stop,
    "consumer with commands": _run_commands,
    "adder": _add,
    "retrier": _retry,
    "dead-letter watcher": _watch_dead_letters,
}
