"""Recovery of lost, dead-lettered and stuck messages, on the strict simulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Job, Status
from desktop_app.queues.messages import FileMessage, encode
from desktop_app.services.control import ProcessingControl
from desktop_app.services.sending.dead_letters import DeadLetterWatcher
from desktop_app.services.sending.periodic_tasks import PeriodicTasks
from desktop_app.services.sending.reconciler import Reconciler
from desktop_app.services.sending.sender import Sender, SenderOptions
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.recovery import Recovery
from tests.helpers.sqs import faults
from tests.helpers.sqs.clock import VirtualClock
from tests.services.conftest import QUEUE

if TYPE_CHECKING:
    from tests.helpers.sqs.kit import FixedConnector, SimulatedSqs
    from tests.services.conftest import ServicesSetup

pytest_plugins = ["tests.helpers.sqs.fixtures"]


class SenderFixture:
    """A sender and its periodic tasks on a simulated queue, with the simulator's clock."""

    def __init__(self, services: ServicesSetup, sim: SimulatedSqs, **attributes: str) -> None:
        assert isinstance(sim.clock, VirtualClock)
        self.clock = sim.clock
        services.clock = sim.clock  # type: ignore[assignment]
        self.services = services
        self.sim = sim
        self.connector: FixedConnector = sim.connector("work", **attributes)
        self.recovery = Recovery(services.database)
        self.reconciler = Reconciler(self.recovery, self.connector, queue=QUEUE, clock=self.clock)
        self.watcher = DeadLetterWatcher(Claims(services.database), self.connector, self.clock)
        self.sender = Sender(
            services.database,
            self.connector,
            services.identity,
            options=SenderOptions(queue=QUEUE),
            clock=self.clock,
            control=ProcessingControl(),
            report=lambda _: None,
            tasks=PeriodicTasks({}, self.clock, ProcessingControl()),
        )

    def send(self, *names: str) -> list[Job]:
        jobs = self.services.add(*names)
        assert self.sender.send_due() == len(names)
        return jobs

    def waiting(self) -> int:
        return self.services.outbox.waiting(QUEUE)

    def look(self, *, after: float) -> int:
        """Let time pass and run the reconciler; return the number of messages that will be sent again."""
        self.sim.advance(after)
        self.reconciler.do()
        return self.waiting()

    def note_empty_polls(self) -> None:
        """Record that a consumer with free capacity has found nothing."""
        self.recovery.note_polls(queue=QUEUE, received=0, again_before_own=0, empty_at_ms=self.clock.now_ms())

    def receive_all(self) -> list[str]:
        client = self.connector.connect()
        return [message.body for message in client.receive(limit=10, wait_s=0, visibility_s=1)]


@pytest.fixture
def fixture(services: ServicesSetup, sim: SimulatedSqs) -> SenderFixture:
    return SenderFixture(services, sim)


def test_messages_in_the_queue_are_not_sent_again(fixture: SenderFixture) -> None:
    fixture.send("a", "b")
    assert [fixture.look(after=seconds) for seconds in (0, 200, 200)] == [0, 0, 0]


def test_purged_queue_gets_everything_again_when_a_consumer_has_found_it_empty(fixture: SenderFixture) -> None:
    fixture.send("a", "b")
    fixture.look(after=1)
    fixture.sim.simulator.purge_queue("work")
    assert fixture.look(after=600) == 0, "no consumer has polled the queue"
    fixture.note_empty_polls()
    assert fixture.look(after=1) == 2
    assert fixture.sender.send_due() == 2
    assert len(fixture.receive_all()) == 2


def test_recently_sent_messages_are_not_missed_yet(fixture: SenderFixture) -> None:
    fixture.send("a")
    fixture.look(after=1)
    fixture.sim.simulator.purge_queue("work")
    fixture.sim.advance(50)
    fixture.note_empty_polls()
    assert fixture.look(after=1) == 0


def test_recreated_queue_gets_everything_again_at_once(fixture: SenderFixture) -> None:
    fixture.send("a", "b")
    fixture.look(after=1)
    fixture.sim.simulator.delete_queue("work")
    fixture.sim.advance(61)
    fixture.sim.simulator.create_queue("work")
    assert fixture.look(after=1) == 2
    assert fixture.sender.send_due() == 2
    assert fixture.look(after=1) == 0


def test_first_check_of_a_queue_sends_nothing_twice(fixture: SenderFixture) -> None:
    fixture.send("a")
    assert fixture.look(after=1) == 0


def test_message_older_than_the_retention_is_sent_again(services: ServicesSetup, sim: SimulatedSqs) -> None:
    fixture = SenderFixture(services, sim, MessageRetentionPeriod="3600")
    fixture.send("a")
    assert fixture.look(after=3500) == 0
    assert fixture.look(after=200) == 1


def test_job_in_work_is_not_sent_again(fixture: SenderFixture) -> None:
    (job,) = fixture.send("a")
    Claims(fixture.services.database).claim(
        [ClaimRequest(job.id, 1, "m", 1)], worker="w", now_ms=fixture.clock.now_ms(), lease_ms=10_000_000
    )
    fixture.look(after=1)
    fixture.sim.simulator.purge_queue("work")
    fixture.sim.advance(200)
    fixture.note_empty_polls()
    assert fixture.look(after=1) == 0


def test_job_of_a_dead_worker_with_a_lost_message_is_sent_again(fixture: SenderFixture) -> None:
    (job,) = fixture.send("a")
    Claims(fixture.services.database).claim(
        [ClaimRequest(job.id, 1, "m", 1)], worker="elsewhere/x", now_ms=fixture.clock.now_ms(), lease_ms=40_000
    )
    fixture.look(after=1)
    fixture.sim.simulator.purge_queue("work")
    fixture.sim.advance(200)
    fixture.note_empty_polls()
    assert fixture.look(after=1) == 1


def with_dead_letters(services: ServicesSetup, sim: SimulatedSqs, most: int = 1) -> SenderFixture:
    sim.simulator.create_queue("dead")
    arn = sim.boto().get_queue_attributes(
        QueueUrl=sim.boto().get_queue_url(QueueName="dead")["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    return SenderFixture(services, sim, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": most}))


def receive_until_dead(fixture: SenderFixture, times: int = 2) -> None:
    for _ in range(times):
        fixture.receive_all()
        fixture.sim.advance(2)


def test_dead_lettered_message_fails_its_row_and_is_deleted(services: ServicesSetup, sim: SimulatedSqs) -> None:
    fixture = with_dead_letters(services, sim)
    (job,) = fixture.send("a")
    receive_until_dead(fixture)
    assert len(sim.simulator.bodies("dead")) == 1
    fixture.watcher.do()
    failed = services.job(job)
    assert (failed.status, failed.problem) == (Status.FAILED, "dead_lettered")
    assert "Moved to the dead-letter queue" in str(failed.reason)
    assert failed.finished_at == fixture.clock.now_ms()
    assert sim.simulator.bodies("dead") == []


def test_dead_lettered_message_of_a_finished_job_is_only_deleted(services: ServicesSetup, sim: SimulatedSqs) -> None:
    fixture = with_dead_letters(services, sim)
    (job,) = fixture.send("a")
    receive_until_dead(fixture)
    services.intake.remove([job.row_id], now_ms=0)
    fixture.watcher.do()
    assert sim.simulator.bodies("dead") == []


def test_dead_lettered_message_of_a_row_in_work_leaves_the_result_to_the_worker(
    services: ServicesSetup, sim: SimulatedSqs
) -> None:
    fixture = with_dead_letters(services, sim)
    (job,) = fixture.send("a")
    receive_until_dead(fixture)
    Claims(services.database).claim(
        [ClaimRequest(job.id, 1, "m", 1)], worker="w", now_ms=fixture.clock.now_ms(), lease_ms=60_000
    )
    fixture.watcher.do()
    assert services.job(job).status is Status.PROCESSING
    assert sim.simulator.bodies("dead") == []


def test_foreign_dead_letters_stay_where_they_are(services: ServicesSetup, sim: SimulatedSqs) -> None:
    fixture = with_dead_letters(services, sim)
    unknown = encode(FileMessage("0" * 8 + "-0000-4000-8000-" + "0" * 12, 1))
    for body in ("not ours", unknown):
        sim.simulator.put("dead", body)
    fixture.watcher.do()
    assert sorted(sim.simulator.bodies("dead")) == sorted(["not ours", unknown])
    assert sim.simulator.calls_of("DeleteMessageBatch") == []


def test_retry_of_a_dead_lettered_job_sends_a_new_message(services: ServicesSetup, sim: SimulatedSqs) -> None:
    fixture = with_dead_letters(services, sim)
    (job,) = fixture.send("a")
    receive_until_dead(fixture)
    fixture.watcher.do()
    services.intake.retry([job.row_id], queue=QUEUE)
    assert fixture.sender.send_due() == 1
    assert fixture.receive_all() == [encode(FileMessage(job.id, 2))]


def test_dead_lettered_messages_that_can_not_be_deleted_now_are_deleted_later(
    services: ServicesSetup, sim: SimulatedSqs
) -> None:
    fixture = with_dead_letters(services, sim)
    fixture.send("a")
    receive_until_dead(fixture)
    sim.faults.next("DeleteMessageBatch", faults.entries_fail([0], "InternalError", "away", senders_fault=False))
    fixture.watcher.do()
    assert len(sim.simulator.bodies("dead")) == 1
    sim.advance(31)
    fixture.watcher.do()
    assert sim.simulator.bodies("dead") == []


def test_queue_without_a_dead_letter_queue_is_not_watched(fixture: SenderFixture) -> None:
    fixture.send("a")
    fixture.watcher.do()
    assert fixture.sim.simulator.calls_of("ReceiveMessage") == []


class Counting:
    def __init__(self) -> None:
        self.times = 0

    def do(self) -> None:
        self.times += 1


def test_periodic_tasks_run_at_the_start_and_once_a_minute(fixture: SenderFixture) -> None:
    counting = Counting()
    tasks = PeriodicTasks({"counting": counting.do}, fixture.clock, ProcessingControl())
    for seconds in (0, 30, 31, 10, 60):
        fixture.sim.advance(seconds)
        tasks.do_due()
    assert counting.times == 3


def test_periodic_tasks_can_be_done_now(fixture: SenderFixture) -> None:
    counting, control = Counting(), ProcessingControl()
    tasks = PeriodicTasks({"counting": counting.do}, fixture.clock, control)
    tasks.do_due()
    control.try_now()
    tasks.do_due()
    tasks.do_due()
    assert counting.times == 2


def test_check_of_both_queues_reads_attributes_once(services: ServicesSetup, sim: SimulatedSqs) -> None:
    fixture = with_dead_letters(services, sim)
    fixture.connector.connect()
    sim.simulator.forget_calls()
    for _ in range(2):
        fixture.reconciler.do()
        fixture.watcher.do()
    assert sim.simulator.counts()["GetQueueAttributes"] == 2


def test_task_without_permission_does_not_affect_the_others_and_is_logged_once(
    fixture: SenderFixture, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="desktop_app.services.sending.periodic_tasks")
    counting = Counting()
    tasks = PeriodicTasks(
        {"reconciler": fixture.reconciler.do, "counting": counting.do},
        fixture.clock,
        ProcessingControl(),
        every_s=1,
    )
    fixture.connector.connect()
    fixture.sim.faults.always("GetQueueAttributes", faults.service_error("AccessDenied", status=403))
    for _ in range(3):
        tasks.do_due()
        fixture.sim.advance(2)
    assert counting.times == 3
    assert len(caplog.records) == 1
    fixture.sim.faults.heal()
    tasks.do_due()
    fixture.sim.advance(2)
    fixture.sim.faults.always("GetQueueAttributes", faults.service_error("AccessDenied", status=403))
    tasks.do_due()
    assert len(caplog.records) == 2


def test_entries_of_a_killed_sender_are_sent_at_once(fixture: SenderFixture) -> None:
    fixture.services.add("a")
    now = fixture.clock.now_ms()
    host = fixture.services.identity.name.partition("/")[0]
    fixture.services.outbox.claim(queue=QUEUE, owner=f"{host}/0123456789ab", limit=10, now_ms=now, claim_ms=1_000_000)
    assert fixture.sender.send_due() == 0
    assert fixture.recovery.free_dead_claims(fixture.services.identity.is_alive, queue=QUEUE) == 1
    assert fixture.recovery.free_dead_claims(fixture.services.identity.is_alive, queue=QUEUE) == 0
    assert fixture.sender.send_due() == 1
