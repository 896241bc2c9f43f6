"""The whole way, from the list to the result, on the strict simulator that does to us all that SQS may do.

Sender and consumer run on their threads, on a real database, and a witness in it tells what ended how often.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.errors import FileError, FileProblem
from desktop_app.processing.registry import FileResult, Watch, default_registry
from desktop_app.queues.client import QueueClient
from desktop_app.queues.message import decode
from desktop_app.services import consumer, leases, results
from desktop_app.services.backoff import Backoff
from desktop_app.services.leases import ROW_MARGIN_MS
from desktop_app.services.tally import Fate
from desktop_app.store.claims import ClaimOutcome, ClaimRequest, Claims
from desktop_app.store.work import Result, Work
from tests.crash import witness
from tests.crash.clock import JumpClock
from tests.crash.mill import Mill, Place, Running
from tests.helpers import wait_until
from tests.sqs import faults
from tests.sqs.kit import SimulatedSqs, boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from desktop_app.queues.envelopes import Received
    from tests.sqs.faults import Fault, PassOn
    from tests.sqs.messages import StoredMessage

NAMES = {"standard": "work", "FIFO": "work.fifo"}
VISIBILITY_SECONDS = 30
EVER = 1000
OPERATIONS = [
    "SendMessageBatch",
    "DeleteMessageBatch",
    "ChangeMessageVisibilityBatch",
    "ReceiveMessage",
    "GetQueueUrl",
    "GetQueueAttributes",
]
BATCHES = OPERATIONS[:3]
IDLE_SECONDS = 0.2


class Acting:
    """Stands for the registry: a test says what happens to a file, by its name; others are processed for real."""

    def __init__(self) -> None:
        self.acts: dict[str, Callable[[Watch], None]] = {}
        self.began: list[str] = []
        self._real = default_registry()

    def process(self, path: str, watch: Watch) -> FileResult:
        name = path.rpartition("/")[2]
        self.began.append(name)
        if name in self.acts:
            self.acts[name](watch)
        return self._real.process(path, watch)


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
        """An account of our own of what reached the program, to hold its counters against."""
        plain = self.sim.faults.handle

        def handle(request: AWSPreparedRequest, send: PassOn) -> AWSResponse:
            answer = plain(request, send)
            if answer.status_code == 200:
                self._book("handed out", len(json.loads(answer.content).get("Messages", [])))
            return answer

        self.sim.faults.handle = handle  # type: ignore[method-assign]

    def _book(self, what: str, count: int) -> None:
        with self._account_lock:
            self.account[what] += count

    def _count_what_is_given_back(self, mill: Mill) -> None:
        """What a poll brings after the stop never reaches the consumer."""
        receiver, plain = mill.consumer._receiver, mill.consumer._receiver._give_back

        def give_back(client: QueueClient, messages: list[Received]) -> None:
            self._book("given back unseen", len(messages))
            plain(client, messages)

        receiver._give_back = give_back  # type: ignore[method-assign]

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
        running = Running(mills[0].database, *loops)
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
        mill.wake.set()
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
        """As a file does that takes longer than half the visibility time-out, until the keeper has asked so often."""
        self.clock.advance(VISIBILITY_SECONDS * 0.6)
        enough = self.sim.faults.seen["ChangeMessageVisibilityBatch"] + requests

        def is_kept() -> bool:
            asked = self.sim.faults.seen["ChangeMessageVisibilityBatch"]
            if asked < enough and self._nearest_end() > VISIBILITY_SECONDS / 2:
                self.clock.advance(VISIBILITY_SECONDS / 2)  # extended: the next one is wanted
            return asked >= enough

        wait_until(is_kept, what="the keeper has asked")

    def _nearest_end(self) -> float:
        """In how many seconds the first of the messages in flight shows up again."""
        now = self.clock.time()
        return min((message.hidden_until - now for message in self.messages() if message.is_in_flight(now)), default=0)

    def _jump_if_idle(self) -> None:
        """Let all that is hidden show up, when nobody has been at work for a moment: time must not run out for them."""
        now = time.monotonic()
        if any(mill.consumer.held for mill in self._mills):
            self._idle_since = now
        elif now > self._idle_since + IDLE_SECONDS:
            self._idle_since = now
            self.clock.advance(VISIBILITY_SECONDS + 20)

    def finish_and_check_order(self, running: Running, mill: Mill, *, failed: set[str] | None = None) -> None:
        """For a strict queue: also wait for what waits for a time-out."""
        self.let_time_pass_until(running, lambda: mill.is_done, "all is done")
        self.finish(running, mill)
        self.check(mill, failed=failed)
        assert witness.ends(self.place.database) == self.ids

    def check(self, *mills: Mill, failed: set[str] | None = None) -> None:
        """Each file ended once, with right numbers, and the counters add up."""
        assert witness.complaints(self.place.database) == []
        jobs = {job.name: job for job in mills[0].all()}
        assert [job.id for job in mills[0].all()] == self.ids
        for name, job in jobs.items():
            number = int(name.removeprefix("file "))
            if failed and name in failed:
                assert job.status.name == "FAILED", job
            else:
                assert (job.status.name, job.reason) == ("PROCESSED", ""), job
                assert (job.lines_count, job.file_size) == (number, 5 * number), job
        tallies = [mill.consumer.tally for mill in mills]
        received = sum(tally.received for tally in tallies)
        assert received == self.account["handed out"] - self.account["given back unseen"]
        for tally in tallies:
            # The sum rule: what was received has met one of the fates, or is still held.
            assert sum(tally.of(fate) for fate in Fate) + tally.held == tally.received
            assert tally.held == 0
        assert sum(tally.of(Fate.PROCESSED) for tally in tallies) == len(jobs) - len(failed or ())
        assert sum(tally.of(Fate.FAILED) for tally in tallies) == len(failed or ())

    def fate(self, fate: Fate, *mills: Mill) -> int:
        return sum(mill.consumer.tally.of(fate) for mill in mills)

    def close(self) -> None:
        self._programs.close()
        self.sim.close()


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """After trouble the loops wait a moment, not up to a minute; how long a file waits is left as it is."""
    wait = Backoff.next
    monkeypatch.setattr(Backoff, "next", lambda self: min(wait(self), 0.02 if self._longest <= 60 else EVER))
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.01)


@pytest.fixture(params=list(NAMES))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """On a standard and on a FIFO queue."""
    made = World(tmp_path, NAMES[request.param])
    yield made
    made.close()


@pytest.fixture
def standard(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, NAMES["standard"])
    yield made
    made.close()


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, NAMES["FIFO"])
    yield made
    made.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[World]:
    """A FIFO queue on which all files are in one group."""
    made = World(tmp_path, NAMES["FIFO"], strict=True)
    yield made
    made.close()


# What a queue does to its consumers


def test_files_whose_messages_are_all_delivered_three_times_are_processed_once(standard: World) -> None:
    standard.sim.simulator.deliver_each(3)
    mill = standard.program()
    standard.add(mill, 40)
    running = standard.run(mill)
    standard.finish(running, mill)
    standard.check(mill)
    assert len(standard.registry.began) == 40
    assert standard.fate(Fate.DUPLICATE, mill) == 80


def test_messages_that_come_in_any_order_and_twice(standard: World) -> None:
    standard.sim.simulator.shuffle(7)
    standard.sim.simulator.deliver_each(2)
    mill = standard.program(concurrency=4)
    running = standard.run(mill)
    standard.add(mill, 30)
    standard.add(mill, 30, start=30)
    standard.finish(running, mill)
    standard.check(mill)
    assert witness.ends(standard.place.database) != standard.ids


def test_older_submission_that_comes_after_the_newer_one_is_deleted(standard: World) -> None:
    mill = standard.program()
    standard.add(mill, 3)
    mill.sender.send_due()
    old = standard.sim.simulator.bodies("work")
    running = standard.run(mill)
    standard.finish(running, mill)
    mill.intake.retry([job.row_id for job in mill.all()], queue=mill.key)
    again = standard.program()
    running = standard.run(again)
    for body in old:
        standard.sim.simulator.put("work", body)
    standard.finish(running, again)
    assert witness.complaints(standard.place.database) == []
    assert [job.generation for job in again.all()] == [2, 2, 2]
    assert (standard.fate(Fate.STALE, again), standard.fate(Fate.PROCESSED, again)) == (3, 3)


def test_file_that_takes_ten_times_the_visibility_timeout_is_processed_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program polls the same queue all the while, and never gets its message."""
    # These five minutes take a second, in which no loop can show that it lives.
    monkeypatch.setattr(consumer, "PATIENCE_SECONDS", 1e6)

    def take_long(_: Watch) -> None:
        for _step in range(40):
            world.clock.advance(VISIBILITY_SECONDS / 4)
            wait_until(
                lambda: world.messages()[0].hidden_until > world.clock.time() + VISIBILITY_SECONDS / 2,
                what="the lease was extended",
            )

    world.registry.acts["file 0"] = take_long
    mill, other = world.program(), world.program()
    world.add(mill, 1)
    running = world.run(mill, other)
    world.finish(running, mill, other)
    world.check(mill, other)
    assert world.registry.began == ["file 0"]
    assert world.account["handed out"] == 1


def test_computer_that_sleeps_over_its_leases_loses_nothing(world: World) -> None:
    """It wakes up an hour later: on a FIFO queue the receipt handles have expired, on any the rows' leases too."""
    world.registry.acts["file 1"] = lambda _: world.clock.advance(3600)
    mill = world.program()
    world.add(mill, 4)
    running = world.run(mill)
    world.finish(running, mill)
    assert witness.complaints(world.place.database) == []
    assert [(job.status.name, job.lines_count) for job in mill.all()] == [("PROCESSED", n) for n in range(4)]


def test_delete_with_an_expired_handle_is_made_good_at_the_next_delivery(
    fifo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FIFO queue refuses it, so the message comes again; its file has ended."""
    mill = fifo.program()
    monkeypatch.setattr(mill.consumer._keeper, "beat", lambda: 0)  # else it may save the lease just in time
    fifo.sim.faults.next("DeleteMessageBatch", _after(lambda: fifo.clock.advance(VISIBILITY_SECONDS + 1)))
    fifo.add(mill, 1)
    running = fifo.run(mill)
    fifo.finish(running, mill)
    fifo.check(mill)
    assert fifo.registry.began == ["file 0"]
    assert fifo.fate(Fate.DUPLICATE, mill) == 1


# Trouble between


def _after(act: Callable[[], None]) -> Fault:
    """Something happens while a request is on its way."""

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        act()
        return pass_on(request)

    return fault


@pytest.mark.parametrize(
    "fault",
    [
        faults.service_error("RequestThrottled", status=403),
        faults.service_error("ServiceUnavailable", status=503),
        faults.garbage(b"<html>Bad gateway</html>", status=502),
        faults.no_connection(),
        faults.service_error("InternalError", status=500, after=True),
    ],
    ids=["throttled", "503", "a proxy's page", "offline", "done and not said"],
)
def test_every_operation_has_trouble_for_a_while(world: World, fault: Fault) -> None:
    for operation in OPERATIONS:
        world.sim.faults.next(operation, fault, times=4)
    world.registry.acts["file 3"] = lambda _: world.need_heartbeats(5)
    mill = world.program()
    world.add(mill, 50)
    running = world.run(mill)
    world.let_time_pass_until(running, lambda: mill.is_done, "all is done")
    world.finish(running, mill)
    world.check(mill)
    assert world.sim.faults.left == 0


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable", "RequestThrottled"])
def test_some_entries_of_every_batch_fail(world: World, code: str) -> None:
    for operation in BATCHES:
        for positions in ([0], [1, 3], range(10), [9, 0]):
            world.sim.faults.next(operation, faults.entries_fail(positions, code))
    world.sim.faults.next("SendMessageBatch", faults.entries_unnamed([0, 2]))
    world.sim.faults.next("DeleteMessageBatch", faults.entries_unnamed([0, 2]))
    world.registry.acts["file 3"] = lambda _: world.need_heartbeats(5)
    mill = world.program()
    world.add(mill, 80)
    running = world.run(mill)
    world.let_time_pass_until(running, lambda: mill.is_done, "all is done")
    world.finish(running, mill)
    world.check(mill)
    assert world.sim.faults.left == 0


def test_replies_that_are_lost_after_the_queue_has_done_it(world: World) -> None:
    for operation in ("SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch"):
        world.sim.faults.next(operation, faults.pass_through())
        world.sim.faults.next(operation, faults.reply_lost(), times=2)
    mill = world.program()
    world.add(mill, 60)
    running = world.run(mill)
    world.let_time_pass_until(running, lambda: mill.is_done, "all is done")
    world.finish(running, mill)
    world.check(mill)
    assert len(world.registry.began) == 60
    if world.place.connection.is_fifo:  # what was sent again was recognised by the queue
        assert world.fate(Fate.DUPLICATE, mill) <= 20  # only what was deleted twice


def test_lost_reply_to_a_poll_of_a_fifo_queue_brings_the_same_again_at_once(fifo: World) -> None:
    """Not when the visibility time-out is over: the poll is repeated under its old id."""
    fifo.sim.faults.next("ReceiveMessage", faults.reply_lost())
    mill = fifo.program()
    fifo.add(mill, 5)
    mill.sender.send_due()
    running = fifo.run(mill)
    running.until(lambda: mill.is_done, "all is done, though no time has passed")
    fifo.finish(running, mill)
    fifo.check(mill)


def test_foreign_messages_in_between_are_never_deleted(world: World) -> None:
    bodies = [
        "not json",
        "[" * 1000,
        '{"v":1,"file_id":"00000000-0000-0000-0000-000000000000","generation":1}',
        '{"v":2,"file_id":"00000000-0000-0000-0000-000000000000","generation":1,"more":true}',
        '{"Type":"Notification","Message":"{}"}',
    ]
    mill = world.program()
    world.add(mill, 10)
    mill.sender.send_due()
    for number, body in enumerate(bodies):
        ids: dict[str, Any] = {"MessageGroupId": f"theirs-{number}", "MessageDeduplicationId": str(number)}
        world.sim.simulator.put(world.place.queue, body, **(ids if world.place.connection.is_fifo else {}))
    running = world.run(mill)
    world.add(mill, 10, start=10)
    world.finish(running, mill, foreign=len(bodies))
    world.check(mill)
    assert world.sim.simulator.bodies(world.place.queue) == bodies
    assert world.fate(Fate.FOREIGN, mill) >= len(bodies)


def test_message_that_comes_at_the_last_moment_of_a_stop_goes_back_at_once(world: World) -> None:
    mill = world.program()
    world.add(mill, 1)
    mill.sender.send_due()
    consumer, end_work = mill.consumer, mill.consumer._end_work

    def end_work_and_meet_a_late_one() -> None:
        end_work()
        got = mill.connector.connect().receive(limit=10, wait_s=0, visibility_s=VISIBILITY_SECONDS)
        # The receiver had asked whether to stop just before it was stopped.
        consumer._deliver(got, world.clock.steady() + VISIBILITY_SECONDS)

    consumer._receiver._room = lambda: 0
    consumer._end_work = end_work_and_meet_a_late_one  # type: ignore[method-assign]
    Running(mill.database, consumer).stop()
    (message,) = world.messages()
    assert (message.receives, message.is_hidden(world.clock.time())) == (1, False)
    assert (world.fate(Fate.RELEASED, mill), consumer.held) == (1, 0)


# Two programs


def test_two_programs_on_one_database_and_one_queue_never_both_end_a_job(world: World) -> None:
    if not world.place.connection.is_fifo:
        world.sim.simulator.deliver_each(2)
        world.sim.simulator.shuffle(3)
    mills = [world.program(concurrency=3), world.program(concurrency=3)]
    running = world.run(*mills)
    for start in range(0, 80, 20):
        world.add(mills[start % 2], 20, start=start)
    world.finish(running, *mills)
    world.check(*mills)
    assert len(world.registry.began) == 80


def test_program_that_oversleeps_does_not_write_over_what_another_one_has_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its result comes when its lease is long over, and another program has ended the job: the fence holds."""
    has_begun, may_end = threading.Event(), threading.Event()

    def oversleep(_: Watch) -> None:
        has_begun.set()
        assert may_end.wait(20)

    world.registry.acts["file 0"] = oversleep
    sleeper, other = world.program(), world.program()
    monkeypatch.setattr(sleeper.consumer._keeper, "beat", lambda: 0)  # as if the computer slept
    world.add(sleeper, 1)
    first = world.run(sleeper)
    first.until(has_begun.is_set, "the first program is at it")
    world.clock.advance(3600)
    # The second takes the file for one that ends programs, so it works on it in a process of its own.
    second = world.run(other)
    # So may the first itself: its thread hangs, and the message comes again.
    second.until(lambda: world.fate(Fate.PROCESSED, other, sleeper), "it has been done meanwhile")
    may_end.set()
    world.finish(second, other, sleeper)
    first.stop(nudge=lambda: world.clock.advance(2))
    world.check(other, sleeper)
    assert world.fate(Fate.STALE, sleeper) == 1


# Strict order


def test_strict_order_results_come_in_the_order_submitted(strict: World) -> None:
    mill = strict.program(concurrency=4)
    running = strict.run(mill)
    strict.add(mill, 25)
    strict.add(mill, 25, start=25)
    strict.finish(running, mill)
    strict.check(mill)
    assert witness.ends(strict.place.database) == strict.ids


def test_strict_order_holds_over_files_that_fail_in_the_middle(strict: World) -> None:
    tries = iter([True, True, False])

    def in_use(_: Watch) -> None:
        if next(tries):
            raise FileError(FileProblem.NOT_ALLOWED, "Another program has this file open", passing=True)

    strict.registry.acts["file 3"] = in_use
    mill = strict.program(concurrency=4)
    strict.add(mill, 20)
    (strict.place.folder / "file 7").unlink()
    running = strict.run(mill)
    strict.finish_and_check_order(running, mill, failed={"file 7"})
    assert strict.fate(Fate.RETRIED, mill) == 2


def test_strict_order_holds_over_a_restart(strict: World) -> None:
    has_come, may_end = threading.Event(), threading.Event()

    def wait(_: Watch) -> None:
        has_come.set()
        assert may_end.wait(10)

    strict.registry.acts["file 6"] = wait
    mill = strict.program(concurrency=4)
    strict.add(mill, 20)
    running = strict.run(mill)
    running.until(has_come.is_set, "the sixth file is at work")
    running.stop_asked.set()
    may_end.set()
    running.stop(nudge=lambda: strict.clock.advance(2))
    again = strict.program(concurrency=4)
    running = strict.run(again)
    strict.finish(running, again)
    strict.check(mill, again)
    assert witness.ends(strict.place.database) == strict.ids


def test_strict_order_holds_though_the_queue_does_not_take_some_entries(strict: World) -> None:
    for positions in ([0], [1], [0, 4], [5]):
        strict.sim.faults.next("SendMessageBatch", faults.entries_fail(positions))
    mill = strict.program(concurrency=4)
    strict.add(mill, 30)
    running = strict.run(mill)
    strict.finish_and_check_order(running, mill)


def test_strict_order_holds_over_lost_replies(strict: World) -> None:
    for operation in ("SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch"):
        strict.sim.faults.next(operation, faults.pass_through())
        strict.sim.faults.next(operation, faults.reply_lost(), times=3)
    mill = strict.program(concurrency=4)
    strict.add(mill, 30)
    running = strict.run(mill)
    strict.finish_and_check_order(running, mill)


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
        self._client = QueueClient(sqs, sqs, mill.connector.connect().info, world.place.connection)
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


def test_strict_order_waits_for_the_row_that_a_dead_program_elsewhere_holds(strict: World) -> None:
    """Its message comes back some seconds before its row is free; those behind it, whose rows are free, must wait."""
    mill = strict.program(concurrency=4)
    strict.add(mill, 5)
    mill.sender.send_due()
    OtherProgram(strict, mill).take_first()
    strict.clock.advance(VISIBILITY_SECONDS + 1)
    running = strict.run(mill)
    running.until(lambda: strict.fate(Fate.RETRIED, mill) and mill.consumer.held == 0, "the first has been put off")
    strict.finish_and_check_order(running, mill)


def test_strict_order_waits_for_the_file_that_another_program_has_taken_over(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It oversleeps; what it holds besides the lost one must go back, too."""
    monkeypatch.setattr(results, "WAIT_SECONDS", 1e6)  # else it goes back for having waited
    has_begun, may_end = threading.Event(), threading.Event()

    def oversleep(_: Watch) -> None:
        has_begun.set()
        assert may_end.wait(20)

    strict.registry.acts["file 0"] = oversleep
    mill = strict.program(concurrency=4)
    gate = Gate(mill)
    monkeypatch.setattr(mill.consumer._keeper, "beat", lambda: 0)  # as if the computer slept
    strict.add(mill, 5)
    mill.sender.send_due()
    running = strict.run(mill)
    running.until(has_begun.is_set, "the first file is at work")
    gate.close(strict.clock)
    strict.clock.advance(3600)
    other = OtherProgram(strict, mill)
    other.take_first()
    gate.is_closed.clear()
    may_end.set()
    running.until(lambda: mill.consumer.tally.held == 0, "all it held is settled")
    assert witness.ends(strict.place.database) == []
    other.end(lines=0)
    strict.let_time_pass_until(running, lambda: mill.is_done, "all is done")
    running.stop(nudge=lambda: strict.clock.advance(2))
    assert witness.complaints(strict.place.database) == []
    assert witness.ends(strict.place.database) == strict.ids
