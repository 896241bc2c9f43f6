"""Messages that get lost are sent again within minutes, whatever else the queue contains, and no others are."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Status
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.queues.messages import MAX_ENTRIES, FileMessage, ForeignMessageError, Outgoing, decode, encode
from desktop_app.services.consuming.consumer import NOTE_POLLS_SECONDS
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.consuming.receiver import PollRecord
from desktop_app.services.control import ProcessingControl
from desktop_app.services.sending.periodic_tasks import PeriodicTasks
from desktop_app.services.sending.reconciler import Reconciler
from desktop_app.services.sending.sender import LOCAL_WINDOW, Sender, SenderOptions
from desktop_app.store.claims import ClaimOutcome, ClaimRequest, Claims
from desktop_app.store.recovery import Recovery
from desktop_app.store.results import Result, Work
from tests.helpers.sqs.clock import VirtualClock
from tests.helpers.sqs.kit import FixedConnector
from tests.services.conftest import QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop_app.domain.job import Job
    from desktop_app.queues.client import QueueClient
    from desktop_app.queues.messages import Received
    from tests.helpers.sqs.kit import SimulatedSqs
    from tests.services.conftest import ServicesSetup

pytest_plugins = ["tests.helpers.sqs.fixtures"]

STANDARD, FIFO, STRICT, EMBEDDED = "standard", "FIFO", "strict FIFO", "embedded"
KINDS = (STANDARD, FIFO, STRICT, EMBEDDED)
LONG_POLL_SECONDS = 20
VISIBILITY_SECONDS = 30
STEP_SECONDS = 5.0
MINUTES = 60.0


class Worker:
    """A consumer without threads: it receives up to a number of messages per second, and ends each job at once."""

    def __init__(self, scene: Scene, per_second: float) -> None:
        self._scene = scene
        self._per_second = per_second
        self._budget = 0.0
        self._polls = PollRecord()
        self._foreign = ForeignMessages()
        self._asked: int | None = None

    def work(self, seconds: float) -> None:
        self._budget = min(self._budget + seconds * self._per_second, max(MAX_ENTRIES, seconds * self._per_second))
        while self._budget >= 1:
            now = self._scene.clock.now_ms()
            self._asked = self._asked or now
            messages = self._scene.receive(min(MAX_ENTRIES, int(self._budget)))
            if messages or now - self._asked >= LONG_POLL_SECONDS * 1000:
                self._polls.note(self._asked, len(messages))
                self._asked = None
            if not messages:
                break
            self._budget -= len(messages)
            self._scene.end(self._ours(messages))

    def note(self) -> None:
        received, empty_at = self._polls.take()
        again = self._foreign.take_again_before_own()
        self._scene.recovery.note_polls(queue=QUEUE, received=received, again_before_own=again, empty_at_ms=empty_at)

    def _ours(self, messages: list[Received]) -> list[Received]:
        ours = [message for message in messages if self._scene.is_ours(message)]
        for message in messages:
            if message in ours:
                self._foreign.note_own()
            else:
                self._foreign.note(message, "not JSON")
        return ours


class SlowWorker(Worker):
    """A consumer that processes one file at a time, and meanwhile receives nothing."""

    def __init__(self, scene: Scene, seconds_per_file: float) -> None:
        super().__init__(scene, 1)
        self._seconds_per_file = seconds_per_file
        self._free_at = 0.0

    def work(self, seconds: float) -> None:
        now = self._scene.clock.time()
        while now >= self._free_at:
            messages = self._scene.receive(1)
            self._polls.note(self._scene.clock.now_ms(), len(messages))
            if not messages:
                return
            if ours := self._ours(messages):
                self._scene.end(ours)
                self._free_at = now + self._seconds_per_file


class Scene:
    """A queue, the sender with its reconciler, and some workers, on a clock that the test moves."""

    def __init__(self, services: ServicesSetup, sim: SimulatedSqs, kind: str, **attributes: object) -> None:
        assert isinstance(sim.clock, VirtualClock)
        self.clock = sim.clock
        services.clock = sim.clock  # type: ignore[assignment]
        self.services, self.sim = services, sim
        self.strict_order = kind == STRICT
        if kind == EMBEDDED:
            embedded = EmbeddedQueue(services.folder / "queue")
            self.connector = FixedConnector(lambda: embedded)
        else:
            self.connector = sim.connector("work" if kind == STANDARD else "work.fifo", **attributes)
        self.client: QueueClient = self.connector.connect()
        self.recovery = Recovery(services.database)
        self._claims, self._work = Claims(services.database), Work(services.database)
        reconciler = Reconciler(
            self.recovery, self.connector, queue=QUEUE, clock=self.clock, strict_order=self.strict_order
        )
        self._tasks = PeriodicTasks({"reconciler": reconciler.do}, self.clock, ProcessingControl())
        self.sender = Sender(
            services.database,
            self.connector,
            services.identity,
            options=SenderOptions(QUEUE, LOCAL_WINDOW if kind == EMBEDDED else None, self.strict_order),
            clock=self.clock,
            control=ProcessingControl(),
            report=lambda _: None,
            tasks=self._tasks,
        )
        self.workers: list[Worker] = []
        self.others: list[Callable[[], object]] = []
        self.sent = 0
        self._next_note = 0.0

    # The queue

    def is_ours(self, message: Received) -> bool:
        try:
            decode(message.body)
        except ForeignMessageError:
            return False
        return True

    def receive(self, limit: int) -> list[Received]:
        return self.client.receive(limit=limit, wait_s=0, visibility_s=VISIBILITY_SECONDS)

    def put_foreign(self, count: int) -> None:
        for start in range(0, count, MAX_ENTRIES):
            ids = [uuid.uuid4().hex for _ in range(min(MAX_ENTRIES, count - start))]
            self.client.send([Outgoing(f"foreign {number}", number, number) for number in ids])

    def lose(self, jobs: list[Job], generation: int = 1) -> None:
        """Receive and delete the messages of some jobs, and put the others back."""
        bodies = {encode(FileMessage(job.id, generation)) for job in jobs}
        lost: set[str] = set()
        for _ in range(1000):
            messages = self.receive(MAX_ENTRIES)
            gone = [message for message in messages if message.body in bodies]
            if gone:
                assert all(result.is_done for result in self.client.delete([one.receipt_handle for one in gone]))
                lost |= {message.body for message in gone}
            elif not messages:
                self.sim.advance(VISIBILITY_SECONDS + 1)
            if len(lost) == len(bodies):
                self.sim.advance(VISIBILITY_SECONDS + 1)
                return
        raise AssertionError("not all messages were found")

    # The jobs

    def add(self, count: int) -> list[Job]:
        jobs = self.services.add(*(f"{uuid.uuid4().hex}.txt" for _ in range(count)))
        self.send()
        return jobs

    def send(self) -> None:
        while sent := self.sender.send_due():
            self.sent += sent

    def end(self, messages: list[Received]) -> None:
        """Claim and end the jobs of messages, and delete the messages, as a consumer does."""
        now = self.clock.now_ms()
        for message in messages:
            body = decode(message.body)
            request = ClaimRequest(body.file_id, body.generation, message.message_id, 1, message.group_id)
            (claim,) = self._claims.claim([request], worker="w", now_ms=now, lease_ms=40_000)
            if claim.outcome is ClaimOutcome.CLAIMED:
                assert claim.job is not None
                self._work.finish([Result(claim.job.row_id, claim.token, now, 1, 1)])
        if messages:
            self.client.delete([message.receipt_handle for message in messages])

    def unfinished(self) -> int:
        return self.services.jobs.counts(QUEUE).unfinished

    # The time

    def run(self, seconds: float, *, until_done: bool = False, step_s: float = STEP_SECONDS) -> float:
        """Let the time pass in steps; return the seconds until all jobs were done, or infinity."""
        begun = self.clock.time()
        while self.clock.time() < begun + seconds:
            self.send()
            self._tasks.do_due()
            for other in self.others:
                other()
            for worker in self.workers:
                worker.work(step_s)
            if self.clock.time() >= self._next_note:
                self._next_note = self.clock.time() + NOTE_POLLS_SECONDS
                for worker in self.workers:
                    worker.note()
            if until_done and not self.unfinished():
                return self.clock.time() - begun
            self.sim.advance(step_s)
        return float("inf")

    def seconds_until_done(self) -> float:
        return self.run(60 * MINUTES, until_done=True)


@pytest.fixture
def make(services: ServicesSetup, sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scene]]:
    monkeypatch.setattr("desktop_app.queues.embedded._now_ms", sim.clock.now_ms)  # type: ignore[attr-defined]

    opened: list[Scene] = []

    def made(kind: str, *, per_second: float = 200.0, workers: int = 1, **attributes: object) -> Scene:
        scene = Scene(services, sim, kind, **attributes)
        scene.workers = [Worker(scene, per_second) for _ in range(workers)]
        opened.append(scene)
        return scene

    yield made
    for scene in opened:
        if isinstance(scene.client, EmbeddedQueue):
            scene.client.close()


@pytest.mark.parametrize(("foreign", "lag_s"), [(0, 0), (2, 60), (5, 60)])
@pytest.mark.parametrize(("lost", "added"), [(3, 50), (50, 50)])
@pytest.mark.parametrize("kind", KINDS)
def test_lost_messages_are_replaced_within_minutes(
    make: Callable[..., Scene], kind: str, lost: int, added: int, foreign: int, lag_s: int
) -> None:
    scene = make(kind)
    scene.sim.simulator.delay_counts(lag_s)
    scene.put_foreign(foreign)
    jobs = scene.add(added)
    scene.lose(jobs[:lost] if scene.strict_order else jobs[-lost:])  # in strict order, only the first can get lost
    assert scene.seconds_until_done() <= 5 * MINUTES
    assert scene.sent == added + lost


@pytest.mark.parametrize("kind", KINDS)
def test_lost_messages_are_replaced_in_a_queue_of_hundreds_of_foreign_ones(
    make: Callable[..., Scene], kind: str
) -> None:
    scene = make(kind)
    scene.put_foreign(500)
    jobs = scene.add(50)
    scene.lose(jobs[:3])
    assert scene.seconds_until_done() <= 5 * MINUTES
    assert scene.sent == 53


def test_lost_messages_are_replaced_in_a_queue_that_never_becomes_empty(make: Callable[..., Scene]) -> None:
    """The consumer is too slow to receive all 300 foreign messages before the first are visible again."""
    scene = make(STANDARD, per_second=5)
    scene.sim.simulator.shuffle(1)  # in the order of sending, the foreign messages would always come first
    scene.put_foreign(300)
    scene.lose(scene.add(3))
    assert scene.seconds_until_done() <= 15 * MINUTES


@pytest.mark.parametrize("kind", [STANDARD, FIFO, STRICT])
def test_lost_messages_are_replaced_while_files_are_being_added(make: Callable[..., Scene], kind: str) -> None:
    scene = make(kind)
    lost = scene.add(3)
    scene.lose(lost)
    scene.others = [lambda: scene.services.add(f"{uuid.uuid4().hex}.txt")]
    scene.run(5 * MINUTES)
    assert {scene.services.job(job).status for job in lost} == {Status.PROCESSED}


@pytest.mark.parametrize("kind", [STANDARD, FIFO, EMBEDDED])
def test_files_are_finished_although_another_program_deletes_half_of_the_messages(
    make: Callable[..., Scene], kind: str
) -> None:
    scene = make(kind, per_second=2)

    def steal() -> None:
        if stolen := scene.receive(MAX_ENTRIES):
            scene.client.delete([message.receipt_handle for message in stolen])

    scene.others = [steal]
    scene.add(50)
    scene.run(1 * MINUTES)
    assert scene.unfinished() > 10
    scene.others = []
    assert scene.seconds_until_done() <= 5 * MINUTES


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("kind", [STANDARD, FIFO, STRICT])
def test_messages_that_wait_their_turn_are_not_sent_again(
    make: Callable[..., Scene], kind: str, *, shuffled: bool
) -> None:
    """A slow worker has a deep backlog, and foreign messages are in the queue too."""
    scene = make(kind, per_second=0.2)
    scene.sim.simulator.delay_counts(60)
    if shuffled:
        scene.sim.simulator.shuffle(1)
    scene.put_foreign(5)
    scene.add(120)
    assert scene.run(8 * MINUTES, step_s=20) == float("inf")
    assert scene.sent == 120


@pytest.mark.parametrize("foreign", [0, 20])
@pytest.mark.parametrize("kind", KINDS)
def test_backlog_of_hours_behind_foreign_messages_is_not_sent_again(
    make: Callable[..., Scene], kind: str, foreign: int
) -> None:
    """The queue delivers the foreign messages first, again and again."""
    scene = make(kind)
    scene.workers = [SlowWorker(scene, 60)]
    scene.put_foreign(foreign)
    scene.add(130)
    scene.run(100 * MINUTES, step_s=20)
    assert 0 < scene.unfinished() < 130
    assert scene.sent <= (130 if kind != EMBEDDED else 130 - scene.unfinished() + LOCAL_WINDOW)


@pytest.mark.parametrize("kind", KINDS)
def test_messages_are_not_sent_again_without_a_worker(make: Callable[..., Scene], kind: str) -> None:
    scene = make(kind, workers=0)
    scene.add(40)
    scene.run(24 * 60 * MINUTES, step_s=600)
    assert scene.sent == 40


def test_delayed_messages_are_not_sent_again(make: Callable[..., Scene]) -> None:
    scene = make(STANDARD, DelaySeconds=600)
    scene.add(5)
    assert 10 * MINUTES <= scene.seconds_until_done() <= 11 * MINUTES
    assert scene.sent == 5


def test_messages_that_another_program_hides_are_sent_again_ever_more_rarely(make: Callable[..., Scene]) -> None:
    scene = make(STANDARD)
    scene.others = [lambda: scene.client.receive(limit=10, wait_s=0, visibility_s=43_200)]
    scene.add(3)
    scene.run(60 * MINUTES, step_s=20)
    assert 3 * 2 <= scene.sent <= 3 * 12


def test_message_that_blocks_its_group_for_long_does_not_cause_resends(make: Callable[..., Scene]) -> None:
    """In strict order, the messages behind a file that takes an hour are not lost, although polls are empty."""
    scene = make(STRICT)
    jobs = scene.add(20)
    (first,) = scene.receive(1)
    scene.services.claim(jobs[0], lease_ms=3_600_000)
    scene.client.change_visibility([(first.receipt_handle, 3600)])
    scene.run(50 * MINUTES, step_s=20)
    assert scene.sent == 20
