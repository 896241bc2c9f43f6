"""A simulated queue, a folder and programs, with a record of all events: for end-to-end tests."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from desktop_app.queues.client import BotoClient
from desktop_app.queues.messages import decode
from desktop_app.services.consuming.in_flight import ROW_MARGIN_MS, VISIBILITY_SECONDS, Outcome
from desktop_app.store.claims import ClaimOutcome, ClaimRequest, Claims
from desktop_app.store.results import Result, Work
from tests.crash import status_log
from tests.crash.clock import JumpClock
from tests.crash.program import Installation, ProgramInstance, Running
from tests.helpers import wait_until
from tests.helpers.fakes import ScriptedProcessing
from tests.helpers.sqs.kit import SimulatedSqs, boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.messages import Received
    from tests.helpers.sqs.faults import PassOn
    from tests.helpers.sqs.messages import StoredMessage

IDLE_SECONDS = 0.2


class World:
    """A queue, a folder, and programs that use them."""

    def __init__(self, folder: Path, name: str, *, strict: bool = False) -> None:
        self.clock = JumpClock()
        self.sim = SimulatedSqs(self.clock)
        self.sim.simulator.create_queue(name)
        # Any address: the simulator answers the clients' requests.
        self.installation = Installation(folder, "http://127.0.0.1:9", name, strict=strict)
        self.registry = ScriptedProcessing()
        self.account: Counter[str] = Counter()
        self._account_lock = threading.Lock()
        self._count_what_is_received()
        self._cleanup = ExitStack()
        self.ids: list[str] = []
        self._idle_since = 0.0
        self._programs: list[ProgramInstance] = []

    def _count_what_is_received(self) -> None:
        """Record what the program receives, to compare it with what its consumer reports."""
        plain = self.sim.faults.handle

        def handle(request: AWSPreparedRequest, send: PassOn) -> AWSResponse:
            answer = plain(request, send)
            if answer.status_code == 200:
                self._count("handed out", len(json.loads(answer.content).get("Messages", [])))
            return answer

        self.sim.faults.handle = handle  # type: ignore[method-assign]

    def _count(self, what: str, count: int) -> None:
        with self._account_lock:
            self.account[what] += count

    def _count_what_is_given_back(self, program: ProgramInstance) -> None:
        """Record what is released: messages that a poll receives after the stop never reach the consumer."""
        receiver, plain = program.consumer._receiver, program.consumer._receiver._release

        def release(client: QueueClient, messages: list[Received]) -> None:
            self._count("released unseen", len(messages))
            plain(client, messages)

        receiver._release = release  # type: ignore[method-assign]

    def program(self, *, concurrency: int = 2) -> ProgramInstance:
        """Return a program, optionally without its sender."""
        program = ProgramInstance(
            self.installation,
            connector=self.sim.connector(self.installation.queue),
            registry=self.registry,
            clock=self.clock,
            concurrency=concurrency,
        )
        self._cleanup.enter_context(closing(program))
        self._programs.append(program)
        self._count_what_is_given_back(program)
        return program

    def run(self, *programs: ProgramInstance) -> Running:
        """Start both loops of each program."""
        loops = [loop for program in programs for loop in (program.sender, program.consumer)]
        running = Running(*loops)
        self._cleanup.callback(running.stop, nudge=lambda: self.clock.advance(2))
        return running

    def add(self, program: ProgramInstance, count: int, *, start: int = 0) -> list[str]:
        """Submit files; the n-th, from 0, has n lines of five bytes."""
        paths = []
        for number in range(start, start + count):
            path = self.installation.folder / f"file {number}"
            path.write_bytes(b"text\n" * number)
            paths.append(path)
        ids = program.add(paths)
        self.ids += ids
        program.control.wake_sender()
        return ids

    def messages(self) -> list[StoredMessage]:
        return self.sim.simulator.queue(self.installation.queue).messages(self.clock.time())

    def finish(self, running: Running, *programs: ProgramInstance, foreign: int = 0) -> None:
        """Wait until all jobs are finished, moving the clock whenever messages are hidden; then stop."""

        def is_over() -> bool:
            done = all(program.is_done for program in programs)
            if done and len(self.messages()) > foreign:
                self._jump_if_idle()
            return done and len(self.messages()) == foreign

        running.until(is_over, "all is done, and the queue is empty", 30)
        running.stop(nudge=lambda: self.clock.advance(2))

    def let_time_pass_until(self, running: Running, condition: Callable[[], object], what: str) -> None:
        """Move the clock repeatedly until a condition that depends on a timeout is true."""

        def is_so() -> bool:
            if condition():
                return True
            self._jump_if_idle()
            return False

        running.until(is_so, what, 30)

    def need_heartbeats(self, requests: int) -> None:
        """Move the clock by half the visibility timeout until the heartbeat has extended it this many times."""
        self.clock.advance(VISIBILITY_SECONDS * 0.6)
        enough = self.sim.faults.seen["ChangeMessageVisibilityBatch"] + requests

        def is_kept() -> bool:
            asked = self.sim.faults.seen["ChangeMessageVisibilityBatch"]
            if asked < enough and self._nearest_end() > VISIBILITY_SECONDS / 2:
                self.clock.advance(VISIBILITY_SECONDS / 2)  # extended; continue with the next one
            return asked >= enough

        wait_until(is_kept, what="the heartbeat has asked")

    def _nearest_end(self) -> float:
        """Return the seconds until the first message in flight is visible again."""
        now = self.clock.time()
        return min((message.hidden_until - now for message in self.messages() if message.is_in_flight(now)), default=0)

    def _jump_if_idle(self) -> None:
        """Move the clock until all hidden messages are visible, if no file was being processed for a moment."""
        now = time.monotonic()
        if any(program.observer.in_flight for program in self._programs):
            self._idle_since = now
        elif now > self._idle_since + IDLE_SECONDS:
            self._idle_since = now
            self.clock.advance(VISIBILITY_SECONDS + 20)

    def finish_and_check(self, running: Running, program: ProgramInstance, *, failed: Collection[str] = ()) -> None:
        """Finish, moving the clock also while the program waits for a timeout."""
        self.let_time_pass_until(running, lambda: program.is_done, "all is done")
        self.finish(running, program)
        self.check(program, failed=failed)

    def finish_and_check_order(
        self, running: Running, program: ProgramInstance, *, failed: Collection[str] = ()
    ) -> None:
        """Finish, and check the order of a strict queue."""
        self.finish_and_check(running, program, failed=failed)
        assert status_log.ends(self.installation.database) == self.ids

    def check(self, *programs: ProgramInstance, failed: Collection[str] = ()) -> None:
        """Check that each file ended once with the right numbers, and that all messages are accounted for."""
        assert status_log.violations(self.installation.database) == []
        jobs = programs[0].all()
        assert [job.id for job in jobs] == self.ids
        for job in jobs:
            number = int(job.name.removeprefix("file "))
            if job.name in failed:
                assert job.status.name == "FAILED", job
            else:
                assert (job.status.name, job.reason) == ("PROCESSED", None), job
                assert (job.lines_count, job.file_size) == (number, 5 * number), job
        observers = [program.observer for program in programs]
        received = sum(observer.received for observer in observers)
        assert received == self.account["handed out"] - self.account["released unseen"]
        for observer in observers:
            assert (observer.unsettled, observer.in_flight) == (0, 0)
        assert sum(observer.count(Outcome.PROCESSED) for observer in observers) == len(jobs) - len(failed)
        assert sum(observer.count(Outcome.FAILED) for observer in observers) == len(failed)

    def count(self, outcome: Outcome, *programs: ProgramInstance) -> int:
        return sum(program.observer.count(outcome) for program in programs)

    def close(self) -> None:
        self._cleanup.close()
        self.sim.close()


class Gate:
    """A gate that blocks the polls of a program."""

    def __init__(self, program: ProgramInstance) -> None:
        self.is_closed = threading.Event()
        self._no_poll_runs = threading.Event()
        self._receiver = program.consumer._receiver
        self._room = self._receiver._room
        self._receiver._room = self._gated

    def _gated(self) -> int:
        if not self.is_closed.is_set():
            return self._room()
        self._no_poll_runs.set()
        return 0

    def close(self, clock: JumpClock) -> None:
        """Block polls from now on; the current poll has ended when this returns."""
        self.is_closed.set()

        def is_so() -> bool:
            clock.advance(0.1)
            return self._no_poll_runs.is_set()

        wait_until(is_so, what="no poll runs")


class OtherProgram:
    """A program on another computer with the same list and queue, controlled step by step."""

    def __init__(self, world: World, program: ProgramInstance) -> None:
        self._world, self._program = world, program
        sqs = boto_client()
        world.sim.simulator.attach(sqs)  # without faults, and without recording
        self._client = BotoClient(sqs, sqs, program.connector.connect().info, world.installation.connection)
        self._token = 0
        self._handle = ""

    def take_first(self) -> None:
        """Receive one message and claim its row."""
        (received,) = self._client.receive(limit=1, wait_s=0, visibility_s=VISIBILITY_SECONDS)
        message, clock = decode(received.body), self._world.clock
        request = ClaimRequest(message.file_id, message.generation, received.message_id, received.receive_count)
        (claim,) = Claims(self._program.database).claim(
            [request], worker="elsewhere/x", now_ms=clock.now_ms(), lease_ms=VISIBILITY_SECONDS * 1000 + ROW_MARGIN_MS
        )
        assert claim.outcome is ClaimOutcome.CLAIMED
        assert claim.job is not None
        self._row, self._token, self._handle = claim.job.row_id, claim.token, received.receipt_handle

    def end(self, lines: int) -> None:
        """Commit its result and delete its message."""
        now = self._world.clock.now_ms()
        assert Work(self._program.database).finish([Result(self._row, self._token, now, 5 * lines, lines)]) == [True]
        assert self._client.delete([self._handle])[0].is_done
