"""Messages that are not ours."""

from __future__ import annotations

from desktop_app.services.foreign import KEPT, KEPT_CHARS, TOO_MANY_IN_A_ROW, ForeignMail
from tests.services.fakes import received


def fill(mail: ForeignMail, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        mail.note(received("x" * 5_000, message_id=f"m{number}"), "not JSON")


def test_they_are_counted_and_the_newest_are_kept_for_a_look() -> None:
    mail = ForeignMail()
    fill(mail, KEPT + 5)
    assert mail.count == KEPT + 5
    newest = mail.newest()
    assert len(newest) == KEPT
    assert (newest[0].message_id, newest[0].why, len(newest[0].body)) == (f"m{KEPT + 4}", "not JSON", KEPT_CHARS)


def test_one_that_comes_again_and_again_is_listed_once_and_never_brakes() -> None:
    mail = ForeignMail()
    assert mail.note(received(message_id="m"), "not JSON")
    for _ in range(100):
        assert not mail.note(received(message_id="m"), "not JSON")
    assert (mail.count, len(mail.newest())) == (101, 1)
    assert not mail.is_too_much


def test_many_different_ones_in_a_row_are_too_much() -> None:
    mail = ForeignMail()
    fill(mail, TOO_MANY_IN_A_ROW - 1)
    assert not mail.is_too_much
    fill(mail, 1, start=1000)
    assert mail.is_too_much


def test_one_of_ours_in_between_shows_that_the_queue_is_ours() -> None:
    mail = ForeignMail()
    for start in range(0, 100, TOO_MANY_IN_A_ROW - 1):
        fill(mail, TOO_MANY_IN_A_ROW - 1, start=start)
        mail.note_own()
    assert not mail.is_too_much
