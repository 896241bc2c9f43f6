"""What the queue is told about messages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueTrouble
from desktop_app.queues.messages import EntryResult
from desktop_app.services.consuming.acknowledger import Acknowledger
from desktop_app.services.consuming.in_flight import InFlightMessage, InFlightMessages
from tests.helpers import wait_until
from tests.services.fakes import DONE, OFFLINE, FakeClient, FakeClock, FakeConnector, received

if TYPE_CHECKING:
    from collections.abc import Callable

GONE = EntryResult(trouble=QueueTrouble.LEASE_LOST, text="gone")
SLOW = EntryResult(trouble=QueueTrouble.THROTTLED, text="slow down")


class Desk:
    """Acks with a fake queue, on a thread of their own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.client = FakeClient()
        self.book = InFlightMessages()
        self.acks = Acknowledger(self.book, FakeConnector(self.client), self.clock)
        self.thread = threading.Thread(target=self.acks.run, args=(lambda: False,))

    def held(self, count: int) -> list[InFlightMessage]:
        messages = [InFlightMessage(received(handle=f"h{n}"), self.clock.steady() + 30) for n in range(count)]
        for held in messages:
            self.book.take(held)
        return messages

    def stop(self) -> None:
        self.acks.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()


def flushed(put: Callable[[Desk], None], desk: Desk | None = None) -> Desk:
    """Put something in and stop before the thread starts: all of it is flushed, and a test knows how."""
    desk = desk or Desk()
    put(desk)
    desk.acks.stop()
    desk.thread.start()
    desk.stop()
    return desk


def delete(count: int) -> Callable[[Desk], None]:
    def put(desk: Desk) -> None:
        for held in desk.held(count):
            desk.acks.delete(held)

    return put


def test_a_single_delete_does_not_wait_for_company() -> None:
    desk = Desk()
    desk.thread.start()
    delete(1)(desk)
    wait_until(lambda: desk.client.made("delete") == [["h0"]])
    wait_until(lambda: len(desk.book) == 0)
    desk.stop()


def test_deletes_go_in_tens() -> None:
    desk = flushed(delete(25))
    assert [len(batch) for batch in desk.client.made("delete")] == [10, 10, 5]
    assert len(desk.book) == 0


def test_what_is_given_back_keeps_its_order_and_its_time() -> None:
    def put(desk: Desk) -> None:
        first, second, third = desk.held(3)
        desk.acks.release(first, 7)
        desk.acks.release(second)
        desk.acks.delete(third)

    desk = flushed(put)
    assert desk.client.calls == [("change_visibility", [("h0", 7), ("h1", 0)]), ("delete", ["h2"])]


def test_an_entry_that_was_not_done_is_tried_again_and_kept_alive_meanwhile() -> None:
    desk = Desk()
    desk.client.script("delete", [DONE, SLOW])
    flushed(delete(2), desk)
    assert desk.client.made("delete") == [["h0", "h1"], ["h1"]]
    assert len(desk.book) == 0


def test_a_lost_lease_is_not_tried_again() -> None:
    desk = Desk()
    desk.client.script("delete", [GONE])
    flushed(delete(1), desk)
    assert desk.client.made("delete") == [["h0"]]
    assert len(desk.book) == 0


def test_a_queue_that_does_not_answer_is_asked_again() -> None:
    desk = Desk()
    desk.client.script("delete", OFFLINE)
    desk.thread.start()
    delete(1)(desk)
    wait_until(lambda: len(desk.client.made("delete")) == 2)
    wait_until(lambda: len(desk.book) == 0)
    desk.stop()


def test_at_a_stop_a_queue_that_does_not_answer_is_not_waited_for() -> None:
    desk = Desk()
    desk.client.script("delete", OFFLINE, OFFLINE, OFFLINE)
    flushed(delete(12), desk)
    assert len(desk.client.made("delete")) == 1
    assert len(desk.book) == 0


def test_long_after_its_lease_a_delete_is_given_up() -> None:
    desk = Desk()
    desk.client.script("delete", [SLOW])
    (held,) = desk.held(1)
    desk.acks.delete(held)
    desk.clock.advance(30 + 61)
    desk.thread.start()
    wait_until(lambda: len(desk.book) == 0)
    assert desk.client.made("delete") == [["h0"]]
    desk.stop()


def test_a_stop_with_nothing_to_do_ends_at_once() -> None:
    assert flushed(lambda _: None).client.calls == []
