"""Before it ends, a worker receives what is left of its own messages, for a limited time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.queues.messages import QueueState
from desktop_app.services.consuming.drain import LONGEST_SECONDS, MOST_FOREIGN, Drain
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.consuming.receiver import PollRecord
from desktop_app.store.recovery import Recovery
from desktop_app.store.results import Result, Work
from tests.helpers.fakes import OFFLINE, FakeClient, FakeConnector, received
from tests.services.conftest import QUEUE

if TYPE_CHECKING:
    from tests.services.conftest import ServicesSetup

EMPTY = QueueState(0, 0, 0, 0, 345_600)


class DrainSetup:
    """A drain with a consumer that polls when the test says so."""

    def __init__(self, services: ServicesSetup) -> None:
        self.clock = services.clock
        self.client = FakeClient(queue_state=EMPTY)
        self.connector = FakeConnector(self.client)
        self.foreign = ForeignMessages()
        self.polls = PollRecord()
        self.recovery = Recovery(services.database)
        self.drains = Drain(self, self.connector, self.foreign, self.recovery, queue=QUEUE, clock=self.clock)

    def drain(self, *, is_wanted: bool = True) -> None:
        self.polls.drain(is_wanted=is_wanted)

    @property
    def is_drained(self) -> bool:
        return self.polls.is_drained

    def poll(self, count: int = 0) -> bool:
        """Let the consumer poll once; return whether the drain is over."""
        self.clock.advance(1)
        self.polls.note(self.clock.now_ms(), count)
        return self.drains.is_over()


@pytest.fixture
def setup(services: ServicesSetup) -> DrainSetup:
    claim = services.claim(*services.add("a.txt"))
    assert claim.job is not None
    Work(services.database).finish([Result(claim.job.row_id, claim.token, services.clock.now_ms())])
    return DrainSetup(services)


def may_be_drained(setup: DrainSetup) -> bool:
    return setup.recovery.may_be_drained(queue=QUEUE)


def test_empty_queue_ends_with_the_first_empty_poll(setup: DrainSetup) -> None:
    assert not setup.drains.is_over()
    assert may_be_drained(setup)
    assert setup.poll()
    assert setup.drains.left == 0
    assert not may_be_drained(setup)


def test_messages_are_received_until_a_poll_is_empty(setup: DrainSetup) -> None:
    assert not setup.drains.is_over()
    assert [setup.poll(10), setup.poll(3), setup.poll()] == [False, False, True]


def test_hidden_messages_are_awaited(setup: DrainSetup) -> None:
    setup.client.queue_state = replace(EMPTY, in_flight=2)
    setup.drains.is_over()
    assert [setup.poll(), setup.poll()] == [False, False]
    setup.client.queue_state = EMPTY
    assert [setup.poll(2), setup.poll()] == [False, True]


def test_hidden_messages_are_not_awaited_for_ever(setup: DrainSetup) -> None:
    setup.client.queue_state = replace(EMPTY, in_flight=2)
    setup.drains.is_over()
    polls = 1
    while not setup.poll():
        polls += 1
    assert polls == LONGEST_SECONDS
    assert setup.drains.left == 2
    assert may_be_drained(setup)


def test_foreign_messages_are_not_awaited(setup: DrainSetup) -> None:
    setup.client.queue_state = replace(EMPTY, visible=1, in_flight=2)
    for number in (1, 2, 3, 3):
        setup.foreign.note(received(message_id=f"m{number}"), "not JSON")
    setup.drains.is_over()
    assert setup.poll()


def test_queue_full_of_foreign_messages_is_left_alone_and_what_may_be_left_is_known(setup: DrainSetup) -> None:
    setup.client.queue_state = replace(EMPTY, visible=5000)
    assert not setup.drains.is_over()
    note_foreign(setup, 0, MOST_FOREIGN - 1)
    assert not setup.poll(10)
    note_foreign(setup, MOST_FOREIGN - 1, MOST_FOREIGN)
    assert setup.poll(1)
    assert setup.drains.left == 5000 - MOST_FOREIGN
    assert not may_be_drained(setup), "another drain would receive foreign messages again"


def test_own_messages_behind_known_foreign_ones_are_awaited(setup: DrainSetup) -> None:
    note_foreign(setup, 0, 2000)
    setup.client.queue_state = replace(EMPTY, visible=2000, delayed=3)
    assert not setup.drains.is_over()
    note_foreign(setup, 0, 50)
    assert [setup.poll(10), setup.poll()] == [False, False]
    setup.client.queue_state = replace(EMPTY, visible=2000)
    assert setup.poll()


def note_foreign(setup: DrainSetup, first: int, end: int) -> None:
    for number in range(first, end):
        setup.foreign.note(received(message_id=f"m{number}"), "not JSON")


def test_queue_that_can_not_be_reached_is_tried_again_for_a_limited_time(setup: DrainSetup) -> None:
    setup.connector.trouble = OFFLINE
    setup.drains.is_over()
    assert not setup.poll()
    setup.connector.trouble = None
    assert setup.drains.is_over()
    setup.connector.trouble = OFFLINE
    setup.clock.advance(LONGEST_SECONDS)
    assert setup.drains.is_over()


def test_receiving_goes_on_when_files_are_added(setup: DrainSetup) -> None:
    setup.client.queue_state = replace(EMPTY, in_flight=2)
    setup.drains.is_over()
    setup.poll()
    setup.polls.note(1, 0)
    before = setup.is_drained
    setup.drains.interrupt()
    assert (before, setup.is_drained, setup.polls.is_draining) == (True, False, False)
