"""Order within a FIFO message group."""

from __future__ import annotations

from desktop_app.services.consuming.in_flight import InFlightMessage, MessageGroups
from tests.helpers.fakes import received


def message(group: str) -> InFlightMessage:
    return InFlightMessage(received(group=group), expires=0)


def test_messages_without_a_group_never_wait() -> None:
    groups = MessageGroups()
    one, two = message(""), message("")
    assert groups.enter(one)
    assert groups.enter(two)
    assert groups.leave(one) is None


def test_one_message_per_group_at_a_time_and_groups_in_parallel() -> None:
    groups = MessageGroups()
    a1, a2, a3, b1 = message("a"), message("a"), message("a"), message("b")
    assert [groups.enter(one) for one in (a1, a2, a3, b1)] == [True, False, False, True]
    assert groups.leave(a1) is a2
    assert groups.leave(a2) is a3
    assert groups.leave(a3) is None
    assert groups.enter(message("a")), "the group is free again"


def test_release_also_releases_all_messages_behind_in_order() -> None:
    groups = MessageGroups()
    a1, a2, a3 = message("a"), message("a"), message("a")
    for one in (a1, a2, a3):
        groups.enter(one)
    assert groups.cut(a1) == [a2, a3]
    assert groups.cut(a1) == []
    assert groups.enter(message("a"))


def test_release_of_a_waiting_message_keeps_those_before_it() -> None:
    groups = MessageGroups()
    a1, a2, a3 = message("a"), message("a"), message("a")
    for one in (a1, a2, a3):
        groups.enter(one)
    assert groups.cut(a2) == [a3]
    assert groups.leave(a1) is None
    assert groups.enter(message("a")), "the group is free"
