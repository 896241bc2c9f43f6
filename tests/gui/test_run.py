from __future__ import annotations

import pytest

from desktop_app.domain.job import RunSums
from desktop_app.gui.progress.run import IDLE, STALE_MS, Progress, Run, RunEnd

T = 1_793_000_000_000


def test_idle_list_has_no_run() -> None:
    run = Run(T)
    assert run.update(RunSums(), T + 5) == (IDLE, None)
    assert not IDLE.is_busy
    assert IDLE.fraction == 1.0


def test_run_counts_files_and_bytes_including_what_has_been_read_of_unfinished_files() -> None:
    run = Run(T)
    sums = RunSums(2, 300, processing=1, read_bytes=50, done_files=1, done_bytes=100, failed=1, newest_end=T + 1)
    progress, end = run.update(sums, T + 5)
    assert progress == Progress(1, 3, 150, 400, processing=1, failed=1)
    assert progress.fraction == 1 / 3
    assert end is None


def test_run_ends_with_its_duration_when_no_unfinished_files_are_left() -> None:
    run = Run(T)
    run.update(RunSums(2, 200), T + 1_000)
    ended = RunSums(done_files=2, done_bytes=200, failed=1, newest_end=T + 131_000, oldest_start=T + 1_000)
    progress, end = run.update(ended, T + 131_500)
    assert progress == IDLE
    assert end == RunEnd(2, 1, 130_000)


def test_time_before_the_first_file_was_started_does_not_count() -> None:
    run = Run(T)
    run.update(RunSums(1, 100), T + 1_000)
    ended = RunSums(done_files=1, done_bytes=100, newest_end=T + 12_200, oldest_start=T + 12_000)
    assert run.update(ended, T + 12_300)[1] == RunEnd(1, 0, 200)


def test_start_of_a_file_before_the_run_does_not_count() -> None:
    run = Run(T)
    run.update(RunSums(1, 100), T + 1_000)
    ended = RunSums(done_files=1, newest_end=T + 3_000, oldest_start=T - 86_400_000)
    assert run.update(ended, T + 3_100)[1] == RunEnd(1, 0, 2_000)


def test_next_run_does_not_count_files_of_the_previous_one() -> None:
    run = Run(T)
    run.update(RunSums(2, 200), T)
    run.update(RunSums(done_files=2, newest_end=T + 900), T + 1_000)
    assert run.since_ms == T + 900
    assert run.update(RunSums(), T + 2_000) == (IDLE, None)
    progress, _ = run.update(RunSums(5, 500), T + 60_000)
    assert progress.files_total == 5


def test_run_that_ended_before_the_second_query_has_a_result() -> None:
    run = Run(T)
    run.update(RunSums(), T)
    assert run.update(RunSums(done_files=3, newest_end=T + 40), T + 200) == (IDLE, RunEnd(3, 0, 0))
    assert run.update(RunSums(), T + 400) == (IDLE, None)


def test_files_that_ended_before_the_first_query_are_not_reported() -> None:
    run = Run(T)
    assert run.update(RunSums(done_files=3, newest_end=T + 40), T + 200) == (IDLE, None)
    assert run.since_ms == T + 40


def test_files_added_during_a_run_belong_to_it() -> None:
    run = Run(T)
    run.update(RunSums(10, 100, processing=2), T)
    progress, _ = run.update(RunSums(15, 150, processing=2, done_files=5, done_bytes=50), T + 1_000)
    assert (progress.files_done, progress.files_total) == (5, 20)


@pytest.mark.parametrize(("waited", "total"), [(STALE_MS, 13), (STALE_MS - 1, 1_241)])
def test_files_added_long_after_the_last_progress_begin_a_new_run(waited: int, total: int) -> None:
    run = Run(T)
    waiting = RunSums(3, 30, done_files=1_228, done_bytes=10, newest_end=T - 5)
    run.update(waiting, T)
    more = RunSums(13, 130, done_files=1_228, done_bytes=10, newest_end=T - 5)
    assert run.update(more, T + waited)[0].files_total == total


@pytest.mark.parametrize(
    ("files", "size", "by_bytes"),
    [(4, 0, False), (17, 40_000_000, False), (81_580, 90_000_000_000, False), (3, 8_000_000_000, True)],
)
def test_few_large_files_are_measured_in_bytes_and_others_in_files(files: int, size: int, by_bytes: bool) -> None:
    progress, _ = Run(T).update(RunSums(files, size), T + 1)
    assert progress.by_bytes is by_bytes


def test_percentage_speaks_of_the_same_thing_as_the_count() -> None:
    assert Progress(7_772, 81_580, 18_000, 100_000).fraction == 7_772 / 81_580
    assert Progress(15, 17, 999, 1_000).fraction == 15 / 17
    assert Progress(0, 3, 1_200, 8_000, by_bytes=True).fraction == 1_200 / 8_000
    assert Progress(1, 4, 0, 0).fraction == 0.25


def test_unit_does_not_change_with_every_small_file_that_is_added() -> None:
    run = Run(T)
    assert run.update(RunSums(2, 16_000_000), T)[0].by_bytes
    assert run.update(RunSums(3, 16_000_000), T + 1)[0].by_bytes
    assert not run.update(RunSums(300, 17_000_000), T + 2)[0].by_bytes
    assert not run.update(RunSums(3, 16_000_000), T + 3)[0].by_bytes


def test_fraction_is_one_only_after_the_end() -> None:
    assert Progress(9, 10, 1000, 1000, by_bytes=True).fraction == 0.99
    assert Progress(10, 10, 1000, 1000).fraction == 1.0
