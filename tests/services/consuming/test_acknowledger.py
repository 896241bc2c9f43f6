"""Deleting and releasing messages."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueTrouble
from desktop_app.queues.messages import EntryResult
from desktop_app.services.consuming.acknowledger import IDLE_SECONDS, MAX_AGE_SECONDS, Acknowledger
from desktop_app.services.consuming.in_flight import InFlightMessage, InFlightMessages
from desktop_app.services.loops import LEAST_RESPONSES, SLOW_SECONDS, StopRequest, SupervisedLoop
from tests.helpers import wait_until
from tests.helpers.fakes import DONE, OFFLINE, FakeClient, FakeClock, FakeConnector, received
from tests.services.consuming.test_receiver import ReceiverSetup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GONE = EntryResult(trouble=QueueTrouble.LEASE_LOST, text="gone")
SLOW = EntryResult(trouble=QueueTrouble.THROTTLED, text="slow down")


class RunningAcknowledger:
    """An acknowledger with a fake queue, on a thread."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.client = FakeClient()
        self.in_flight = InFlightMessages()
        self.acknowledger = Acknowledger(self.in_flight, FakeConnector(self.client), self.clock)
        self.thread = threading.Thread(target=self.acknowledger.run, args=(StopRequest(),), daemon=True)

    def receive(self, number: int) -> list[InFlightMessage]:
        messages = [InFlightMessage(received(handle=f"h{n}"), self.clock.steady() + 30) for n in range(number)]
        for message in messages:
            self.in_flight.add(message)
        return messages

    def stop(self) -> None:
        self.acknowledger.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()


def flushed(
    put: Callable[[RunningAcknowledger], None], fixture: RunningAcknowledger | None = None
) -> RunningAcknowledger:
    """Add entries and stop before the thread starts, so that the batches are predictable; return the calls."""
    fixture = fixture or RunningAcknowledger()
    put(fixture)
    fixture.acknowledger.stop()
    fixture.thread.start()
    fixture.stop()
    return fixture


def delete(number: int) -> Callable[[RunningAcknowledger], None]:
    def put(fixture: RunningAcknowledger) -> None:
        for message in fixture.receive(number):
            fixture.acknowledger.delete(message)

    return put


def test_single_delete_is_not_delayed() -> None:
    fixture = RunningAcknowledger()
    fixture.thread.start()
    delete(1)(fixture)
    wait_until(lambda: fixture.client.made("delete") == [["h0"]])
    wait_until(lambda: len(fixture.in_flight) == 0)
    fixture.stop()


def test_deletes_go_in_tens() -> None:
    fixture = flushed(delete(25))
    assert [len(batch) for batch in fixture.client.made("delete")] == [10, 10, 5]
    assert len(fixture.in_flight) == 0


def test_released_messages_keep_order_and_time() -> None:
    def put(fixture: RunningAcknowledger) -> None:
        first, second, third = fixture.receive(3)
        fixture.acknowledger.release(first, 7)
        fixture.acknowledger.release(second)
        fixture.acknowledger.delete(third)

    fixture = flushed(put)
    assert fixture.client.calls == [("change_visibility", [("h0", 7), ("h1", 0)]), ("delete", ["h2"])]


def test_failed_entry_is_retried_and_extended_meanwhile() -> None:
    fixture = RunningAcknowledger()
    fixture.client.script("delete", [DONE, SLOW])
    flushed(delete(2), fixture)
    assert fixture.client.made("delete") == [["h0", "h1"], ["h1"]]
    assert len(fixture.in_flight) == 0


def test_lost_lease_is_not_retried() -> None:
    fixture = RunningAcknowledger()
    fixture.client.script("delete", [GONE])
    flushed(delete(1), fixture)
    assert fixture.client.made("delete") == [["h0"]]
    assert len(fixture.in_flight) == 0


def test_queue_that_does_not_respond_is_called_again() -> None:
    fixture = RunningAcknowledger()
    fixture.client.script("delete", OFFLINE)
    fixture.thread.start()
    delete(1)(fixture)
    wait_until(lambda: len(fixture.client.made("delete")) == 2)
    wait_until(lambda: len(fixture.in_flight) == 0)
    fixture.stop()


def test_stop_does_not_wait_for_a_queue_that_does_not_respond() -> None:
    fixture = RunningAcknowledger()
    fixture.client.script("delete", OFFLINE, OFFLINE, OFFLINE)
    flushed(delete(12), fixture)
    assert len(fixture.client.made("delete")) == 1
    assert len(fixture.in_flight) == 0


def test_long_after_its_lease_a_delete_is_given_up() -> None:
    fixture = RunningAcknowledger()
    fixture.client.script("delete", [SLOW])
    (message,) = fixture.receive(1)
    fixture.acknowledger.delete(message)
    fixture.clock.advance(30 + 61)
    fixture.thread.start()
    wait_until(lambda: len(fixture.in_flight) == 0)
    assert fixture.client.made("delete") == [["h0"]]
    fixture.stop()


def test_stop_without_entries_ends_at_once() -> None:
    assert flushed(lambda _: None).client.calls == []


def test_many_deletes_are_sent_in_parallel() -> None:
    fixture = RunningAcknowledger()
    stop, at_once, calls = StopRequest(), threading.Barrier(2), count()
    answer = fixture.client.delete

    def delete_together(handles: Sequence[str]) -> list[EntryResult]:
        if next(calls) < 2:
            at_once.wait(20)
        return answer(handles)

    fixture.client.delete = delete_together  # type: ignore[method-assign]
    for _ in range(LEAST_RESPONSES):
        fixture.acknowledger._times.note(2 * SLOW_SECONDS)
    assistant = threading.Thread(target=fixture.acknowledger.assist, args=(stop,))
    delete(40)(fixture)
    assistant.start()
    fixture.thread.start()
    wait_until(lambda: len(fixture.in_flight) == 0)
    stop.set()
    assistant.join(20)
    fixture.stop()
    assert sorted(map(len, fixture.client.made("delete"))) == [10, 10, 10, 10]


def test_assistant_leaves_few_deletes_and_all_releases_to_the_main_thread() -> None:
    fixture = RunningAcknowledger()
    stop = StopRequest()
    assistant = threading.Thread(target=fixture.acknowledger.assist, args=(stop,))
    assistant.start()
    delete(5)(fixture)
    for message in fixture.receive(30):
        fixture.acknowledger.release(message)
    stop.set()
    assistant.join(20)
    assert not assistant.is_alive()
    assert fixture.client.calls == []


@pytest.mark.parametrize("of_receiver", [False, True])
def test_assistant_that_is_not_needed_for_long_is_not_restarted(of_receiver: bool) -> None:
    fixture, receiver = RunningAcknowledger(), ReceiverSetup()
    assist = receiver.receiver.assist if of_receiver else fixture.acknowledger.assist
    loop = SupervisedLoop("assistant", assist, patience_s=60, clock=fixture.clock)
    loop.start()
    for _ in range(3):
        wait_until(lambda: loop._stop.is_waiting)
        fixture.clock.advance(1000)
        loop.check()
    loop.stop()
    loop.join(20)
    assert loop._thread is not None
    assert not loop._thread.is_alive()


def test_main_thread_goes_on_if_an_assistant_has_sent_what_was_waiting() -> None:
    fixture = RunningAcknowledger()
    fixture.thread.start()
    acknowledger = fixture.acknowledger
    wait = acknowledger._condition.wait

    def taken_meanwhile(timeout: float | None = None) -> bool:
        if timeout == MAX_AGE_SECONDS:
            for ack in acknowledger._deletes:
                fixture.in_flight.remove(ack.message)
            acknowledger._deletes.clear()
            acknowledger._condition.wait = wait  # type: ignore[method-assign]
            return False
        return wait(timeout)

    acknowledger._condition.wait = taken_meanwhile  # type: ignore[method-assign]
    delete(1)(fixture)
    wait_until(lambda: len(fixture.in_flight) == 0)
    delete(1)(fixture)
    wait_until(lambda: fixture.client.made("delete") == [["h0"]])
    wait_until(lambda: len(fixture.in_flight) == 0)
    fixture.stop()


def with_quick_queue() -> RunningAcknowledger:
    """Return an acknowledger that knows its queue as one that responds at once; its thread is not running."""
    fixture = RunningAcknowledger()
    for _ in range(LEAST_RESPONSES):
        fixture.acknowledger._times.note(SLOW_SECONDS / 2)
    return fixture


def test_thread_that_receives_deletes_in_tens_if_the_queue_responds_quickly() -> None:
    fixture = with_quick_queue()
    delete(25)(fixture)

    fixture.acknowledger.send_full_batches()

    assert [len(batch) for batch in fixture.client.made("delete")] == [10, 10]
    assert len(fixture.in_flight) == 5


def test_thread_that_receives_does_not_wait_for_a_queue_that_responds_slowly_or_is_unknown() -> None:
    unknown, slow = RunningAcknowledger(), RunningAcknowledger()
    for _ in range(LEAST_RESPONSES):
        slow.acknowledger._times.note(2 * SLOW_SECONDS)
    for fixture in (unknown, slow):
        delete(25)(fixture)

        fixture.acknowledger.send_full_batches()

        assert fixture.client.calls == []


def test_thread_that_receives_leaves_failed_deletes_to_the_other() -> None:
    fixture = with_quick_queue()
    fixture.client.script("delete", OFFLINE)
    delete(20)(fixture)

    fixture.acknowledger.send_full_batches()

    assert len(fixture.client.made("delete")) == 1
    assert len(fixture.in_flight) == 20
    fixture.acknowledger.send_full_batches()
    assert len(fixture.client.made("delete")) == 1, "the other one waits before it tries again"
    fixture.acknowledger.stop()
    fixture.thread.start()
    fixture.stop()
    assert len(fixture.in_flight) == 0


def test_deletes_are_left_to_the_thread_that_receives_only_while_it_sends_them() -> None:
    fixture = with_quick_queue()
    delete(10)(fixture)
    fixture.acknowledger.send_full_batches()
    delete(30)(fixture)
    fixture.thread.start()
    with pytest.raises(AssertionError):
        wait_until(lambda: len(fixture.client.made("delete")) > 1, timeout=4 * MAX_AGE_SECONDS)

    fixture.clock.advance(2 * MAX_AGE_SECONDS)

    wait_until(lambda: len(fixture.in_flight) == 0)
    fixture.stop()


def test_failed_delete_of_the_thread_that_receives_is_sent_again_soon() -> None:
    fixture = with_quick_queue()
    acknowledger, answer, is_idle = fixture.acknowledger, fixture.client.delete, threading.Event()
    wait = acknowledger._condition.wait

    def noted(timeout: float | None = None) -> bool:
        if timeout == IDLE_SECONDS:
            is_idle.set()  # the caller holds the lock until it waits
        return wait(timeout)

    def fail_while_the_other_is_idle(handles: Sequence[str]) -> list[EntryResult]:
        fixture.client.delete = answer  # type: ignore[method-assign]
        fixture.thread.start()
        assert is_idle.wait(20)
        return [SLOW, *answer(handles)[1:]]

    acknowledger._condition.wait = noted  # type: ignore[method-assign]
    fixture.client.delete = fail_while_the_other_is_idle  # type: ignore[method-assign]
    delete(10)(fixture)

    acknowledger.send_full_batches()

    wait_until(lambda: len(fixture.in_flight) == 0, timeout=IDLE_SECONDS / 2)
    fixture.stop()


def test_thread_that_receives_sends_nothing_while_deletes_fail() -> None:
    fixture = with_quick_queue()
    fixture.client.script("delete", [SLOW] * 10)
    delete(30)(fixture)

    for _ in range(5):
        fixture.acknowledger.send_full_batches()

    assert len(fixture.client.made("delete")) == 1, "the other thread sends them, with a backoff"
    fixture.clock.advance(2 * MAX_AGE_SECONDS)
    fixture.thread.start()
    wait_until(lambda: len(fixture.in_flight) == 0)
    fixture.stop()
    delete(10)(fixture)
    fixture.acknowledger._is_stopping = False
    fixture.acknowledger.send_full_batches()
    assert len(fixture.in_flight) == 0, "now they succeed again"


def test_thread_that_receives_does_not_send_for_long_if_the_queue_has_become_slow() -> None:
    fixture = with_quick_queue()
    answer = fixture.client.delete

    def slow(handles: Sequence[str]) -> list[EntryResult]:
        fixture.clock.advance(20)
        return answer(handles)

    fixture.client.delete = slow  # type: ignore[method-assign]
    delete(50)(fixture)

    fixture.acknowledger.send_full_batches()

    assert len(fixture.client.made("delete")) == 1, "it has to receive, and to see whether it has to stop"
