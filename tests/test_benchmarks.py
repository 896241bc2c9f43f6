"""How the results of the benchmarks are collected; the benchmarks themselves are not part of the tests."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks._chart import draw_chart
from tests.benchmarks._programs import Ended
from tests.benchmarks._results import (
    FILE_VARIABLE,
    Result,
    as_markdown,
    at_least,
    at_most,
    at_most_times,
    missing,
    read_results,
)
from tests.benchmarks.consuming import FILE_BYTES, consumed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("result", "is_ok", "ratio"),
    [
        (at_least("a", 90, "/s", peer="b", against=100, goal=0.9), True, 0.9),
        (at_least("a", 89, "/s", peer="b", against=100, goal=0.9), False, 0.89),
        (at_least("a", 89, "/s", peer="b", against=100, goal=None), None, 0.89),
        (at_most("a", 10, "ms", 10), True, 1),
        (at_most("a", 10.1, "ms", 10), False, 1.01),
        (at_most_times("a", 30, "ms", peer="b", against=20, goal=1.5), True, 1.5),
        (at_most_times("a", 31, "ms", peer="b", against=20, goal=1.5), False, 1.55),
    ],
)
def test_goal_is_compared_with_the_measurement(result: Result, is_ok: bool | None, ratio: float) -> None:
    assert result.is_ok is is_ok
    assert result.ratio == pytest.approx(ratio)


def test_table_marks_what_is_short_or_missing() -> None:
    table = as_markdown([at_most("first", 11, "ms", 10), missing("second", "no | server")]).splitlines()
    assert [line.split(" | ")[-1].rstrip(" |") for line in table[2:]] == ["**short**", "missing"]
    assert "no \\| server" in table[3]
    assert len({len(line) for line in table}) == 1


def test_results_of_a_script_that_fails_later_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.jsonl"
    assert read_results(path) == []
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    reported = [at_most("first", 1_234.5, "ms", 2_000), missing("second", "no server")]
    assert read_results(path) == reported
    assert reported[0].measured == "1,234 ms"


def test_chart_places_powers_of_ten_evenly(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    draw_chart(path, "a & b", "jobs", "ms", {"line": [(1_000, 1), (10_000, 10), (100_000, 100)]})
    circles = [one for one in ET.fromstring(path.read_text(encoding="utf-8")).iter() if one.tag.endswith("circle")]
    places = [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in circles]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert y0 > y1


@pytest.mark.parametrize(
    ("last", "is_right"),
    [
        ((2, FILE_BYTES, 53), True),
        ((1, FILE_BYTES, 53), False),
        ((2, FILE_BYTES - 1, 53), False),
        ((2, FILE_BYTES + 1, 53), False),
        ((2, FILE_BYTES, 54), False),
        ((2, None, None), False),
    ],
)
def test_run_counts_only_if_each_file_was_processed_correctly(
    last: tuple[int, int | None, int | None], is_right: bool, tmp_path: Path
) -> None:
    path = tmp_path / "job.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE job (started_at, finished_at, status, size, lines)")
        rows = [(2, FILE_BYTES, 53), last]
        connection.executemany("INSERT INTO job VALUES (100, 104, ?, ?, ?)", rows)
    ended = Ended(5.0, 1.0, "cpu 0.5\n")
    if is_right:
        run = consumed(ended, path, 2, unit_s=1)
        assert (run.rate, run.job_us) == (0.5, 250_000)
    else:
        with pytest.raises(RuntimeError, match="only 1 of 2"):
            consumed(ended, path, 2, unit_s=1)
