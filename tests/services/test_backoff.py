"""Waiting after something did not succeed."""

from __future__ import annotations

from desktop_app.services.loops import Backoff


def highest(low: float, high: float) -> float:
    return high


def lowest(low: float, high: float) -> float:
    return low


def test_the_ceiling_doubles_up_to_the_longest_wait() -> None:
    backoff = Backoff(first=1, longest=60, uniform=highest)
    assert [backoff.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_whole_span_is_drawn() -> None:
    spans: list[tuple[float, float]] = []

    def note(low: float, high: float) -> float:
        spans.append((low, high))
        return high

    backoff = Backoff(uniform=note)
    backoff.next()
    backoff.next()
    assert spans == [(0, 1), (0, 2)]


def test_a_wait_is_never_so_short_that_a_loop_spins() -> None:
    assert Backoff(uniform=lowest).next() == 0.2
    assert Backoff(first=0.05, uniform=lowest).next() == 0.05


def test_a_success_starts_afresh() -> None:
    backoff = Backoff(uniform=highest)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert (backoff.tries, backoff.next()) == (0, 1)


def test_thousands_of_tries_do_not_overflow() -> None:
    backoff = Backoff(uniform=highest)
    backoff.tries = 100_000
    assert backoff.next() == 60
