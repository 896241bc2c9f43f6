"""Messages that are gone, put aside or stuck: nobody waits for them for ever. Against the strict simulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Job, Status
from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.control import ProcessingControl
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.services.sending.periodic_tasks import PeriodicTask, PeriodicTasks
from desktop_app.services.sending.reconciler import Reconciler
from desktop_app.services.sending.sender import Sender, SenderOptions
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.recovery import Recovery
from tests.services.conftest import QUEUE
from tests.sqs import faults
from tests.sqs.clock import VirtualClock

if TYPE_CHECKING:
    from tests.services.conftest import Bench
    from tests.sqs.kit import FixedConnector, SimulatedSqs

pytest_plugins = ["tests.sqs.fixtures"]


class Plant:
    """A sender and its periodic tasks on a simulated queue, all on the simulator's clock."""

    def __init__(self, bench: Bench, sim: SimulatedSqs, **attributes: str) -> None:
        assert isinstance(sim.clock, VirtualClock)
        self.clock = sim.clock
        bench.clock = sim.clock  # type: ignore[assignment]
        self.bench = bench
        self.sim = sim
        self.connector: FixedConnector = sim.connector("work", **attributes)
        self.recovery = Recovery(bench.database)
        self.reconciler = Reconciler(self.recovery, self.connector, queue=QUEUE, clock=self.clock)
        self.watcher = DeadLetterWatcher(Claims(bench.database), self.connector, self.clock)
        self.sender = Sender(
            bench.database,
            self.connector,
            bench.identity,
            options=SenderOptions(queue=QUEUE),
            clock=self.clock,
            control=ProcessingControl(),
            report=lambda _: None,
            tasks=PeriodicTasks([], self.clock, ProcessingControl()),
        )

    def send(self, *names: str) -> list[Job]:
        jobs = self.bench.add(*names)
        assert self.sender.send_due() == len(names)
        return jobs

    def waiting(self) -> int:
        return self.bench.outbox.waiting(QUEUE)

    def look(self, *, after: float) -> int:
        """Let time pass, and have the reconciler look; gives how many messages wait to be sent again."""
        self.sim.advance(after)
        self.reconciler.do()
        return self.waiting()

    def receive_all(self) -> list[str]:
        client = self.connector.connect()
        return [message.body for message in client.receive(limit=10, wait_s=0, visibility_s=1)]


@pytest.fixture
def plant(bench: Bench, sim: SimulatedSqs) -> Plant:
    return Plant(bench, sim)


def test_messages_that_wait_in_the_queue_are_left_alone(plant: Plant) -> None:
    plant.send("a", "b")
    assert [plant.look(after=seconds) for seconds in (0, 200, 200)] == [0, 0, 0]


def test_a_purged_queue_gets_everything_again_after_two_looks(plant: Plant) -> None:
    plant.send("a", "b")
    plant.sim.simulator.purge_queue("work")
    plant.sim.advance(60)
    assert [plant.look(after=100), plant.look(after=60)] == [0, 2]
    assert plant.sender.send_due() == 2
    assert len(plant.receive_all()) == 2


def test_what_was_sent_a_moment_ago_is_not_missed_yet(plant: Plant) -> None:
    plant.send("a")
    plant.sim.simulator.purge_queue("work")
    assert [plant.look(after=50), plant.look(after=60)] == [0, 0]


def test_a_queue_that_was_deleted_and_made_again_gets_everything_again_at_once(plant: Plant) -> None:
    plant.send("a", "b")
    plant.look(after=1)
    plant.sim.simulator.delete_queue("work")
    plant.sim.advance(61)
    plant.sim.simulator.create_queue("work")
    assert plant.look(after=1) == 2
    assert plant.sender.send_due() == 2
    assert plant.look(after=1) == 0


def test_the_first_look_at_a_queue_sends_nothing_twice(plant: Plant) -> None:
    plant.send("a")
    assert plant.look(after=1) == 0


def test_a_message_older_than_the_retention_is_sent_again(bench: Bench, sim: SimulatedSqs) -> None:
    plant = Plant(bench, sim, MessageRetentionPeriod="3600")
    plant.send("a")
    assert plant.look(after=3500) == 0
    assert plant.look(after=200) == 1


def test_a_job_that_somebody_works_on_is_left_alone(plant: Plant) -> None:
    (job,) = plant.send("a")
    Claims(plant.bench.database).claim(
        [ClaimRequest(job.id, 1, "m", 1)], worker="w", now_ms=plant.clock.now_ms(), lease_ms=10_000_000
    )
    plant.sim.simulator.purge_queue("work")
    assert [plant.look(after=200), plant.look(after=200), plant.look(after=200)] == [0, 0, 0]


def test_a_job_whose_worker_is_gone_and_whose_message_is_lost_is_sent_again(plant: Plant) -> None:
    (job,) = plant.send("a")
    Claims(plant.bench.database).claim(
        [ClaimRequest(job.id, 1, "m", 1)], worker="elsewhere/x", now_ms=plant.clock.now_ms(), lease_ms=40_000
    )
    plant.sim.simulator.purge_queue("work")
    assert [plant.look(after=200), plant.look(after=200)] == [0, 1]


def with_dead_letters(bench: Bench, sim: SimulatedSqs, most: int = 1) -> Plant:
    sim.simulator.create_queue("dead")
    arn = sim.boto().get_queue_attributes(
        QueueUrl=sim.boto().get_queue_url(QueueName="dead")["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    return Plant(bench, sim, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": most}))


def receive_until_dead(plant: Plant, times: int = 2) -> None:
    for _ in range(times):
        plant.receive_all()
        plant.sim.advance(2)


def test_a_dead_lettered_message_ends_its_row_and_leaves_the_queue(bench: Bench, sim: SimulatedSqs) -> None:
    plant = with_dead_letters(bench, sim)
    (job,) = plant.send("a")
    receive_until_dead(plant)
    assert len(sim.simulator.bodies("dead")) == 1
    plant.watcher.do()
    failed = bench.job(job)
    assert (failed.status, failed.reason_code) == (Status.FAILED, "dead_lettered")
    assert "put its message aside" in failed.reason
    assert failed.finished_at == plant.clock.now_ms()
    assert sim.simulator.bodies("dead") == []


def test_a_dead_lettered_message_of_a_job_that_has_ended_only_goes(bench: Bench, sim: SimulatedSqs) -> None:
    plant = with_dead_letters(bench, sim)
    (job,) = plant.send("a")
    receive_until_dead(plant)
    bench.intake.remove([job.row_id], now_ms=0)
    plant.watcher.do()
    assert sim.simulator.bodies("dead") == []


def test_a_dead_lettered_message_whose_row_is_worked_on_leaves_the_end_to_the_worker(
    bench: Bench, sim: SimulatedSqs
) -> None:
    plant = with_dead_letters(bench, sim)
    (job,) = plant.send("a")
    receive_until_dead(plant)
    Claims(bench.database).claim(
        [ClaimRequest(job.id, 1, "m", 1)], worker="w", now_ms=plant.clock.now_ms(), lease_ms=60_000
    )
    plant.watcher.do()
    assert bench.job(job).status is Status.PROCESSING
    assert sim.simulator.bodies("dead") == []


def test_foreign_dead_letters_stay_where_they_are(bench: Bench, sim: SimulatedSqs) -> None:
    plant = with_dead_letters(bench, sim)
    unknown = encode(FileMessage("0" * 8 + "-0000-4000-8000-" + "0" * 12, 1))
    for body in ("not ours", unknown):
        sim.simulator.put("dead", body)
    plant.watcher.do()
    assert sorted(sim.simulator.bodies("dead")) == sorted(["not ours", unknown])
    assert sim.simulator.calls_of("DeleteMessageBatch") == []


def test_a_retry_of_a_dead_lettered_job_is_a_new_message(bench: Bench, sim: SimulatedSqs) -> None:
    plant = with_dead_letters(bench, sim)
    (job,) = plant.send("a")
    receive_until_dead(plant)
    plant.watcher.do()
    bench.intake.retry([job.row_id], queue=QUEUE)
    assert plant.sender.send_due() == 1
    assert plant.receive_all() == [encode(FileMessage(job.id, 2))]


def test_dead_letters_that_can_not_be_deleted_now_are_deleted_later(bench: Bench, sim: SimulatedSqs) -> None:
    plant = with_dead_letters(bench, sim)
    plant.send("a")
    receive_until_dead(plant)
    sim.faults.next("DeleteMessageBatch", faults.entries_fail([0], "InternalError", "away", senders_fault=False))
    plant.watcher.do()
    assert len(sim.simulator.bodies("dead")) == 1
    sim.advance(31)
    plant.watcher.do()
    assert sim.simulator.bodies("dead") == []


def test_a_queue_without_a_dead_letter_queue_needs_no_watching(plant: Plant) -> None:
    plant.send("a")
    plant.watcher.do()
    assert plant.sim.simulator.calls_of("ReceiveMessage") == []


class Counting:
    def __init__(self) -> None:
        self.times = 0

    def do(self) -> None:
        self.times += 1


def test_periodic_tasks_are_done_at_the_start_and_once_a_minute(plant: Plant) -> None:
    counting = Counting()
    tasks = PeriodicTasks([PeriodicTask("counting", counting.do)], plant.clock, ProcessingControl())
    for seconds in (0, 30, 31, 10, 60):
        plant.sim.advance(seconds)
        tasks.do_due()
    assert counting.times == 3


def test_periodic_tasks_can_be_done_now(plant: Plant) -> None:
    counting, control = Counting(), ProcessingControl()
    tasks = PeriodicTasks([PeriodicTask("counting", counting.do)], plant.clock, control)
    tasks.do_due()
    control.try_now()
    tasks.do_due()
    tasks.do_due()
    assert counting.times == 2


def test_a_look_at_both_queues_asks_for_attributes_once(bench: Bench, sim: SimulatedSqs) -> None:
    plant = with_dead_letters(bench, sim)
    plant.connector.connect()
    sim.simulator.forget_calls()
    for _ in range(2):
        plant.reconciler.do()
        plant.watcher.do()
    assert sim.simulator.counts()["GetQueueAttributes"] == 2


def test_a_task_that_is_not_allowed_costs_the_others_nothing_and_is_said_once(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="desktop_app.services.sending.periodic_tasks")
    counting = Counting()
    tasks = PeriodicTasks(
        [PeriodicTask("reconciler", plant.reconciler.do), PeriodicTask("counting", counting.do)],
        plant.clock,
        ProcessingControl(),
        every_s=1,
    )
    plant.connector.connect()
    plant.sim.faults.always("GetQueueAttributes", faults.service_error("AccessDenied", status=403))
    for _ in range(3):
        tasks.do_due()
        plant.sim.advance(2)
    assert counting.times == 3
    assert len(caplog.records) == 1
    plant.sim.faults.heal()
    tasks.do_due()
    plant.sim.advance(2)
    plant.sim.faults.always("GetQueueAttributes", faults.service_error("AccessDenied", status=403))
    tasks.do_due()
    assert len(caplog.records) == 2


def test_what_a_killed_sender_had_taken_is_sent_at_once(plant: Plant) -> None:
    plant.bench.add("a")
    now = plant.clock.now_ms()
    host = plant.bench.identity.name.partition("/")[0]
    plant.bench.outbox.claim(queue=QUEUE, owner=f"{host}/0123456789ab", limit=10, now_ms=now, claim_ms=1_000_000)
    assert plant.sender.send_due() == 0
    assert plant.recovery.free_dead_claims(plant.bench.identity.is_alive, queue=QUEUE) == 1
    assert plant.recovery.free_dead_claims(plant.bench.identity.is_alive, queue=QUEUE) == 0
    assert plant.sender.send_due() == 1
