"""Order inside a FIFO message group."""

from __future__ import annotations

from desktop_app.services.consuming.dispatcher import MessageGroups
from desktop_app.services.consuming.in_flight import InFlightMessage
from tests.services.fakes import received


def held(group: str) -> InFlightMessage:
    return InFlightMessage(received(group=group), expires=0)


def test_messages_without_a_group_never_wait() -> None:
    lanes = MessageGroups()
    one, two = held(""), held("")
    assert lanes.enter(one)
    assert lanes.enter(two)
    assert lanes.leave(one) is None


def test_one_of_a_group_at_a_time_and_groups_side_by_side() -> None:
    lanes = MessageGroups()
    a1, a2, a3, b1 = held("a"), held("a"), held("a"), held("b")
    assert [lanes.enter(one) for one in (a1, a2, a3, b1)] == [True, False, False, True]
    assert lanes.leave(a1) is a2
    assert lanes.leave(a2) is a3
    assert lanes.leave(a3) is None
    assert lanes.enter(held("a")), "the lane is free again"


def test_all_behind_a_message_that_goes_back_go_back_in_order() -> None:
    lanes = MessageGroups()
    a1, a2, a3 = held("a"), held("a"), held("a")
    for one in (a1, a2, a3):
        lanes.enter(one)
    assert lanes.break_off(a1) == [a2, a3]
    assert lanes.break_off(a1) == []
    assert lanes.enter(held("a"))


def test_when_one_that_waits_goes_back_those_before_it_stay() -> None:
    lanes = MessageGroups()
    a1, a2, a3 = held("a"), held("a"), held("a")
    for one in (a1, a2, a3):
        lanes.enter(one)
    assert lanes.break_off(a2) == [a3]
    assert lanes.leave(a1) is None
    assert lanes.enter(held("a")), "the lane is free"
