from __future__ import annotations

import pytest

from desktop_app.domain.job import Ended
from desktop_app.gui.progress.history import History, Span

NOW = 1_793_000_000.0


def test_every_span_has_its_steps() -> None:
    for span in Span:
        series = History().series(span, NOW)
        assert len(series.files) == len(series.bytes) == span.seconds // span.step
        assert set(series.files) == {0.0}


def test_work_is_counted_in_its_second() -> None:
    history = History()
    history.add(NOW - 3.5, NOW - 3.2, 4, 1000)
    series = history.series(Span.MINUTE, NOW)
    assert series.end_s == NOW
    assert series.files[-4] == 4
    assert series.bytes[-4] == 1000
    assert sum(series.files) == 4


def test_current_second_is_not_shown_yet() -> None:
    history = History()
    history.add(NOW, NOW + 0.2, 4, 0)
    assert sum(history.series(Span.MINUTE, NOW + 0.3).files) == 0
    assert history.series(Span.MINUTE, NOW + 1).files[-1] == 4


def test_work_of_a_late_reading_is_spread_over_the_time_between() -> None:
    history = History()
    history.add(NOW - 5, NOW - 1, 8, 0)
    assert max(history.series(Span.MINUTE, NOW).files) == 2


def test_every_span_shows_the_same_work() -> None:
    history = History()
    history.add(NOW - 1000, NOW - 999, 30, 3000)
    for span in (Span.HOUR, Span.HOURS_6, Span.DAY):
        series = history.series(span, NOW)
        assert sum(series.files) * span.step == pytest.approx(30)
        assert sum(series.bytes) * span.step == pytest.approx(3000)
    assert sum(history.series(Span.MINUTES_5, NOW).files) == 0


def test_old_work_makes_room_for_new() -> None:
    history = History()
    history.add(NOW - 1, NOW - 0.5, 5, 0)
    assert sum(history.series(Span.MINUTE, NOW + 59).files) == 5
    assert sum(history.series(Span.MINUTE, NOW + 61).files) == 0
    assert sum(history.series(Span.DAY, NOW + 3 * 86_400).files) == 0
    history.add(NOW, NOW + 1, 5, 0)  # too late for this second
    assert sum(history.series(Span.MINUTE, NOW + 3 * 86_400).files) == 0


def test_results_in_the_database_become_the_past() -> None:
    history = History()
    history.fill(Span.DAY, [Ended(int((NOW - 7200) * 1000), 720, 72_000)], NOW)
    series = history.series(Span.DAY, NOW)
    assert max(series.files) == 1.0
    assert max(series.bytes) == 100.0
    assert sum(history.series(Span.MINUTE, NOW).files) == 0
