"""A simulated queue, a folder, programs on them, and an account of what happened: for tests of the whole way."""

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
from tests.crash import witness
from tests.crash.clock import JumpClock
from tests.crash.mill import Mill, Place, Running
from tests.helpers import wait_until
from tests.services.fakes import Acting
from tests.sqs.kit import SimulatedSqs, boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.messages import Received
    from tests.sqs.faults import PassOn
    from tests.sqs.messages import StoredMessage

IDLE_SECONDS = 0.2


class World:
    """A queue, a folder, and the programs on them."""

    def __init__(self, folder: Path, name: str, *, strict: bool = False) -> None:
        self.clock = JumpClock()
        self.sim = SimulatedSqs(self.clock)
        self.sim.simulator.create_queue(name)
        # Any address: the clients' requests are answered here.
        self.place = Place(folder, "http://127.0.0.1:9", name, strict=strict)
        self.registry = Acting()
        self.account: Counter[str] = Counter()
        self._account_lock = threading.Lock()
        self._count_what_is_received()
        self._programs = ExitStack()
        self.ids: list[str] = []
        self._idle_since = 0.0
        self._mills: list[Mill] = []

    def _count_what_is_received(self) -> None:
        """An account of our own of what reached the program, to compare with what its consumer saw."""
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

    def _count_what_is_given_back(self, mill: Mill) -> None:
        """What a poll brings after the stop never reaches the consumer."""
        receiver, plain = mill.consumer._receiver, mill.consumer._receiver._release

        def release(client: QueueClient, messages: list[Received]) -> None:
            self._count("released unseen", len(messages))
            plain(client, messages)

        receiver._release = release  # type: ignore[method-assign]

    def program(self, *, concurrency: int = 2) -> Mill:
        """One program; its sender may be left alone."""
        mill = Mill(
            self.place,
            connector=self.sim.connector(self.place.queue),
            registry=self.registry,
            clock=self.clock,
            concurrency=concurrency,
        )
        self._programs.enter_context(closing(mill))
        self._mills.append(mill)
        self._count_what_is_given_back(mill)
        return mill

    def run(self, *mills: Mill) -> Running:
        """Start both loops of programs."""
        loops = [loop for mill in mills for loop in (mill.sender, mill.consumer)]
        running = Running(*loops)
        self._programs.callback(running.stop, nudge=lambda: self.clock.advance(2))
        return running

    def add(self, mill: Mill, count: int, *, start: int = 0) -> list[str]:
        """Submit files; the n-th, from 0, has n lines of five bytes."""
        paths = []
        for number in range(start, start + count):
            path = self.place.folder / f"file {number}"
            path.write_bytes(b"text\n" * number)
            paths.append(path)
        ids = mill.add(paths)
        self.ids += ids
        mill.control.wake_sender()
        return ids

    def messages(self) -> list[StoredMessage]:
        return self.sim.simulator.queue(self.place.queue).messages(self.clock.time())

    def finish(self, running: Running, *mills: Mill, foreign: int = 0) -> None:
        """Wait until all is done; let time pass as often as something hides; then stop."""

        def is_over() -> bool:
            done = all(mill.is_done for mill in mills)
            if done and len(self.messages()) > foreign:
                self._jump_if_idle()
            return done and len(self.messages()) == foreign

        running.until(is_over, "all is done, and the queue is empty", 30)
        running.stop(nudge=lambda: self.clock.advance(2))

    def let_time_pass_until(self, running: Running, condition: Callable[[], object], what: str) -> None:
        """For what waits for a time-out: the clock is moved on, again and again."""

        def is_so() -> bool:
            if condition():
                return True
            self._jump_if_idle()
            return False

        running.until(is_so, what, 30)

    def need_heartbeats(self, requests: int) -> None:
        """As a file does that takes longer than half the visibility time-out, until that was asked so often."""
        self.clock.advance(VISIBILITY_SECONDS * 0.6)
        enough = self.sim.faults.seen["ChangeMessageVisibilityBatch"] + requests

        def is_kept() -> bool:
            asked = self.sim.faults.seen["ChangeMessageVisibilityBatch"]
            if asked < enough and self._nearest_end() > VISIBILITY_SECONDS / 2:
                self.clock.advance(VISIBILITY_SECONDS / 2)  # extended: the next one is wanted
            return asked >= enough

        wait_until(is_kept, what="the heartbeat has asked")

    def _nearest_end(self) -> float:
        """In how many seconds the first of the messages in flight shows up again."""
        now = self.clock.time()
        return min((message.hidden_until - now for message in self.messages() if message.is_in_flight(now)), default=0)

    def _jump_if_idle(self) -> None:
        """Let all that is hidden show up, when nobody has been at work for a moment: time must not run out for them."""
        now = time.monotonic()
        if any(mill.observer.in_flight for mill in self._mills):
            self._idle_since = now
        elif now > self._idle_since + IDLE_SECONDS:
            self._idle_since = now
            self.clock.advance(VISIBILITY_SECONDS + 20)

    def finish_and_check(self, running: Running, mill: Mill, *, failed: Collection[str] = ()) -> None:
        """Let time pass also while the program itself waits for a time-out."""
        self.let_time_pass_until(running, lambda: mill.is_done, "all is done")
        self.finish(running, mill)
        self.check(mill, failed=failed)

    def finish_and_check_order(self, running: Running, mill: Mill, *, failed: Collection[str] = ()) -> None:
        """For a strict queue."""
        self.finish_and_check(running, mill, failed=failed)
        assert witness.ends(self.place.database) == self.ids

    def check(self, *mills: Mill, failed: Collection[str] = ()) -> None:
        """Each file ended once, with right numbers, and the messages are all accounted for."""
        assert witness.complaints(self.place.database) == []
        jobs = mills[0].all()
        assert [job.id for job in jobs] == self.ids
        for job in jobs:
            number = int(job.name.removeprefix("file "))
            if job.name in failed:
                assert job.status.name == "FAILED", job
            else:
                assert (job.status.name, job.reason) == ("PROCESSED", ""), job
                assert (job.lines_count, job.file_size) == (number, 5 * number), job
        observers = [mill.observer for mill in mills]
        received = sum(observer.received for observer in observers)
        assert received == self.account["handed out"] - self.account["released unseen"]
        for observer in observers:
            assert (observer.unsettled, observer.in_flight) == (0, 0)
        assert sum(observer.count(Outcome.PROCESSED) for observer in observers) == len(jobs) - len(failed)
        assert sum(observer.count(Outcome.FAILED) for observer in observers) == len(failed)

    def count(self, outcome: Outcome, *mills: Mill) -> int:
        return sum(mill.observer.count(outcome) for mill in mills)

    def close(self) -> None:
        self._programs.close()
        self.sim.close()


class Gate:
    """Keeps a program from polling."""

    def __init__(self, mill: Mill) -> None:
        self.is_closed = threading.Event()
        self._no_poll_runs = threading.Event()
        self._receiver = mill.consumer._receiver
        self._room = self._receiver._room
        self._receiver._room = self._gated

    def _gated(self) -> int:
        if not self.is_closed.is_set():
            return self._room()
        self._no_poll_runs.set()
        return 0

    def close(self, clock: JumpClock) -> None:
        """From now on; the poll that waits has ended when this returns."""
        self.is_closed.set()

        def is_so() -> bool:
            clock.advance(0.1)
            return self._no_poll_runs.is_set()

        wait_until(is_so, what="no poll runs")


class OtherProgram:
    """Another computer's program on the same list and queue, step by step."""

    def __init__(self, world: World, mill: Mill) -> None:
        self._world, self._mill = world, mill
        sqs = boto_client()
        world.sim.simulator.attach(sqs)  # past the faults, and past the account of what our program receives
        self._client = BotoClient(sqs, sqs, mill.connector.connect().info, world.place.connection)
        self._token = 0
        self._handle = ""

    def take_first(self) -> None:
        """Receive one message, and claim its row."""
        (received,) = self._client.receive(limit=1, wait_s=0, visibility_s=VISIBILITY_SECONDS)
        message, clock = decode(received.body), self._world.clock
        request = ClaimRequest(message.file_id, message.generation, received.message_id, received.receive_count)
        (claim,) = Claims(self._mill.database).claim(
            [request], worker="elsewhere/x", now_ms=clock.now_ms(), lease_ms=VISIBILITY_SECONDS * 1000 + ROW_MARGIN_MS
        )
        assert claim.outcome is ClaimOutcome.CLAIMED
        assert claim.job is not None
        self._row, self._token, self._handle = claim.job.row_id, claim.token, received.receipt_handle

    def end(self, lines: int) -> None:
        """Commit its result, and delete its message."""
        now = self._world.clock.now_ms()
        assert Work(self._mill.database).finish([Result(self._row, self._token, now, 5 * lines, lines)]) == [True]
        assert self._client.delete([self._handle])[0].is_done
