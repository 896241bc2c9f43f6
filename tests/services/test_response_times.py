"""When several requests at once are worthwhile."""

from __future__ import annotations

from desktop_app.services.loops import LEAST_RESPONSES, MOST_RESPONSES, SLOW_SECONDS, ResponseTimes

LONG = 2 * SLOW_SECONDS


def test_the_fastest_of_the_last_responses_decides() -> None:
    times = ResponseTimes()
    seen = [times.are_long]

    def note(seconds: float, count: int = 1) -> None:
        for _ in range(count):
            times.note(seconds)
        seen.append(times.are_long)

    note(LONG, LEAST_RESPONSES - 1)
    note(LONG)
    note(SLOW_SECONDS / 2)  # only the computer was busy before
    note(LONG, MOST_RESPONSES)
    assert seen == [False, False, True, False, True]
