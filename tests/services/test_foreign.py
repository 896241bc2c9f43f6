"""Messages that are not ours."""

from __future__ import annotations

from desktop_app.services.consuming.foreign_messages import KEPT, KEPT_CHARS, ForeignMessages
from tests.services.fakes import received


def fill(mail: ForeignMessages, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        mail.note(received("x" * 5_000, message_id=f"m{number}"), "not JSON")


def test_they_are_counted_and_the_newest_are_kept_for_a_look() -> None:
    mail = ForeignMessages()
    fill(mail, KEPT + 5)
    assert mail.count == KEPT + 5
    newest = mail.newest()
    assert len(newest) == KEPT
    assert (newest[0].message_id, newest[0].why, len(newest[0].body)) == (f"m{KEPT + 4}", "not JSON", KEPT_CHARS)


def test_one_that_comes_again_and_again_is_listed_and_counted_in_the_row_once() -> None:
    mail = ForeignMessages()
    assert mail.note(received(message_id="m"), "not JSON")
    for _ in range(100):
        assert not mail.note(received(message_id="m"), "not JSON")
    assert (mail.count, len(mail.newest()), mail.in_a_row) == (101, 1, 1)


def test_one_of_ours_in_between_ends_the_row() -> None:
    mail = ForeignMessages()
    fill(mail, 7)
    assert mail.in_a_row == 7
    mail.note_own()
    assert mail.in_a_row == 0
