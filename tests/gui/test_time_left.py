from __future__ import annotations

from itertools import pairwise

import pytest

from desktop_app.gui.progress.run import IDLE, LARGE_BYTES, Progress, TimeLeftEstimator
from desktop_app.gui.progress.texts import DAY, HOUR, MINUTE, rounded

MB = 1_000_000


class Watch:
    """A run of `files` files under observation."""

    def __init__(self, files: int, size: int) -> None:
        self.eta = TimeLeftEstimator()
        self.now = 1000.0
        self.files, self.size = files, size
        self.done = self.read = 0

    def step(self, seconds: float, files: int = 0, size: int = 0) -> float | None:
        self.now += seconds
        self.done += files
        self.read += size
        return self.look()

    def look(self) -> float | None:
        by_bytes = self.size >= self.files * LARGE_BYTES
        return self.eta.update(Progress(self.done, self.files, self.read, self.size, by_bytes=by_bytes), self.now)

    def steady(self, seconds: int, files: int, size: int) -> list[float | None]:
        return [self.step(1.0, files, size) for _ in range(seconds)]


def test_there_is_no_estimate_before_ten_seconds_and_five_files() -> None:
    watch = Watch(1000, 1000 * MB)
    watch.look()
    assert watch.steady(9, 10, 10 * MB) == [None] * 9
    assert watch.step(1.0, 10, 10 * MB) is not None
    slow = Watch(1000, 1000 * MB)
    slow.look()
    said = [slow.step(3.0, 1, MB) for _ in range(8)]
    assert said[:4] == [None] * 4
    assert None not in said[4:]


def test_estimate_of_a_steady_run_counts_down() -> None:
    watch = Watch(1000, 1000 * MB)
    watch.look()
    said = [one for one in watch.steady(90, 10, 10 * MB) if one is not None]
    assert said[0] == pytest.approx(90, rel=0.1)
    assert said[-1] == pytest.approx(10, abs=2)
    assert all(later < before for before, later in pairwise(said))


def test_estimate_does_not_jump_after_bursts() -> None:
    watch = Watch(1000, 1000 * MB)
    watch.look()
    said: list[float] = []
    for second in range(80):
        burst = 50 if second % 5 == 4 else 0
        left = watch.step(1.0, burst, burst * MB)
        if left is not None:
            said.append(left)
    jumps = [abs(later - before) for before, later in pairwise(said[15:])]
    assert max(jumps) < 6
    assert said[40] == pytest.approx(100 - 10 - 41, abs=12)


def test_few_large_files_have_an_estimate_before_the_first_one_is_done() -> None:
    watch = Watch(3, 100_000 * MB)
    watch.look()
    said = watch.steady(30, 0, 50 * MB)
    assert said[18] is None  # less than one per cent has been read
    assert said[25] == pytest.approx(2_000 - 26, rel=0.05)


def test_one_giant_file_at_the_end_is_estimated_by_bytes() -> None:
    watch = Watch(11, 10 * MB + 10_000 * MB)
    watch.look()
    watch.steady(10, 1, MB)
    said = watch.steady(60, 0, 100 * MB)
    assert said[-1] == pytest.approx(40, rel=0.15)


def test_files_that_take_equally_long_are_estimated_by_number() -> None:
    watch = Watch(200, 0)
    sizes = [1, 1, 1, 1, 60, 1, 1, 1, 1, 1] * 20
    watch.size = sum(sizes) * MB
    watch.look()
    said = [watch.step(1.0, 1, size * MB) for size in sizes[:103]]
    assert said[-1] == pytest.approx(97, rel=0.1)


def test_estimate_disappears_during_a_stall_and_then_uses_the_current_pace() -> None:
    watch = Watch(1000, 1000 * MB)
    watch.look()
    watch.steady(30, 10, 10 * MB)
    still = watch.steady(20, 0, 0)
    assert still[5] is not None
    assert still[-1] is None
    again = watch.steady(15, 10, 10 * MB)
    assert again[5] is None
    assert again[-1] == pytest.approx(55, rel=0.15)


def test_slow_files_are_not_a_stall() -> None:
    watch = Watch(100, 100)
    watch.look()
    said = [watch.step(1.0, int(second % 8 == 0), int(second % 8 == 0)) for second in range(1, 200)]
    assert None not in said[90:]


def test_time_asleep_does_not_count() -> None:
    watch = Watch(1000, 1000 * MB)
    watch.look()
    watch.steady(30, 10, 10 * MB)
    assert watch.step(8 * HOUR, 10, 10 * MB) is None
    assert watch.steady(12, 10, 10 * MB)[-1] == pytest.approx(56, rel=0.2)


def test_added_files_increase_the_estimate() -> None:
    watch = Watch(300, 300 * MB)
    watch.look()
    before = watch.steady(20, 5, 5 * MB)[-1]
    watch.files, watch.size = 900, 900 * MB
    after = watch.steady(30, 5, 5 * MB)[-1]
    assert before is not None
    assert after is not None
    assert after == pytest.approx(130, rel=0.15)


def test_next_run_starts_without_samples() -> None:
    watch = Watch(100, 100 * MB)
    watch.look()
    assert watch.steady(12, 5, 5 * MB)[-1] is not None
    assert watch.eta.update(IDLE, watch.now) is None
    watch.done = watch.read = 0
    assert watch.step(1.0, 0, 0) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, 0),
        (59, 0),
        (60, MINUTE),
        (89, MINUTE),
        (100, 2 * MINUTE),
        (14 * MINUTE, 14 * MINUTE),
        (17 * MINUTE, 15 * MINUTE),
        (58 * MINUTE, 60 * MINUTE),
        (80 * MINUTE, 80 * MINUTE),
        (84 * MINUTE, 80 * MINUTE),
        (30 * HOUR, DAY),
    ],
)
def test_time_left_is_rounded(seconds: float, said: int) -> None:
    assert rounded(seconds) == said


def test_previous_result_is_kept_while_it_is_close_enough() -> None:
    assert rounded(95, before=2 * MINUTE) == 2 * MINUTE
    assert rounded(80, before=2 * MINUTE) == 2 * MINUTE
    assert rounded(70, before=2 * MINUTE) == MINUTE
    assert rounded(50, before=MINUTE) == MINUTE
    assert rounded(40, before=MINUTE) == 0
