"""Messages of other programs."""

from __future__ import annotations

from desktop_app.services.consuming.foreign_messages import KEPT, KEPT_CHARS, ForeignMessages
from tests.helpers.fakes import received


def fill(foreign: ForeignMessages, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        foreign.note(received("x" * 5_000, message_id=f"m{number}"), "not JSON")


def test_foreign_messages_are_counted_and_the_newest_are_kept() -> None:
    foreign = ForeignMessages()
    fill(foreign, KEPT + 5)
    assert foreign.count == KEPT + 5
    newest = foreign.newest()
    assert len(newest) == KEPT
    assert (newest[0].message_id, newest[0].why, len(newest[0].body)) == (f"m{KEPT + 4}", "not JSON", KEPT_CHARS)


def test_repeated_foreign_message_is_listed_and_counted_once() -> None:
    foreign = ForeignMessages()
    assert foreign.note(received(message_id="m"), "not JSON")
    for _ in range(100):
        assert not foreign.note(received(message_id="m"), "not JSON")
    assert (foreign.count, len(foreign.newest()), foreign.in_a_row) == (1, 1, 1)


def test_own_message_in_between_ends_the_series() -> None:
    foreign = ForeignMessages()
    fill(foreign, 7)
    assert foreign.in_a_row == 7
    foreign.note_own()
    assert foreign.in_a_row == 0
