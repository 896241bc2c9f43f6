from __future__ import annotations

import pytest

from desktop_app.domain.job import Ended
from desktop_app.gui.progress.run_watch import History, Span

NOW = 1_793_000_000.0


def test_every_span_has_all_its_steps() -> None:
    for span in Span:
        series = History().series(span, NOW)
        assert len(series.files) == len(series.bytes) == span.seconds // span.step
        assert set(series.files) == {0.0}


def test_files_are_recorded_in_the_right_step() -> None:
    history = History()
    history.add(NOW - 3.5, NOW - 3.2, 4, 1000)
    series = history.series(Span.MINUTE, NOW)
    assert series.end_s == NOW
    assert series.files[-4] == 4
    assert series.bytes[-4] == 1000
    assert sum(series.files) == 4


def test_current_step_is_not_shown() -> None:
    history = History()
    history.add(NOW - 9.8, NOW - 9.6, 1, 0)
    history.add(NOW, NOW + 0.2, 4, 0)
    assert sum(history.series(Span.MINUTE, NOW + 0.3).files) == 1
    assert history.series(Span.MINUTE, NOW + 1).files[-1] == 4


def test_files_of_a_late_reading_are_spread_evenly() -> None:
    history = History()
    history.add(NOW - 5, NOW - 1, 8, 0)
    assert max(history.series(Span.MINUTE, NOW).files) == 2


def test_all_spans_have_the_same_total() -> None:
    history = History()
    history.add(NOW - 1000, NOW - 999, 30, 3000)
    for span in (Span.HOUR, Span.HOURS_6, Span.DAY):
        series = history.series(span, NOW)
        assert sum(series.files) * span.step == pytest.approx(30)
        assert sum(series.bytes) * span.step == pytest.approx(3000)
    assert sum(history.series(Span.MINUTES_5, NOW).files) == 0


def test_new_steps_replace_old_ones() -> None:
    history = History()
    history.add(NOW - 1, NOW - 0.5, 5, 0)
    assert sum(history.series(Span.MINUTE, NOW + 59).files) == 5
    assert sum(history.series(Span.MINUTE, NOW + 61).files) == 0
    assert sum(history.series(Span.DAY, NOW + 3 * 86_400).files) == 0
    history.add(NOW, NOW + 1, 5, 0)  # too late for this second
    assert sum(history.series(Span.MINUTE, NOW + 3 * 86_400).files) == 0


def test_history_is_filled_from_the_database() -> None:
    history = History()
    history.fill(Span.DAY, [Ended(int((NOW - 7200) * 1000), 720, 72_000)], NOW)
    series = history.series(Span.DAY, NOW)
    assert max(series.files) == 1.0
    assert max(series.bytes) == 100.0
    assert sum(history.series(Span.MINUTE, NOW).files) == 0


def test_what_has_just_begun_is_shown_if_there_is_nothing_else() -> None:
    history = History()
    history.add(NOW - 1, NOW, files=720, size=72_000)
    for span in Span:
        series = history.series(span, NOW)
        assert sum(series.files) * span.step == 720
        assert len(series.files) == span.seconds // span.step
        assert series.end_s >= NOW - span.step
    history.add(NOW - 1, NOW + 720, files=720, size=72_000)
    assert history.series(Span.DAY, NOW + 720).files[-1] > 0
