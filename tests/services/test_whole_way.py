"""The path of files from the list to the result, on the strict simulator with everything that SQS may do.

Sender and consumer run on threads with a real database, whose triggers record each change of a status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.services.consuming import consumer, results
from desktop_app.services.consuming import in_flight as leases
from desktop_app.services.consuming.in_flight import VISIBILITY_SECONDS, Outcome
from desktop_app.services.loops import Backoff
from desktop_app.store.held_batches import HeldBatches
from tests.crash import status_log
from tests.crash.program import QUEUES, Running
from tests.crash.world import Gate, OtherProgram, World
from tests.helpers import wait_until
from tests.helpers.fakes import in_use
from tests.helpers.sqs import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from desktop_app.processing.processor import Watch
    from tests.crash.program import ProgramInstance
    from tests.helpers.sqs.faults import Fault, PassOn

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
    """Shorten the backoff of the loops; the backoff of files is not changed."""
    wait = Backoff.next
    monkeypatch.setattr(Backoff, "next", lambda self: min(wait(self), 0.02 if self._longest <= 60 else EVER))
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.01)


@pytest.fixture(params=list(QUEUES))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Run the test with a standard and with a FIFO queue."""
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
    """Return a FIFO queue with one group for all files."""
    made = World(tmp_path, QUEUES["FIFO"], strict=True)
    yield made
    made.close()


# The behaviour of queues


def test_files_whose_messages_are_delivered_three_times_are_processed_once(standard: World) -> None:
    standard.sim.simulator.deliver_each(3)
    program = standard.program()
    standard.add(program, 40)
    running = standard.run(program)
    standard.finish(running, program)
    standard.check(program)
    assert len(standard.registry.began) == 40
    assert standard.count(Outcome.DUPLICATE, program) == 80


def test_messages_in_any_order_and_twice(standard: World) -> None:
    standard.sim.simulator.shuffle(7)
    standard.sim.simulator.deliver_each(2)
    program = standard.program(concurrency=4)
    running = standard.run(program)
    standard.add(program, 30)
    standard.add(program, 30, start=30)
    standard.finish(running, program)
    standard.check(program)
    assert status_log.ends(standard.installation.database) != standard.ids


def test_older_submission_received_after_the_newer_one_is_deleted(standard: World) -> None:
    program = standard.program()
    standard.add(program, 3)
    program.sender.send_due()
    old = standard.sim.simulator.bodies("work")
    running = standard.run(program)
    standard.finish(running, program)
    program.intake.retry([job.row_id for job in program.all()], queue=program.key)
    again = standard.program()
    running = standard.run(again)
    for body in old:
        standard.sim.simulator.put("work", body)
    standard.finish(running, again)
    assert status_log.violations(standard.installation.database) == []
    assert [job.generation for job in again.all()] == [2, 2, 2]
    assert (standard.count(Outcome.STALE, again), standard.count(Outcome.PROCESSED, again)) == (3, 3)


def test_file_that_takes_ten_times_the_visibility_timeout_is_processed_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program polls the same queue meanwhile, and never receives the message."""
    # These five minutes take a second of real time, in which no loop can check its stop flag.
    monkeypatch.setattr(consumer, "PATIENCE_SECONDS", 1e6)

    def take_long(_: Watch) -> None:
        for _step in range(40):
            world.clock.advance(VISIBILITY_SECONDS / 4)
            wait_until(
                lambda: world.messages()[0].hidden_until > world.clock.time() + VISIBILITY_SECONDS / 2,
                what="the lease was extended",
            )

    world.registry.acts["file 0"] = take_long
    program, other = world.program(), world.program()
    world.add(program, 1)
    running = world.run(program, other)
    world.finish(running, program, other)
    world.check(program, other)
    assert world.registry.began == ["file 0"]
    assert world.account["handed out"] == 1


def test_computer_that_sleeps_past_its_leases_loses_nothing(world: World) -> None:
    """It wakes up an hour later: the rows' leases have expired and, on a FIFO queue, the receipt handles too."""
    world.registry.acts["file 1"] = lambda _: world.clock.advance(3600)
    program = world.program()
    world.add(program, 4)
    running = world.run(program)
    world.finish(running, program)
    assert status_log.violations(world.installation.database) == []
    assert [(job.status.name, job.lines_count) for job in program.all()] == [("PROCESSED", n) for n in range(4)]


def test_rejected_delete_with_an_expired_handle_is_repeated_after_redelivery(
    fifo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FIFO queue rejects the delete, so the message is delivered again; its file is already processed."""
    program = fifo.program()
    monkeypatch.setattr(
        program.consumer._heartbeat, "beat", lambda: None
    )  # otherwise it may extend the lease just in time
    fifo.sim.faults.next("DeleteMessageBatch", _after(lambda: fifo.clock.advance(VISIBILITY_SECONDS + 1)))
    fifo.add(program, 1)
    running = fifo.run(program)
    fifo.finish(running, program)
    fifo.check(program)
    assert fifo.registry.began == ["file 0"]
    assert fifo.count(Outcome.DUPLICATE, program) == 1


# Faults between program and queue


def _after(act: Callable[[], None]) -> Fault:
    """Return a fault that calls a function while a request is in progress."""

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
def test_every_operation_fails_for_a_while(world: World, fault: Fault) -> None:
    for operation in OPERATIONS:
        world.sim.faults.next(operation, fault, times=4)
    world.registry.acts["file 3"] = lambda _: world.need_heartbeats(5)
    program = world.program()
    world.add(program, 50)
    running = world.run(program)
    world.finish_and_check(running, program)
    assert world.sim.faults.left == 0


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable", "RequestThrottled"])
def test_some_entries_of_every_batch_fail(world: World, code: str) -> None:
    for operation in BATCHES:
        for positions in ([0], [1, 3], range(10), [9, 0]):
            world.sim.faults.next(operation, faults.entries_fail(positions, code))
    world.sim.faults.next("SendMessageBatch", faults.entries_unnamed([0, 2]))
    world.sim.faults.next("DeleteMessageBatch", faults.entries_unnamed([0, 2]))
    world.registry.acts["file 3"] = lambda _: world.need_heartbeats(5)
    program = world.program()
    world.add(program, 80)
    running = world.run(program)
    world.finish_and_check(running, program)
    assert world.sim.faults.left == 0


def _lose_replies(world: World, times: int) -> None:
    """Lose the replies to some requests of each operation, after the first."""
    for operation in ("SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch"):
        world.sim.faults.next(operation, faults.pass_through())
        world.sim.faults.next(operation, faults.reply_lost(), times=times)


def test_replies_lost_after_the_queue_has_executed_the_request(world: World) -> None:
    _lose_replies(world, times=2)
    program = world.program()
    world.add(program, 60)
    running = world.run(program)
    world.finish_and_check(running, program)
    assert len(world.registry.began) == 60
    if world.installation.connection.is_fifo:  # the queue dropped the duplicates
        assert world.count(Outcome.DUPLICATE, program) <= 20  # only deletes were repeated


def test_lost_reply_to_a_poll_of_a_fifo_queue_returns_the_same_messages_at_once(fifo: World) -> None:
    """It does not wait for the visibility timeout, because the poll is repeated with the same attempt id."""
    fifo.sim.faults.next("ReceiveMessage", faults.reply_lost())
    program = fifo.program()
    fifo.add(program, 5)
    program.sender.send_due()
    running = fifo.run(program)
    running.until(lambda: program.is_done, "all is done, though no time has passed")
    fifo.finish(running, program)
    fifo.check(program)


def test_foreign_messages_in_between_are_never_deleted(world: World) -> None:
    bodies = [
        "not json",
        "[" * 1000,
        '{"v":1,"file_id":"00000000-0000-0000-0000-000000000000","generation":1}',
        '{"v":2,"file_id":"00000000-0000-0000-0000-000000000000","generation":1,"more":true}',
        '{"Type":"Notification","Message":"{}"}',
    ]
    program = world.program()
    world.add(program, 10)
    program.sender.send_due()
    for number, body in enumerate(bodies):
        ids: dict[str, Any] = {"MessageGroupId": f"theirs-{number}", "MessageDeduplicationId": str(number)}
        world.sim.simulator.put(
            world.installation.queue, body, **(ids if world.installation.connection.is_fifo else {})
        )
    running = world.run(program)
    world.add(program, 10, start=10)
    world.finish(running, program, foreign=len(bodies))
    world.check(program)
    assert world.sim.simulator.bodies(world.installation.queue) == bodies
    assert world.count(Outcome.FOREIGN, program) >= len(bodies)


def test_message_received_at_the_moment_of_a_stop_is_released_at_once(world: World) -> None:
    program = world.program()
    world.add(program, 1)
    program.sender.send_due()
    consumer, end_work = program.consumer, program.consumer._end_work

    def end_work_and_meet_a_late_one() -> None:
        end_work()
        got = program.connector.connect().receive(limit=10, wait_s=0, visibility_s=VISIBILITY_SECONDS)
        # The receiver has checked the stop flag just before it is set.
        consumer._deliver(got, world.clock.steady() + VISIBILITY_SECONDS)

    consumer._receiver._room = lambda: 0
    consumer._end_work = end_work_and_meet_a_late_one  # type: ignore[method-assign]
    Running(consumer).stop()
    (message,) = world.messages()
    assert (message.receives, message.is_hidden(world.clock.time())) == (1, False)
    assert (world.count(Outcome.RELEASED, program), program.observer.in_flight) == (1, 0)


# Two programs


def test_two_programs_on_one_database_and_one_queue_never_both_end_a_job(world: World) -> None:
    if not world.installation.connection.is_fifo:
        world.sim.simulator.deliver_each(2)
        world.sim.simulator.shuffle(3)
    programs = [world.program(concurrency=3), world.program(concurrency=3)]
    running = world.run(*programs)
    for start in range(0, 80, 20):
        world.add(programs[start % 2], 20, start=start)
    world.finish(running, *programs)
    world.check(*programs)
    assert len(world.registry.began) == 80


def test_program_that_sleeps_past_its_lease_does_not_overwrite_a_result(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its result comes after its lease has expired and another program has finished the job; the token rejects it."""
    has_begun, may_end = world.registry.hold("file 0")
    sleeper, other = world.program(), world.program()
    monkeypatch.setattr(sleeper.consumer._heartbeat, "beat", lambda: None)  # as if the computer slept
    world.add(sleeper, 1)
    first = world.run(sleeper)
    first.until(has_begun.is_set, "the first program is at it")
    world.clock.advance(3600)
    # The second program assumes that the file crashes programs, so it uses a child process.
    second = world.run(other)
    # So may the first program: its thread hangs, and the message is delivered again.
    second.until(lambda: world.count(Outcome.PROCESSED, other, sleeper), "it has been done meanwhile")
    may_end.set()
    world.finish(second, other, sleeper)
    first.stop(nudge=lambda: world.clock.advance(2))
    world.check(other, sleeper)
    assert world.count(Outcome.STALE, sleeper) == 1


# Paused batches


def pause(world: World, program: ProgramInstance, job_id: str) -> HeldBatches:
    held = HeldBatches(program.database)
    assert held.hold(program.jobs.find(job_id)[0].batch_id, "file_gone", now_ms=program.clock.now_ms())
    return held


def test_messages_of_a_paused_batch_leave_the_queue_and_its_files_are_processed_once_it_continues(
    world: World,
) -> None:
    program = world.program()
    paused = world.add(program, 25)
    program.sender.send_due()
    world.add(program, 5, start=25)
    held = pause(world, program, paused[0])
    running = world.run(program)
    running.until(
        lambda: program.jobs.counts(program.key).processed == 5 and not world.messages(), "only paused files are left"
    )
    assert sorted(world.registry.began) == [f"file {number}" for number in range(25, 30)]
    assert program.jobs.count_held(program.key) == 25
    held.resume([1], tolerates=True)
    program.control.wake_sender()
    world.finish_and_check(running, program)
    assert len(world.registry.began) == 30
    assert {job.attempts for job in program.all()} == {1}


def test_another_program_continues_what_one_has_set_aside(world: World) -> None:
    first = world.program()
    paused = world.add(first, 10)
    held = pause(world, first, paused[0])
    running = world.run(first)
    running.until(lambda: not first.outbox.waiting(first.key), "all entries are set aside")
    running.stop(nudge=lambda: world.clock.advance(2))
    held.resume([1], tolerates=True)
    second = world.program()
    world.finish_and_check(world.run(second), second)


# Strict order


def test_strict_order_is_kept_when_a_batch_is_paused(strict: World) -> None:
    program = strict.program(concurrency=4)
    first = strict.add(program, 10)
    strict.add(program, 10, start=10)
    held = pause(strict, program, first[0])
    running = strict.run(program)
    running.until(
        lambda: strict.count(Outcome.RELEASED, program) and program.observer.in_flight == 0, "the first is put off"
    )
    assert strict.registry.began == []
    held.resume([1], tolerates=True)
    strict.finish_and_check_order(running, program)


def test_strict_order_results_come_in_the_order_submitted(strict: World) -> None:
    program = strict.program(concurrency=4)
    running = strict.run(program)
    strict.add(program, 25)
    strict.add(program, 25, start=25)
    strict.finish(running, program)
    strict.check(program)
    assert status_log.ends(strict.installation.database) == strict.ids


def test_strict_order_is_kept_when_files_fail(strict: World) -> None:
    tries = iter([True, True, False])

    def in_use_twice(watch: Watch) -> None:
        if next(tries):
            in_use(watch)

    strict.registry.acts["file 3"] = in_use_twice
    program = strict.program(concurrency=4)
    strict.add(program, 20)
    (strict.installation.folder / "file 7").unlink()
    running = strict.run(program)
    strict.finish_and_check_order(running, program, failed={"file 7"})
    assert strict.registry.began.count("file 3") == 3, "it was tried again twice"


def test_strict_order_is_kept_after_a_restart(strict: World) -> None:
    has_begun, may_end = strict.registry.hold("file 6")
    program = strict.program(concurrency=4)
    strict.add(program, 20)
    running = strict.run(program)
    running.until(has_begun.is_set, "the sixth file is at work")
    running.stop_asked.set()
    may_end.set()
    running.stop(nudge=lambda: strict.clock.advance(2))
    again = strict.program(concurrency=4)
    running = strict.run(again)
    strict.finish(running, again)
    strict.check(program, again)
    assert status_log.ends(strict.installation.database) == strict.ids


def test_strict_order_is_kept_when_the_queue_rejects_entries(strict: World) -> None:
    for positions in ([0], [1], [0, 4], [5]):
        strict.sim.faults.next("SendMessageBatch", faults.entries_fail(positions))
    program = strict.program(concurrency=4)
    strict.add(program, 30)
    running = strict.run(program)
    strict.finish_and_check_order(running, program)


def test_strict_order_is_kept_after_lost_replies(strict: World) -> None:
    _lose_replies(strict, times=3)
    program = strict.program(concurrency=4)
    strict.add(program, 30)
    running = strict.run(program)
    strict.finish_and_check_order(running, program)


def test_strict_order_waits_for_the_row_of_a_dead_program_elsewhere(strict: World) -> None:
    """Its message is visible again some seconds before its row is free; the messages behind it have to wait."""
    program = strict.program(concurrency=4)
    strict.add(program, 5)
    program.sender.send_due()
    OtherProgram(strict, program).take_first()
    strict.clock.advance(VISIBILITY_SECONDS + 1)
    running = strict.run(program)
    running.until(
        lambda: strict.count(Outcome.RETRIED, program) and program.observer.in_flight == 0, "the first has been put off"
    )
    strict.finish_and_check_order(running, program)


def test_strict_order_waits_for_the_file_taken_over_by_another_program(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its sleep, the messages behind the lost one must be released, too."""
    monkeypatch.setattr(results, "WAIT_SECONDS", 1e6)  # otherwise it is released because it has waited too long
    has_begun, may_end = strict.registry.hold("file 0")
    program = strict.program(concurrency=4)
    gate = Gate(program)
    monkeypatch.setattr(program.consumer._heartbeat, "beat", lambda: None)  # as if the computer slept
    strict.add(program, 5)
    program.sender.send_due()
    running = strict.run(program)
    running.until(has_begun.is_set, "the first file is at work")
    gate.close(strict.clock)
    strict.clock.advance(3600)
    other = OtherProgram(strict, program)
    other.take_first()
    gate.is_closed.clear()
    may_end.set()
    running.until(lambda: program.observer.unsettled == 0, "all it held is settled")
    assert status_log.ends(strict.installation.database) == []
    other.end(lines=0)
    strict.let_time_pass_until(running, lambda: program.is_done, "all is done")
    running.stop(nudge=lambda: strict.clock.advance(2))
    assert status_log.violations(strict.installation.database) == []
    assert status_log.ends(strict.installation.database) == strict.ids
