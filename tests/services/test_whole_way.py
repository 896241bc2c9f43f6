"""The whole way, from the list to the result, on the strict simulator that does to us all that SQS may do.

Sender and consumer run on their threads, on a real database, and a witness in it tells what ended how often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.services.consuming import consumer, results
from desktop_app.services.consuming import in_flight as leases
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS, Outcome
from desktop_app.services.loops import Backoff
from tests.crash import witness
from tests.crash.mill import QUEUES, Running
from tests.crash.world import Gate, OtherProgram, World
from tests.helpers import wait_until
from tests.services.fakes import in_use
from tests.sqs import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from desktop_app.processing.processor import Watch
    from tests.sqs.faults import Fault, PassOn

pytestmark = pytest.mark.slow

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


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """After trouble the loops wait a moment, not up to a minute; how long a file waits is left as it is."""
    wait = Backoff.next
    monkeypatch.setattr(Backoff, "next", lambda self: min(wait(self), 0.02 if self._longest <= 60 else EVER))
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.01)


@pytest.fixture(params=list(QUEUES))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """On a standard and on a FIFO queue."""
    made = World(tmp_path, QUEUES[request.param])
    yield made
    made.close()


@pytest.fixture
def standard(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, QUEUES["standard"])
    yield made
    made.close()


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, QUEUES["FIFO"])
    yield made
    made.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[World]:
    """A FIFO queue on which all files are in one group."""
    made = World(tmp_path, QUEUES["FIFO"], strict=True)
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
    assert standard.count(Outcome.DUPLICATE, mill) == 80


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
    assert (standard.count(Outcome.STALE, again), standard.count(Outcome.PROCESSED, again)) == (3, 3)


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
    monkeypatch.setattr(mill.consumer._heartbeat, "beat", lambda: None)  # else it may save the lease just in time
    fifo.sim.faults.next("DeleteMessageBatch", _after(lambda: fifo.clock.advance(VISIBILITY_SECONDS + 1)))
    fifo.add(mill, 1)
    running = fifo.run(mill)
    fifo.finish(running, mill)
    fifo.check(mill)
    assert fifo.registry.began == ["file 0"]
    assert fifo.count(Outcome.DUPLICATE, mill) == 1


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
    world.finish_and_check(running, mill)
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
    world.finish_and_check(running, mill)
    assert world.sim.faults.left == 0


def _lose_replies(world: World, times: int) -> None:
    """After the first request of each kind, the next ones get no reply."""
    for operation in ("SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch"):
        world.sim.faults.next(operation, faults.pass_through())
        world.sim.faults.next(operation, faults.reply_lost(), times=times)


def test_replies_that_are_lost_after_the_queue_has_done_it(world: World) -> None:
    _lose_replies(world, times=2)
    mill = world.program()
    world.add(mill, 60)
    running = world.run(mill)
    world.finish_and_check(running, mill)
    assert len(world.registry.began) == 60
    if world.place.connection.is_fifo:  # what was sent again was recognised by the queue
        assert world.count(Outcome.DUPLICATE, mill) <= 20  # only what was deleted twice


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
    assert world.count(Outcome.FOREIGN, mill) >= len(bodies)


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
    Running(consumer).stop()
    (message,) = world.messages()
    assert (message.receives, message.is_hidden(world.clock.time())) == (1, False)
    assert (world.count(Outcome.RELEASED, mill), mill.observer.in_flight) == (1, 0)


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
    has_begun, may_end = world.registry.hold("file 0")
    sleeper, other = world.program(), world.program()
    monkeypatch.setattr(sleeper.consumer._heartbeat, "beat", lambda: None)  # as if the computer slept
    world.add(sleeper, 1)
    first = world.run(sleeper)
    first.until(has_begun.is_set, "the first program is at it")
    world.clock.advance(3600)
    # The second takes the file for one that ends programs, so it works on it in a process of its own.
    second = world.run(other)
    # So may the first itself: its thread hangs, and the message comes again.
    second.until(lambda: world.count(Outcome.PROCESSED, other, sleeper), "it has been done meanwhile")
    may_end.set()
    world.finish(second, other, sleeper)
    first.stop(nudge=lambda: world.clock.advance(2))
    world.check(other, sleeper)
    assert world.count(Outcome.STALE, sleeper) == 1


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

    def in_use_twice(watch: Watch) -> None:
        if next(tries):
            in_use(watch)

    strict.registry.acts["file 3"] = in_use_twice
    mill = strict.program(concurrency=4)
    strict.add(mill, 20)
    (strict.place.folder / "file 7").unlink()
    running = strict.run(mill)
    strict.finish_and_check_order(running, mill, failed={"file 7"})
    assert strict.count(Outcome.RETRIED, mill) == 2


def test_strict_order_holds_over_a_restart(strict: World) -> None:
    has_begun, may_end = strict.registry.hold("file 6")
    mill = strict.program(concurrency=4)
    strict.add(mill, 20)
    running = strict.run(mill)
    running.until(has_begun.is_set, "the sixth file is at work")
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
    _lose_replies(strict, times=3)
    mill = strict.program(concurrency=4)
    strict.add(mill, 30)
    running = strict.run(mill)
    strict.finish_and_check_order(running, mill)


def test_strict_order_waits_for_the_row_that_a_dead_program_elsewhere_holds(strict: World) -> None:
    """Its message comes back some seconds before its row is free; those behind it, whose rows are free, must wait."""
    mill = strict.program(concurrency=4)
    strict.add(mill, 5)
    mill.sender.send_due()
    OtherProgram(strict, mill).take_first()
    strict.clock.advance(VISIBILITY_SECONDS + 1)
    running = strict.run(mill)
    running.until(
        lambda: strict.count(Outcome.RETRIED, mill) and mill.observer.in_flight == 0, "the first has been put off"
    )
    strict.finish_and_check_order(running, mill)


def test_strict_order_waits_for_the_file_that_another_program_has_taken_over(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It oversleeps; what it holds besides the lost one must go back, too."""
    monkeypatch.setattr(results, "WAIT_SECONDS", 1e6)  # else it goes back for having waited
    has_begun, may_end = strict.registry.hold("file 0")
    mill = strict.program(concurrency=4)
    gate = Gate(mill)
    monkeypatch.setattr(mill.consumer._heartbeat, "beat", lambda: None)  # as if the computer slept
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
    running.until(lambda: mill.observer.unsettled == 0, "all it held is settled")
    assert witness.ends(strict.place.database) == []
    other.end(lines=0)
    strict.let_time_pass_until(running, lambda: mill.is_done, "all is done")
    running.stop(nudge=lambda: strict.clock.advance(2))
    assert witness.complaints(strict.place.database) == []
    assert witness.ends(strict.place.database) == strict.ids
