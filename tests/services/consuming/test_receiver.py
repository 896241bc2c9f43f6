"""The long poll."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.messages import MAX_WAIT_SECONDS
from desktop_app.services.consuming.receiver import NO_WAIT_PAUSE_SECONDS, PARALLEL_WAIT_SECONDS, PollRecord, Receiver
from desktop_app.services.control import ProcessingControl
from desktop_app.services.loops import (
    LEAST_RESPONSES,
    SLOW_SECONDS,
    Backoff,
    LoopState,
    Phase,
    StateReporter,
    StopRequest,
)
from tests.helpers import wait_until
from tests.helpers.fakes import OFFLINE, Countdown, FakeClient, FakeClock, FakeConnector, received

if TYPE_CHECKING:
    from desktop_app.queues.messages import Received


class ReceiverSetup:
    """A receiver with a fake queue."""

    def __init__(self, *, room: int = 3, wait_s: int = MAX_WAIT_SECONDS) -> None:
        self.clock = FakeClock()
        self.client = FakeClient()
        self.connector = FakeConnector(self.client)
        self.got: list[tuple[list[Received], float]] = []
        self.told: list[LoopState] = []
        self.control = ProcessingControl()
        self.polls = PollRecord()
        self.room = room
        self.receiver = Receiver(
            self.connector,
            room=lambda: self.room,
            pause_s=lambda: 0.0,
            deliver=lambda messages, expires: self.got.append((messages, expires)),
            state=StateReporter("consumer", self.told.append, self.clock),
            clock=self.clock,
            control=self.control,
            polls=self.polls,
            visibility_s=30,
            wait_s=wait_s,
            backoff=Backoff(first=0.01, longest=0.01),
        )

    def note_long_responses(self) -> None:
        for _ in range(LEAST_RESPONSES):
            self.receiver._times.note(2 * SLOW_SECONDS)


def test_receiver_requests_as_many_as_there_is_room_for_and_at_most_ten() -> None:
    setup = ReceiverSetup()
    setup.receiver.run(Countdown(2))
    setup.room = 50
    setup.receiver.run(Countdown(2))
    assert setup.client.made("receive") == [(3, 20, 30), (10, 20, 30)]


def test_without_room_it_does_not_ask() -> None:
    setup = ReceiverSetup(room=0)
    setup.receiver.run(Countdown(4))
    assert setup.client.calls == []


def test_messages_are_delivered_with_the_end_of_their_visibility() -> None:
    setup = ReceiverSetup()
    setup.client.polls.append([received()])
    setup.receiver.run(Countdown(2))
    ((messages, expires),) = setup.got
    assert len(messages) == 1
    assert expires == setup.clock.steady() + 30


def test_lease_received_before_the_computer_slept_counts_as_expired() -> None:
    setup = ReceiverSetup()
    setup.client.polls.append([received()])
    asked = setup.clock.steady()
    setup.client.on_receive = lambda: setup.clock.advance(3600)
    setup.receiver.run(Countdown(2))
    assert setup.got[0][1] == asked + 20 + 30


def test_empty_answer_is_followed_by_the_next_poll_at_once() -> None:
    setup = ReceiverSetup()
    setup.client.on_receive = lambda: setup.clock.advance(20)
    setup.receiver.run(Countdown(6))
    assert len(setup.client.made("receive")) == 3
    assert setup.got == []


@pytest.mark.parametrize("wait_s", [MAX_WAIT_SECONDS, 0])
def test_server_without_long_polls_does_not_make_the_loop_spin(wait_s: int) -> None:
    setup = ReceiverSetup(wait_s=wait_s)
    asked = Countdown(20)
    setup.receiver.run(asked)
    assert asked.waits.count(NO_WAIT_PAUSE_SECONDS) == len(setup.client.made("receive"))


def test_poll_with_a_lost_response_is_repeated_with_its_id() -> None:
    setup = ReceiverSetup()
    setup.client.on_receive = lambda: setup.clock.advance(1)
    setup.client.polls.extend([OFFLINE, [], []])
    setup.receiver.run(Countdown(8))
    first, again, new = setup.client.attempts[:3]
    assert first == again != new


def test_poll_is_not_repeated_with_an_expired_id() -> None:
    setup = ReceiverSetup()
    setup.client.on_receive = lambda: setup.clock.advance(300)
    setup.client.polls.append(OFFLINE)
    setup.receiver.run(Countdown(6))
    assert setup.client.attempts[0] != setup.client.attempts[1]


def test_error_is_reported_with_backoff_and_cleared_by_success() -> None:
    setup = ReceiverSetup()
    setup.client.polls.extend([OFFLINE, OFFLINE])
    setup.receiver.run(Countdown(20))
    assert [state.phase for state in setup.told][:4] == [Phase.RUNNING, Phase.WAITING, Phase.WAITING, Phase.RUNNING]
    assert [state.tries for state in setup.told][:4] == [0, 1, 2, 0]


@pytest.mark.parametrize("trouble", [QueueTrouble.SIGNED_OUT, QueueTrouble.NO_QUEUE, QueueTrouble.SETUP])
def test_temporary_configuration_errors_reconnect(trouble: QueueTrouble) -> None:
    setup = ReceiverSetup()
    setup.client.polls.append(QueueError("x", trouble=trouble))
    setup.receiver.run(Countdown(4))
    assert setup.connector.resets == 1


def test_queue_that_is_unreachable_at_the_start_is_waited_for() -> None:
    setup = ReceiverSetup()
    setup.connector.trouble = OFFLINE
    setup.receiver.run(Countdown(4))
    assert setup.told[0].phase is Phase.WAITING


def test_messages_received_after_the_stop_are_released_at_once_in_order() -> None:
    setup = ReceiverSetup()
    setup.client.polls.append([received(handle="1"), received(handle="2")])
    setup.receiver.run(Countdown(1))
    assert setup.client.made("change_visibility") == [[("1", 0), ("2", 0)]]
    assert setup.got == []


def test_messages_that_can_not_be_released_become_visible_by_themselves() -> None:
    setup = ReceiverSetup()
    setup.client.polls.append([received()])
    setup.client.script("change_visibility", OFFLINE)
    setup.receiver.run(Countdown(1))
    assert setup.got == []


def test_error_after_the_stop_causes_no_backoff() -> None:
    setup = ReceiverSetup()
    setup.client.polls.append(OFFLINE)
    setup.receiver.run(Countdown(1))
    assert [state.phase for state in setup.told] == [Phase.RUNNING]


def test_poll_after_an_error_is_short_so_that_recovery_shows_at_once() -> None:
    setup = ReceiverSetup()
    setup.client.polls.extend([OFFLINE, [], []])
    setup.receiver.run(Countdown(6))
    waits = [wait for _, wait, _ in setup.client.made("receive")]
    assert waits[:3] == [20, 0, 20]
    phases = [state.phase for state in setup.told]
    assert phases[phases.index(Phase.WAITING) + 1] is Phase.RUNNING


def test_two_empty_polls_within_a_minute_show_that_the_queue_is_empty() -> None:
    polls = PollRecord()
    for asked_s, count, expected_s in (
        (100, 0, 0),
        (120, 3, 0),  # foreign messages are visible again
        (121, 0, 100),
        (141, 0, 121),
        (170, 1, 0),
        (202, 0, 0),
        (203, 0, 202),
    ):
        polls.note(asked_s * 1000, count)
        assert polls.take() == (count, expected_s * 1000), asked_s


def test_poll_without_waiting_shows_nothing_if_it_is_empty() -> None:
    """SQS asks only some of its servers then."""
    setup = ReceiverSetup(wait_s=0)
    setup.polls.drain()
    setup.receiver.run(Countdown(3))
    assert setup.client.made("receive")
    assert not setup.polls.is_drained
    assert setup.polls.take() == (0, 0)


def test_messages_are_received_in_parallel_while_they_flow() -> None:
    setup = ReceiverSetup(room=100)
    setup.note_long_responses()
    stop, may_answer = StopRequest(), threading.Event()
    setup.client.on_receive = partial(wait_until, may_answer.is_set)
    setup.client.polls.extend([received() for _ in range(10)] for _ in range(3))
    threads = [threading.Thread(target=setup.receiver.assist, args=(stop,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    setup.receiver.note_room()
    assert setup.client.calls == [], "a single poll is enough while it is not known that more messages are waiting"
    setup.polls.note(0, 10)
    setup.receiver.note_room()
    wait_until(lambda: len(setup.client.calls) == 2)
    assert setup.client.made("receive") == [(10, PARALLEL_WAIT_SECONDS, 30)] * 2
    setup.polls.drain()
    setup.polls.note(1, 0)
    assert not setup.polls.is_drained, "the other polls may receive messages"
    may_answer.set()
    wait_until(lambda: len(setup.got) == 2)
    stop.set()
    for thread in threads:
        thread.join(20)
    setup.polls.note(2, 0)
    assert setup.polls.take() == (30, 0)
    assert setup.receiver._polls.is_drained


def test_parallel_polls_end_when_fewer_messages_are_left_or_there_is_no_room() -> None:
    polls = PollRecord()
    polls.note(0, 10)
    assert not polls.begin_extra(19), "one poll is in progress already"
    assert polls.begin_extra(30)
    assert polls.begin_extra(30)
    assert not polls.begin_extra(30)
    polls.end_extra(10)
    assert polls.begin_extra(30)
    polls.end_extra(3)
    assert not polls.begin_extra(100)


def test_messages_of_a_parallel_poll_are_released_after_a_stop() -> None:
    setup = ReceiverSetup(room=100)
    setup.note_long_responses()
    stop = StopRequest()
    setup.client.on_receive = stop.set
    setup.client.polls.append([received(handle="h")])
    setup.polls.note(0, 10)
    setup.receiver.assist(stop)
    assert setup.got == []
    assert setup.client.made("change_visibility") == [[("h", 0)]]
