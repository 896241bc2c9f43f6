"""The clock that does not count the computer's sleep."""

from __future__ import annotations

from desktop_app.services.loops import AwakeClock
from tests.helpers.fakes import FakeClock


def test_time_that_somebody_saw_pass_counts() -> None:
    clock = FakeClock()
    awake = AwakeClock(clock)
    start = awake.steady()
    for _ in range(100):
        clock.advance(0.5)
        awake.steady()
    assert awake.steady() - start == 50
    assert awake.now_ms() == clock.now_ms()


def test_a_long_gap_between_two_looks_is_sleep_and_does_not_count() -> None:
    clock = FakeClock()
    awake = AwakeClock(clock)
    start = awake.steady()
    clock.advance(8 * 3600)
    assert awake.steady() - start == 5
