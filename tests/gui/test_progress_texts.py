from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import StatusCounts
from desktop_app.domain.query import SelectionSums
from desktop_app.gui.progress.run import Progress, RunEnd
from desktop_app.gui.progress.run_watch import Pace
from desktop_app.gui.progress.texts import (
    DAY,
    HOUR,
    MINUTE,
    TimeLeft,
    end_text,
    files_and_bytes_of,
    files_of,
    measure_of,
    pace_sentence,
    pace_text,
    selection_text,
    time_left,
)

if TYPE_CHECKING:
    from desktop_app.gui.wording import Wording

NBSP = "\N{NO-BREAK SPACE}"


def test_progress_in_files_and_bytes(wording: Wording) -> None:
    progress = Progress(1_044, 1_248, 3_100_000_000, 3_400_000_000)
    assert files_of(1_044, 1_248, wording) == "1,044 of 1,248 files"
    assert files_and_bytes_of(progress, wording) == "1,044 of 1,248 files, 3.1 GB of 3.4 GB"
    assert files_of(0, 1, wording) == "0 of 1 file"


def test_progress_in_the_unit_of_the_run(wording: Wording) -> None:
    assert measure_of(Progress(7_772, 81_580, 1, 2), wording) == "7,772 of 81,580 files"
    assert measure_of(Progress(0, 3, 1_200_000_000, 8_000_000_000, by_bytes=True), wording) == "1.2 of 8.0 GB"
    assert measure_of(Progress(0, 3, 900_000_000, 8_000_000_000, by_bytes=True), wording) == "900.0 MB of 8.0 GB"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (MINUTE, "~1 min"),
        (2 * MINUTE, "~2 min"),
        (55 * MINUTE, "~55 min"),
        (HOUR, "~1 h"),
        (80 * MINUTE, "~1 h 20 min"),
        (DAY, "more than a day"),
    ],
)
def test_text_of_the_time_left(seconds: int, words: str) -> None:
    assert time_left(seconds) == words


def test_time_left_does_not_flicker() -> None:
    left = TimeLeft()
    assert [left.text(seconds) for seconds in (None, 95, 80, 100, 61, 44, None)] == [
        "",
        "~2 min",
        "~2 min",
        "~2 min",
        "~1 min",
        "less than a minute",
        "",
    ]


@pytest.mark.parametrize(
    ("pace", "words"),
    [
        (Pace(), ""),
        (Pace(9.12, 1000), "9.1/s"),
        (Pace(120.4, 1000), "120/s"),
        (Pace(1_250.0, 1000), "1,250/s"),
        (Pace(0.05, 12_300_000), "12.3 MB/s"),
        (Pace(0, 12_300_000), "12.3 MB/s"),
        (Pace(9.12, 12_300_000, by_bytes=True), "12.3 MB/s"),
        (Pace(0.05, 0), "3.0/min"),
    ],
)
def test_pace_is_shown_in_a_suitable_unit(pace: Pace, words: str, wording: Wording) -> None:
    assert pace_text(pace, wording) == words


def test_pace_for_screen_readers(wording: Wording) -> None:
    assert pace_sentence(Pace(9.12, 12_300_000), wording) == "9.1 files and 12.3 MB per second"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (RunEnd(248, 0, 130_000), f"248 files processed in 2{NBSP}min 10{NBSP}s."),
        (RunEnd(248, 3, 130_000), f"245 files processed in 2{NBSP}min 10{NBSP}s, 3 failed."),
        (RunEnd(1, 0, 400), "1 file processed."),
        (RunEnd(2, 1, 400), "1 file processed, 1 failed."),
        (RunEnd(2, 2, 130_000), "2 files failed."),
        (RunEnd(1, 1, 10), "1 file failed."),
    ],
)
def test_text_of_the_result_of_a_run(end: RunEnd, words: str, wording: Wording) -> None:
    assert end_text(end, wording) == words


def test_text_of_the_selection(wording: Wording) -> None:
    assert selection_text(1_200, None, wording) == "1,200 selected"
    sums = SelectionSums(StatusCounts(processed=10, failed=2), 3_400_000, 1)
    assert selection_text(12, sums, wording) == "12 selected · 3.4 MB · 2 failed"
    fine = SelectionSums(StatusCounts(processed=12), 0, 1)
    assert selection_text(12, fine, wording) == "12 selected · 0 bytes"
