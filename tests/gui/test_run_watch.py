from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import Status
from desktop_app.gui.progress.run import IDLE, Progress, RunEnd
from desktop_app.gui.progress.run_watch import STILL, Pace, RunWatch, Span
from desktop_app.gui.tasks import Tasks
from tests.gui.jobs_database import NOW_MS, JobsDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot


class Follower:
    """A watch on a list of jobs, and its recorded signals."""

    def __init__(self, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
        self.jobs_db = jobs_db
        self.tasks = Tasks(jobs_db.session, threads=1)
        self.is_written = False
        self.watch = RunWatch(
            jobs_db.jobs, self.tasks, queue="local", clock=jobs_db.clock, is_written=lambda: self.is_written
        )
        self.ends: list[RunEnd] = []
        self.paces: list[Pace] = []
        self.watch.ended.connect(self.ends.append)
        self.watch.paced.connect(self.paces.append)
        self._qtbot = qtbot
        self.watch.start()
        self.settle()

    def settle(self) -> None:
        self._qtbot.waitUntil(lambda: not self.tasks.busy)

    def until(self, condition: Callable[[], bool]) -> None:
        """Look as the change feed would until a condition holds."""

        def looked() -> bool:
            self.watch.look()
            return condition()

        self._qtbot.waitUntil(looked)

    def work(self, keys: list[int]) -> None:
        """Process these files within one second."""
        self.jobs_db.clock.advance(1)
        self.jobs_db.change(keys, status=Status.PROCESSED, finished_at=self.jobs_db.clock.now_ms() - 300)
        done = self.watch.progress.files_done + len(keys)
        self.until(lambda: self.watch.progress.files_done == done or not self.watch.progress.is_busy)
        self.watch._emit_pace()


@pytest.fixture
def follower(jobs_db: JobsDatabase, qtbot: QtBot) -> Iterator[Follower]:
    made = Follower(jobs_db, qtbot)
    yield made
    assert made.tasks.close(5_000)


def test_run_is_followed_from_beginning_to_end(follower: Follower, qtbot: QtBot) -> None:
    keys = follower.jobs_db.add_many(4)
    follower.until(lambda: follower.watch.progress == Progress(0, 4, 0, 4000))
    follower.work(keys[:3])
    assert follower.watch.progress == Progress(3, 4, 3000, 4000)
    follower.jobs_db.clock.advance(60)
    follower.jobs_db.fail(keys[3])
    follower.jobs_db.change(keys[3], finished_at=follower.jobs_db.clock.now_ms())
    follower.until(lambda: follower.watch.progress == IDLE)
    assert follower.ends == [RunEnd(4, 1, 61_000)]
    assert follower.paces[-1] == STILL


def test_files_processed_before_the_start_do_not_belong_to_the_run(jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    old = jobs_db.add_many(10)
    jobs_db.change(old, status=Status.PROCESSED, finished_at=NOW_MS - 1)
    follower = Follower(jobs_db, qtbot)
    jobs_db.add("new.txt")
    follower.until(lambda: follower.watch.progress.files_total == 1)
    assert follower.tasks.close(5_000)


def test_pace_and_time_left_are_emitted_during_a_run(follower: Follower) -> None:
    keys = follower.jobs_db.add_many(100)
    follower.until(lambda: follower.watch.progress.is_busy)
    for second in range(12):
        follower.work(keys[second * 5 : second * 5 + 5])
    pace = follower.paces[-1]
    assert pace.files == pytest.approx(5, rel=0.2)
    assert pace.bytes == pytest.approx(5_000, rel=0.2)
    assert pace.left_s == pytest.approx(8, rel=0.3)
    assert follower.paces[3].left_s is None


def test_there_is_no_estimate_while_estimating_is_disabled(follower: Follower) -> None:
    keys = follower.jobs_db.add_many(100)
    follower.until(lambda: follower.watch.progress.is_busy)
    for second in range(12):
        follower.work(keys[second * 5 : second * 5 + 5])
    follower.watch.set_estimating(enabled=False)
    assert follower.paces[-1].left_s is None
    assert follower.paces[-1].files > 0
    follower.watch.set_estimating(enabled=True)
    assert follower.paces[-1].left_s is None


def test_speed_ends_soon_after_a_pause(follower: Follower) -> None:
    keys = follower.jobs_db.add_many(100)
    follower.until(lambda: follower.watch.progress.is_busy)
    for second in range(12):
        follower.work(keys[second * 5 : second * 5 + 5])
    follower.jobs_db.clock.advance(2)
    follower.watch.set_estimating(enabled=False)
    assert (follower.paces[-1].files, follower.paces[-1].bytes) == (0, 0)
    follower.watch.set_estimating(enabled=True)
    assert follower.paces[-1].files == 0
    follower.until(lambda: follower.watch._last.asked_ms == follower.jobs_db.clock.now_ms())
    for second in range(12, 16):
        follower.work(keys[second * 5 : second * 5 + 5])
    assert follower.paces[-1].files == pytest.approx(5, rel=0.1), "without the time before and during the pause"


def test_speed_is_right_soon_after_the_first_file(follower: Follower) -> None:
    """A run waits before its first file, and that one does not take a whole second."""
    keys = follower.jobs_db.add_many(100)
    follower.until(lambda: follower.watch.progress.is_busy)
    follower.jobs_db.clock.advance(3)
    follower.until(lambda: follower.watch._last.asked_ms == follower.jobs_db.clock.now_ms())
    for second in range(4):
        follower.work(keys[second * 5 : second * 5 + 5])
    assert follower.paces[-1].files == pytest.approx(5, rel=0.1)


def test_slow_pace_during_a_long_change_of_the_list_is_forgotten_after_it(follower: Follower) -> None:
    keys = follower.jobs_db.add_many(200)
    follower.until(lambda: follower.watch.progress.is_busy)
    follower.is_written = True
    for second in range(15):
        follower.work(keys[second : second + 1])
        assert follower.paces[-1].left_s is None
    follower.is_written = False
    for second in range(12):
        follower.work(keys[15 + second * 5 : 20 + second * 5])
    assert follower.paces[-1].left_s == pytest.approx(125 / 5, rel=0.2)


def test_bytes_read_of_an_unfinished_file_count(follower: Follower) -> None:
    (key,) = follower.jobs_db.add("giant.bin", size=1000)
    follower.until(lambda: follower.watch.progress.is_busy)
    follower.jobs_db.clock.advance(1)
    follower.jobs_db.change(key, status=Status.PROCESSING, bytes_done=400)
    follower.until(lambda: follower.watch.progress == Progress(0, 1, 400, 1000, processing=1))
    follower.jobs_db.clock.advance(1)
    assert sum(follower.watch.history.series(Span.MINUTE, follower.jobs_db.clock.now).bytes) == pytest.approx(400)


def test_history_includes_files_processed_before_the_start(jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    keys = jobs_db.add_many(36)
    jobs_db.change(keys, status=Status.PROCESSED, finished_at=NOW_MS - 3 * 3600 * 1000)
    follower = Follower(jobs_db, qtbot)
    series = follower.watch.history.series(Span.HOURS_6, NOW_MS / 1000)
    assert sum(series.files) * Span.HOURS_6.step == pytest.approx(36)
    assert sum(follower.watch.history.series(Span.HOUR, NOW_MS / 1000).files) == 0
    assert follower.tasks.close(5_000)


def test_follow_queue_counts_the_jobs_of_another_queue(follower: Follower) -> None:
    follower.jobs_db.add_many(3)
    follower.until(lambda: follower.watch.progress.is_busy)
    follower.watch.follow_queue("another")
    follower.until(lambda: follower.watch.progress == IDLE)
    assert follower.ends == []


def test_query_is_repeated_after_a_database_error(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop_app.domain.errors import StoreError

    def refuse(**_: object) -> None:
        raise StoreError("locked")

    follower.jobs_db.add_many(3)
    with monkeypatch.context() as patch:
        patch.setattr(follower.jobs_db.jobs, "run_sums", refuse)
        follower.watch.look()
        follower.settle()
    follower.until(lambda: follower.watch.progress.files_total == 3)
