"""Sending messages from the outbox to the queue."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueError, QueueTrouble, StoreError, StoreGoneError
from desktop_app.domain.job import Status
from desktop_app.domain.queue_key import FIRST_GROUP
from desktop_app.queues.messages import EntryResult, QueueInfo, decode
from desktop_app.services import loops
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import LEAST_RESPONSES, Backoff, LoopState, Phase, StopRequest
from desktop_app.services.sending.periodic_tasks import PeriodicTasks
from desktop_app.services.sending.sender import (
    CLAIM_ENTRIES,
    IDLE_SECONDS,
    MAX_THREADS,
    NOTE_SECONDS,
    SECONDS_A_DELIVERY,
    Sender,
    SenderOptions,
)
from desktop_app.store.held_batches import HeldBatches
from desktop_app.store.results import Result, Work
from desktop_app.store.strict_group import StrictGroup
from tests.helpers.fakes import DONE, OFFLINE, Countdown, FakeClient, FakeConnector
from tests.services.conftest import QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desktop_app.queues.messages import Outgoing
    from tests.services.conftest import ServicesSetup

FIFO = QueueInfo("http://q.fifo", "q.fifo", is_fifo=True)
THROTTLED = EntryResult(trouble=QueueTrouble.THROTTLED, text="slow down")
REFUSED = EntryResult(trouble=QueueTrouble.REFUSED, text="too large")


def sender(
    services: ServicesSetup,
    client: FakeClient,
    *,
    connector: FakeConnector | None = None,
    window: int | None = None,
    strict: bool = False,
    told: list[LoopState] | None = None,
    control: ProcessingControl | None = None,
) -> Sender:
    return Sender(
        services.database,
        connector or FakeConnector(client),
        services.identity,
        options=SenderOptions(queue=QUEUE, window=window, strict_order=strict),
        clock=services.clock,
        control=control or ProcessingControl(),
        report=(told if told is not None else []).append,
        tasks=PeriodicTasks({}, services.clock, ProcessingControl()),
        backoff=Backoff(first=0.01, longest=0.01),
    )


def test_messages_carry_the_id_and_the_generation_and_nothing_else(services: ServicesSetup) -> None:
    (job,) = services.add("a.txt")
    client = FakeClient()
    assert sender(services, client).send_due() == 1
    ((message,),) = client.made("send")
    assert json.loads(message.body) == {"v": 1, "file_id": job.id, "generation": 1}
    assert (message.group_id, message.deduplication_id) == ("", "")


def test_sent_job_has_its_message_id_and_leaves_the_outbox(services: ServicesSetup) -> None:
    (job,) = services.add("a.txt")
    sender(services, FakeClient()).send_due()
    assert services.outbox.waiting(QUEUE) == 0
    assert (services.job(job).message_id, services.job(job).sent_at) == ("id-0", services.clock.now_ms())


def test_twenty_five_files_go_in_three_requests(services: ServicesSetup) -> None:
    services.add(*(f"{n}.txt" for n in range(25)))
    client = FakeClient()
    assert sender(services, client).send_due() == 25
    assert [len(batch) for batch in client.made("send")] == [10, 10, 5]


def test_on_a_fifo_queue_each_file_has_its_group_and_each_submission_its_deduplication_id(
    services: ServicesSetup,
) -> None:
    (job,) = services.add("a.txt")
    client = FakeClient(info=FIFO)
    sender(services, client).send_due()
    ((message,),) = client.made("send")
    assert (message.group_id, message.deduplication_id) == (job.id, f"{job.id}:1")


def test_strict_order_puts_all_files_into_one_group_and_sends_one_by_one(services: ServicesSetup) -> None:
    """Of a batch, the queue might accept the second message but not the first."""
    jobs = services.add("a.txt", "b.txt")
    client = FakeClient(info=FIFO)
    assert sender(services, client, strict=True).send_due() == 2
    batches = client.made("send")
    assert [[message.group_id for message in batch] for batch in batches] == [[FIRST_GROUP], [FIRST_GROUP]]
    assert [message.deduplication_id for (message,) in batches] == [f"{job.id}:1" for job in jobs]


def test_group_that_a_foreign_message_blocks_is_left_once_and_no_file_overtakes_another(
    services: ServicesSetup,
) -> None:
    jobs = [*services.add("a.txt"), *services.add("b.txt")]
    client = FakeClient(info=FIFO)
    sender(services, client, strict=True).send_due()
    jobs += services.add("c.txt")
    group = StrictGroup(services.database, QUEUE)
    claim = services.claim(jobs[0])
    assert group.leave(FIRST_GROUP, now_ms=services.clock.now_ms()) == 0, "the next file would not wait for this one"
    assert claim.job is not None
    Work(services.database).finish([Result(claim.job.row_id, claim.token, services.clock.now_ms())])
    assert group.leave(FIRST_GROUP, now_ms=services.clock.now_ms()) == 2
    assert group.leave(FIRST_GROUP, now_ms=services.clock.now_ms()) == 0
    sender(services, client, strict=True).send_due()
    messages = [message for (message,) in client.made("send")[2:]]
    assert {message.group_id for message in messages} == {group.name()} != {FIRST_GROUP}
    assert [message.deduplication_id for message in messages] == [f"{jobs[1].id}:1:1", f"{jobs[2].id}:1"]


def test_rejected_message_blocks_all_behind_it_in_strict_order(services: ServicesSetup) -> None:
    services.add("a.txt", "b.txt", "c.txt")
    client = FakeClient(info=FIFO)
    client.script("send", [DONE], [THROTTLED])
    with pytest.raises(QueueError) as raised:
        sender(services, client, strict=True).send_due()
    assert (raised.value.trouble, raised.value.detail) == (QueueTrouble.THROTTLED, "slow down")
    assert (len(client.made("send")), services.outbox.waiting(QUEUE)) == (2, 2)
    assert sender(services, client, strict=True).send_due() == 2


def test_retry_is_sent_with_another_deduplication_id(services: ServicesSetup) -> None:
    (job,) = services.add("a.txt")
    client = FakeClient(info=FIFO)
    client.script("send", [REFUSED])
    sender(services, client).send_due()
    assert services.job(job).status is Status.FAILED
    services.intake.retry([job.row_id], queue=QUEUE)
    sender(services, client).send_due()
    assert [batch[0].deduplication_id for batch in client.made("send")] == [f"{job.id}:1", f"{job.id}:2"]


def test_each_entry_of_a_response_is_handled_separately(services: ServicesSetup) -> None:
    jobs = services.add("a.txt", "b.txt", "c.txt")
    client = FakeClient()
    client.script("send", [EntryResult(message_id="x"), REFUSED, THROTTLED])
    assert sender(services, client).send_due() == 1
    sent, refused, later = (services.job(job) for job in jobs)
    assert (sent.status, sent.message_id) == (Status.PENDING, "x")
    assert refused.status is Status.FAILED
    assert "too large" in str(refused.reason)
    assert (later.status, later.sent_at) == (Status.PENDING, None)
    assert services.outbox.waiting(QUEUE) == 1


def test_rejected_entry_is_retried_later(services: ServicesSetup) -> None:
    services.add("a.txt")
    client = FakeClient()
    client.script("send", [THROTTLED])
    one = sender(services, client)
    assert one.send_due() == 0
    assert one.send_due() == 0, "not at once"
    services.clock.advance(2)
    assert one.send_due() == 1


def test_lost_reply_sends_the_same_message_again(services: ServicesSetup) -> None:
    services.add("a.txt")
    client = FakeClient(info=FIFO)
    client.script("send", OFFLINE)
    one = sender(services, client)
    with pytest.raises(QueueError):
        one.send_due()
    assert one.send_due() == 1
    first, second = client.made("send")
    assert first == second


@pytest.mark.parametrize("trouble", [QueueTrouble.SIGNED_OUT, QueueTrouble.NO_QUEUE, QueueTrouble.NO_RIGHT])
def test_errors_that_a_new_look_up_can_fix_reconnect(services: ServicesSetup, trouble: QueueTrouble) -> None:
    services.add("a.txt")
    client = FakeClient()
    client.script("send", QueueError("x", trouble=trouble))
    connector = FakeConnector(client)
    with pytest.raises(QueueError):
        sender(services, client, connector=connector).send_due()
    assert connector.resets == 1


def test_window_limits_the_messages_in_the_queue(services: ServicesSetup) -> None:
    services.add(*(f"{n}.txt" for n in range(30)))
    client = FakeClient()
    one = sender(services, client, window=20)
    assert [one.send_due(), one.send_due()] == [20, 0]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each request seem slow."""
    monkeypatch.setattr(loops, "SLOW_SECONDS", -1.0)


class CrowdedClient(FakeClient):
    """A client whose requests after the first ones are answered only when several have been made."""

    def __init__(self, requests: int) -> None:
        super().__init__()
        self.crowd = threading.Barrier(requests)

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        if len(self.made("send")) >= LEAST_RESPONSES:
            self.crowd.wait(20)
        return super().send(messages)


@pytest.mark.usefixtures("slow")
def test_many_messages_go_in_several_requests_at_once_if_each_takes_long(services: ServicesSetup) -> None:
    services.add(*(f"{n}.txt" for n in range(190)))
    client = CrowdedClient(MAX_THREADS)
    assert sender(services, client).send_due() == 190
    assert services.outbox.waiting(QUEUE) == 0
    bodies = [message.body for batch in client.made("send") for message in batch]
    assert len(set(bodies)) == len(bodies) == 190


@pytest.mark.usefixtures("slow")
def test_strict_order_makes_one_request_after_the_other(services: ServicesSetup) -> None:
    jobs = services.add(*(f"{n}.txt" for n in range(30)))
    client = FakeClient(info=FIFO)
    assert sender(services, client, strict=True).send_due() == 30
    assert [json.loads(message.body)["file_id"] for (message,) in client.made("send")] == [job.id for job in jobs]


@pytest.mark.usefixtures("slow")
def test_error_of_one_of_several_requests_keeps_the_results_of_the_others(services: ServicesSetup) -> None:
    services.add(*(f"{n}.txt" for n in range(200)))
    client = FakeClient()
    client.script("send", [EntryResult(message_id=f"m-{n}") for n in range(10)], OFFLINE)
    with pytest.raises(QueueError):
        sender(services, client).send_due()
    made = len(client.made("send"))
    assert services.outbox.waiting(QUEUE) == 200 - 10 * (made - 1)
    assert sender(services, client).send_all(services.clock.steady() + 1) == 200 - 10 * (made - 1)


def test_claim_that_takes_long_to_send_is_sent_in_parts(services: ServicesSetup) -> None:
    """A stop takes effect in between."""
    services.add(*(f"{n}.txt" for n in range(50)))
    client = FakeClient()
    one = sender(services, client)
    send = client.send

    def send_slowly(messages: Sequence[Outgoing]) -> list[EntryResult]:
        services.clock.advance(SECONDS_A_DELIVERY / 2)
        return send(messages)

    client.send = send_slowly  # type: ignore[method-assign]
    assert [one.send_due(), one.send_due(), one.send_due()] == [20, 20, 10]


def test_more_messages_than_a_claim_are_sent_without_a_break_and_each_once(services: ServicesSetup) -> None:
    count = 2 * CLAIM_ENTRIES + 345
    jobs = services.add(*(f"{n}.txt" for n in range(count)))
    client = FakeClient()

    assert sender(services, client).send_due() == count

    sent = [decode(message.body).file_id for batch in client.made("send") for message in batch]
    assert sent == [job.id for job in jobs]
    assert services.outbox.waiting(QUEUE) == 0


def test_messages_of_a_later_claim_are_due_again_after_an_error(services: ServicesSetup) -> None:
    count = CLAIM_ENTRIES + 345
    services.add(*(f"{n}.txt" for n in range(count)))
    client = FakeClient()
    client.script("send", *[[DONE] * 10] * (CLAIM_ENTRIES // 10 + 3), OFFLINE)
    one = sender(services, client)

    with pytest.raises(QueueError):
        one.send_due()
    assert services.outbox.waiting(QUEUE) == count - CLAIM_ENTRIES - 30

    assert one.send_due() == count - CLAIM_ENTRIES - 30
    assert services.outbox.waiting(QUEUE) == 0


def test_results_are_recorded_while_others_are_sent(services: ServicesSetup) -> None:
    services.add(*(f"{n}.txt" for n in range(30)))
    client = FakeClient()
    waiting: list[int] = []
    send = client.send

    def send_slowly(messages: Sequence[Outgoing]) -> list[EntryResult]:
        waiting.append(services.outbox.waiting(QUEUE))
        services.clock.advance(NOTE_SECONDS)
        return send(messages)

    client.send = send_slowly  # type: ignore[method-assign]
    assert sender(services, client).send_due() == 30
    assert waiting == [30, 20, 10]


def test_only_jobs_of_this_queue_are_sent(services: ServicesSetup) -> None:
    (job,) = services.add("a.txt")
    options = SenderOptions(queue="another")
    client = FakeClient()
    other = Sender(
        services.database,
        FakeConnector(client),
        services.identity,
        options=options,
        clock=services.clock,
        control=ProcessingControl(),
        report=lambda _: None,
        tasks=PeriodicTasks({}, services.clock, ProcessingControl()),
    )
    assert other.send_due() == 0
    assert services.job(job).sent_at is None


def test_send_all_ends_when_the_outbox_is_empty_or_the_time_is_over(services: ServicesSetup) -> None:
    services.add(*(f"{n}.txt" for n in range(120)))
    client = FakeClient()
    one = sender(services, client)
    assert one.send_all(services.clock.steady()) == 0
    assert one.send_all(services.clock.steady() + 1) == 120


def test_send_all_does_not_wait_for_a_full_window(services: ServicesSetup) -> None:
    services.add("a.txt", "b.txt")
    assert sender(services, FakeClient(), window=1).send_all(services.clock.steady() + 1) == 1


def test_loop_survives_errors_and_reports_them(services: ServicesSetup) -> None:
    services.add("a.txt")
    client = FakeClient()
    client.script("send", OFFLINE, OFFLINE)
    told: list[LoopState] = []
    sender(services, client, told=told).run(Countdown(12))
    phases = [state.phase for state in told]
    assert phases == [Phase.STARTING, Phase.WAITING, Phase.WAITING, Phase.RUNNING, Phase.STOPPED]
    assert services.outbox.waiting(QUEUE) == 0


def test_loop_survives_a_database_that_goes_away_between_its_queries(
    services: ServicesSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[bool | StoreError] = iter([StoreGoneError("gone"), False])

    def has_due(*_: object, **__: object) -> bool:
        answer = next(answers, False)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    monkeypatch.setattr(services.outbox.__class__, "has_due", has_due)
    told: list[LoopState] = []
    sender(services, FakeClient(), told=told, window=50).run(Countdown(6))
    phases = [state.phase for state in told]
    assert phases == [Phase.STARTING, Phase.RUNNING, Phase.WAITING, Phase.RUNNING, Phase.STOPPED]


def test_loop_waits_for_room_in_the_window_without_asking_often(services: ServicesSetup) -> None:
    services.add("a.txt", "b.txt")
    stop, told = Countdown(4), list[LoopState]()
    sender(services, FakeClient(), window=1, told=told).run(stop)
    assert services.outbox.waiting(QUEUE) == 1
    assert stop.waits
    assert set(stop.waits) == {IDLE_SECONDS}
    assert told[-1].phase is Phase.STOPPED


@pytest.mark.parametrize("is_full", [False, True])
def test_waiting_loop_stops_and_sends_at_once(services: ServicesSetup, is_full: bool) -> None:
    if is_full:
        services.add("a.txt", "b.txt")
    control, client, stop, told = ProcessingControl(), FakeClient(), StopRequest(), list[LoopState]()
    one = sender(services, client, control=control, window=1 if is_full else None, told=told)
    is_awaited = threading.Event()
    wait = control.wait_to_send

    def noted_wait(seconds: float, stop: StopRequest, *, for_room: bool = False) -> bool:
        is_awaited.set()
        return wait(threading.TIMEOUT_MAX, stop, for_room=for_room)

    control.wait_to_send = noted_wait  # type: ignore[method-assign]
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    assert is_awaited.wait(20)
    if not is_full:
        is_awaited.clear()
        services.add("a.txt")
        control.wake_sender()
        assert is_awaited.wait(20)
        assert len(client.made("send")) == 1
    stop.set()
    thread.join(20)
    assert told[-1].phase is Phase.STOPPED


def test_loop_passes_over_a_paused_batch_and_sends_it_once_it_continues(services: ServicesSetup) -> None:
    (paused,), (other,) = services.add("a.txt"), services.add("b.txt")
    held = HeldBatches(services.database)
    held.hold(paused.batch_id, "file_gone", now_ms=1)
    stop = Countdown(6)
    sender(services, FakeClient()).run(stop)
    assert (services.job(paused).sent_at is None, services.job(other).sent_at is None) == (True, False)
    assert set(stop.waits) == {IDLE_SECONDS}, "it does not look again and again"
    held.resume([paused.batch_id], tolerates=True)
    sender(services, FakeClient()).run(Countdown(6))
    assert services.job(paused).sent_at is not None
