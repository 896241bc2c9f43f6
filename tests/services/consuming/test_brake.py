"""The brake: when a batch is paused, and what a consumer does with the files of a paused batch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.job import Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.services.consuming.brake import LEAST_FAILED, Brake
from desktop_app.services.consuming.in_flight import Outcome
from desktop_app.store.held_batches import Failures, HeldBatches
from tests.helpers import wait_until
from tests.helpers.fakes import FakeClock
from tests.services.conftest import QUEUE
from tests.services.consuming.running_consumer import RunningConsumer, message

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from desktop_app.processing.processor import Watch
    from desktop_app.services.control import ProcessingControl
    from tests.services.conftest import ServicesSetup

CODE = ReasonCode.BAD_CONTENT.value


class CountingBatches(HeldBatches):
    """Batches of a given size, of which as many files have failed as `failed` says."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.failed = 0
        self.waiting = total
        self.asked = 0
        self.paused_at: list[int] = []
        self.is_tolerated = False

    def failures(self, batch_id: int, code: str) -> Failures | None:
        self.asked += 1
        return None if self.is_tolerated else Failures(self.total, self.failed, self.waiting)

    def hold(self, batch_id: int, code: str, *, now_ms: int) -> bool:
        self.paused_at.append(self.failed)
        return True


def fail(brake: Brake, batches: CountingBatches, count: int, *, at_once: int = 1) -> None:
    for _ in range(0, count, at_once):
        batches.failed += at_once
        brake.note([(1, CODE)] * at_once)
        brake.check()
        if batches.paused_at:
            return


@pytest.mark.parametrize(
    ("total", "expected"), [(21, 20), (50, 20), (99, 20), (100, 21), (1_000, 201), (100_000, 20_001)]
)
def test_batch_is_paused_at_more_than_a_fifth_and_twenty_files(total: int, expected: int) -> None:
    batches = CountingBatches(total)
    fail(Brake(batches, FakeClock()), batches, total)
    assert batches.paused_at == [expected]


def test_database_is_asked_rarely() -> None:
    batches = CountingBatches(100_000)
    fail(Brake(batches, FakeClock()), batches, 20_000)
    assert batches.paused_at == []
    assert batches.asked < 20


def test_brake_of_one_of_several_programs_is_not_much_too_late() -> None:
    batches = CountingBatches(1_000)
    brake = Brake(batches, FakeClock())
    for _ in range(300):
        batches.failed += 4  # this program sees one of four
        brake.note([(1, CODE)])
        brake.check()
        if batches.paused_at:
            break
    assert batches.paused_at
    assert batches.paused_at[0] <= 201 * 2


def test_failures_of_several_reasons_do_not_add_up() -> None:
    batches = CountingBatches(30)
    brake = Brake(batches, FakeClock())
    brake.note([(1, f"code {number % 2}") for number in range(2 * LEAST_FAILED - 2)])
    brake.note([(number, CODE) for number in range(2, LEAST_FAILED + 2)])
    assert brake.check() == []
    assert batches.asked == 0


def test_batch_without_waiting_files_is_not_paused() -> None:
    batches = CountingBatches(30)
    batches.waiting = 0
    fail(Brake(batches, FakeClock()), batches, 30)
    assert batches.paused_at == []


def test_tolerated_reason_is_looked_at_again_later() -> None:
    """The user may have retried the files with other options, so that it is not tolerated any more."""
    batches = CountingBatches(1_000)
    batches.is_tolerated = True
    brake = Brake(batches, FakeClock())
    fail(brake, batches, 300)
    assert batches.paused_at == []
    batches.is_tolerated = False
    fail(brake, batches, LEAST_FAILED)
    assert batches.paused_at


def test_failures_in_another_database_are_forgotten() -> None:
    batches = CountingBatches(1_000)
    brake = Brake(batches, FakeClock())
    brake.note([(1, CODE)] * (LEAST_FAILED - 1))
    brake.forget()
    brake.note([(1, CODE)] * (LEAST_FAILED - 1))
    brake.check()
    assert batches.asked == 0


# --- in a consumer


def bad(_: Watch) -> None:
    raise FileError(Reason(ReasonCode.BAD_CONTENT, {"why": "it is empty"}))


def failing(services: ServicesSetup, running: RunningConsumer, count: int) -> list[Job]:
    jobs = services.add(*(f"bad{number}" for number in range(count)))
    running.registry.acts.update((job.name, bad) for job in jobs)
    return jobs


def paused(services: ServicesSetup) -> bool:
    return bool(services.jobs.held_batches())


def test_batch_is_paused_and_the_rest_goes_back_to_the_outbox(
    services: ServicesSetup, running: RunningConsumer
) -> None:
    jobs = failing(services, running, 60)
    (other,) = services.add("good")
    running.deliver(*(message(job) for job in jobs[:30]))  # not all, since they fail faster than they are counted
    running.start()
    wait_until(lambda: paused(services))
    running.deliver(*(message(job) for job in jobs), message(other))
    wait_until(lambda: services.job(other).status is Status.PROCESSED)
    wait_until(lambda: running.observer.in_flight == 0)
    counts = services.jobs.counts(QUEUE)
    assert counts.processed == 1
    assert LEAST_FAILED <= counts.failed <= 30
    (batch,) = services.jobs.held_batches()
    assert batch.held is not None
    assert batch.held.reason == Reason(ReasonCode.BAD_CONTENT, {"why": "it is empty"})
    assert batch.counts.pending == 60 - counts.failed
    waiting = [job for job in map(services.job, jobs) if job.status is Status.PENDING]
    assert {job.attempts for job in waiting} == {0}
    assert {job.reason for job in waiting} == {Reason(ReasonCode.BATCH_HELD)}
    assert services.outbox.claim(queue=QUEUE, owner="s", limit=100, now_ms=services.clock.now_ms(), claim_ms=1) == []


def test_files_that_are_being_processed_finish(services: ServicesSetup, running: RunningConsumer) -> None:
    long, *_ = jobs = services.add("long", *(f"bad{number}" for number in range(40)))
    running.registry.acts.update((job.name, bad) for job in jobs[1:])
    _, may_end = running.hold("long")
    running.deliver(message(long))
    running.start()
    running.deliver(*(message(job) for job in jobs[1:31]))
    wait_until(lambda: paused(services))
    may_end.set()
    wait_until(lambda: services.job(long).status is Status.PROCESSED)


def test_brake_can_be_off(services: ServicesSetup, running: RunningConsumer, control: ProcessingControl) -> None:
    control.brakes = False
    jobs = failing(services, running, 40)
    running.deliver(*(message(job) for job in jobs))
    running.start()
    wait_until(lambda: services.jobs.counts(QUEUE).failed == 40)
    assert not paused(services)


def test_nothing_is_received_in_strict_order_until_the_batch_continues(services: ServicesSetup) -> None:
    with RunningConsumer(services, keeps_order=True) as running:
        (first,), (behind,) = services.add("first"), services.add("behind")
        held = HeldBatches(services.database)
        held.hold(first.batch_id, CODE, now_ms=1)
        running.deliver(message(first, group="g"), message(behind, group="g"))
        running.start()
        wait_until(lambda: running.count(Outcome.RELEASED) == 2)
        assert running.consumer._room() == 0
        assert {services.job(job).status for job in (first, behind)} == {Status.PENDING}
        held.resume([first.batch_id], tolerates=True)
        wait_until(lambda: running.consumer._room() > 0)
        running.deliver(message(first, group="g"), message(behind, group="g"))
        wait_until(lambda: services.job(behind).status is Status.PROCESSED)
        assert running.registry.began == ["first", "behind"]


def test_database_error_while_pausing_is_tried_again(
    services: ServicesSetup, running: RunningConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_app.domain.errors import StoreBusyError

    original, tried = HeldBatches.hold, threading.Event()

    def busy_once(self: HeldBatches, batch_id: int, code: str, *, now_ms: int) -> bool:
        if not tried.is_set():
            tried.set()
            raise StoreBusyError("busy")
        return original(self, batch_id, code, now_ms=now_ms)

    monkeypatch.setattr(HeldBatches, "hold", busy_once)
    jobs = failing(services, running, 40)
    running.deliver(*(message(job) for job in jobs[:30]))
    running.start()
    wait_until(lambda: paused(services))
    assert tried.is_set()
